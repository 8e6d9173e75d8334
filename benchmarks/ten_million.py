"""A store of ten million sightings: how fast it is written, asked and checked for room.

    python -m benchmarks.ten_million sqlite:////mnt/big/noctule.db --out RESULT.json

People walk through thirty cameras for a hundred days, 200 visits each. Every visit has its link
event; those of the last ten days have one vector each (appearance is kept for a shorter time than
the fact of a visit). Vectors are directions of people with noise, of the dimension of the default
network: finding a person among them says something about the index, nothing about the network.

An empty database is filled and left there. Rows go through `storage.rows.insert_rows` as the
product's do (COPY on PostgreSQL), in batches of 50 000; what the product does before that is left
out: looking whether keys are known, drawing numbers, making identities, grounds of links. So 2 000
visits more are recorded by `storage.batches.record_sightings`, whole, once the database is full. A
database that is full is only asked and added to; how it was filled is then taken from the result
that is there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select, text

from benchmarks.record import record
from storage.batches import record_sightings
from storage.database import Database, open_database
from storage.identities import find_identity, identities
from storage.partitions import ensure_days
from storage.rows import insert_rows
from storage.schema import (
    CameraRow,
    ExemplarRow,
    IdentityRow,
    LinkEventRow,
    ModelVersionRow,
    SightingRow,
)
from storage.sightings import last_sighting, sightings, trajectory
from storage.stats import stats
from storage.types import Decision, Exemplar, IdentityId, NewLink, NewSighting, Span, person_name
from storage.whereabouts import whereabouts
from streams.types import CameraId, Modality

MODEL = "generated@000000000000"
N_CAMERAS, VISITS, DAYS, DAYS_WITH_VECTORS = 30, 200, 100, 10
DIMENSION = 256
START_US, DAY_US = 1_767_225_600_000_000, 86_400_000_000
BATCH = 50_000
N_ASKED = 300
N_RECORDED, RECORDED_AT_ONCE = 2_000, 50
NOISE = 0.6
"""Of a visit's vector against its person's direction: about 0.86 cosine between two visits."""

SIGHTING = [
    "id",
    "key",
    "track",
    "part",
    "camera_id",
    "modality",
    "first_seen_us",
    "last_seen_us",
    "duration_us",
    "n_frames",
    "trail",
    "model_version_id",
    "identity_id",
    "link_sequence",
]
LINK = [
    "id",
    "sighting_id",
    "sequence",
    "decision",
    "identity_id",
    "candidate_id",
    "probability",
    "threshold",
    "reason",
    "calibration",
    "made_by",
    "made_at_us",
]
EXEMPLAR = [
    "id",
    "sighting_id",
    "rank",
    "model_version_id",
    "dimension",
    "vector",
    "modality",
    "captured_at_us",
    "x0",
    "y0",
    "x1",
    "y1",
    "quality",
]

Numbers = npt.NDArray[np.int64]


def directions(people: Numbers) -> npt.NDArray[np.float32]:
    """(N, DIMENSION) one direction per person, the same whenever asked."""
    rows = [np.random.default_rng([7, int(person)]).normal(size=DIMENSION) for person in people]
    found = np.array(rows, dtype=np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def looks(people: Numbers, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(N, DIMENSION) unit vectors of visits of these people."""
    noise = rng.normal(size=(len(people), DIMENSION)) / np.sqrt(DIMENSION)
    found = directions(people) + NOISE * noise.astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def fill(db: Database, n: int) -> dict[str, float]:
    """Write `n` sightings in the order of time; wall and CPU seconds of it."""
    n_people = n // VISITS
    rng = np.random.default_rng(1)
    wall, cpu = time.monotonic(), time.process_time()
    with db.write() as connection:
        insert_rows(
            connection, CameraRow, ("id", "name", "description"),
            [(i + 1, f"camera-{i:02d}", "") for i in range(N_CAMERAS)],
        )  # fmt: skip
        insert_rows(
            connection, ModelVersionRow, ("id", "name", "dimension"), [(1, MODEL, DIMENSION)]
        )
        insert_rows(
            connection, IdentityRow, ("id", "made_at_us"),
            [(i + 1, START_US) for i in range(n_people)],
        )  # fmt: skip
    n_exemplars = 0
    for first in range(0, n, BATCH):
        numbers = np.arange(first, min(first + BATCH, n), dtype=np.int64)
        with db.write() as connection:
            n_exemplars += _write_batch(connection, numbers, n, n_people, rng)
        if first // BATCH % 20 == 0:
            print(f"{first:>10,} sightings, {time.monotonic() - wall:.0f} s", flush=True)
    _draw_on(db)
    return {
        "n_sightings": n,
        "n_exemplars": n_exemplars,
        "wall_s": time.monotonic() - wall,
        "client_cpu_s": time.process_time() - cpu,
    }


def _draw_on(db: Database) -> None:
    """Rows that come later get numbers after those of the rows here; SQLite does so by itself."""
    if db.address.file is not None:
        return
    with db.write() as connection:
        for table in ("sighting", "link_event", "exemplar", "identity", "camera", "model_version"):
            newest = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            connection.execute(text(newest))


def append(db: Database, n_people: int) -> dict[str, float]:
    """Record visits as the watcher does, each with link and vector; seconds of wall and CPU."""
    rng = np.random.default_rng(3)
    people = rng.integers(1, n_people + 1, N_RECORDED)
    vectors = looks(people, rng)
    began_us = START_US + DAYS * DAY_US
    run = time.time_ns()
    visits = [
        _visit(f"{run}-{i}", began_us + i * 1_000_000, IdentityId(int(people[i])), vectors[i])
        for i in range(N_RECORDED)
    ]
    wall, cpu = time.monotonic(), time.process_time()
    for first in range(0, N_RECORDED, RECORDED_AT_ONCE):
        record_sightings(db, visits[first : first + RECORDED_AT_ONCE], now_us=began_us)
    took_s = time.monotonic() - wall
    return {
        "n": N_RECORDED,
        "at_once": RECORDED_AT_ONCE,
        "wall_s": took_s,
        "client_cpu_s": time.process_time() - cpu,
        "per_s": N_RECORDED / took_s,
    }


def _visit(key: str, at_us: int, who: IdentityId, vector: npt.NDArray[np.float32]) -> NewSighting:
    return NewSighting(
        key=key,
        track=key,
        part=0,
        camera=CameraId(f"camera-{at_us // 1_000_000 % N_CAMERAS:02d}"),
        modality=Modality.VISIBLE,
        first_seen_us=at_us,
        last_seen_us=at_us + 9_000_000,
        n_frames=90,
        trail=np.array([[at_us + i * 1_500_000, 1, 2, 3, 4] for i in range(6)], dtype=np.float64),
        model=MODEL,
        exemplars=(
            Exemplar(
                vector=vector,
                modality=Modality.VISIBLE,
                captured_at_us=at_us,
                box=(0.0, 0.0, 50.0, 120.0),
                quality=0.9,
                evidence=None,
            ),
        ),
        link=NewLink(
            decision=Decision.LINK,
            identity=who,
            candidate=who,
            probability=0.95,
            threshold=0.9,
            runner_up=None,
            runner_up_probability=None,
            reason="generated",
            calibration="generated",
        ),
    )


def _write_batch(
    connection: Connection, numbers: Numbers, n: int, n_people: int, rng: np.random.Generator
) -> int:
    began = START_US + numbers * (DAYS * DAY_US // n)
    people = rng.integers(1, n_people + 1, len(numbers))
    cameras = rng.integers(1, N_CAMERAS + 1, len(numbers))
    lasted = rng.integers(2_000_000, 40_000_000, len(numbers))
    night = (began // (DAY_US // 2)) % 2 == 0
    trails = rng.uniform(0, 600, (len(numbers), 6, 5)).astype("<f8")
    trails[:, :, 0] = began[:, None] + np.linspace(0, 1, 6) * lasted[:, None]
    seen = [
        (
            int(i) + 1, f"track-{i}/0", f"track-{i}", 0, int(cameras[k]),
            "infrared" if night[k] else "visible", int(began[k]), int(began[k] + lasted[k]),
            int(lasted[k]), 60, trails[k].tobytes(), 1, int(people[k]), 0,
        )
        for k, i in enumerate(numbers)
    ]  # fmt: skip
    said = [
        (
            int(i) + 1, int(i) + 1, 0, "link", int(people[k]), int(people[k]), 0.95, 0.9,
            "generated", "generated", "linker", int(began[k]),
        )
        for k, i in enumerate(numbers)
    ]  # fmt: skip
    insert_rows(connection, SightingRow, SIGHTING, seen)
    insert_rows(connection, LinkEventRow, LINK, said)
    recent = np.flatnonzero(began >= START_US + (DAYS - DAYS_WITH_VECTORS) * DAY_US)
    if len(recent):
        ensure_days(connection, map(int, began[recent]))
        vectors = looks(people[recent], rng).astype("<f4")
        kept = [
            (
                int(numbers[k]) + 1, int(numbers[k]) + 1, 0, 1, DIMENSION, vectors[j].tobytes(),
                "infrared" if night[k] else "visible", int(began[k]), 0.0, 0.0, 50.0, 120.0, 0.9,
            )
            for j, k in enumerate(recent)
        ]  # fmt: skip
        insert_rows(connection, ExemplarRow, EXEMPLAR, kept)
    return len(recent)


def timed(ask: Callable[[int], object], subjects: Iterator[int]) -> dict[str, float]:
    """p50 and p99 in milliseconds of asking about each subject, and p50 of our CPU time in it."""
    took_ms, cpu_ms = [], []
    for subject in subjects:
        began, cpu = time.perf_counter(), time.process_time()
        ask(subject)
        took_ms.append((time.perf_counter() - began) * 1e3)
        cpu_ms.append((time.process_time() - cpu) * 1e3)
    return {
        "n": len(took_ms),
        "p50_ms": float(np.percentile(took_ms, 50)),
        "p99_ms": float(np.percentile(took_ms, 99)),
        "cpu_p50_ms": float(np.percentile(cpu_ms, 50)),
    }


def questions(db: Database, n_people: int) -> dict[str, object]:
    """What operators ask, through the library and, for the trajectory, as the bare statement.

    Always about the same people, of whom all has been read before: from a warm cache.
    """
    people = np.random.default_rng(2).integers(1, n_people + 1, N_ASKED).tolist()

    def some(n: int) -> Iterator[int]:
        return iter(people[:n])

    bare = text(
        "SELECT id, camera_id, modality, first_seen_us, last_seen_us FROM sighting "
        "WHERE identity_id = :who ORDER BY first_seen_us, id"
    )
    scan = text(str(bare).replace("identity_id = :who", "identity_id + 0 = :who"))

    def run(statement: object, who: int) -> None:
        with db.read() as connection:
            connection.execute(statement, {"who": who}).all()  # type: ignore[call-overload]

    def hour(who: int) -> Span:
        began = START_US + who % (DAYS * 24) * (DAY_US // 24)
        return Span(from_us=began, to_us=began + DAY_US // 24)

    for who in some(N_ASKED):
        trajectory(db, IdentityId(who))
        sightings(db, span=hour(who), limit=100)
    return {
        "trajectory, library": timed(lambda who: trajectory(db, IdentityId(who)), some(N_ASKED)),
        "where and when, library": timed(
            lambda who: whereabouts(db, IdentityId(who)), some(N_ASKED)
        ),
        "trajectory, statement": timed(lambda who: run(bare, who), some(N_ASKED)),
        "trajectory, statement without index": timed(lambda who: run(scan, who), some(3)),
        "last seen, library": timed(lambda who: last_sighting(db, IdentityId(who)), some(N_ASKED)),
        "who is P-0007": timed(
            lambda who: find_identity(db, person_name(IdentityId(who))), some(N_ASKED)
        ),
        "a camera's hour, first 100": timed(
            lambda who: sightings(
                db, span=hour(who), camera=CameraId(f"camera-{who % N_CAMERAS:02d}"), limit=100
            ),
            some(N_ASKED),
        ),
        "people of an hour, first 100": timed(
            lambda who: identities(db, span=hour(who), limit=100), some(50)
        ),
    }  # fmt: skip


def _told_before(out: Path) -> dict[str, object]:
    """How the database was written, if an earlier run of this benchmark wrote it."""
    if not out.exists():
        return {}
    earlier = json.loads(out.read_text(encoding="utf-8"))["result"]
    return {"written": earlier["written"]} if "written" in earlier else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("database", help="sqlite:///FILE or postgresql://...; empty, or filled")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    result = _told_before(arguments.out)
    with open_database(arguments.database, create=True) as db:
        result["database"] = "postgresql" if db.address.file is None else "sqlite"
        with db.read() as connection:
            n_people = connection.execute(select(func.max(IdentityRow.id))).scalar() or 0
        if not n_people:
            result["written"] = fill(db, arguments.rows)
            n_people = arguments.rows // VISITS
            if db.address.file is None:
                with db.engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                        text("VACUUM ANALYZE")
                    )
        result["questions"] = questions(db, n_people)
        result["recorded"] = append(db, n_people)
        result["database_bytes"] = stats(db, None).database_bytes
    began = time.perf_counter()
    open_database(arguments.database).close()
    result["opened_s"] = time.perf_counter() - began
    record(arguments.out, result)


if __name__ == "__main__":
    main()
