"""Pages of visits and persons, as far as somebody may see, on both databases."""

from __future__ import annotations

import random

import pytest

from storage import browsing
from storage.browsing import (
    Filter,
    browse_people,
    browse_sightings,
    browse_verdicts,
    find_person,
    find_sighting,
    newest_sighting,
    place_of,
    sightings_named,
    sightings_since,
    visible_verdict,
)
from storage.database import Database
from storage.errors import NotFound
from storage.gaps import browse_gaps, record_gap
from storage.scope import cameras_of, is_within, people_within
from storage.sightings import record_sighting
from storage.types import IdentityId, SightingId, Span, VerdictId
from storage.verdicts import merge, same
from streams.types import CameraId, Gap, GapReason, Modality
from tests.storage_builders import TEN_O_CLOCK_US, link_new, link_to, link_unsure, sighting

pytest_plugins = ["tests.storage_fixtures"]

GATE, DOCK = CameraId("gate"), CameraId("dock")
N_PEOPLE = 7
MINUTE_US = 60_000_000


@pytest.fixture
def site(database: Database) -> Database:
    """P-0001 to P-0007 in turn, forty visits, every fourth at the dock, some by night or unsure."""
    rng = random.Random(4)
    for number in range(40):
        known = rng.randrange(1, N_PEOPLE + 1)
        link = link_new() if number < N_PEOPLE else link_to(known)
        if number % 9 == 8:
            link = link_unsure()
        visit = sighting(
            number,
            camera=DOCK if number % 4 == 3 else GATE,
            modality=Modality.INFRARED if number % 5 == 4 else Modality.VISIBLE,
            # Two by two begin at the same moment: then the number decides.
            at_s=60 * (number // 2),
            link=link,
            exemplars=(),
        )
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def all_sightings(db: Database, which: Filter, *, limit: int) -> list[int]:
    found: list[int] = []
    before = None
    while True:
        page = browse_sightings(db, which, before=before, limit=limit)
        found += [each.id for each in page]
        if len(page) < limit:
            return found
        before = place_of(page[-1])


def all_people(db: Database, which: Filter, *, limit: int) -> list[int]:
    found: list[int] = []
    before = None
    while True:
        page = browse_people(db, which, before=before, limit=limit)
        found += [each.id for each in page.found]
        if page.next is None:
            return found
        before = page.next


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_hold_every_visit_once_newest_first(site: Database, limit: int) -> None:
    assert all_sightings(site, Filter(), limit=limit) == list(range(40, 0, -1))
    gate = [number for number in range(40, 0, -1) if number % 4]
    assert all_sightings(site, Filter(scope=[GATE]), limit=limit) == gate
    assert all_sightings(site, Filter(scope=[GATE], camera=DOCK), limit=limit) == []
    assert all_sightings(site, Filter(scope=[]), limit=limit) == []


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(
    "which",
    [
        Filter(),
        Filter(scope=[GATE]),
        Filter(scope=[DOCK]),
        Filter(span=Span(from_us=TEN_O_CLOCK_US + 9 * MINUTE_US)),
        Filter(scope=[GATE], modality=Modality.INFRARED),
    ],
    ids=["all", "gate", "dock", "later", "gate by night"],
)
def test_people_come_once_by_their_newest_visit_that_is_meant(
    site: Database, which: Filter, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compared with a plain loop; rows come in twos and threes, so pages cross their borders."""
    monkeypatch.setattr(browsing, "_ROWS_AT_ONCE", limit + 1)
    expected: list[int] = []
    for visit in browse_sightings(site, which, limit=500):
        if visit.identity is not None and visit.identity not in expected:
            expected.append(visit.identity)

    assert all_people(site, which, limit=limit) == expected


def test_a_page_of_people_ends_after_so_many_visits_and_goes_on(
    site: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(browsing, "_MOST_ROWS", 4)

    assert sorted(all_people(site, Filter(), limit=5)) == list(range(1, N_PEOPLE + 1))


def test_what_is_told_of_a_person_covers_the_scope_only(site: Database) -> None:
    whole = find_person(site, IdentityId(1), scope=None)
    parts = [find_person(site, IdentityId(1), scope=[camera]) for camera in whole.cameras]

    assert sum(part.n_sightings for part in parts) == whole.n_sightings
    assert max(part.last_seen_us for part in parts) == whole.last_seen_us
    with pytest.raises(NotFound):
        find_person(site, IdentityId(1), scope=[])
    with pytest.raises(NotFound):
        find_person(site, IdentityId(99), scope=None)


def test_a_visit_outside_of_the_scope_is_as_if_it_were_not_there(site: Database) -> None:
    assert find_sighting(site, SightingId(4), scope=[DOCK]).camera == DOCK
    for scope in ([GATE], []):
        with pytest.raises(NotFound, match="no visit is called S4"):
            find_sighting(site, SightingId(4), scope=scope)
    assert set(sightings_named(site, ["dock/3", "gate/0", "x"], scope=[GATE])) == {"gate/0"}
    assert cameras_of(site, [SightingId(4), SightingId(99)]) == {SightingId(4): DOCK}


def test_people_of_a_scope_are_those_it_saw(site: Database) -> None:
    everybody = [IdentityId(number) for number in range(1, N_PEOPLE + 1)]
    seen = set(all_people(site, Filter(scope=[DOCK]), limit=50))

    assert people_within(site, everybody, scope=[DOCK]) == seen
    assert people_within(site, everybody, scope=None) == set(everybody)
    inside = {who for who in everybody if is_within(site, [who], scope=[GATE])}
    assert inside == set(everybody) - seen


def test_new_visits_are_told_in_the_order_of_their_numbers(site: Database) -> None:
    assert newest_sighting(site) == 40
    assert [each.id for each in sightings_since(site, SightingId(37), limit=2)] == [38, 39]


def test_verdicts_are_told_to_who_may_see_what_they_decided_about(site: Database) -> None:
    person = IdentityId(1)
    at_gate = same(site, SightingId(1), person, by="ada", now_us=1)
    at_dock = same(site, SightingId(4), person, by="ada", now_us=2)
    both = merge(site, IdentityId(2), IdentityId(3), by="ada", now_us=3)

    told = browse_verdicts(site, scope=[GATE], limit=10)

    assert [verdict.id for verdict in told] == [at_gate.id]
    assert [v.id for v in browse_verdicts(site, scope=None, limit=2)] == [both.id, at_dock.id]
    assert [v.id for v in browse_verdicts(site, scope=None, before=both.id, limit=1)] == [
        at_dock.id
    ]
    assert visible_verdict(site, at_dock.id, scope=[DOCK]) == at_dock
    for verdict in (at_dock.id, VerdictId(99)):
        with pytest.raises(NotFound):
            visible_verdict(site, verdict, scope=[GATE])


def test_gaps_come_newest_first_in_pages(database: Database) -> None:
    for number in range(6):
        gap = Gap(
            camera=DOCK if number % 2 else GATE,
            from_us=TEN_O_CLOCK_US + number // 2 * MINUTE_US,
            to_us=TEN_O_CLOCK_US + (number // 2 + 1) * MINUTE_US,
            reason=GapReason.STALLED,
        )
        record_gap(database, gap)

    first = browse_gaps(database, scope=None, limit=4)
    number, last = first[-1]
    rest = browse_gaps(database, scope=None, before=(last.from_us, number), limit=4)

    assert [n for n, _ in first + rest] == [6, 5, 4, 3, 2, 1]
    assert {gap.camera for _, gap in browse_gaps(database, scope=[GATE], limit=9)} == {GATE}
    assert browse_gaps(database, scope=[GATE], camera=DOCK, limit=9) == []
