"""A watcher with a new network describes old pictures anew while nobody comes, and learns them."""

from __future__ import annotations

import logging
import queue
import threading

import numpy as np
import pytest
from sqlalchemy import Connection, event

from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.run import renewal
from pipeline.run.following import Following
from pipeline.run.remember import Memory, until_written
from pipeline.run.renewal import Renewal
from pipeline.stage import Stage
from storage.changes import newest
from storage.database import Database
from storage.desk.interest import Example, add_interest, find_interest
from storage.errors import DatabaseBusy, DiskFull
from storage.evidence import EvidenceStore
from storage.sightings import sightings
from storage.types import IdentityId
from streams.types import Modality
from tests.processes import PATIENCE_S
from tests.storage_builders import MODEL, TEN_O_CLOCK_US, unit_vector
from tests.storage_desk_builders import interest
from tests.test_pipeline_following import Certain
from tests.test_pipeline_reembed import N_VISITS, NEW, ColourEmbedder, models, site

pytest_plugins = ["tests.storage_fixtures"]

__all__ = ["site"]


def renewal_of(site: Database, evidence: EvidenceStore) -> Renewal:
    return Renewal(database=site, evidence=evidence, embedder=ColourEmbedder())


def test_everything_is_described_in_small_steps_and_then_nothing_is_asked_any_more(
    site: Database, evidence: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "NUMBERS_AT_ONCE", 6)
    work = renewal_of(site, evidence)

    sizes = []
    while not work.is_done:
        sizes.append(len(work.step()))

    assert sizes == [4, 4, 2, 0]
    assert models(site) == [NEW] * N_VISITS
    asked: list[str] = []

    def note(_: Connection, __: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(site.engine, "before_cursor_execute", note)
    assert work.step() == ()
    assert asked == []


def test_who_is_looked_for_by_picture_is_looked_for_with_the_new_network(
    site: Database, evidence: EvidenceStore
) -> None:
    """Described by another network, and not described at all; one picture is lost."""
    seen = sightings(site)[0].evidence[0]
    lost = Example(modality=Modality.VISIBLE, picture=evidence.put(b"no picture"))
    old = Example(modality=Modality.VISIBLE, picture=seen, model=MODEL, vector=unit_vector(1, 2, 3))
    new = Example(modality=Modality.VISIBLE, picture=seen)
    wanted = interest(examples=(lost, old, new))
    made = add_interest(site, wanted, made_by="ada", now_us=TEN_O_CLOCK_US)
    work = renewal_of(site, evidence)

    while not work.is_done:
        work.step()

    told = [each.model for each in find_interest(site, made.id).examples]
    assert told == [None, NEW, NEW]


def test_a_picture_that_is_lost_is_passed_over(site: Database, evidence: EvidenceStore) -> None:
    evidence.path(sightings(site)[1].evidence[0]).unlink()
    work = renewal_of(site, evidence)

    while not work.is_done:
        work.step()

    assert models(site) == [NEW, MODEL, NEW, NEW, NEW]


def test_the_gallery_of_a_running_watcher_learns_whom_the_new_network_saw(
    site: Database, evidence: EvidenceStore
) -> None:
    known = Gallery(ColourEmbedder.dimension)
    following = Following(
        database=site,
        memory=Memory(
            database=site,
            evidence=evidence,
            embedder=ColourEmbedder(),
            calibration=Certain(),
            gallery=known,
            config=LinkingConfig(),
            listener=lambda *_: None,
        ),
        gallery=known,
        model=NEW,
        since=newest(site),
        writing=until_written,
    )
    work = renewal_of(site, evidence)

    while not work.is_done:
        if described := work.step():
            following.learn(described)

    assert sorted(known) == [IdentityId(number + 1) for number in range(N_VISITS)]
    assert known.n_looks == N_VISITS  # one per visit, though its pictures came in two steps
    (look,) = known.looks(IdentityId(3))
    assert sorted(look.means) == ["infrared", "visible"]
    np.testing.assert_allclose([np.linalg.norm(mean) for mean in look.means.values()], 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("failure", "is_done", "words"),
    [
        pytest.param(DatabaseBusy("server away"), False, "", id="for the moment"),
        pytest.param(DiskFull("no space left"), True, "until the next start", id="for good"),
    ],
)
def test_what_goes_wrong_is_logged_and_stops_nobody(
    site: Database,
    evidence: EvidenceStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    is_done: bool,
    words: str,
) -> None:
    work = renewal_of(site, evidence)

    def fail() -> None:
        raise failure

    monkeypatch.setattr(site, "before_write", fail)
    with caplog.at_level(logging.INFO):
        assert work.step() == ()

    assert work.is_done is is_done
    assert words in caplog.text
    monkeypatch.setattr(site, "before_write", None)
    while not work.is_done:
        work.step()
    assert models(site) == [MODEL if is_done else NEW] * N_VISITS


def test_a_stage_is_idle_only_while_nothing_waits() -> None:
    done: list[str] = []
    was_idle = threading.Event()

    def idle() -> None:
        done.append("idle")
        was_idle.set()

    waiting: queue.Queue[str] = queue.Queue()
    for word in "abc":
        waiting.put(word)
    with Stage("work", done.append, waiting=waiting, idle=idle):
        assert was_idle.wait(PATIENCE_S)

    assert done[:4] == ["a", "b", "c", "idle"]


def test_a_stage_that_fails_while_idle_tells_its_owner() -> None:
    failed = threading.Event()

    def idle() -> None:
        failed.set()
        raise DiskFull("no space left")

    def run() -> None:
        with Stage[str]("work", print, idle=idle):
            assert failed.wait(PATIENCE_S)

    with pytest.raises(DiskFull):
        run()
