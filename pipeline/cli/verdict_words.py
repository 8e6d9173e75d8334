"""Verdicts in words and in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from storage.types import (
    IdentityId,
    Moved,
    Verdict,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)
from streams.moments import iso_time

_SHOWN = 4


def who(identity: IdentityId | None) -> str:
    """A person's name, or that nobody knows."""
    return "unsure" if identity is None else person_name(identity)


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def says(verdict: Verdict) -> str:
    """The verdict in terms of its visits."""
    if verdict.kind is VerdictKind.UNDO and verdict.undoes is not None:
        return f"undo {verdict_name(verdict.undoes)}"
    sides = [some([sighting_name(s) for s in side]) for side in (verdict.a, verdict.b) if side]
    return f"{verdict.kind}: {' | '.join(sides)}"


def moves(moved: Sequence[Moved]) -> str:
    """What happened to visits, counted.

    >>> from storage.types import SightingId
    >>> moves([Moved(sighting=SightingId(1), before=IdentityId(4), after=None)])
    '1 P-0004 → unsure'
    """
    counted = Counter((who(move.before), who(move.after)) for move in moved)
    return ", ".join(
        f"{n} stay {before}" if before == after else f"{n} {before} → {after}"
        for (before, after), n in counted.items()
    )


def state(verdict: Verdict) -> str:
    """Whether it holds, and who took it back."""
    if verdict.undone_by is None:
        return "holds"
    undone = f"undone by {verdict_name(verdict.undone_by)}"
    return f"{undone}, holds again" if verdict.holds else undone


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """Every field of a verdict."""
    return {
        "verdict": verdict_name(verdict.id),
        "kind": verdict.kind.value,
        "by": verdict.made_by,
        "at": iso_time(verdict.made_at_us),
        "reason": verdict.reason,
        "a": [sighting_name(each) for each in verdict.a],
        "b": [sighting_name(each) for each in verdict.b],
        "moved": [
            {
                "sighting": sighting_name(move.sighting),
                "before": None if move.before is None else person_name(move.before),
                "after": None if move.after is None else person_name(move.after),
            }
            for move in verdict.moved
        ],
        "contradicts": [verdict_name(older) for older in verdict.contradicts],
        "undoes": None if verdict.undoes is None else verdict_name(verdict.undoes),
        "undone_by": None if verdict.undone_by is None else verdict_name(verdict.undone_by),
        "holds": verdict.holds,
    }
