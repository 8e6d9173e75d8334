"""A person who is erased is gone: from tables, files, and the bytes of the database file."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from storage.audit import audit_entries, audited
from storage.check import check
from storage.claims import claim_watcher
from storage.database import Database, open_database
from storage.deletion import Deletion
from storage.erasure import erase, plan_erasure
from storage.errors import EvidenceBusy, PersonErased
from storage.evidence import EvidenceStore
from storage.gallery import gallery
from storage.identities import find_identity, identities
from storage.retention import expire
from storage.schema import ExemplarRow, SightingRow, Table
from storage.sightings import last_sighting, record_sighting, relink, sightings, trajectory
from storage.tombstones import erasure_of
from storage.types import IdentityId, SightingId
from tests.storage_builders import (
    FOR_EVER,
    MODEL,
    TEN_O_CLOCK_US,
    exemplar,
    link_new,
    link_to,
    link_unsure,
    run_python,
    sighting,
)

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US + 3_600_000_000
FIRST, SECOND = IdentityId(1), IdentityId(2)


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """P-0001 with visits 0 and 2, P-0002 with visit 1, an unsure visit 3 that may be P-0001."""
    shared = evidence.put(b"both of them")
    links = (link_new(), link_new(), link_to(1), link_unsure(candidate=1))
    for number, link in enumerate(links):
        crops = (
            exemplar(1, number, 0, 1, evidence=evidence.put(b"picture %d" % number)),
            exemplar(0, 1, number, 1, evidence=shared if number < 2 else None),
        )
        visit = sighting(number, link=link, exemplars=crops)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def erase_first(site: Database, evidence: EvidenceStore, *, with_unsure: bool = False) -> str:
    receipt = erase(
        site,
        evidence,
        FIRST,
        reason="asked for it",
        made_by="ada",
        now_us=NOW_US,
        with_unsure=with_unsure,
    )
    return receipt.erasure.proof


def test_nothing_of_an_erased_person_is_left(site: Database, evidence: EvidenceStore) -> None:
    erase_first(site, evidence)

    assert [person.id for person in identities(site)] == [SECOND]
    assert [visit.id for visit in sightings(site)] == [2, 4]
    assert trajectory(site, FIRST) == []
    assert last_sighting(site, FIRST) is None
    assert {row.identity for row in gallery(site, model=MODEL, since_us=None)} == {SECOND}
    kept = {evidence.path(sha256) for visit in sightings(site) for sha256 in visit.evidence}
    assert set(evidence.files()) == kept
    assert check(site, evidence) == []


def test_who_asks_for_an_erased_person_is_told(site: Database, evidence: EvidenceStore) -> None:
    erase_first(site, evidence)

    told = r"P-0001 was erased on 2023-11-14 23:13 UTC by ada \(asked for it\)"
    with pytest.raises(PersonErased, match=told):
        find_identity(site, "P-0001")
    with pytest.raises(PersonErased, match=told):
        erase_first(site, evidence)
    with pytest.raises(PersonErased, match=told):
        relink(site, SightingId(2), link_to(1), made_by="ada", now_us=NOW_US)


def test_the_receipt_proves_what_was_deleted(site: Database, evidence: EvidenceStore) -> None:
    pictures = [evidence.put(b"picture 0"), evidence.put(b"picture 2")]
    plan = plan_erasure(site, FIRST)

    proof = erase_first(site, evidence)

    with site.read() as connection:
        tombstone = erasure_of(connection, FIRST)
    assert tombstone is not None
    counted = (tombstone.n_sightings, tombstone.n_exemplars, tombstone.n_pictures)
    assert counted == (plan.n_sightings, plan.n_exemplars, plan.n_pictures) == (2, 4, 2)
    assert (plan.n_shared, plan.n_unsure) == (1, 1)
    deleted = Deletion(
        sightings=(SightingId(3), SightingId(1)),
        exemplars=(1, 2, 5, 6),
        pictures=tuple(pictures),
    )
    assert proof == tombstone.proof == deleted.proof()
    (entry,) = audit_entries(site, of="P-0001")
    assert (entry.who, entry.action, entry.detail["proof"]) == ("ada", "erase", proof)


def test_the_number_stays_and_is_never_given_again(site: Database, evidence: EvidenceStore) -> None:
    erase(site, evidence, SECOND, reason="asked", made_by="ada", now_us=NOW_US)

    later = record_sighting(site, sighting(9), now_us=NOW_US)

    assert later.identity == 3
    assert check(site, None) == []


def test_unsure_visits_go_too_when_asked_for(site: Database, evidence: EvidenceStore) -> None:
    erase_first(site, evidence, with_unsure=True)

    assert [visit.id for visit in sightings(site)] == [2]
    assert check(site, evidence) == []


def test_what_is_seen_of_an_erased_person_afterwards_is_a_new_person(
    site: Database, evidence: EvidenceStore
) -> None:
    erase_first(site, evidence)

    still_in_view = record_sighting(site, sighting(9, link=link_to(1)), now_us=NOW_US)

    assert still_in_view.identity == 3
    settled = relink(site, SightingId(4), link_to(1), made_by="linker", now_us=NOW_US)
    assert settled == 4
    assert check(site, None) == []


def test_a_plan_names_the_exports_that_the_person_is_in(site: Database) -> None:
    for subject, detail in (
        ("P-0001", {}),
        ("", {"persons": ["P-0001", "P-0002"]}),
        ("P-0002", {}),
    ):
        audited(
            site, who="ada", action="export person", subject=subject, detail=detail, now_us=NOW_US
        )

    assert [entry.id for entry in plan_erasure(site, FIRST).exports] == [1, 2]


def test_nothing_is_erased_while_an_export_reads_pictures(
    site: Database, evidence: EvidenceStore
) -> None:
    with evidence.reading(), pytest.raises(EvidenceBusy, match="try again later"):
        erase_first(site, evidence)

    assert len(trajectory(site, FIRST)) == 2
    with evidence.reading(), evidence.reading():
        pass


def test_every_table_that_hangs_on_a_sighting_is_thought_of() -> None:
    tables = Table.metadata.tables.values()
    hang_on = {
        child.name
        for child in tables
        for key in child.foreign_key_constraints
        if key.referred_table.name in {"sighting", "exemplar"}
    }

    assert hang_on == {"link_event", "exemplar", "verdict_sighting"}  # see storage/deletion.py


@pytest.mark.parametrize("watcher", [False, True], ids=["no watcher", "a watcher runs"])
def test_the_bytes_of_an_erased_vector_are_gone_from_the_file(
    sqlite_database: Database, evidence: EvidenceStore, watcher: bool
) -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(400, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        link = link_new() if number < 2 else link_to(1 + number % 2)
        crops = (exemplar(*vector.tolist(), evidence=None),)
        visit = sighting(number, link=link, exemplars=crops)
        record_sighting(sqlite_database, visit, now_us=NOW_US)
    with sqlite_database.read() as connection:
        query = select(ExemplarRow.vector).join(
            SightingRow, SightingRow.id == ExemplarRow.sighting_id
        )
        stored = list(connection.execute(query.where(SightingRow.identity_id == FIRST)).scalars())
    assert len(stored) == 200
    assert n_found(sqlite_database, stored) == 200

    with claim_watcher(sqlite_database) if watcher else nullcontext():
        receipt = erase(
            sqlite_database, evidence, FIRST, reason="asked", made_by="ada", now_us=NOW_US
        )

    assert receipt.wiped.log
    assert receipt.wiped.file is not watcher
    assert len(receipt.wiped.advice) == watcher
    assert n_found(sqlite_database, stored) == 0


def n_found(database: Database, vectors: list[bytes]) -> int:
    """How many of the vectors can be read in the files of the database."""
    file = database.address.file
    assert file is not None
    log = file.with_name(file.name + "-wal")
    content = file.read_bytes() + (log.read_bytes() if log.exists() else b"")
    return sum(vector in content for vector in vectors)


@pytest.mark.parametrize("watcher", [False, True], ids=["no watcher", "a watcher runs"])
def test_on_a_server_tables_are_rewritten_while_no_watcher_runs(
    postgresql_address: str, evidence: EvidenceStore, watcher: bool
) -> None:
    with open_database(postgresql_address) as database:
        record_sighting(database, sighting(0, exemplars=()), now_us=NOW_US)
        with claim_watcher(database) if watcher else nullcontext():
            receipt = erase(database, evidence, FIRST, reason="x", made_by="ada", now_us=NOW_US)

    assert receipt.wiped.file is not watcher
    assert "replicas" in receipt.wiped.advice[-1]


def test_killed_between_rows_and_files_it_leaves_orphans_that_expire(
    own_address: str, tmp_path: Path
) -> None:
    evidence = EvidenceStore(tmp_path / "evidence")
    with open_database(own_address) as database:
        crops = tuple(exemplar(evidence=evidence.put(b"picture %d" % n)) for n in range(50))
        record_sighting(database, sighting(0, exemplars=crops), now_us=NOW_US)
    child = run_python("tests.storage_eraser", own_address, str(evidence.folder))
    assert child.stdout is not None
    assert child.stdout.readline() == "rows are gone\n"

    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    with open_database(own_address) as database:
        problems = check(database, evidence)
        assert {problem.rule for problem in problems} == {"orphan"}
        assert len(problems) == 50
        now_us = int(time.time() * 1e6) + 1_000_000
        list(expire(database, evidence, FOR_EVER, now_us=now_us, who="ada", orphan_age_us=0))
        assert check(database, evidence) == []
        assert list(evidence.files()) == []


def test_pictures_on_a_disk_that_became_read_only_are_told_and_go_later(
    database: Database, small_disk: Path
) -> None:
    evidence = EvidenceStore(small_disk / "evidence")
    crops = (exemplar(evidence=evidence.put(b"picture")),)
    record_sighting(database, sighting(0, exemplars=crops), now_us=NOW_US)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    receipt = erase(database, evidence, FIRST, reason="asked", made_by="ada", now_us=NOW_US)

    assert "Read-only file system" in receipt.undeleted[0]
    assert (receipt.erasure.n_pictures, receipt.n_files) == (1, 0)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    later_us = int(time.time() * 1e6) + 1_000_000
    list(expire(database, evidence, FOR_EVER, now_us=later_us, who="ada", orphan_age_us=0))
    assert check(database, evidence) == []
