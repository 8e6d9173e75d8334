"""Writing goes on when the database was busy, and says so when it stays away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.evidence import Calibrated
from pipeline.linking.gallery import Gallery
from pipeline.run import writing
from pipeline.run.remember import Memory, until_written
from pipeline.types import TrackKey, Tracklet
from storage.check import check
from storage.database import Database, open_database
from storage.errors import DatabaseBusy
from storage.evidence import EvidenceStore
from storage.sightings import relink, sightings
from storage.types import Decision, IdentityId, SightingId
from streams.types import CameraId, Modality
from tests.linking_builders import AsTheyAre
from tests.storage_builders import link_new


def test_a_busy_database_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "_FIRST_PAUSE_S", 0.001)
    refusals = [DatabaseBusy("locked"), DatabaseBusy("locked")]

    def write() -> int:
        if refusals:
            raise refusals.pop()
        return 7

    assert until_written(write) == 7
    assert caplog.text.count("nothing is lost yet") == 2


def test_a_database_that_stays_away_ends_the_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(writing, "_PATIENCE_S", 0.01)

    def write() -> int:
        raise DatabaseBusy("locked")

    with pytest.raises(DatabaseBusy):
        until_written(write)


class OneLook:
    """An embedder to which everybody looks the same."""

    model = ModelId("one@look")
    dimension = 4

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        vectors = np.tile(np.array([1, 0, 0, 0], np.float32), (len(crops), 1))
        return Embeddings(
            vectors=vectors, modality=tuple(c.modality for c in crops), model=self.model
        )


class Counting(OneLook):
    """Notes how many pictures it was given at a time."""

    def __init__(self) -> None:
        self.n_crops: list[int] = []

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        self.n_crops.append(len(crops))
        return super().embed(crops)


class Even(AsTheyAre):
    """A calibration to which looks say nothing."""

    name = "even"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        del similarity, a, b
        return 1.0


class Sure(Even):
    """A calibration to which looks say everything."""

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        del a, b
        return float(10 ** (4 * similarity))


def part_of_a_view(
    number: int, *, n_crops: int, quality: float = 1.0, is_last: bool = False, camera: str = "gate"
) -> Tracklet:
    times_us = np.array([number * 30_000_000, number * 30_000_000 + 29_000_000], np.int64)
    crop = Crop(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=int(times_us[0]),
        box=(0, 0, 10, 30),
        pixels=np.zeros((30, 10, 3), np.uint8),
        quality=quality,
    )
    return Tracklet(
        camera=CameraId(camera),
        track=TrackKey(f"{camera}/0/1"),
        part=number,
        times_us=times_us,
        boxes=np.zeros((2, 4), np.float32),
        scores=np.ones(2, np.float32),
        modality=Modality.VISIBLE,
        crops=(crop,) * n_crops,
        is_last=is_last,
    )


@contextmanager
def memory_of(
    folder: Path,
    *,
    embedder: OneLook | None = None,
    calibration: Calibrated | None = None,
    gallery: Gallery | None = None,
) -> Iterator[tuple[Memory, Database]]:
    with open_database(f"sqlite:///{folder / 'site.db'}", create=True) as database:
        memory = Memory(
            database=database,
            evidence=EvidenceStore(folder / "evidence"),
            embedder=embedder or OneLook(),
            calibration=calibration or Even(),
            gallery=Gallery(4) if gallery is None else gallery,
            config=LinkingConfig(),
            listener=lambda *_: None,
        )
        yield memory, database


def test_a_part_that_shows_who_it_is_settles_the_parts_before_and_after(tmp_path: Path) -> None:
    with memory_of(tmp_path) as (memory, database):
        for number, n_crops in enumerate((0, 1, 0)):
            memory.remember(part_of_a_view(number, n_crops=n_crops))

        found = sightings(database)
        assert [s.identity for s in found] == [1, 1, 1]
        assert [s.link.decision for s in found] == [Decision.LINK, Decision.NEW, Decision.LINK]
        assert check(database, None) == []


def test_pictures_of_no_use_are_not_embedded_and_few_of_somebody_known(tmp_path: Path) -> None:
    embedder = Counting()

    with memory_of(tmp_path, embedder=embedder) as (memory, database):
        memory.remember(part_of_a_view(0, n_crops=6, quality=0.05))
        memory.remember(part_of_a_view(1, n_crops=6))
        memory.remember(part_of_a_view(2, n_crops=6))
        found = sightings(database)

    assert embedder.n_crops == [0, 6, 2]
    assert found[0].link.grounds == {}
    assert found[1].link.grounds["n_crops"] == 6


def test_a_view_that_goes_on_keeps_its_person_from_being_seen_elsewhere(tmp_path: Path) -> None:
    with memory_of(tmp_path, calibration=Sure()) as (memory, database):
        memory.remember(part_of_a_view(0, n_crops=1))
        memory.remember(part_of_a_view(2, n_crops=1, camera="yard", is_last=True))
        memory.remember(part_of_a_view(3, n_crops=1, is_last=True))
        memory.remember(part_of_a_view(5, n_crops=1, camera="hall", is_last=True))
        found = {s.key: s.identity for s in sightings(database)}

    assert found == {"gate/0/1/0": 1, "yard/0/1/2": 2, "gate/0/1/3": 1, "hall/0/1/5": None}


def test_a_visit_that_an_operator_moves_takes_the_rest_of_its_view_along(tmp_path: Path) -> None:
    gallery = Gallery(4)

    with memory_of(tmp_path, calibration=Sure(), gallery=gallery) as (memory, database):
        memory.remember(part_of_a_view(0, n_crops=1, camera="yard", is_last=True))
        memory.remember(part_of_a_view(1, n_crops=1))
        (known, moved) = (s.id for s in sightings(database))
        other = record_new_person(database, known)
        assert memory.move(moved, other)
        memory.remember(part_of_a_view(2, n_crops=1))
        last = sightings(database)[-1]

    assert last.identity == other
    assert {look.sighting for look in gallery.looks(other)} == {moved, last.id}


def record_new_person(database: Database, sighting: SightingId) -> IdentityId:
    """Somebody whom only the operator knows, made of a visit."""
    made = relink(database, sighting, link_new(), made_by="operator", now_us=0)
    assert made is not None
    return made
