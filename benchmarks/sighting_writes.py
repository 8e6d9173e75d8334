"""What writing many rows costs: our bulk writer against SQLAlchemy's `add_all` of the same rows.

Both write the same sightings and exemplars (512 numbers per vector) into two empty databases of
the present schema, in one transaction, by turns; rows and ORM objects are made inside the measured
time, since each writer needs its own. CPU is that of this process: on SQLite it includes the
database, on PostgreSQL only the client.

Usage: python -m benchmarks.sighting_writes [--postgresql URL URL] [--out FILE]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from benchmarks.record import record
from storage.batches import SIGHTING_COLUMNS
from storage.database import Database, open_database
from storage.exemplars import EXEMPLAR_COLUMNS
from storage.partitions import ensure_days
from storage.rows import Row, insert_rows
from storage.schema import (
    CameraRow,
    ExemplarRow,
    IdentityRow,
    ModelVersionRow,
    SightingRow,
    Table,
)

N_ROWS = 4_000
N_TURNS = 7
DIMENSION = 512
DAY_US = 86_400_000_000
START_US = 20_000 * DAY_US

Writer = Callable[[Database, type[Table], Sequence[str], Sequence[Row]], None]


def sighting_rows() -> list[Row]:
    trail = np.zeros((60, 5)).tobytes()
    return [
        (
            *(i + 1, f"gate/{i}", f"gate/{i}", 0, 1, "visible", START_US + i, START_US + i + 9),
            *(9, 50, trail, 1, 1, 0),
        )
        for i in range(N_ROWS)
    ]


def exemplar_rows() -> list[Row]:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(N_ROWS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        (
            *(i + 1, 0, 1, DIMENSION, vectors[i].tobytes(), "visible", START_US + i),
            *(1.0, 2.0, 30.5, 80.5, 0.75, None),
        )
        for i in range(N_ROWS)
    ]


def by_bulk(db: Database, table: type[Table], columns: Sequence[str], rows: Sequence[Row]) -> None:
    with db.write() as connection:
        insert_rows(connection, table, columns, rows)


def by_orm(db: Database, table: type[Table], columns: Sequence[str], rows: Sequence[Row]) -> None:
    with db.write() as connection, Session(connection) as session:
        session.add_all([table(**dict(zip(columns, row, strict=True))) for row in rows])
        session.flush()


WRITERS: dict[str, Writer] = {"bulk": by_bulk, "orm": by_orm}


def prepare(db: Database) -> None:
    with db.write() as connection:
        ensure_days(connection, [START_US])
        connection.execute(insert(CameraRow), {"id": 1, "name": "gate", "description": ""})
        connection.execute(insert(ModelVersionRow), {"id": 1, "name": "m", "dimension": DIMENSION})
        connection.execute(insert(IdentityRow), {"id": 1, "made_at_us": 0})


def empty(db: Database, *tables: str) -> None:
    with db.write() as connection:
        for table in tables:
            connection.execute(text(f"DELETE FROM {table}"))


def measure(databases: dict[str, Database]) -> dict[str, object]:
    """CPU and wall microseconds per row, of both writers and tables, by turns; medians."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    work = (
        ("sighting", SightingRow, SIGHTING_COLUMNS, sighting_rows()),
        ("exemplar", ExemplarRow, EXEMPLAR_COLUMNS, exemplar_rows()),
    )
    for turn in range(N_TURNS):
        order = list(WRITERS)[:: 1 if turn % 2 else -1]
        for name in order:
            empty(databases[name], "exemplar", "sighting")
        for what, table, columns, rows in work:
            for name in order:
                cpu_s, wall_s = time.process_time(), time.perf_counter()
                WRITERS[name](databases[name], table, columns, rows)
                spent = time.process_time() - cpu_s, time.perf_counter() - wall_s
                found.setdefault((what, name), []).append(spent)
    return {what: _compared(found[what, "bulk"], found[what, "orm"]) for what, *_ in work}


def _compared(bulk: list[tuple[float, float]], orm: list[tuple[float, float]]) -> dict[str, object]:
    def us(spent: list[tuple[float, float]], which: int) -> list[float]:
        return [each[which] / N_ROWS * 1e6 for each in spent]

    ratios = [orm_us / bulk_us for orm_us, bulk_us in zip(us(orm, 0), us(bulk, 0), strict=True)]
    return {
        "bulk_cpu_us_per_row": round(statistics.median(us(bulk, 0)), 2),
        "orm_cpu_us_per_row": round(statistics.median(us(orm, 0)), 2),
        "cpu_ratio_median": round(statistics.median(ratios), 1),
        "cpu_ratio_lowest": round(min(ratios), 1),
        "cpu_ratio_highest": round(max(ratios), 1),
        "bulk_wall_us_per_row": round(statistics.median(us(bulk, 1)), 2),
        "orm_wall_us_per_row": round(statistics.median(us(orm, 1)), 2),
    }


def of_addresses(urls: Sequence[str]) -> dict[str, object]:
    """Both writers, each with an empty database of its own."""
    with ExitStack() as stack:
        databases = {
            name: stack.enter_context(open_database(url, create=True))
            for name, url in zip(WRITERS, urls, strict=True)
        }
        for database in databases.values():
            prepare(database)
        return measure(databases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--postgresql", nargs=2, metavar="URL", help="Addresses of two empty databases."
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sighting-writes.json"))
    given = parser.parse_args()
    result: dict[str, object] = {
        "n_rows": N_ROWS,
        "n_turns": N_TURNS,
        "vector_numbers": DIMENSION,
    }
    with tempfile.TemporaryDirectory() as folder:
        result["sqlite"] = of_addresses([f"sqlite:///{folder}/{name}.db" for name in WRITERS])
    if given.postgresql:
        result["postgresql"] = of_addresses(given.postgresql)
    record(given.out, result)
    print(given.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
