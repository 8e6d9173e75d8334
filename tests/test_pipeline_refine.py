"""Second thoughts: views of some hours seen together decide better than each alone."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.linking.config import LinkingConfig
from pipeline.linking.refine.refine import refine
from storage.refinement import Rethought, Revisit, Revisited, Said
from storage.types import Decision, IdentityId, SightingId, Span, VerdictId
from streams.types import CameraId
from tests.refine_builders import SECOND, VIS, Steep, somebody

ANNA, BEN = IdentityId(1), IdentityId(2)


class Hurried:
    """Everybody needs ten seconds from anywhere to anywhere."""

    def log_ratio(self, a: CameraId, b: CameraId, gap_s: float) -> float:
        return 1.9 if a != b and abs(gap_s - 10) < 3 else -1.9

    def describe(self, a: CameraId, b: CameraId, gap_s: float) -> str | None:
        return f"{gap_s:.0f} s from {a} to {b}"


def visit(
    number: int,
    vector: npt.NDArray[np.float32],
    *,
    who: IdentityId | None = None,
    camera: str = "gate",
    at_s: float | None = None,
    track: str | None = None,
    part: int = 0,
    pinned: bool = False,
    lasts_s: float = 5,
) -> Revisited:
    first_us = int((100 * number if at_s is None else at_s) * SECOND)
    return Revisited(
        id=SightingId(number),
        sequence=0,
        track=track or f"{camera}/{number}",
        part=part,
        camera=CameraId(camera),
        modality=VIS,
        first_seen_us=first_us,
        last_seen_us=first_us + int(lasts_s * SECOND),
        identity=who,
        named=frozenset() if who is None else frozenset({who}),
        probability=0.95 if who is not None else None,
        is_settled=pinned,
        is_pinned=pinned,
        vectors=vector[None].copy(),
        modalities=(VIS,),
        qualities=(0.9,),
    )


def window(*visits: Revisited, context: tuple[Revisited, ...] = ()) -> Revisit:
    return Revisit(span=Span(), n_left_out=0, visits=visits, context=context)


def thoughts(found: Revisit, *said: Said, **options: object) -> list[list[Rethought]]:
    return refine(found, said, calibration=Steep(), config=LinkingConfig(link_at=0.9), **options)  # type: ignore[arg-type]


def outcome(batches: list[list[Rethought]]) -> dict[int, tuple[Decision, IdentityId | None]]:
    return {t.sighting: (t.link.decision, t.link.identity) for b in batches for t in b}


def applied(found: Revisit, batches: list[list[Rethought]]) -> Revisit:
    """The window as it is read after the decisions were written."""
    now = {visit.id: visit for visit in found.visits}
    for batch in batches:
        made = IdentityId(1000 + min(t.sighting for t in batch))
        for t in batch:
            unsure = t.link.decision is Decision.UNSURE
            who = None if unsure else (t.link.identity or made)
            now[t.sighting] = replace(
                now[t.sighting],
                identity=who,
                sequence=1,
                probability=t.link.probability if t.link.probability is not None else 0.5,
            )
    return replace(found, visits=tuple(now.values()))


def five_of_anna(*, last: IdentityId | None = None) -> list[Revisited]:
    known = [visit(i, somebody(1, seed=i), who=ANNA) for i in range(4)]
    return [*known, visit(4, somebody(1, seed=4), who=last)]


def crowd(n: int = 6) -> list[Revisited]:
    """Strangers, so that there is somebody else to be."""
    return [visit(50 + i, somebody(3 + i, seed=i), who=IdentityId(50 + i)) for i in range(n)]


def test_an_unsure_view_that_several_views_recognise_becomes_known() -> None:
    batches = thoughts(window(*five_of_anna(), *crowd()))

    assert outcome(batches) == {4: (Decision.LINK, ANNA)}
    link = batches[0][0].link
    assert link.candidate == ANNA
    assert link.probability is not None
    assert link.probability >= link.threshold == 0.9
    assert "4 views agree" in link.reason
    assert "was unsure" in link.reason
    assert link.grounds["views"] == 4


def test_people_unsure_several_times_become_a_new_person() -> None:
    unsure = [visit(i, somebody(1, seed=i)) for i in range(5)]

    batches = thoughts(window(*unsure, *crowd()))

    assert len(batches) == 1
    assert [t.link.decision for t in batches[0]] == [Decision.NEW] + [Decision.LINK] * 4
    assert batches[0][0].sighting == 0
    assert all(t.link.identity is None for t in batches[0])


def test_a_view_linked_to_the_wrong_person_is_moved_and_says_whence() -> None:
    bens = [visit(10 + i, somebody(2, seed=i), who=BEN) for i in range(4)]
    found = window(*five_of_anna(last=BEN), *bens, *crowd())

    batches = thoughts(found)

    assert outcome(batches) == {4: (Decision.LINK, ANNA)}
    assert "moved: P-0001" in batches[0][0].link.reason
    assert "was P-0002" in batches[0][0].link.reason


def test_a_view_that_is_surely_not_whom_it_was_linked_to_becomes_unsure() -> None:
    stranger = visit(9, somebody(12), who=ANNA)

    batches = thoughts(window(*five_of_anna(last=ANNA), stranger, *crowd()))

    assert outcome(batches) == {9: (Decision.UNSURE, None)}


def test_thinking_twice_changes_nothing_the_second_time() -> None:
    bens = [visit(10 + i, somebody(2, seed=i), who=BEN if i else ANNA) for i in range(4)]
    unsure = [visit(20 + i, somebody(11, seed=i)) for i in range(4)]
    found = window(*five_of_anna(), *bens, *unsure, *crowd())

    first = thoughts(found)

    assert first
    assert thoughts(applied(found, first)) == []


def test_the_order_of_rows_does_not_matter() -> None:
    visits = [
        *five_of_anna(),
        *(visit(20 + i, somebody(11, seed=i)) for i in range(4)),
        *crowd(),
    ]
    expected = outcome(thoughts(window(*visits)))

    for seed in range(3):
        random.Random(seed).shuffle(visits)
        assert outcome(thoughts(window(*visits))) == expected


def test_what_an_operator_decided_never_changes() -> None:
    *known, last = five_of_anna(last=BEN)
    pinned = replace(last, is_settled=True, is_pinned=True)
    bens = [visit(10 + i, somebody(2, seed=i), who=BEN) for i in range(4)]
    same = Said(
        number=VerdictId(1),
        is_same=True,
        a=frozenset({pinned.id}),
        b=frozenset(ben.id for ben in bens),
    )

    assert thoughts(window(*known, pinned, *bens, *crowd()), same) == []


def test_a_visit_left_to_nobody_stays_nobodys() -> None:
    *known, last = five_of_anna()
    forgotten = replace(last, is_settled=True, is_pinned=True)

    assert thoughts(window(*known, forgotten, *crowd())) == []


def test_visits_that_an_operator_told_apart_are_not_joined() -> None:
    apart = Said(
        number=VerdictId(1),
        is_same=False,
        a=frozenset({SightingId(4)}),
        b=frozenset({SightingId(0)}),
    )

    assert thoughts(window(*five_of_anna(), *crowd()), apart) == []


def test_a_later_verdict_same_outweighs_an_earlier_one() -> None:
    four, nought = frozenset({SightingId(4)}), frozenset({SightingId(0)})
    apart = Said(number=VerdictId(1), is_same=False, a=four, b=nought)
    same = Said(number=VerdictId(2), is_same=True, a=four, b=nought)

    assert outcome(thoughts(window(*five_of_anna(), *crowd()), apart, same))[4][1] == ANNA


@pytest.mark.parametrize("overlapping", [False, True], ids=["elsewhere", "same ground"])
def test_nobody_is_in_two_places_at_once_unless_cameras_overlap(overlapping: bool) -> None:
    *known, last = five_of_anna()
    at_once = replace(
        last,
        camera=CameraId("plaza"),
        first_seen_us=known[0].first_seen_us,
        last_seen_us=known[0].last_seen_us,
    )
    config = LinkingConfig(overlapping=(("plaza", "gate"),) if overlapping else ())

    batches = refine(window(*known, at_once, *crowd()), [], calibration=Steep(), config=config)

    assert outcome(batches) == ({4: (Decision.LINK, ANNA)} if overlapping else {})


def test_parts_of_one_view_share_a_decision() -> None:
    parts = [
        visit(4 + i, somebody(1, seed=9), track="gate/long", part=i, at_s=400 + 30 * i)
        for i in range(3)
    ]

    batches = thoughts(window(*five_of_anna()[:4], *parts, *crowd()))

    assert outcome(batches) == dict.fromkeys((4, 5, 6), (Decision.LINK, ANNA))


def test_people_known_from_before_the_window_are_compared_and_left_alone() -> None:
    *known, last = five_of_anna()

    batches = thoughts(window(last, *crowd(), context=tuple(known)))

    assert outcome(batches) == {4: (Decision.LINK, ANNA)}


def test_transit_settles_what_looks_leave_open() -> None:
    known = visit(0, somebody(1, seed=0, alike=0.6), who=ANNA, at_s=0)
    after = visit(1, somebody(1, seed=1, alike=0.6), at_s=15, camera="plaza")
    views = window(known, after, *crowd(2))

    assert thoughts(views) == []
    assert outcome(thoughts(views, transits=Hurried())) == {1: (Decision.LINK, ANNA)}


def test_nothing_to_reconsider_is_no_change() -> None:
    assert thoughts(window()) == []
    assert thoughts(window(visit(0, somebody(1)))) == []
