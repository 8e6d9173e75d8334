"""Many visits in one transaction are what each of them alone would have been."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from storage.batches import record_sightings
from storage.check import check
from storage.database import Database, open_database
from storage.errors import DatabaseBusy, NotFound
from storage.evidence import EvidenceStore
from storage.schema import Table
from storage.sightings import record_sighting, sightings
from storage.types import NewSighting
from tests.storage_builders import (
    DIMENSION,
    TEN_O_CLOCK_US,
    exemplar,
    link_new,
    link_to,
    link_unsure,
    run_python,
    sighting,
)

pytest_plugins = ["tests.storage_fixtures"]

N_KILLS = 4


def visits() -> list[NewSighting]:
    """New persons, a return to one who is made in the same batch, an unsure one, no crops."""
    return [
        sighting(0),
        sighting(1, camera="yard", exemplars=(exemplar(), exemplar(0, 1, 0, 0, evidence=None))),
        sighting(2, link=link_to(2)),
        sighting(3, link=link_unsure(1), exemplars=()),
        sighting(4, model="other@0123456789ab"),
    ]


def test_a_batch_writes_the_rows_that_one_by_one_would(own_address: str, tmp_path: Path) -> None:
    with open_database(own_address) as database:
        together = record_sightings(database, visits(), now_us=TEN_O_CLOCK_US)
        rows = all_rows(database)

    with open_database(f"sqlite:///{tmp_path}/single.db", create=True) as database:
        singly = [record_sighting(database, each, now_us=TEN_O_CLOCK_US) for each in visits()]

        assert singly == together
        assert all_rows(database) == rows


def all_rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Table.metadata.sorted_tables
        }


def test_keys_that_are_known_or_come_twice_are_recorded_once(database: Database) -> None:
    first = record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)

    batch = [sighting(1), sighting(0), sighting(1)]
    recorded = record_sightings(database, batch, now_us=TEN_O_CLOCK_US)

    assert [each.sighting for each in recorded] == [2, first.sighting, 2]
    assert [each.was_known for each in recorded] == [False, True, True]
    assert len(sightings(database)) == 2
    assert record_sightings(database, [], now_us=TEN_O_CLOCK_US) == []
    assert check(database, None) == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        pytest.param(sighting(7, link=link_to(99)), NotFound, id="nobody"),
        pytest.param(
            replace(sighting(7), link=replace(link_new(), probability=2.0, candidate=None)),
            IntegrityError,
            id="refused by the database",
        ),
        pytest.param(sighting(7, exemplars=(exemplar(1, 2),)), ValueError, id="dimension"),
    ],
)
def test_one_bad_visit_undoes_the_batch(
    database: Database, bad: NewSighting, error: type[Exception]
) -> None:
    with pytest.raises(error):
        record_sightings(database, [sighting(0), bad], now_us=TEN_O_CLOCK_US)

    assert sightings(database) == []
    assert record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US).was_known is False
    assert check(database, None) == []


def test_a_connection_lost_in_the_middle_of_a_batch_is_transient(own_address: str) -> None:
    if own_address.startswith("sqlite"):
        pytest.skip("a file has no connection to lose")
    import psycopg

    crops = tuple(exemplar(*range(1, DIMENSION + 1)) for _ in range(40))
    batch = [sighting(number, exemplars=crops) for number in range(200)]
    with open_database(own_address) as database:
        with psycopg.connect(own_address, autocommit=True) as killer:
            killer.execute(CUT_AT_LAST_ROW)
            with pytest.raises(DatabaseBusy, match="does not answer"):
                record_sightings(database, batch, now_us=TEN_O_CLOCK_US)
            killer.execute("DROP TRIGGER cut ON exemplar")

        assert sightings(database) == []
        assert len(record_sightings(database, batch, now_us=TEN_O_CLOCK_US)) == 200
        assert check(database, None) == []


CUT_AT_LAST_ROW = """
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.sighting_id % 200 = 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER cut BEFORE INSERT ON exemplar FOR EACH ROW EXECUTE FUNCTION cut();
"""


def test_killing_the_writer_of_batches_at_any_moment_keeps_all_or_none_of_each(
    empty_address: str, tmp_path: Path
) -> None:
    evidence = tmp_path / "evidence"
    acknowledged: list[str] = []
    rng = random.Random(11)

    for turn in range(N_KILLS):
        child = run_python("tests.storage_batcher", empty_address, str(evidence), str(turn))
        assert child.stdout is not None
        acknowledged.append(child.stdout.readline().strip())
        time.sleep(rng.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.read().split("\n")[:-1]
        child.wait()

    with open_database(empty_address) as database:
        found = {s.key.rpartition("/")[0] for s in sightings(database)}
        sizes = [sum(s.key.startswith(f"{batch}/") for s in sightings(database)) for batch in found]
        problems = check(database, EvidenceStore(evidence))
    assert len(acknowledged) >= N_KILLS
    assert [batch for batch in acknowledged if batch not in found] == []
    assert set(sizes) == {20}
    assert [problem for problem in problems if problem.is_error] == []
