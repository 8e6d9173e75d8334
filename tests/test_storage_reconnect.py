"""A PostgreSQL server that goes away, comes back, or gives our lock to another."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text

from storage.batches import record_sightings
from storage.check import check
from storage.claims import claim_watcher
from storage.database import Database, open_database
from storage.errors import AlreadyRunning, DatabaseBusy, DatabaseUnusable
from storage.sightings import record_sighting, sightings
from storage.types import NewSighting
from tests.processes import wait_for
from tests.storage_builders import TEN_O_CLOCK_US, sighting

if TYPE_CHECKING:
    from tests.storage_fixtures import Power

pytest_plugins = ["tests.storage_fixtures"]


def test_a_server_that_crashes_in_the_middle_of_writing_loses_and_doubles_nothing(
    postgresql_address: str, power: Power
) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    stop = threading.Event()

    def write(database: Database, thread: int) -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            batch = [sighting(3 * number + i, camera=f"c{thread}") for i in range(3)]
            while not is_recorded(database, batch):
                refused.append(batch[0].key)
                stop.wait(0.1)
            acknowledged.extend(visit.key for visit in batch)

    with open_database(postgresql_address) as database:
        writers = [threading.Thread(target=write, args=(database, i)) for i in range(2)]
        for writer in writers:
            writer.start()
        assert wait_for(lambda: len(acknowledged) > 30)
        power.off()
        assert wait_for(lambda: len(refused) > 2)
        n_before = len(acknowledged)
        power.on()
        assert wait_for(lambda: len(acknowledged) > n_before + 30)
        stop.set()
        for writer in writers:
            writer.join()

        found = [visit.key for visit in sightings(database)]
        assert sorted(found) == sorted(acknowledged)
        assert len(set(found)) == len(found)
        assert check(database, None) == []


def is_recorded(database: Database, batch: list[NewSighting]) -> bool:
    try:
        record_sightings(database, batch, now_us=TEN_O_CLOCK_US)
    except DatabaseBusy:
        return False
    return True


def test_a_claim_that_the_server_lost_is_taken_again_with_the_next_write(
    postgresql_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with (
        open_database(postgresql_address) as mine,
        open_database(postgresql_address) as other,
        claim_watcher(mine),
    ):
        lose_claim(postgresql_address)

        record_sighting(mine, sighting(0), now_us=TEN_O_CLOCK_US)

        assert "was lost and taken again" in caplog.text
        with pytest.raises(AlreadyRunning, match=r"another watcher \(pid"), claim_watcher(other):
            pass


def test_a_watcher_whose_claim_went_to_another_stops_before_it_writes(
    postgresql_address: str,
) -> None:
    with open_database(postgresql_address) as mine, open_database(postgresql_address) as other:
        with claim_watcher(mine):
            lose_claim(postgresql_address)
            with claim_watcher(other):
                with pytest.raises(AlreadyRunning, match=r"another watcher \(pid"):
                    record_sighting(mine, sighting(0), now_us=TEN_O_CLOCK_US)
                record_sighting(other, sighting(1), now_us=TEN_O_CLOCK_US)

        assert [visit.key for visit in sightings(mine)] == ["gate/1"]


def test_a_claim_outlives_a_restart_of_the_server(postgresql_address: str, power: Power) -> None:
    with open_database(postgresql_address) as database, claim_watcher(database):
        power.off()
        with pytest.raises(DatabaseBusy, match="does not answer"):
            record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
        power.on()

        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)

        with (
            open_database(postgresql_address) as other,
            pytest.raises(AlreadyRunning),
            claim_watcher(other),
        ):
            pass


def lose_claim(address: str) -> None:
    """The server ends the connection that holds the watcher's lock."""
    with psycopg.connect(address, autocommit=True) as killer:
        ended = killer.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' "
            "AND objid = 2 AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())"
        ).fetchall()
    assert ended == [(True,)]


def test_a_standby_that_is_not_promoted_yet_is_transient(postgresql_address: str) -> None:
    with open_database(postgresql_address) as database:
        with psycopg.connect(postgresql_address, autocommit=True) as owner:
            name = owner.info.dbname
            owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        try:
            with (
                open_database(postgresql_address) as fresh,
                pytest.raises(DatabaseBusy, match="read-only"),
            ):
                record_sighting(fresh, sighting(0), now_us=TEN_O_CLOCK_US)
        finally:
            with psycopg.connect(postgresql_address, autocommit=True) as owner:
                owner.execute("SET default_transaction_read_only = off")
                owner.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)


@pytest.mark.parametrize("is_replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_taken_away_while_in_use_is_not_written_to(
    sqlite_address: str, is_replaced: bool
) -> None:
    file = Path(sqlite_address.removeprefix("sqlite:///"))
    with open_database(sqlite_address) as database:
        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
        moved = file.rename(file.with_name("moved.db"))
        if is_replaced:
            file.write_bytes(moved.read_bytes())

        with pytest.raises(DatabaseUnusable, match="while it was in use"):
            record_sighting(database, sighting(1), now_us=TEN_O_CLOCK_US)


def test_a_pool_that_is_lent_out_says_which_setting_helps(
    postgresql_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.BUSY_TIMEOUT_S", 0.2)

    with open_database(postgresql_address, connections=2) as database:
        with database.read() as first, database.read() as second:
            first.execute(text("SELECT 1"))
            second.execute(text("SELECT 1"))
            with pytest.raises(DatabaseBusy, match=r"storage\.connections"):
                sightings(database)
        assert sightings(database) == []
