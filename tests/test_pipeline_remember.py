"""Writing goes on when the database was busy, and says so when it stays away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.run import remember
from pipeline.run.remember import Memory, until_written
from pipeline.types import TrackKey, Tracklet
from storage.check import check
from storage.database import open_database
from storage.errors import DatabaseBusy
from storage.evidence import EvidenceStore
from storage.sightings import sightings
from storage.types import Decision
from streams.types import CameraId, Modality


def test_a_busy_database_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remember, "_FIRST_PAUSE_S", 0.001)
    refusals = [DatabaseBusy("locked"), DatabaseBusy("locked")]

    def write() -> int:
        if refusals:
            raise refusals.pop()
        return 7

    assert until_written(write) == 7
    assert caplog.text.count("nothing is lost yet") == 2


def test_a_database_that_stays_away_ends_the_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(remember, "_PATIENCE_S", 0.01)

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


class Even:
    """A calibration to which looks say nothing."""

    name = "even"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        del similarity, a, b
        return 1.0


def part_of_a_view(number: int, *, n_crops: int) -> Tracklet:
    times_us = np.array([number * 30_000_000, number * 30_000_000 + 29_000_000], np.int64)
    crop = Crop(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=int(times_us[0]),
        box=(0, 0, 10, 30),
        pixels=np.zeros((30, 10, 3), np.uint8),
        quality=1.0,
    )
    return Tracklet(
        camera=CameraId("gate"),
        track=TrackKey("gate/0/1"),
        part=number,
        times_us=times_us,
        boxes=np.zeros((2, 4), np.float32),
        scores=np.ones(2, np.float32),
        modality=Modality.VISIBLE,
        crops=(crop,) * n_crops,
    )


def test_a_part_that_shows_who_it_is_settles_the_parts_before_and_after(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path / 'site.db'}", create=True) as database:
        memory = Memory(
            database=database,
            evidence=EvidenceStore(tmp_path / "evidence"),
            embedder=OneLook(),
            calibration=Even(),
            gallery=Gallery(4),
            config=LinkingConfig(),
            listener=lambda *_: None,
        )

        for number, n_crops in enumerate((0, 1, 0)):
            memory.remember(part_of_a_view(number, n_crops=n_crops))

        found = sightings(database)
        assert [s.identity for s in found] == [1, 1, 1]
        assert [s.link.decision for s in found] == [Decision.LINK, Decision.NEW, Decision.LINK]
        assert check(database, None) == []
