"""What the linker compares with."""

from __future__ import annotations

import numpy as np
import pytest

from storage.database import Database
from storage.gallery import gallery
from storage.sightings import record_sighting, relink
from storage.types import IdentityId, SightingId
from storage.undoing import undo
from storage.verdicts import same
from streams.types import Modality
from tests.storage_builders import (
    MODEL,
    SECOND_US,
    TEN_O_CLOCK_US,
    exemplar,
    link_to,
    link_unsure,
    sighting,
    unit_vector,
)

pytest_plugins = ["tests.storage_fixtures"]


@pytest.fixture
def site(database: Database) -> Database:
    """Recorded out of order: a later visit with two crops, an earlier one, an unsure one."""
    crops = (exemplar(1, 0, 0, 0), exemplar(0, 1, 0, 0, modality=Modality.INFRARED))
    record_sighting(database, sighting(2, exemplars=crops), now_us=TEN_O_CLOCK_US)
    record_sighting(database, sighting(0, link=link_to(1)), now_us=TEN_O_CLOCK_US)
    record_sighting(database, sighting(1, link=link_unsure(candidate=1)), now_us=TEN_O_CLOCK_US)
    return database


def test_the_gallery_is_everybody_with_an_identity_in_the_order_of_time(site: Database) -> None:
    rows = list(gallery(site, model=MODEL, since_us=None))

    assert [(row.sighting, row.exemplar_id, row.identity) for row in rows] == [
        (2, 3, 1),
        (1, 1, 1),
        (1, 2, 1),
    ]
    assert [row.modality for row in rows[1:]] == [Modality.VISIBLE, Modality.INFRARED]
    np.testing.assert_array_equal(rows[1].vector, unit_vector(1, 0, 0, 0))
    assert rows[1].vector.dtype == np.float32
    assert (rows[1].camera, rows[1].first_seen_us) == ("gate", TEN_O_CLOCK_US + 120 * SECOND_US)


def test_an_unsure_visit_joins_the_gallery_when_it_is_linked(site: Database) -> None:
    relink(site, SightingId(3), link_to(1), made_by="linker", now_us=TEN_O_CLOCK_US)

    assert [row.sighting for row in gallery(site, model=MODEL, since_us=None)] == [2, 3, 1, 1]


def test_who_an_operator_said_it_is_is_confirmed_until_it_is_undone(site: Database) -> None:
    verdict = same(site, SightingId(3), IdentityId(1), by="ada", now_us=TEN_O_CLOCK_US)
    relink(site, SightingId(2), link_to(1), made_by="linker", now_us=TEN_O_CLOCK_US)

    said = {row.sighting: row.is_confirmed for row in gallery(site, model=MODEL)}
    undo(site, verdict.id, by="ada", now_us=TEN_O_CLOCK_US)
    again = same(site, SightingId(1), IdentityId(1), by="ada", now_us=TEN_O_CLOCK_US)
    undone = undo(site, again.id, by="ada", now_us=TEN_O_CLOCK_US)
    undo(site, undone.id, by="ada", now_us=TEN_O_CLOCK_US)

    assert said == {1: False, 2: False, 3: True}
    assert {row.sighting: row.is_confirmed for row in gallery(site, model=MODEL)} == {
        1: True,
        2: False,
    }


def test_vectors_of_another_model_are_left_out(site: Database) -> None:
    wide = sighting(5, exemplars=(exemplar(1, 0, 0, 0, 0, 0),), model="other@1")
    record_sighting(site, wide, now_us=TEN_O_CLOCK_US)

    assert [row.sighting for row in gallery(site, model="other@1", since_us=None)] == [4]
    assert list(gallery(site, model="unknown@1", since_us=None)) == []


def test_old_visits_are_left_out(site: Database) -> None:
    last_frame_us = TEN_O_CLOCK_US + 5 * SECOND_US

    since_last = gallery(site, model=MODEL, since_us=last_frame_us)
    since_after = gallery(site, model=MODEL, since_us=last_frame_us + 1)

    assert [row.sighting for row in since_last] == [2, 1, 1]
    assert [row.sighting for row in since_after] == [1, 1]


def test_recording_goes_on_while_the_gallery_is_read(site: Database) -> None:
    rows = gallery(site, model=MODEL, since_us=None)
    first = next(rows)

    record_sighting(site, sighting(9), now_us=TEN_O_CLOCK_US)

    assert [first.sighting, *(row.sighting for row in rows)] == [2, 1, 1]
