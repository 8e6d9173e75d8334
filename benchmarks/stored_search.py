"""Search by likeness in a database that `benchmarks.ten_million` filled: opened, asked, made anew.

Half of its exemplars are of the day: those are searched, by vectors of further visits of the same
people, one at a time. recall@10 against comparing all. PostgreSQL searches inside (pgvector), where
SQLite has files below `--root`.

    python -m benchmarks.stored_search sqlite:////mnt/big/noctule.db --root /mnt/big/index \
        --out benchmarks/results/stored_search_sqlite.json
"""

from __future__ import annotations

import argparse
import time
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select, text

from benchmarks.record import record
from benchmarks.ten_million import DIMENSION, MODEL, looks
from storage.database import Database, open_database
from storage.exemplars import to_vector
from storage.schema import ExemplarRow, IdentityRow
from storage.vectors.index import VectorSearch, load_faiss
from storage.vectors.opening import open_exemplars
from storage.vectors.postgres import PREFIX, drop_in_postgres
from streams.types import Modality

K = 10
N_ASKED = 300
ROWS_AT_ONCE = 20_000
SEED = 11

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    words.add_argument("database", help="sqlite:///FILE or postgresql://...; filled")
    words.add_argument("--root", type=Path, required=True, help="Folder of the index's files.")
    words.add_argument("--out", type=Path, required=True)
    words.add_argument("--anew", action="store_true", help="Make the index anew first.")
    given = words.parse_args()
    load_faiss().omp_set_num_threads(1)
    result: dict[str, object] = {"dimension": DIMENSION, "k": K}
    with open_database(given.database) as db:
        result["database"] = "postgresql" if db.address.file is None else "sqlite"
        if given.anew:
            drop_in_postgres(db)
            result["made_anew"] = _opened(db, given.root)
        result["opened"] = _opened(db, given.root)
        queries = _queries(db)
        ids, took_ms, result["n_vectors"] = _asked(db, given.root, queries)
        result["search"] = {
            "n": len(took_ms),
            "p50_ms": float(np.percentile(took_ms, 50)),
            "p99_ms": float(np.percentile(took_ms, 99)),
            "recall_at_10": _recall(ids, _nearest(db, queries)),
        }
        result["index_bytes"] = _size(db, given.root)
    record(given.out, result)
    print(result)


def _opened(db: Database, root: Path) -> dict[str, float]:
    """Seconds until the index can be asked."""
    wall, cpu = time.monotonic(), time.process_time()
    with _open(db, root):
        return {"wall_s": time.monotonic() - wall, "client_cpu_s": time.process_time() - cpu}


def _open(db: Database, root: Path) -> AbstractContextManager[VectorSearch]:
    return open_exemplars(db, root, model=MODEL, modality=Modality.VISIBLE, dimension=DIMENSION)


def _queries(db: Database) -> Vectors:
    with db.read() as connection:
        n_people = connection.execute(select(func.max(IdentityRow.id))).scalar_one()
    rng = np.random.default_rng(SEED)
    return looks(rng.integers(1, n_people + 1, N_ASKED), rng)


def _asked(db: Database, root: Path, queries: Vectors) -> tuple[list[Ids], list[float], int]:
    found: list[Ids] = []
    took_ms: list[float] = []
    with _open(db, root) as index:
        for query in queries[:20]:
            index.search(query[None], K)
        for query in queries:
            began = time.perf_counter()
            found.append(index.search(query[None], K).ids[0])
            took_ms.append(1e3 * (time.perf_counter() - began))
        return found, took_ms, len(index)


def _nearest(db: Database, queries: Vectors) -> list[set[int]]:
    """The K nearest of each query, all compared, a part of the exemplars at a time."""
    ids = np.empty((len(queries), 0), dtype=np.int64)
    best = np.empty((len(queries), 0), dtype=np.float32)
    wanted = select(ExemplarRow.id, ExemplarRow.vector).where(
        ExemplarRow.modality == Modality.VISIBLE.value
    )
    with db.read() as connection:
        rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(wanted)
        for part in rows.partitions():
            kept = np.stack([to_vector(row.vector) for row in part])
            numbers = np.array([row.id for row in part])
            ids = np.concatenate([ids, np.broadcast_to(numbers, (len(queries), len(part)))], axis=1)
            best = np.concatenate([best, queries @ kept.T], axis=1)
            order = np.argsort(-best, axis=1)[:, :K]
            ids, best = np.take_along_axis(ids, order, 1), np.take_along_axis(best, order, 1)
    return [set(row.tolist()) for row in ids]


def _recall(found: list[Ids], nearest: list[set[int]]) -> float:
    shared = [len(set(ids.tolist()) & near) / K for ids, near in zip(found, nearest, strict=True)]
    return float(np.mean(shared))


def _size(db: Database, root: Path) -> int:
    if db.address.file is not None:
        return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    size = text(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
        f"WHERE relkind = 'r' AND relname LIKE '{PREFIX}%'"
    )
    with db.read() as connection:
        return int(connection.execute(size).scalar_one())


if __name__ == "__main__":
    main()
