"""What is too old goes, oldest first, in small pieces; what is left is sound."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from storage.audit import audit_entries, audited, verify_audit
from storage.batches import record_sightings
from storage.check import check
from storage.database import Database
from storage.due import Expired, due
from storage.errors import DiskFull, EvidenceBusy
from storage.evidence import EvidenceStore
from storage.gaps import gaps, record_gap
from storage.identities import identities
from storage.retention import AT_ONCE, expire
from storage.retention_config import RetentionConfig
from storage.runs import record_run, record_run_end, runs
from storage.schema import ExemplarRow
from storage.sightings import record_sighting, sightings
from streams.types import CameraId, Gap, GapReason
from tests.storage_builders import FOR_EVER, TEN_O_CLOCK_US, exemplar, link_to, sighting
from tests.storage_tamper import break_rules

pytest_plugins = ["tests.storage_fixtures"]

DAY_US = 86_400_000_000
DAYS = 10
NOW_US = TEN_O_CLOCK_US + DAYS * DAY_US


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """One visit by a new person on each of ten days, the last of them yesterday."""
    record_days(database, evidence)
    return database


def record_days(database: Database, evidence: EvidenceStore, *, n_bytes: int = 100) -> None:
    for day in range(DAYS):
        at_us = TEN_O_CLOCK_US + day * DAY_US
        crop = exemplar(evidence=evidence.put(b"%d" % day * n_bytes))
        crop = replace(crop, captured_at_us=at_us)
        visit = sighting(day, at_s=day * 86_400, exemplars=(crop,))
        record_sighting(database, visit, now_us=at_us)


def run_out(
    site: Database, evidence: EvidenceStore, config: RetentionConfig, *, age_us: int = DAY_US
) -> Expired:
    pieces = expire(site, evidence, config, now_us=NOW_US, who="retention", orphan_age_us=age_us)
    return sum(pieces, start=Expired())


def keep(**days: float | None) -> RetentionConfig:
    return FOR_EVER.model_copy(update=days)


def n_vectors(site: Database) -> int:
    with site.read() as connection:
        return connection.execute(select(func.count()).select_from(ExemplarRow)).scalar_one()


def test_pictures_go_first_then_vectors_then_sightings(
    site: Database, evidence: EvidenceStore
) -> None:
    config = keep(pictures_days=2.5, vectors_days=4.5, sightings_days=7.5)
    expected = due(site, evidence, config, now_us=NOW_US)

    gone = run_out(site, evidence, config)

    assert [len(visit.evidence) for visit in sightings(site)] == [0] * 5 + [1] * 2
    assert n_vectors(site) == 4
    assert len(list(evidence.files())) == 2
    assert (gone.n_sightings, gone.n_pictures) == (3, 8)
    assert (expected.n_sightings, expected.n_pictures) == (3, 8)
    assert gone.n_bytes == expected.n_bytes == 800
    assert check(site, evidence) == []
    assert [person.id for person in identities(site)] == list(range(4, 11))


def test_links_and_numbers_survive_the_sightings_that_made_them(
    site: Database, evidence: EvidenceStore
) -> None:
    record_sighting(site, sighting(99, at_s=9 * 86_400, link=link_to(1)), now_us=NOW_US)

    run_out(site, evidence, keep(sightings_days=2))

    assert [visit.identity for visit in sightings(site)] == [9, 10, 1]
    later = record_sighting(site, sighting(100, at_s=9.5 * 86_400), now_us=NOW_US)
    assert later.identity == DAYS + 1
    assert check(site, None) == []


def test_a_person_without_sightings_that_never_expired_is_found(
    site: Database, evidence: EvidenceStore
) -> None:
    run_out(site, evidence, keep(sightings_days=5.5))

    break_rules(site, "INSERT INTO identity (id, made_at_us) VALUES (77, 1)")

    assert [problem.subject for problem in check(site, evidence)] == ["P-0077"]


def test_gaps_runs_and_audit_go_after_their_time(site: Database, evidence: EvidenceStore) -> None:
    for day in (1, 9):
        at_us = TEN_O_CLOCK_US + day * DAY_US
        gap = Gap(camera=CameraId("gate"), from_us=at_us, to_us=at_us + 1, reason=GapReason.STALLED)
        record_gap(site, gap)
        run = record_run(site, program="1", config_hash="x", now_us=at_us)
        record_run_end(site, run, now_us=at_us + 1)
        audited(site, who="ada", action="search", subject="", detail={}, now_us=at_us)

    gone = run_out(site, evidence, keep(gaps_days=3, runs_days=3, audit_days=3))

    assert (gone.n_gaps, gone.n_runs, gone.n_audit) == (1, 1, 1)
    assert len(gaps(site)) == len(runs(site)) == 1
    assert [entry.action for entry in audit_entries(site)] == ["search", "expire audit", "expire"]
    assert audit_entries(site)[-1].detail == {"n_audit": 1, "n_gaps": 1, "n_runs": 1}
    assert verify_audit(site) == []


def test_the_oldest_pictures_make_room(database: Database, evidence: EvidenceStore) -> None:
    record_days(database, evidence, n_bytes=300_000)
    config = keep(pictures_mb=1)
    expected = due(database, evidence, config, now_us=NOW_US)

    gone = run_out(database, evidence, config)

    assert [len(visit.evidence) for visit in sightings(database)] == [0] * 7 + [1] * 3
    assert gone.n_pictures == expected.n_pictures == 7
    assert check(database, evidence) == []


def test_nothing_goes_when_nothing_is_due(site: Database, evidence: EvidenceStore) -> None:
    assert not run_out(site, evidence, RetentionConfig(audit_days=None))
    assert not due(site, evidence, RetentionConfig(), now_us=NOW_US)
    assert audit_entries(site) == []


def test_it_may_be_left_off_and_begun_anew(
    site: Database, evidence: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.retention.AT_ONCE", 2)
    config = keep(sightings_days=1.5)
    started = expire(site, evidence, config, now_us=NOW_US, who="retention")
    first = next(piece for piece in started if piece)
    started.close()

    assert first.n_sightings == 2
    assert [entry.detail["n_sightings"] for entry in audit_entries(site)] == [2]
    assert check(site, evidence) == []
    assert run_out(site, evidence, config).n_sightings == 7
    assert check(site, evidence) == []


def test_orphans_go_when_they_are_old_enough(site: Database, evidence: EvidenceStore) -> None:
    evidence.put(b"its row is being written")
    (next(evidence.folder.iterdir()) / "tmpabc.part").write_bytes(b"half")
    disk_now_us = int(time.time() * 1e6)

    for age_us, n_orphans in ((60_000_000, 0), (-1_000_000, 2)):
        found = expire(
            site, evidence, FOR_EVER, now_us=disk_now_us, who="ada", orphan_age_us=age_us
        )
        assert sum(found, start=Expired()).n_orphans == n_orphans

    assert check(site, evidence) == []


def test_a_picture_that_is_put_again_is_new(evidence: EvidenceStore) -> None:
    evidence.put(b"orphan")
    (file,) = evidence.files()
    os.utime(file, (1, 1))

    evidence.put(b"orphan")

    ((after,),) = evidence.pictures()
    assert after.changed_at_us > 1_000_000


def test_expiry_waits_for_an_export(site: Database, evidence: EvidenceStore) -> None:
    with evidence.reading(), pytest.raises(EvidenceBusy):
        run_out(site, evidence, keep(pictures_days=2))

    assert [len(visit.evidence) for visit in sightings(site)] == [1] * DAYS


def test_a_folder_that_was_deleted_under_us_is_no_obstacle(
    site: Database, evidence: EvidenceStore
) -> None:
    shutil.rmtree(evidence.folder)

    gone = run_out(site, evidence, keep(pictures_days=2, sightings_days=2))

    assert (gone.n_pictures, gone.n_bytes) == (8, 0)
    assert {problem.rule for problem in check(site, evidence)} == {"evidence"}


def test_a_read_only_disk_is_told_and_the_files_go_later(
    database: Database, small_disk: Path
) -> None:
    evidence = EvidenceStore(small_disk / "evidence")
    record_days(database, evidence)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(DiskFull, match=r"Read-only file system.*is not deleted"):
        run_out(database, evidence, keep(pictures_days=2))

    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    run_out(database, evidence, keep(pictures_days=2), age_us=NOW_US - int(2e15))
    assert check(database, evidence) == []


def test_a_full_disk_is_emptied_by_expiry(database: Database, small_disk: Path) -> None:
    evidence = EvidenceStore(small_disk / "evidence")
    record_days(database, evidence, n_bytes=90_000)
    with pytest.raises(DiskFull, match="no space left"):
        evidence.put(bytes(300_000))

    run_out(database, evidence, keep(pictures_days=5))

    assert evidence.put(bytes(300_000))


@pytest.mark.parametrize(
    "days",
    [
        pytest.param({"pictures_days": 31}, id="pictures outlast vectors"),
        pytest.param({"vectors_days": None, "pictures_days": 1}, id="vectors for ever"),
        pytest.param({"gaps_days": 89}, id="gaps go before sightings"),
    ],
)
def test_what_hangs_on_a_thing_cannot_outlast_it(days: dict[str, float | None]) -> None:
    with pytest.raises(ValidationError, match="must not be longer than"):
        RetentionConfig.model_validate(days)


def test_one_piece_keeps_the_writer_busy_for_a_moment_only(
    database: Database, evidence: EvidenceStore
) -> None:
    visits = [sighting(n, at_s=n, exemplars=(exemplar(evidence=None),) * 3) for n in range(1000)]
    record_sightings(database, visits, now_us=TEN_O_CLOCK_US)

    pieces = expire(database, evidence, keep(sightings_days=1), now_us=NOW_US, who="retention")
    sizes = [max(piece.n_sightings, piece.n_vectors) for piece in pieces]

    assert sightings(database) == []
    assert sum(sizes) >= 1000
    assert max(sizes) <= 3 * AT_ONCE  # three vectors each
