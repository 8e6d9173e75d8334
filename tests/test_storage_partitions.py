"""Exemplars by the day, and databases of every released schema brought forward."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect, text

from storage.check import check
from storage.database import Database, open_database, upgrade
from storage.gallery import gallery
from storage.identities import identities
from storage.migrations import HERE, head_revision
from storage.partitions import DAY_US, drop_day, ensure_days, exemplar_days
from storage.sightings import record_sighting, sightings
from storage.types import NewSighting
from tests.storage_builders import (
    DIMENSION,
    MODEL,
    PICTURE,
    TEN_O_CLOCK_US,
    exemplar,
    new_postgresql,
    run_python,
    sighting,
    unit_vector,
)

pytest_plugins = ["tests.storage_fixtures"]

FIRST_DAY = date(2023, 11, 14)


@pytest.fixture
def postgresql(server: str, postgresql_template: str) -> str:
    """Address of a ready PostgreSQL database of the test's own."""
    return new_postgresql(server, template=postgresql_template)


def visit_on_day(number: int) -> NewSighting:
    """Visit `number`, a day later than the one before, its crop taken when it began."""
    first_us = TEN_O_CLOCK_US + number * DAY_US
    return sighting(
        number,
        at_s=number * DAY_US / 1e6,
        exemplars=(replace(exemplar(1, number, 0, 0), captured_at_us=first_us),),
    )


def rows_in(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_each_day_has_a_partition_made_when_its_first_row_comes(postgresql: str) -> None:
    with open_database(postgresql) as database:
        for number in (0, 2, 0, 2):
            visit = replace(visit_on_day(number), key=f"k{number}{rows_in(database, 'sighting')}")
            record_sighting(database, replace(visit, track=visit.key), now_us=TEN_O_CLOCK_US)

        with database.read() as connection:
            assert exemplar_days(connection) == [FIRST_DAY, date(2023, 11, 16)]
            unique = inspect(connection).get_unique_constraints("exemplar")
            key = inspect(connection).get_pk_constraint("exemplar")
        assert rows_in(database, "exemplar_20231114") == rows_in(database, "exemplar_20231116") == 2
        assert rows_in(database, "exemplar_stragglers") == 0
        assert check(database, None) == []
    assert key["constrained_columns"] == ["id", "captured_at_us"]
    assert [sorted(each["column_names"]) for each in unique] == [
        ["captured_at_us", "rank", "sighting_id"]
    ]


def test_a_day_is_dropped_as_a_whole(database: Database) -> None:
    for number in range(3):
        record_sighting(database, visit_on_day(number), now_us=TEN_O_CLOCK_US)

    with database.write() as connection:
        assert drop_day(connection, date(2023, 11, 15)) == 1
        assert drop_day(connection, date(2023, 11, 15)) == 0

    with database.read() as connection:
        assert exemplar_days(connection) == [FIRST_DAY, date(2023, 11, 16)]
    assert rows_in(database, "exemplar") == 2
    assert len(sightings(database)) == 3
    record_sighting(
        database, replace(visit_on_day(1), key="late", track="late"), now_us=TEN_O_CLOCK_US
    )
    assert rows_in(database, "exemplar") == 3
    assert check(database, None) == []


def test_a_day_that_was_made_in_vain_is_made_again(postgresql: str) -> None:
    with open_database(postgresql) as database:
        record_sighting(database, visit_on_day(0), now_us=TEN_O_CLOCK_US)

        with database.write() as connection:
            ensure_days(connection, [TEN_O_CLOCK_US + DAY_US])
            connection.rollback()
        record_sighting(database, visit_on_day(1), now_us=TEN_O_CLOCK_US)

        assert rows_in(database, "exemplar_20231115") == 1


def test_a_long_reader_does_not_stop_the_writer_at_midnight(
    postgresql: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with open_database(postgresql) as database, open_database(postgresql) as other:
        record_sighting(database, visit_on_day(0), now_us=TEN_O_CLOCK_US)

        with other.read() as reader:
            reader.execute(text("SELECT count(*) FROM exemplar")).scalar_one()
            record_sighting(database, visit_on_day(1), now_us=TEN_O_CLOCK_US)
        assert rows_in(database, "exemplar_stragglers") == 1
        assert "those of 2023-11-15 wait for their partition" in caplog.text

        late = replace(visit_on_day(1), key="late", track="late")
        record_sighting(database, late, now_us=TEN_O_CLOCK_US)

        assert rows_in(database, "exemplar_stragglers") == 0
        assert rows_in(database, "exemplar_20231115") == 2
        assert check(database, None) == []


def test_times_that_no_calendar_holds_are_stragglers(postgresql: str) -> None:
    strange = replace(exemplar(), captured_at_us=-1)

    with open_database(postgresql) as database:
        record_sighting(database, sighting(0, exemplars=(strange,)), now_us=TEN_O_CLOCK_US)

        assert rows_in(database, "exemplar_stragglers") == 1


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_database_of_every_released_schema_is_brought_forward(
    empty_address: str, tmp_path: Path, revision: str
) -> None:
    make_old(empty_address, revision, tmp_path)

    assert upgrade(empty_address) == head_revision()

    with open_database(empty_address) as database:
        assert [(s.key, s.identity, s.evidence) for s in sightings(database)] == [
            ("gate/0", 1, (PICTURE,)),
            ("gate/1", 1, ()),
        ]
        assert [person.n_sightings for person in identities(database)] == [2]
        rows = list(gallery(database, model=MODEL, since_us=None))
        assert [row.exemplar_id for row in rows] == [1, 2]
        np.testing.assert_array_equal(rows[1].vector, unit_vector(0, 1, 0, 0))
        record_sighting(database, sighting(2), now_us=TEN_O_CLOCK_US)
        rows = list(gallery(database, model=MODEL, since_us=None))
        assert sorted(row.exemplar_id for row in rows) == [1, 2, 3]
        assert check(database, None) == []
        if database.address.file is None and revision < "0003":  # days were made on the way
            assert rows_in(database, "exemplar_20231114") == 2
            assert rows_in(database, "exemplar_20231116") == 1


def test_a_crash_while_days_are_made_leaves_the_old_or_the_new_schema(
    server: str, tmp_path: Path
) -> None:
    address = new_postgresql(server)
    make_old(address, "0002", tmp_path)

    for step in (2, 4, 6, 10):
        child = run_python("tests.storage_migrator", address, str(HERE), str(step))
        assert child.communicate(timeout=120)[0] == ""

    assert upgrade(address) == head_revision()
    with open_database(address) as database:
        assert check(database, None) == []
        assert rows_in(database, "exemplar") == 2


def make_old(address: str, revision: str, folder: Path) -> None:
    """A database of schema `revision` with two visits of one person, two days apart."""
    history = folder / revision
    shutil.copytree(HERE, history)
    for file in (history / "versions").glob("[0-9]*.py"):
        if file.name[:4] > revision:
            file.unlink()
    assert upgrade(address, history=history) == revision
    database = open_unchecked(address)
    with database.write() as connection:
        for statement in OLD_ROWS:
            connection.execute(
                text(statement),
                {
                    "trail": bytes(40),
                    "first": unit_vector(1, 0, 0, 0).tobytes(),
                    "second": unit_vector(0, 1, 0, 0).tobytes(),
                },
            )
    database.close()


def open_unchecked(address: str) -> Database:
    """As an older program would open it."""
    from storage.address import read_address
    from storage.engine import make_engine

    return Database(read_address(address), make_engine(read_address(address)))


VISIT = (
    "INSERT INTO sighting (key, track, part, camera_id, modality, first_seen_us, last_seen_us, "
    "duration_us, n_frames, trail, model_version_id, identity_id, link_sequence) VALUES "
)
LINK = (
    "INSERT INTO link_event (sighting_id, sequence, decision, identity_id, threshold, reason, "
    "calibration, made_by, made_at_us) VALUES "
)
CROP = (
    "INSERT INTO exemplar (sighting_id, rank, model_version_id, dimension, vector, modality, "
    "captured_at_us, x0, y0, x1, y1, quality, evidence) VALUES "
)
LATER_US = TEN_O_CLOCK_US + 2 * DAY_US
OLD_ROWS = (
    "INSERT INTO camera (name, description) VALUES ('gate', '')",
    f"INSERT INTO model_version (name, dimension) VALUES ('{MODEL}', {DIMENSION})",
    "INSERT INTO identity (made_at_us) VALUES (1)",
    f"{VISIT} ('gate/0', 'gate/0', 0, 1, 'visible', {TEN_O_CLOCK_US}, {TEN_O_CLOCK_US + 2}, 2, 5, "
    ":trail, 1, 1, 0)",
    f"{VISIT} ('gate/1', 'gate/1', 0, 1, 'infrared', {LATER_US}, {LATER_US + 3}, 3, 5, "
    ":trail, 1, 1, 0)",
    f"{LINK} (1, 0, 'new', 1, 0.9, 'nobody known', 'test', 'linker', 3)",
    f"{LINK} (2, 0, 'link', 1, 0.9, 'looks alike', 'test', 'linker', 8)",
    f"INSERT INTO evidence (sha256, recorded_at_us) VALUES ('{PICTURE}', 1)",
    f"{CROP} (1, 0, 1, 4, :first, 'visible', {TEN_O_CLOCK_US}, 0, 0, 9, 9, 0.5, '{PICTURE}')",
    f"{CROP} (2, 0, 1, 4, :second, 'infrared', {LATER_US}, 0, 0, 9, 9, 0.5, NULL)",
)
