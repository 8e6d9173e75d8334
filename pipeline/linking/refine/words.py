"""Changed minds in words and numbers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from pipeline.linking.refine.plan import Move
from pipeline.linking.refine.views import View
from storage.types import IdentityId, person_name

_SAYS_MUCH = 0.5


def reason(move: Move, *, nearest: View | None, was: IdentityId | None) -> str:
    """One sentence for the operator.

    Args:
        nearest: The view of the target that looks most alike.
        was: Who it was said to be.
    """
    before = "was unsure" if was is None else f"was {person_name(was)}"
    if move.target is None:
        return (
            f"second thoughts: not {person_name(was) if was is not None else 'sure'} after all, "
            f"all views together leave it at {move.odds.rival_probability:.0%} at best; {before}"
        )
    if move.target < 0 and not move.odds.n_views:
        return (
            f"second thoughts: a person of their own, nobody else with {move.odds.alone:.0%}; "
            f"{before}"
        )
    who = "a new person" if move.target < 0 else person_name(IdentityId(move.target))
    opening = "second thoughts" if was is None else "second thoughts, moved"
    return (
        f"{opening}: {who} with {move.odds.here:.0%}, {_agreeing(move)}"
        f"{_transit(move)}{_nearest(nearest)}; {before}"
    )


def grounds(move: Move, view: View) -> dict[str, float | int | str]:
    """The numbers behind it."""
    odds = move.odds
    found: dict[str, float | int | str] = {
        "views": odds.n_views,
        "probability": round(odds.here, 6),
        "probability_alone": round(odds.alone, 6),
        "probability_rival": round(odds.rival_probability, 6),
        "quality": round(view.quality, 4),
    }
    if math.isfinite(odds.log_ratio):
        found["log_ratio"] = round(odds.log_ratio, 4)
        found["log_ratio_transit"] = round(odds.transit, 4)
    return found


def _agreeing(move: Move) -> str:
    n = move.odds.n_views
    return "one view agrees" if n == 1 else f"{n} views agree"


def _transit(move: Move) -> str:
    if move.odds.transit > _SAYS_MUCH:
        return ", transit fits"
    return ", although transit does not fit" if move.odds.transit < -_SAYS_MUCH else ""


def _nearest(nearest: View | None) -> str:
    if nearest is None:
        return ""
    seen = datetime.fromtimestamp(nearest.first_seen_us / 1e6, UTC)
    return f" (nearest {nearest.camera} at {seen:%H:%M:%S} UTC)"
