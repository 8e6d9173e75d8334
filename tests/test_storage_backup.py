"""A backup is one moment of the whole site, made while it is written to, and comes back proven."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.backup import make_backup, restore_backup
from storage.check import check
from storage.copying import CopyProgress
from storage.database import Database, open_database
from storage.errors import BackupDamaged, DatabaseBusy, DatabaseUnusable, SchemaMismatch
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting, sightings
from storage.unfinished import held
from tests.cli import RunCli
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, new_postgresql, sighting

pytest_plugins = ["tests.storage_fixtures"]

N_BEFORE = 20


def remember(database: Database, evidence: EvidenceStore, number: int) -> str:
    picture = evidence.put(f"picture {number}".encode() * 100)
    visit = sighting(number, exemplars=(exemplar(evidence=picture),))
    record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return visit.key


@pytest.fixture
def backup(sqlite_address: str, evidence: EvidenceStore, tmp_path: Path) -> Path:
    """A backup of three visits."""
    with open_database(sqlite_address) as database:
        for number in range(3):
            remember(database, evidence, number)
        make_backup(database, evidence, tmp_path / "backup", now_us=TEN_O_CLOCK_US)
    return tmp_path / "backup"


def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it_began(
    own_address: str, evidence: EvidenceStore, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    stop = threading.Event()
    with open_database(own_address) as database:

        def write() -> None:
            while not stop.is_set():
                acknowledged.append(remember(database, evidence, len(acknowledged)))

        writer = threading.Thread(target=write)
        writer.start()
        while len(acknowledged) < N_BEFORE:
            stop.wait(0.01)
        before = list(acknowledged)

        made = make_backup(database, evidence, tmp_path / "backup", now_us=TEN_O_CLOCK_US)
        stop.set()
        writer.join()

    assert made.missing == ()
    for target in (
        f"sqlite:///{tmp_path}/restored/noctule.db",
        new_postgresql(request.getfixturevalue("server")),
    ):
        place = EvidenceStore(tmp_path / "restored" / target[:6] / "evidence")
        restore_backup(tmp_path / "backup", target, place)
        with open_database(target) as restored:
            kept = [visit.key for visit in sightings(restored)]
            assert kept[: len(before)] == before
            assert kept == acknowledged[: len(kept)]
            assert check(restored, place) == []


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 2)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        pytest.param("noctule.db", flip, id="database changed"),
        pytest.param("noctule.db", Path.unlink, id="database missing"),
        pytest.param("evidence/*/*.jpg", flip, id="picture changed"),
        pytest.param("evidence/*/*.jpg", Path.unlink, id="picture missing"),
        pytest.param("manifest.json", flip, id="manifest changed"),
        pytest.param("SHA256SUMS", cut, id="sums cut"),
        pytest.param("SHA256SUMS", Path.unlink, id="sums missing"),
        pytest.param(
            "SHA256SUMS", lambda file: os.truncate(file, 220), id="sums without the pictures"
        ),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    backup: Path, pattern: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    damage(next(backup.glob(pattern)))
    target = f"sqlite:///{tmp_path}/restored/noctule.db"

    with pytest.raises(BackupDamaged, match="no sound backup"):
        restore_backup(backup, target, EvidenceStore(tmp_path / "restored/evidence"))

    assert not (tmp_path / "restored/evidence").exists()
    with open_database(target, create=True) as database:
        assert sightings(database) == []


def test_restoring_twice_gives_the_same_and_a_used_database_is_refused(
    backup: Path, sqlite_address: str, evidence: EvidenceStore, tmp_path: Path
) -> None:
    files = {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
    with pytest.raises(DatabaseUnusable, match="holds rows already"):
        restore_backup(backup, sqlite_address, evidence)
    torn = next(evidence.folder.glob("*/*.jpg"))
    flip(torn)

    for name in ("first", "second"):
        restore_backup(backup, f"sqlite:///{tmp_path}/{name}.db", evidence)
        with open_database(f"sqlite:///{tmp_path}/{name}.db") as database:
            assert check(database, evidence) == []

    assert {path: path.read_bytes() for path in backup.rglob("*") if path.is_file()} == files


def test_a_picture_that_was_lost_before_is_named_and_the_rest_is_kept(
    sqlite_database: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    for number in range(3):
        remember(sqlite_database, evidence, number)
    lost, torn, *_ = sorted(evidence.folder.glob("*/*.jpg"))
    lost.unlink()
    flip(torn)

    made = make_backup(sqlite_database, evidence, tmp_path / "backup", now_us=TEN_O_CLOCK_US)

    assert made.missing == (lost.stem, torn.stem)
    target = f"sqlite:///{tmp_path}/restored.db"
    restored = restore_backup(tmp_path / "backup", target, EvidenceStore(tmp_path / "new"))
    assert restored.n_pictures == len(list((tmp_path / "new").glob("*/*.jpg"))) == 1


def test_a_folder_that_exists_is_refused(
    backup: Path, sqlite_database: Database, evidence: EvidenceStore
) -> None:
    with pytest.raises(DatabaseUnusable, match="exists"):
        make_backup(sqlite_database, evidence, backup, now_us=TEN_O_CLOCK_US)


def test_a_backup_of_a_newer_program_is_refused(backup: Path, tmp_path: Path) -> None:
    import hashlib

    manifest, sums = backup / "manifest.json", backup / "SHA256SUMS"
    old = hashlib.sha256(manifest.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text().replace('"schema": "', '"schema": "9'))
    new = hashlib.sha256(manifest.read_bytes()).hexdigest()
    sums.write_text(sums.read_text().replace(old, new))

    with pytest.raises(SchemaMismatch, match="newer than this program"):
        restore_backup(backup, f"sqlite:///{tmp_path}/x.db", EvidenceStore(tmp_path / "x"))


def test_sha256sum_reads_the_sums(backup: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    import subprocess

    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=backup, capture_output=True)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5


def test_the_verbs_keep_and_bring_back_a_site(
    backup: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///new.db', evidence: new}")

    restored = run_cli("db", "restore", str(backup), "--config", str(config))
    assert "restored 3 pictures" in restored

    again = tmp_path / "again"
    assert "3 pictures" in run_cli("db", "backup", str(again), "--config", str(config))
    assert "exists" in run_cli("db", "backup", str(again), "--config", str(config), code=1)
    assert "sound" in run_cli("db", "check", "--config", str(config))


def test_a_second_backup_into_the_same_folder_is_refused_and_the_first_goes_on(
    sqlite_database: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    remember(sqlite_database, evidence, 0)
    refused: list[str] = []

    def meanwhile(progress: CopyProgress) -> None:
        if progress.table == "sighting":
            with pytest.raises(DatabaseBusy, match="another backup into"):
                make_backup(sqlite_database, evidence, folder, now_us=TEN_O_CLOCK_US)
            refused.append(progress.table)

    make_backup(sqlite_database, evidence, folder, now_us=TEN_O_CLOCK_US, told=meanwhile)

    assert refused == ["sighting"]
    target = f"sqlite:///{tmp_path}/restored.db"
    assert restore_backup(folder, target, EvidenceStore(tmp_path / "new")).n_pictures == 1
    assert not (folder / ".lock").exists()
    assert not (tmp_path / "backup.unfinished").exists()


def test_what_killed_backups_and_restores_left_is_cleared_away(
    backup: Path, sqlite_database: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    left, in_use = site / "noctule-restoring-killed", site / "noctule-restoring-now"
    for folder in (tmp_path / "again.unfinished", left, in_use):
        folder.mkdir(parents=True)
        (folder / ".lock").touch()
        (folder / "noctule.db").write_bytes(b"half of a database")
    not_ours = site / "noctule-restoring-notes"
    not_ours.mkdir()

    make_backup(sqlite_database, evidence, tmp_path / "again", now_us=TEN_O_CLOCK_US)
    with held(in_use):
        restore_backup(backup, f"sqlite:///{site}/noctule.db", EvidenceStore(site / "evidence"))

    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        *("SHA256SUMS", "evidence", "manifest.json", "noctule.db")
    ]
    kept = sorted(path.name for path in site.glob("noctule-restoring-*"))
    assert kept == [not_ours.name, in_use.name]
