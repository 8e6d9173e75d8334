"""A database moves between SQLite and PostgreSQL whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from storage.batches import record_sightings
from storage.check import check
from storage.copying import CopyProgress, copy_database
from storage.database import Database, open_database
from storage.errors import DatabaseUnusable
from storage.gaps import record_gap
from storage.runs import record_run
from storage.schema import (
    AuditRow,
    CameraMoveRow,
    ErasureRow,
    LegalHoldRow,
    Table,
    VerdictRow,
    VerdictSightingRow,
)
from storage.sightings import record_sighting, relink, sightings
from storage.types import IdentityId, SightingId
from streams.types import CameraId, Gap, GapReason
from tests.cli import RunCli
from tests.storage_builders import (
    TEN_O_CLOCK_US,
    exemplar,
    link_new,
    link_unsure,
    new_postgresql,
    sighting,
)
from tests.storage_desk_builders import fill_desk

pytest_plugins = ["tests.storage_fixtures"]

HASH = "f" * 64


@pytest.fixture
def full(own_address: str) -> Iterator[Database]:
    """A database with rows in every table, numbers that were given and deleted, and a -0.0."""
    with open_database(own_address) as database:
        fill(database)
        yield database


def fill(database: Database) -> None:
    odd = replace(exemplar(1, 2, 3, 4), box=(-0.0, 0.0, 0.1 + 0.2, 1e300), evidence=None)
    visits = [
        sighting(0, exemplars=(exemplar(), odd)),
        sighting(1, camera="yard ☾ 'x'", link=link_unsure()),
        *(sighting(number) for number in range(2, 30)),
    ]
    record_sightings(database, visits, now_us=TEN_O_CLOCK_US)
    relink(database, SightingId(2), link_new(), made_by="linker", now_us=TEN_O_CLOCK_US)
    record_gap(
        database, Gap(camera=CameraId("gate"), from_us=5, to_us=None, reason=GapReason.STREAM_ENDED)
    )
    record_run(database, program="1", config_hash=HASH, now_us=5)
    fill_desk(database, person=IdentityId(1))
    with database.write() as connection:
        by = {"made_by": "op", "reason": "x"}
        for table, values in (
            (VerdictRow, {"kind": "merge", "made_at_us": 1, **by}),
            (VerdictRow, {"kind": "undo", "made_at_us": 2, "undoes_id": 1, **by}),
            (VerdictSightingRow, {"verdict_id": 1, "sighting_id": 1, "side": "a"}),
            (CameraMoveRow, {"camera_id": 1, "at_us": 1, **by}),
            (
                LegalHoldRow,
                {"identity_id": 1, "placed_at_us": 1, "placed_by": "op", "reason": "court"},
            ),
            (
                ErasureRow,
                {"identity_id": 5, "at_us": 1, "n_sightings": 0, "n_exemplars": 0}
                | {"n_pictures": 0, "proof": HASH, **by},
            ),
            (
                AuditRow,
                {"at_us": 1, "who": "op", "action": "x", "subject": "", "detail": "{}"}
                | {"previous": HASH, "hash": HASH},
            ),
        ):
            connection.execute(insert(table), values)
        connection.execute(text("INSERT INTO identity (made_at_us) VALUES (1)"))
        connection.execute(text("DELETE FROM identity WHERE id = 31"))


def target_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/copy/noctule.db"
    return new_postgresql(request.getfixturevalue("server"))


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Table.metadata.sorted_tables
        }


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_row_and_number_arrives(
    full: Database, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = target_of(kind, request, tmp_path)
    told: list[CopyProgress] = []
    assert all(rows_of(full).values()), "a table is empty: fill it"

    tables = copy_database(full, address, told=told.append)

    with open_database(address) as copy:
        assert rows_of(copy) == rows_of(full)
        assert check(copy, None) == check(full, None)
        new = record_sighting(copy, sighting(40), now_us=TEN_O_CLOCK_US)
        assert (new.sighting, new.identity) == (31, 32)
    assert {table.name: table.n_rows for table in tables} == {
        name: len(rows) for name, rows in rows_of(full).items()
    }
    assert all(state.n_rows == state.n_expected for state in told)


def test_a_copy_of_a_copy_has_the_same_checksums(
    full: Database, server: str, tmp_path: Path
) -> None:
    other = new_postgresql(server)

    first = copy_database(full, other)

    with open_database(other) as copy:
        assert copy_database(copy, f"sqlite:///{tmp_path}/second.db") == first


def test_what_is_not_empty_is_refused_and_left_alone(full: Database, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/other.db"
    with open_database(address, create=True) as other:
        record_sighting(other, sighting(7), now_us=TEN_O_CLOCK_US)

    with pytest.raises(DatabaseUnusable, match="holds rows already"):
        copy_database(full, address)

    with open_database(address) as other:
        assert [visit.key for visit in sightings(other)] == ["gate/7"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_target_that_changes_what_it_is_given_is_found_out_and_left_empty(
    sqlite_database: Database, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fill(sqlite_database)
    address = target_of(kind, request, tmp_path)
    with open_database(address, create=True) as target, target.write() as connection:
        for statement in FORGERY[kind]:
            connection.execute(text(statement))

    with pytest.raises(DatabaseUnusable, match="copy of exemplar is not what was read"):
        copy_database(sqlite_database, address)

    with open_database(address) as target:
        assert sightings(target) == []


FORGERY = {
    "sqlite": (
        "CREATE TRIGGER forge AFTER INSERT ON exemplar WHEN NEW.id = 7 "
        "BEGIN UPDATE exemplar SET quality = 0.5 WHERE id = 7; END",
    ),
    "postgresql": (
        "CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.id = 7 THEN NEW.quality = 0.5; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER forge BEFORE INSERT ON exemplar FOR EACH ROW EXECUTE FUNCTION forge()",
    ),
}


def test_the_verb_copies_and_says_what(
    sqlite_database: Database, tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_sighting(sqlite_database, sighting(0), now_us=TEN_O_CLOCK_US)
    monkeypatch.setenv("PLACE", str(tmp_path))
    target = "sqlite:///${PLACE}/copy.db"

    done = run_cli("db", "copy", f"sqlite:///{sqlite_database.address.file}", target)
    again = run_cli("db", "copy", f"sqlite:///{sqlite_database.address.file}", target, code=1)

    assert "sighting                1" in done
    assert "holds rows already" in again
