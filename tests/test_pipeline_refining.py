"""The watcher and the verb think again about what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.reid.checkpoint import read_checkpoint
from models.types import Crop, Embeddings, ModelId
from models.weights import obtain
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.run.refining import SecondThoughts
from pipeline.run.remember import Memory, until_written
from pipeline.types import TrackKey, Tracklet
from storage.check import check
from storage.database import Database, open_database
from storage.evidence import EvidenceStore
from storage.sightings import relink, sightings
from streams.types import CameraId
from tests.cli import RunCli
from tests.refine_builders import SECOND, VIS, D, Steep, somebody
from tests.storage_builders import link_unsure


class Remembered:
    """An embedder that knows what each crop's vector is: its number is in its first pixel."""

    model = ModelId("remembered@0")
    dimension = D

    def __init__(self) -> None:
        self.looks: list[npt.NDArray[np.float32]] = []

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        rows = [self.looks[int(crop.pixels[0, 0, 0])] for crop in crops]
        vectors = np.array(rows, np.float32).reshape(-1, D)
        return Embeddings(
            vectors=vectors, modality=tuple(c.modality for c in crops), model=self.model
        )


def seen(embedder: Remembered, vector: npt.NDArray[np.float32], *, at_s: float) -> Tracklet:
    """A visit to the gate that looks like `vector`."""
    embedder.looks.append(vector)
    times_us = np.array([at_s * SECOND, (at_s + 5) * SECOND], np.int64)
    crop = Crop(
        camera=CameraId("gate"),
        modality=VIS,
        captured_at_us=int(times_us[0]),
        box=(0, 0, 10, 30),
        pixels=np.full((30, 10, 3), len(embedder.looks) - 1, np.uint8),
        quality=0.9,
    )
    return Tracklet(
        camera=CameraId("gate"),
        track=TrackKey(f"gate/{int(at_s)}/1"),
        part=0,
        times_us=times_us,
        boxes=np.tile(np.array([0, 0, 10, 30], np.float32), (2, 1)),
        scores=np.ones(2, np.float32),
        modality=VIS,
        crops=(crop,),
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path / 'noctule.db'}", create=True) as database:
        yield database


def minds(
    database: Database, embedder: Remembered, folder: Path, **refine_settings: object
) -> tuple[Memory, SecondThoughts, Gallery]:
    config = LinkingConfig.model_validate({"refine": refine_settings})
    gallery = Gallery(D)
    memory = Memory(
        database=database,
        evidence=EvidenceStore(folder / "evidence"),
        embedder=embedder,
        calibration=Steep(),
        gallery=gallery,
        config=config,
        listener=lambda *_: None,
    )
    later = SecondThoughts(
        database=database,
        memory=memory,
        gallery=gallery,
        model=embedder.model,
        calibration=Steep(),
        config=config,
        writing=until_written,
    )
    return memory, later, gallery


def watched(
    memory: Memory, later: SecondThoughts, embedder: Remembered, database: Database
) -> None:
    """Eight strangers, then one person six times, whom the linker is made to doubt at first."""
    looks = [somebody(5 + i) for i in range(8)] + [somebody(1, seed=i, alike=0.7) for i in range(6)]
    for number, vector in enumerate(looks):
        tracklet = seen(embedder, vector, at_s=60 * number)
        memory.remember(tracklet)
        if number == 8:
            doubted = sightings(database)[-1].id
            relink(database, doubted, link_unsure(), made_by="linker", now_us=1)
            memory.move(doubted, None)
        later.after(tracklet)


def test_the_watcher_thinks_again_on_its_own_schedule_and_its_gallery_follows(
    site: Database, tmp_path: Path
) -> None:
    embedder = Remembered()
    memory, later, gallery = minds(site, embedder, tmp_path, every_min=3)

    watched(memory, later, embedder, site)

    found = sightings(site)
    assert [each.id for each in found if each.link.made_by == "refine"] == [found[8].id]
    assert len({each.identity for each in found[8:]}) == 1
    assert check(site, None) == []
    for each in found:
        assert each.identity is not None
        assert each.id in {look.sighting for look in gallery.looks(each.identity)}
    assert gallery.n_looks == len(found)
    assert later.run() == {}


def test_second_thoughts_can_be_switched_off(site: Database, tmp_path: Path) -> None:
    embedder = Remembered()
    memory, later, _ = minds(site, embedder, tmp_path, every_min=3, enabled=False)

    watched(memory, later, embedder, site)

    assert {each.link.made_by for each in sightings(site)} == {"linker"}


def test_the_verb_says_what_would_change_and_then_changes_it(
    run_cli: RunCli, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///noctule.db', evidence: evidence}\n")
    rng = np.random.default_rng(0)
    embedder = Remembered()
    embedder.model = read_checkpoint(obtain("edge")).model
    one_person = np.asarray(rng.normal(size=D), np.float32)
    with open_database(f"sqlite:///{tmp_path / 'noctule.db'}", create=True) as database:
        memory, _, _ = minds(database, embedder, tmp_path)
        for number in range(6):
            noise = rng.normal(size=D) * 0.1
            vector = one_person + noise
            memory.remember(
                seen(embedder, np.asarray(vector / np.linalg.norm(vector), np.float32), at_s=number)
            )

    shown = run_cli("refine", "--config", str(config), "--dry-run")
    done = run_cli("refine", "--config", str(config), "--json")
    again = run_cli("refine", "--config", str(config))

    assert "visits reconsidered" in shown
    assert '"written": true' in done
    assert "0 changed" in again
