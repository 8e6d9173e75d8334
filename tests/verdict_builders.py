"""A site with a few visits, and what operators say about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.database import Database
from storage.sightings import record_sighting, sightings
from storage.types import IdentityId, NewSighting, SightingId, Verdict
from storage.verdicts import merge, not_same_person
from tests.storage_builders import TEN_O_CLOCK_US, link_to, link_unsure, sighting

NOW_US = TEN_O_CLOCK_US + 3_600_000_000
P1, P2, P3, P4 = (IdentityId(number) for number in range(1, 5))


def part(visit: NewSighting, number: int) -> NewSighting:
    """A further part of the view that `visit` began."""
    return replace(visit, key=f"{visit.key}/{number}", part=number)


@pytest.fixture
def site(database: Database) -> Database:
    """S1 S2 of P-0001 (S2 in two parts, S3), S4 S5 of P-0002, S6 of P-0003, S7 unsure."""
    two = sighting(1, link=link_to(1))
    visits = [
        sighting(0),
        two,
        part(replace(two, link=link_to(1)), 1),
        sighting(3),
        sighting(4, link=link_to(2)),
        sighting(5),
        sighting(6, link=link_unsure(candidate=2)),
    ]
    for visit in visits:
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def who(db: Database) -> list[int | None]:
    """Whose each visit is, by number."""
    return [s.identity for s in sorted(sightings(db), key=lambda s: s.id)]


def visit(number: int) -> SightingId:
    return SightingId(number)


BEFORE = [1, 1, 1, 2, 2, 3, None]


def say_merge(db: Database) -> Verdict:
    return merge(db, P1, P2, by="ana", now_us=NOW_US)


def say_two(db: Database) -> Verdict:
    return not_same_person(db, P1, P2, by="ana", now_us=NOW_US)
