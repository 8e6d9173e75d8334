"""After a new network the old pictures are described anew, a few at a time, and nothing mixes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.types import Crop, Embeddings, ModelId
from pipeline.run.reembed import Reembedder
from storage.check import check
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.gallery import gallery
from storage.reembedding import outdated, replace_vectors
from storage.sightings import record_sighting, sightings
from storage.types import SightingId
from storage.vectors.opening import open_exemplars
from streams.pictures import to_jpeg
from streams.types import Modality
from tests.storage_builders import MODEL, TEN_O_CLOCK_US, exemplar, sighting, unit_vector

pytest_plugins = ["tests.storage_fixtures"]

NEW = ModelId("new@fedcba987654")
N_VISITS = 5


class ColourEmbedder:
    """A small network of the tests' own: mean colours of the halves of a crop."""

    model = NEW
    dimension = 6

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        rows = np.zeros((len(crops), self.dimension), dtype=np.float32)
        for row, crop in zip(rows, crops, strict=True):
            middle = crop.pixels.shape[0] // 2
            halves = (crop.pixels[:middle], crop.pixels[middle:])
            row[:] = np.concatenate([half.mean(axis=(0, 1)) + 1 for half in halves])
            row /= np.linalg.norm(row)
        modality = tuple(crop.modality for crop in crops)
        return Embeddings(vectors=rows, modality=modality, model=self.model)


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """Visits with two pictures each; the older network described them."""
    rng = np.random.default_rng(5)
    for number in range(N_VISITS):
        pictures = [
            evidence.put(to_jpeg(rng.integers(0, 255, (40, 20, 3), np.uint8))) for _ in "ab"
        ]
        exemplars = (
            exemplar(1, 0, 0, number, evidence=pictures[0]),
            exemplar(0, 1, 0, number, evidence=pictures[1], modality=Modality.INFRARED),
        )
        visit = sighting(number, exemplars=exemplars)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def work(site: Database, evidence: EvidenceStore, *, batch: int = 3) -> Reembedder:
    return Reembedder(database=site, evidence=evidence, embedder=ColourEmbedder(), batch=batch)


def models(site: Database) -> list[str]:
    return [visit.model for visit in sightings(site)]


def test_everything_is_described_anew_newest_first_and_nothing_else_changes(
    site: Database, evidence: EvidenceStore
) -> None:
    before = sightings(site)
    worker = work(site, evidence)

    assert worker.step() == 3
    assert models(site) == [MODEL] * 4 + [NEW]
    assert worker.progress().n_left == 7
    while worker.step():
        pass

    done = worker.progress()
    assert (done.n_described, done.n_skipped, done.n_left) == (10, 0, 0)
    assert models(site) == [NEW] * N_VISITS
    assert [v.evidence for v in sightings(site)] == [v.evidence for v in before]
    assert [v.link for v in sightings(site)] == [v.link for v in before]
    assert list(gallery(site, model=MODEL)) == []
    rows = list(gallery(site, model=NEW))
    assert len(rows) == 10
    assert {len(row.vector) for row in rows} == {6}
    assert [row.modality for row in rows[:2]] == [Modality.VISIBLE, Modality.INFRARED]
    assert [problem for problem in check(site, evidence) if problem.is_error] == []


def test_who_is_stopped_goes_on_where_it_was(site: Database, evidence: EvidenceStore) -> None:
    work(site, evidence, batch=4).step()

    later = work(site, evidence, batch=100)

    assert later.step() == 6
    assert later.step() == 0
    assert models(site) == [NEW] * N_VISITS


def test_missing_and_damaged_pictures_are_passed_over_and_counted(
    site: Database, evidence: EvidenceStore
) -> None:
    visits = sightings(site)
    evidence.path(visits[0].evidence[0]).unlink()
    evidence.path(visits[2].evidence[1]).write_bytes(b"no picture")
    worker = work(site, evidence)

    while worker.step():
        pass

    done = worker.progress()
    assert (done.n_described, done.n_skipped, done.n_left) == (8, 2, 0)
    assert models(site) == [MODEL, NEW, MODEL, NEW, NEW]
    assert len(list(gallery(site, model=MODEL))) == 2
    assert len(list(gallery(site, model=NEW))) == 8


def test_indexes_of_both_networks_follow(
    site: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    def n_kept(model: str, dimension: int) -> int:
        root = tmp_path / "index"
        opened = open_exemplars(
            site, root, model=model, modality=Modality.VISIBLE, dimension=dimension
        )
        with opened as index:
            return len(index)

    assert (n_kept(MODEL, 4), n_kept(NEW, 6)) == (5, 0)

    work(site, evidence, batch=4).step()

    assert (n_kept(MODEL, 4), n_kept(NEW, 6)) == (3, 2)


def test_an_exemplar_that_was_deleted_meanwhile_stays_gone(site: Database) -> None:
    old = outdated(site, model=NEW, limit=1)[0]

    n = replace_vectors(
        site, {999: unit_vector(1, 0), old.exemplar_id: unit_vector(0, 1)}, model=NEW
    )

    assert n == 1
    rows = list(gallery(site, model=NEW))
    assert [(row.sighting, row.vector.tolist()) for row in rows] == [(SightingId(5), [0.0, 1.0])]
    assert rows[0].exemplar_id > 10
