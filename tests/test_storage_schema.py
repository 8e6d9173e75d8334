"""The tables, their history, and the queries their indexes are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from storage.check import check
from storage.database import Database, open_database, upgrade
from storage.errors import SchemaMismatch
from storage.migrations import HERE, head_revision
from storage.schema import Table
from storage.sightings import record_sighting, sightings
from tests.storage_builders import TEN_O_CLOCK_US, run_python, sighting

pytest_plugins = ["tests.storage_fixtures"]

NEXT_VERSION = '''
"""A later schema, as one will come: a column that rows must be converted for, and a table."""

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("sighting") as table:
        table.add_column(sa.Column("floor", sa.Integer(), nullable=True))
    op.execute("UPDATE sighting SET floor = n_frames + 1")
    with op.batch_alter_table("sighting") as table:
        table.alter_column("floor", nullable=False)
    op.create_table("building", sa.Column("id", sa.Integer(), primary_key=True))
'''


@pytest.fixture
def later_history(tmp_path: Path) -> Path:
    """Migrations of a later program."""
    history = tmp_path / "migrations"
    shutil.copytree(HERE, history)
    (history / "versions" / "later.py").write_text(NEXT_VERSION.replace("{head}", head_revision()))
    return history


def test_every_table_and_column_says_what_it_holds() -> None:
    for table in Table.metadata.tables.values():
        assert table.comment, table.name
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_migrations_make_the_tables_that_the_program_expects(database: Database) -> None:
    on_postgresql = database.address.file is None

    def is_compared(_object: object, name: str | None, kind: str, *_: object) -> bool:
        # Days are partitions there, and PostgreSQL wants the day's column in every unique key;
        # tests/test_storage_partitions.py looks at both.
        is_day = kind == "table" and str(name).startswith("exemplar_")
        return not (on_postgresql and (is_day or name == "uq_exemplar_sighting_id_rank"))

    with database.read() as connection:
        opts = {"compare_type": True, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Table.metadata) == []


def test_migrations_make_the_constraints_that_the_program_expects(database: Database) -> None:
    expected = {
        str(check.name)
        for table in Table.metadata.tables.values()
        for check in table.constraints
        if str(check.name).startswith("ck_")
    }
    with database.read() as connection:
        found = {
            check["name"]
            for name in Table.metadata.tables
            for check in inspect(connection).get_check_constraints(name)
        }

    assert found == expected


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sighting SET modality = 'thermal'",
        "UPDATE sighting SET last_seen_us = first_seen_us - 1, duration_us = -1",
        "UPDATE sighting SET last_seen_us = last_seen_us + 1",
        "UPDATE sighting SET identity_id = 99",
        "UPDATE exemplar SET dimension = 5",
        "UPDATE exemplar SET quality = 1.5",
        "UPDATE exemplar SET evidence = 'gone'",
        "UPDATE model_version SET dimension = 5",
        "UPDATE link_event SET reason = 'because'",
        "INSERT INTO link_event (sighting_id, sequence, decision, threshold, reason, calibration,"
        " made_by, made_at_us) VALUES (1, 1, 'link', 0.5, 'x', 'x', 'x', 1)",
        "DELETE FROM camera",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(database: Database, statement: str) -> None:
    record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)

    def execute() -> None:
        with database.write() as connection:
            connection.execute(text(statement))

    with pytest.raises(DBAPIError):
        execute()


def test_a_database_of_a_newer_program_is_refused(own_address: str, later_history: Path) -> None:
    upgrade(own_address, history=later_history)

    with pytest.raises(SchemaMismatch, match=r"later, newer than .*use the noctule that wrote it"):
        open_database(own_address, create=True)
    with pytest.raises(SchemaMismatch, match="newer"):
        upgrade(own_address)


def test_a_database_of_an_older_program_is_refused_until_upgraded(
    own_address: str, later_history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(own_address) as database:
        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
    monkeypatch.setattr("storage.migrations.read_schema_state.__kwdefaults__", None, raising=False)
    later = {"history": later_history}
    monkeypatch.setattr("storage.migrations.read_schema_state.__kwdefaults__", later)

    with pytest.raises(
        SchemaMismatch, match=rf"older schema {head_revision()}.*noctule db upgrade"
    ):
        open_database(own_address, create=True)

    assert upgrade(own_address, history=later_history) == "later"
    with open_database(own_address) as database:
        assert [s.key for s in sightings(database)] == ["gate/0"]
        assert check(database, None) == []


def test_an_empty_database_is_upgraded_only_on_request(empty_address: str) -> None:
    if empty_address.startswith("sqlite"):
        file = Path(empty_address.removeprefix("sqlite:///"))
        file.parent.mkdir()
        file.touch()

    with pytest.raises(SchemaMismatch, match=r"no tables yet.*noctule db upgrade"):
        open_database(empty_address)

    assert upgrade(empty_address) == head_revision()
    assert upgrade(empty_address) == head_revision()
    with open_database(empty_address) as database:
        assert check(database, None) == []


def test_a_crash_in_the_first_migration_leaves_nothing_or_all(empty_address: str) -> None:
    outcomes = [interrupted(empty_address, HERE, after=n) for n in (2, 11, 20)]

    assert outcomes == ["", "", ""]
    with open_database(empty_address, create=True) as database:
        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
        assert check(database, None) == []


def test_a_crash_in_a_later_migration_leaves_the_old_or_the_new_schema(
    own_address: str, later_history: Path
) -> None:
    with open_database(own_address) as database:
        record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)

    # SQLite makes the table anew: 12 statements; PostgreSQL alters it: 5.
    steps = (1, 4, 5, 12) if own_address.startswith("sqlite") else (1, 3, 5)
    for step in steps:
        assert interrupted(own_address, later_history, after=step) == ""
        with open_database(own_address) as database:  # the old schema, whole
            assert [s.key for s in sightings(database)] == ["gate/0"]
            assert check(database, None) == []

    assert upgrade(own_address, history=later_history) == "later"


def interrupted(address: str, history: Path, *, after: int) -> str:
    """What an upgrade said that was killed after so many statements that change something."""
    child = run_python("tests.storage_migrator", address, str(history), str(after))
    try:
        told, _ = child.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    return told.strip()
