"""A watcher that runs obeys operators' verdicts and erasures at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.run.following import Following
from pipeline.run.remember import LEFT_TO_NOBODY, Memory, until_written
from pipeline.types import TrackKey, Tracklet
from storage.changes import newest
from storage.check import check
from storage.database import Database, open_database
from storage.erasure import erase
from storage.evidence import EvidenceStore
from storage.sightings import sightings
from storage.types import IdentityId, SightingId
from storage.undoing import undo
from storage.verdicts import forget, merge, not_same, same
from streams.types import CameraId, Modality
from tests.linking_builders import AsTheyAre

ANA, BEA = 0, 1
P1, P2, P3 = (IdentityId(number) for number in (1, 2, 3))


class Clothes:
    """An embedder that knows people by the colour of their first pixel."""

    model = ModelId("clothes@0")
    dimension = 4

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        looks = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32)  # not quite unlike
        vectors = looks[[int(crop.pixels[0, 0, 0]) for crop in crops]]
        return Embeddings(
            vectors=vectors.reshape(-1, 4),
            modality=tuple(crop.modality for crop in crops),
            model=self.model,
        )


class Certain(AsTheyAre):
    """A calibration for embedders that are never wrong."""

    name = "certain"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        del a, b
        return 1e4 if similarity > 0.7 else 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A watcher at work: `see` hands it a tracklet and tells who it was said to be.

    Attributes:
        see: Takes who it really is, the minute in which the view began, whether it ends now.
    """

    database: Database
    see: Callable[..., int | None]


def tracklet(who: int, minute: int, part: int, *, is_last: bool) -> Tracklet:
    start_us = (minute * 60 + part * 20) * 1_000_000
    times_us = np.array([start_us, start_us + 19_000_000], np.int64)
    crop = Crop(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=start_us,
        box=(0, 0, 10, 30),
        pixels=np.full((30, 10, 3), who, np.uint8),
        quality=1.0,
    )
    return Tracklet(
        camera=CameraId("gate"),
        track=TrackKey(f"gate/{minute}"),
        part=part,
        times_us=times_us,
        boxes=np.array([[0, 0, 10, 30]] * 2, np.float32),
        scores=np.ones(2, np.float32),
        modality=Modality.VISIBLE,
        crops=(crop,),
        is_last=is_last,
    )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Ana came in minute 0 and is P-0001, Bea in minute 1 and is P-0002; they stay in view."""
    with open_database(f"sqlite:///{tmp_path / 'site.db'}", create=True) as database:
        gallery = Gallery(4)
        memory = Memory(
            database=database,
            evidence=EvidenceStore(tmp_path / "evidence"),
            embedder=Clothes(),
            calibration=Certain(),
            gallery=gallery,
            config=LinkingConfig(),
            listener=lambda *_: None,
        )
        following = Following(
            database=database,
            memory=memory,
            gallery=gallery,
            model=Clothes.model,
            since=newest(database),
            writing=until_written,
        )
        parts: dict[int, int] = {}

        def see(who: int, minute: int, last: bool = False) -> int | None:
            part = parts.get(minute, 0)
            parts[minute] = part + 1
            following.catch_up()
            memory.remember(tracklet(who, minute, part, is_last=last))
            return max(sightings(database), key=lambda sighting: sighting.id).identity

        assert (see(ANA, 0), see(BEA, 1)) == (1, 2)
        yield Watch(database=database, see=see)
        assert check(database, None) == []


def test_people_who_were_merged_are_seen_as_one(watch: Watch) -> None:
    merge(watch.database, P1, P2, by="ina", now_us=1)

    assert watch.see(BEA, 1, last=True) == P1, "still in view"
    assert watch.see(ANA, 0, last=True) == P1
    assert watch.see(BEA, 10) == P1, "comes again"


def test_a_person_who_was_forgotten_is_nobody_in_view_and_somebody_new_later(watch: Watch) -> None:
    said = forget(watch.database, P1, by="ina", now_us=1)

    assert watch.see(ANA, 0) is None
    newest_visit = max(sightings(watch.database), key=lambda sighting: sighting.id)
    assert newest_visit.link.reason == LEFT_TO_NOBODY

    undo(watch.database, said.id, by="ina", now_us=2)
    assert watch.see(ANA, 0, last=True) == P1, "still in view"
    assert watch.see(ANA, 10, last=True) == P1, "comes again, and is compared again"

    forget(watch.database, P1, by="ina", now_us=3)
    assert watch.see(ANA, 20) == P3


def test_a_view_that_is_not_a_person_is_not_linked_to_them_again(watch: Watch) -> None:
    assert watch.see(ANA, 0, last=True) == P1
    assert watch.see(ANA, 10) == P1

    said = not_same(watch.database, SightingId(4), P1, by="ina", now_us=1)
    assert watch.see(ANA, 10) is None

    undo(watch.database, said.id, by="ina", now_us=2)
    assert watch.see(ANA, 10) == P1


def test_a_visit_given_to_another_person_counts_as_theirs(watch: Watch) -> None:
    same(watch.database, SightingId(1), P2, by="ina", now_us=1)

    assert watch.see(BEA, 1, last=True) == P2
    assert watch.see(ANA, 0, last=True) == P2
    assert watch.see(ANA, 10) == P2


def test_a_person_who_was_erased_begins_anew(watch: Watch, tmp_path: Path) -> None:
    evidence = EvidenceStore(tmp_path / "evidence")
    erase(watch.database, evidence, P1, reason="asked for it", made_by="ina", now_us=1)

    assert watch.see(ANA, 10) == P3
