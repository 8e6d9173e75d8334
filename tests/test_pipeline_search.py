"""Who looks like the person in a picture: the same answer from a whole database and an index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import SecretStr

from pipeline.linking.config import LinkingConfig
from pipeline.searching import Found, nearest_people, search
from storage.config import StorageConfig
from storage.database import Database
from storage.gallery import ALL, Part
from storage.sightings import record_sighting
from storage.types import Span
from storage.vectors.opening import open_exemplars
from streams.types import CameraId, Modality
from tests.linking_builders import Steep
from tests.storage_builders import MODEL, TEN_O_CLOCK_US, exemplar, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]

Vector = npt.NDArray[np.float32]
D = 16
N_PEOPLE = 30
MINUTE_US = 60_000_000
VIS, IR = Modality.VISIBLE, Modality.INFRARED


def look_of(person: int, visit: int = 0) -> Vector:
    """How person 1, 2, ... looks at a visit: themselves, and a little else each time."""
    own = np.random.default_rng(person).normal(size=D)
    own /= np.linalg.norm(own)
    other = np.random.default_rng((person, visit)).normal(size=D)
    vector = own + 0.3 * other / np.linalg.norm(other)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def site(database: Database) -> Database:
    """Person p came to the gate in minute p, and in the night to the plaza in minute 100 + p."""
    for person in range(1, N_PEOPLE + 1):
        day = tuple(exemplar(*look_of(person, v).tolist(), evidence=None) for v in (1, 2, 3))
        night = (exemplar(*look_of(person, 4).tolist(), evidence=None, modality=IR),)
        record_sighting(database, sighting(person, exemplars=day), now_us=TEN_O_CLOCK_US)
        later = sighting(
            100 + person, camera="plaza", modality=IR, exemplars=night, link=link_to(person)
        )
        record_sighting(database, later, now_us=TEN_O_CLOCK_US)
    return database


def storage(folder: Path) -> StorageConfig:
    return StorageConfig(database=SecretStr("sqlite:///unused"), index=folder / "index")


def ask(
    site: Database,
    folder: Path,
    person: int,
    *,
    by_index: bool,
    part: Part = ALL,
    light: Modality = VIS,
) -> Found:
    return search(
        {light: look_of(person, 9)},
        database=site,
        storage=storage(folder),
        model=MODEL,
        calibration=Steep(),
        config=LinkingConfig(),
        part=part,
        read_whole=0 if by_index else 10_000,
    )


@pytest.mark.parametrize("by_index", [False, True], ids=["whole", "index"])
def test_the_person_in_the_picture_comes_first_and_probabilities_leave_room_for_nobody(
    site: Database, tmp_path: Path, by_index: bool
) -> None:
    for person in (1, 13, N_PEOPLE):
        found = ask(site, tmp_path, person, by_index=by_index)

        assert found.candidates[0].identity == person
        assert found.candidates[0].probability > 0.5
        assert found.n_people == N_PEOPLE
        assert found.nobody == pytest.approx(1 - sum(c.probability for c in found.candidates))
        assert 0 < found.nobody < 0.5


def test_an_index_gives_the_answer_of_the_whole_database(site: Database, tmp_path: Path) -> None:
    for person in (5, 17, 404):
        whole = ask(site, tmp_path, person, by_index=False)
        by_index = ask(site, tmp_path, person, by_index=True)

        assert by_index.candidates[0].identity == whole.candidates[0].identity
        assert by_index.candidates[0].similarity == whole.candidates[0].similarity
        assert by_index.candidates[0].probability == pytest.approx(
            whole.candidates[0].probability, rel=0.05
        )
        assert by_index.nobody == pytest.approx(whole.nobody, rel=0.05)


@pytest.mark.parametrize("by_index", [False, True], ids=["whole", "index"])
def test_only_the_part_that_is_meant_is_compared(
    site: Database, tmp_path: Path, by_index: bool
) -> None:
    minutes = Span(from_us=TEN_O_CLOCK_US + 7 * MINUTE_US, to_us=TEN_O_CLOCK_US + 10 * MINUTE_US)

    in_minutes = ask(site, tmp_path, 8, by_index=by_index, part=Part(span=minutes))
    elsewhere = ask(site, tmp_path, 25, by_index=by_index, part=Part(span=minutes))
    at_plaza = ask(site, tmp_path, 8, by_index=by_index, part=Part(camera=CameraId("plaza")))
    at_night = ask(site, tmp_path, 8, by_index=by_index, part=Part(modality=IR))
    nowhere = ask(site, tmp_path, 8, by_index=by_index, part=Part(camera=CameraId("roof")))

    assert in_minutes.candidates[0].identity == 8
    assert {c.identity for c in in_minutes.candidates} == {7, 8, 9}
    assert in_minutes.n_people == 3
    assert {c.identity for c in elsewhere.candidates} == {7, 8, 9}
    assert elsewhere.nobody > 0.5
    assert {c.nearest.camera for c in at_plaza.candidates} == {"plaza"}
    assert {c.pair for c in at_night.candidates} == {(VIS, IR)}
    assert at_plaza.candidates[0].identity == at_night.candidates[0].identity == 8
    assert nowhere.candidates == []
    assert nowhere.nobody == 1


def test_somebody_seen_very_often_does_not_crowd_the_others_out(
    site: Database, tmp_path: Path
) -> None:
    often = tuple(exemplar(*look_of(8, v).tolist(), evidence=None) for v in range(10, 310))
    visit = sighting(500, exemplars=often, link=link_to(8))
    record_sighting(site, visit, now_us=TEN_O_CLOCK_US)

    opened = open_exemplars(site, tmp_path, model=MODEL, modality=VIS, dimension=D)
    with opened as index:
        people = nearest_people(look_of(8), index, site, part=Part(modality=VIS), k=20)

    assert len(people) >= 20
    assert 8 in people


def test_vectors_of_another_network_are_not_compared(site: Database, tmp_path: Path) -> None:
    twin = sighting(
        600, exemplars=(exemplar(*look_of(8, 9).tolist(), evidence=None),), model="other@1"
    )
    stranger = record_sighting(site, twin, now_us=TEN_O_CLOCK_US).identity

    for by_index in (False, True):
        found = ask(site, tmp_path, 8, by_index=by_index)
        assert stranger not in {c.identity for c in found.candidates}
        assert found.n_people == N_PEOPLE
