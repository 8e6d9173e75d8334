"""Persons, as far as the sightings tell."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.errors import NotFound
from storage.identities import find_identity, identities
from storage.sightings import record_sighting, relink
from storage.types import Identity, IdentityId, SightingId, Span
from streams.types import CameraId, Modality
from tests.storage_builders import SECOND_US, TEN_O_CLOCK_US, link_to, link_unsure, sighting

pytest_plugins = ["tests.storage_fixtures"]


@pytest.fixture
def site(database: Database) -> Database:
    """P-0001 at the gate by day and in the yard by night; P-0002 at the gate; an unsure visit."""
    visits = [
        sighting(0, camera="gate"),
        sighting(5, camera="yard", modality=Modality.INFRARED, link=link_to(1)),
        sighting(2, camera="gate"),
        sighting(3, camera="gate", link=link_unsure(candidate=2)),
    ]
    for visit in visits:
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def test_a_person_is_what_their_sightings_tell(site: Database) -> None:
    expected = Identity(
        id=IdentityId(1),
        first_seen_us=TEN_O_CLOCK_US,
        last_seen_us=TEN_O_CLOCK_US + 305 * SECOND_US,
        n_sightings=2,
        cameras=(CameraId("gate"), CameraId("yard")),
        modalities=(Modality.VISIBLE, Modality.INFRARED),
    )

    assert identities(site)[0] == expected
    assert [person.id for person in identities(site)] == [1, 2]


@pytest.mark.parametrize(
    ("from_s", "to_s", "camera", "expected"),
    [
        pytest.param(0, 60, None, [1], id="first minute"),
        pytest.param(120, 240, None, [2], id="unsure visits are nobody's"),
        pytest.param(None, None, "yard", [1], id="yard"),
        pytest.param(0, 60, "yard", [], id="yard in the first minute"),
        pytest.param(None, None, "roof", [], id="unknown camera"),
    ],
)
def test_persons_are_chosen_by_time_and_camera_and_told_in_full(
    site: Database, from_s: int | None, to_s: int | None, camera: str | None, expected: list[int]
) -> None:
    ends = [None if s is None else TEN_O_CLOCK_US + s * SECOND_US for s in (from_s, to_s)]

    found = identities(
        site,
        span=Span(from_us=ends[0], to_us=ends[1]),
        camera=None if camera is None else CameraId(camera),
    )

    assert [person.id for person in found] == expected
    assert all(person.n_sightings == {1: 2, 2: 1}[person.id] for person in found)


def test_a_limit_gives_the_lowest_numbers(site: Database) -> None:
    assert [person.id for person in identities(site, limit=1)] == [1]
    with pytest.raises(ValueError, match="limit"):
        identities(site, limit=0)


@pytest.mark.parametrize("name", ["P-0002", "p-2", "2", " P-0002 ", "0002"])
def test_a_person_is_found_by_any_way_of_writing_the_name(site: Database, name: str) -> None:
    assert find_identity(site, name).id == 2


@pytest.mark.parametrize("name", ["", "P-", "0", "-1", "P-0002; DROP TABLE sighting", "9" * 30])
def test_what_is_no_name_is_nobody(site: Database, name: str) -> None:
    with pytest.raises(NotFound, match="is no person's name"):
        find_identity(site, name)


def test_an_unknown_person_is_told_apart_from_one_who_was_linked_away(site: Database) -> None:
    relink(site, SightingId(3), link_to(1), made_by="operator", now_us=TEN_O_CLOCK_US)

    with pytest.raises(NotFound, match="P-0002 has no sightings any more"):
        find_identity(site, "P-0002")
    with pytest.raises(NotFound, match="nobody is called P-0009"):
        find_identity(site, "9")
