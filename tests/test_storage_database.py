"""Opening, refusing, sharing and losing the database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from storage.address import filesystem_of, read_address, refuse_network_disk
from storage.check import check
from storage.claims import claim_watcher
from storage.config import StorageConfig
from storage.database import Database, open_database
from storage.errors import AlreadyRunning, DatabaseBusy, DatabaseUnusable, DiskFull
from storage.sightings import record_sighting, sightings
from tests.processes import wait_for
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, new_postgresql, run_python, sighting

pytest_plugins = ["tests.storage_fixtures"]


def test_a_new_database_is_made_where_there_is_none(empty_address: str) -> None:
    with open_database(empty_address, create=True) as made:
        record_sighting(made, sighting(0), now_us=TEN_O_CLOCK_US)

    with open_database(empty_address) as opened:
        assert len(sightings(opened)) == 1


def test_sqlite_flushes_what_it_acknowledges_and_enforces_references(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_postgresql_flushes_what_it_acknowledges_even_if_the_server_would_not(server: str) -> None:
    address = new_postgresql(server)
    with psycopg.connect(address, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())

    with open_database(address, create=True) as database, database.write() as transaction:
        assert transaction.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


def test_a_missing_database_is_not_made_by_asking(tmp_path: Path) -> None:
    file = tmp_path / "noctule.db"

    with pytest.raises(DatabaseUnusable, match=r"there is no database at .*noctule run"):
        open_database(f"sqlite:///{file}")

    assert not file.exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "noctule.db"
    file.write_bytes(b"JFIF" * 5000)

    with pytest.raises(DatabaseUnusable, match="damaged or not a database"):
        open_database(f"sqlite:///{file}")


def test_a_torn_database_is_refused_or_found_by_check(tmp_path: Path) -> None:
    file = tmp_path / "noctule.db"
    with open_database(f"sqlite:///{file}", create=True) as database:
        for number in range(50):
            record_sighting(database, sighting(number), now_us=TEN_O_CLOCK_US)
        with database.read() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    torn = bytearray(file.read_bytes())
    torn[len(torn) // 2 : len(torn) // 2 + 8192] = bytes(8192)
    file.write_bytes(torn)

    with open_database(f"sqlite:///{file}") as database:
        problems = check(database, None)

    assert {"integrity", "readable"} & {problem.rule for problem in problems}


def test_a_database_of_another_program_is_refused(empty_address: str) -> None:
    address = read_address(empty_address)
    if address.file is None:
        with psycopg.connect(empty_address, autocommit=True) as connection:
            connection.execute("CREATE TABLE invoice (id int)")
    else:
        address.file.parent.mkdir()
        with sqlite3.connect(address.file) as other:
            other.execute("CREATE TABLE invoice (id int)")

    with pytest.raises(DatabaseUnusable, match=r"belongs to another program .*invoice"):
        open_database(empty_address, create=True)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("mysql://op:s3cret@db/noctule", "unknown kind of database", id="mysql"),
        pytest.param("s3cret", "cannot be read", id="no address"),
        pytest.param("sqlite://", "in memory", id="memory"),
        pytest.param("postgresql://op:s3cret@127.0.0.1:1/x", "cannot be opened", id="no server"),
        pytest.param(
            "postgresql://op@127.0.0.1:1/x?password=s3cret", "cannot be opened", id="in the query"
        ),
        pytest.param("postgresql://op:s3cret@127.0.0.1:port/x", "cannot be read", id="bad port"),
    ],
)
def test_an_address_that_does_not_work_is_refused_without_its_password(
    address: str, message: str
) -> None:
    with pytest.raises(DatabaseUnusable, match=message) as caught:
        open_database(address)

    told: BaseException | None = caught.value
    while told is not None:
        assert "s3cret" not in f"{told} {told!r}"
        told = told.__cause__


def test_a_password_of_a_real_server_is_in_no_error(postgresql_address: str) -> None:
    wrong = postgresql_address.replace("postgres:@", "nobody:s3cret@")

    with pytest.raises(DatabaseUnusable, match="nobody") as caught:
        open_database(wrong)

    assert "s3cret" not in str(caught.value)


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "p@ss/w:rd#")

    config = StorageConfig(database=SecretStr("postgresql://op:${DB_PASSWORD}@db/noctule"))

    url = read_address(config.database.get_secret_value()).url
    assert (url.username, url.password, url.host) == ("op", "p@ss/w:rd#", "db")
    assert "p@ss" not in repr(config)
    assert str(read_address(config.database.get_secret_value())) == "postgresql://op:***@db/noctule"


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASSWORD", raising=False)

    with pytest.raises(ValidationError, match="DB_PASSWORD is not set"):
        StorageConfig(database=SecretStr("postgresql://op:${DB_PASSWORD}@db/noctule"))


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
36 22 0:45 / /mnt/nas\\040one rw,relatime shared:2 master:1 - nfs4 nas:/export rw
37 36 0:46 / /mnt/nas\\040one/local rw - xfs /dev/sdb1 rw
38 22 0:47 / /media/share rw - cifs //nas/share rw
39 22 0:48 / /media/share rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/srv/noctule.db", "ext4"),
        ("/mnt/nas one/site/noctule.db", "nfs4"),
        ("/mnt/nas one/local/noctule.db", "xfs"),
        ("/mnt/nas onetwo/noctule.db", "ext4"),
        ("/media/share/noctule.db", "ext4"),
    ],
    ids=["root", "share", "disk mounted in a share", "similar name", "share hidden by a disk"],
)
def test_the_disk_of_a_file_is_that_of_its_innermost_mount(file: str, kind: str) -> None:
    assert filesystem_of(Path(file), MOUNTS) == kind


def test_sqlite_on_a_network_disk_is_refused() -> None:
    with pytest.raises(DatabaseUnusable, match=r"\(nfs4\).*local disk.*postgresql://"):
        refuse_network_disk(Path("/mnt/nas one/noctule.db"), mounts=MOUNTS)


SECOND_WATCHER = """
import sys
from storage.claims import claim_watcher
from storage.database import open_database
from storage.errors import AlreadyRunning

try:
    with open_database(sys.argv[1]) as database, claim_watcher(database):
        print("claimed")
except AlreadyRunning as error:
    print(error)
"""


def test_a_second_watcher_is_refused_and_told_who_holds_the_database(
    address: str, tmp_path: Path
) -> None:
    script = tmp_path / "second.py"
    script.write_text(SECOND_WATCHER)
    with open_database(address) as database, claim_watcher(database):
        told = second_watcher(script, address)
        assert f"another watcher (pid {os.getpid()} on " in told

    assert second_watcher(script, address) == "claimed\n"


def second_watcher(script: Path, address: str) -> str:
    return subprocess.run(
        [sys.executable, str(script), address],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_killed_watcher_leaves_no_lock(address: str, tmp_path: Path) -> None:
    child = run_python("tests.storage_writer", address, str(tmp_path / "evidence"), "0")
    assert child.stdout is not None
    child.stdout.readline()
    with open_database(address) as database:
        with pytest.raises(AlreadyRunning, match=f"pid {child.pid} "), claim_watcher(database):
            pass

        child.kill()
        child.communicate()

        def is_free() -> bool:
            try:
                with claim_watcher(database):
                    return True
            except AlreadyRunning:
                return False

        assert wait_for(is_free), "the lock outlived its holder"  # the server notices a bit later


def test_a_long_writer_makes_others_wait_then_say_busy(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.BUSY_TIMEOUT_S", 1)
    with open_database(address) as mine, open_database(address) as other, mine.write():
        with pytest.raises(DatabaseBusy, match="trying again"):
            record_sighting(other, sighting(0), now_us=TEN_O_CLOCK_US)
        assert sightings(other) == []  # readers never wait


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO identity (made_at_us) VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM identity")).scalar_one() == 0


def test_threads_write_one_after_the_other(database: Database) -> None:
    def write(thread: int) -> None:
        for number in range(5):
            record_sighting(database, sighting(number, camera=f"c{thread}"), now_us=TEN_O_CLOCK_US)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(s.identity or 0) for s in sightings(database)) == list(range(1, 21))
    assert check(database, None) == []


def test_a_lost_connection_is_transient_and_the_next_try_succeeds(postgresql_address: str) -> None:
    def lose_connection(database: Database) -> None:
        with database.write() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with psycopg.connect(postgresql_address, autocommit=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", (backend,))
            connection.execute(text("SELECT 1"))

    with open_database(postgresql_address) as database:
        with pytest.raises(DatabaseBusy, match="does not answer"):
            lose_connection(database)

        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
        assert len(sightings(database)) == 1


def test_a_full_disk_loses_nothing_acknowledged(small_disk: Path) -> None:
    acknowledged = []
    crops = tuple(exemplar(*range(1, 513)) for _ in range(8))

    def fill(database: Database) -> None:
        for number in range(1000):
            visit = sighting(number, exemplars=crops)
            record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
            acknowledged.append(visit.key)

    with open_database(f"sqlite:///{small_disk}/noctule.db", create=True) as database:
        with pytest.raises(DiskFull, match="no space left"):
            fill(database)

        assert len(acknowledged) > 0
        assert [s.key for s in sightings(database)] == acknowledged
        assert check(database, None) == []
