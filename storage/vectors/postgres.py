"""Vectors inside PostgreSQL, where its extension `vector` (pgvector) is present.

One table per network and light, `exemplar_vector_MODEL_DIMENSION_LIGHT`, with an HNSW graph
(Malkov, Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical
Navigable Small World graphs", 2016). It repeats what `exemplar` holds, so it is no part of the
schema: made when first asked for, brought up to date before a search, dropped without loss.
"""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
from sqlalchemy import Connection, TextClause, func, select, text
from sqlalchemy.exc import DBAPIError

from storage.database import OUR_LOCKS, Database
from storage.exemplars import to_vector
from storage.failures import told_by
from storage.rows import copy_rows
from storage.schema import ExemplarRow, ModelVersionRow
from storage.types import Neighbours
from storage.vectors.block import RESCORED, RESCORED_PER_NEIGHBOUR
from storage.vectors.index import (
    Ids,
    Vectors,
    best,
    checked_ids,
    checked_k,
    checked_vectors,
    ids_in_use,
    nothing_found,
)
from streams.types import Modality

logger = logging.getLogger(__name__)

MOST_NUMBERS = 2000
"""pgvector's HNSW takes no longer vectors in single precision."""
MOST_CANDIDATES = 1000
"""hnsw.ef_search is at most this; more neighbours are found by comparing all."""
ROWS_AT_ONCE = 2000
SAMPLE = 32
"""Of the newest vectors, compared with those that they repeat."""
VECTORS_LOCK = 16
BUILD_MEMORY = "1GB"
"""For building a graph, at most; one that does not fit is built many times slower."""
PREFIX = "exemplar_vector_"
HAS_VECTOR = text("SELECT 1 FROM pg_type WHERE typname = 'vector'")
TABLES = text("SELECT tablename FROM pg_tables WHERE tablename LIKE :like ORDER BY tablename")


class PostgresIndex:
    """An index in the database itself. Threads and processes may share it.

    Made by `open_postgres`.
    """

    def __init__(self, db: Database, *, model_row: int, modality: Modality, dimension: int) -> None:
        self._db = db
        self._model_row = model_row
        self._modality = modality
        self._dimension = dimension
        self._table = f"{PREFIX}{model_row}_{dimension}_{modality.value}"

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        vectors = checked_vectors(vectors, self._dimension, "vectors")
        ids = checked_ids(ids, len(vectors))
        with self._writing() as connection:
            there = self._sql("SELECT count(*) FROM {table} WHERE exemplar_id = ANY(:ids)")
            if connection.execute(there, {"ids": ids.tolist()}).scalar_one():
                raise ids_in_use()
            self._insert(connection, ids.tolist(), vectors)

    def search(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Neighbours:
        """See `VectorSearch.search`. With `among` the answer is exact.

        Raises:
            ValueError: Wrong shape or type, k < 1, a query not finite or not of unit length.
        """
        checked_k(k)
        queries = checked_vectors(queries, self._dimension, "queries")
        found = nothing_found(len(queries), k)
        n = max(RESCORED, RESCORED_PER_NEIGHBOUR * k)
        with self._db.read() as connection:
            connection.execute(text(f"SET LOCAL hnsw.ef_search = {min(n, MOST_CANDIDATES)}"))
            for row, query in enumerate(queries):
                candidates = self._candidates(connection, query, n, among)
                nearest = _rescored(query, candidates, k)
                found.ids[row], found.similarities[row] = nearest.ids[0], nearest.similarities[0]
        return found

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        with self._writing() as connection:
            gone = self._sql("DELETE FROM {table} WHERE exemplar_id = ANY(:ids)")
            connection.execute(gone, {"ids": [int(number) for number in ids]})

    def __len__(self) -> int:
        with self._db.read() as connection:
            return int(connection.execute(self._sql("SELECT count(*) FROM {table}")).scalar_one())

    def refresh(self) -> None:
        """Take over what `exemplar` has gained and lost since.

        Raises:
            DatabaseBusy: See `Database.read`.
        """
        self._drop_gone()
        while self._take_some():
            pass
        with self._writing() as connection:
            connection.execute(text(f"SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'"))
            index = self._sql(
                "CREATE INDEX IF NOT EXISTS ix_{table} ON {table} "
                "USING hnsw (vector vector_cosine_ops)"
            )
            connection.execute(index)

    def make(self) -> None:
        """Make the table if there is none of this dimension."""
        with self._writing() as connection:
            columns = f"(exemplar_id bigint PRIMARY KEY, vector vector({self._dimension}) NOT NULL)"
            connection.execute(self._sql("CREATE TABLE IF NOT EXISTS {table} " + columns))

    def empty_if_misfit(self) -> None:
        """Begin anew where the table repeats other exemplars than there are.

        A database that was restored from a backup gives the numbers after it anew.
        """
        with self._writing() as connection:
            seen = (
                select(ExemplarRow.id, ExemplarRow.vector)
                .where(
                    ExemplarRow.id <= self._read_state(connection)["watermark"],
                    ExemplarRow.model_version_id == self._model_row,
                    ExemplarRow.modality == self._modality.value,
                )
                .order_by(ExemplarRow.id.desc())
                .limit(SAMPLE)
            )
            rows = connection.execute(seen).all()
            repeats = self._sql(
                "SELECT exemplar_id, CAST(vector AS real[]) FROM {table} "
                "WHERE exemplar_id = ANY(:ids)"
            )
            kept = connection.execute(repeats, {"ids": [row.id for row in rows]}).all()
            repeated = {row[0]: np.array(row[1], dtype=np.float32) for row in kept}
            if all(np.array_equal(to_vector(r.vector), repeated.get(r.id, [])) for r in rows):
                return
            logger.warning("%s disagrees with exemplar and is made anew", self._table)
            connection.execute(self._sql("TRUNCATE {table}"))
            connection.execute(self._sql("COMMENT ON TABLE {table} IS NULL"))

    def _drop_gone(self) -> None:
        """Delete what repeats exemplars that are gone; a count tells, numbers are never reused."""
        with self._writing() as connection:
            told = self._read_state(connection)
            older = select(func.count()).where(ExemplarRow.id <= told["watermark"])
            n_older = connection.execute(older).scalar_one()
            if n_older == told["n_exemplars"]:
                return
            connection.execute(
                self._sql(
                    "DELETE FROM {table} AS v WHERE NOT EXISTS "
                    "(SELECT 1 FROM exemplar AS e WHERE e.id = v.exemplar_id)"
                )
            )
            self._write_state(connection, watermark=told["watermark"], n_exemplars=n_older)

    def _take_some(self) -> bool:
        """One batch of the newer exemplars; false if there are no more.

        Exemplars that are deleted between two batches are missing from the count then, which the
        next `refresh` finds out.
        """
        with self._writing() as connection:
            told = self._read_state(connection)
            newer = (
                select(
                    ExemplarRow.id,
                    ExemplarRow.model_version_id,
                    ExemplarRow.modality,
                    ExemplarRow.vector,
                )
                .where(ExemplarRow.id > told["watermark"])
                .order_by(ExemplarRow.id)
                .limit(ROWS_AT_ONCE)
            )
            rows = connection.execute(newer).all()
            if not rows:
                return False
            ours = [
                row
                for row in rows
                if row.model_version_id == self._model_row and row.modality == self._modality.value
            ]
            self._insert(connection, [row.id for row in ours], [to_vector(r.vector) for r in ours])
            n_exemplars = told["n_exemplars"] + len(rows)
            self._write_state(connection, watermark=rows[-1].id, n_exemplars=n_exemplars)
            return len(rows) == ROWS_AT_ONCE

    def _read_state(self, connection: Connection) -> dict[str, int]:
        comment = self._sql("SELECT obj_description('{table}'::regclass)")
        told = connection.execute(comment).scalar()
        return json.loads(told) if told else {"watermark": 0, "n_exemplars": 0}

    def _write_state(self, connection: Connection, **state: int) -> None:
        connection.execute(self._sql("COMMENT ON TABLE {table} IS '" + json.dumps(state) + "'"))

    def _insert(self, connection: Connection, ids: list[int], vectors: Collection[Vectors]) -> None:
        rows = [
            (number, _written_binary(vector)) for number, vector in zip(ids, vectors, strict=True)
        ]
        copy_rows(connection, self._table, ("exemplar_id", "vector"), ("bigint", "bytea"), rows)

    def _candidates(
        self, connection: Connection, query: Vectors, n: int, among: Ids | None
    ) -> list[tuple[int, list[float]]]:
        columns = "SELECT exemplar_id, CAST(vector AS real[]) FROM {table} "
        values: dict[str, object] = {"query": _written(query), "n": n}
        distance = "vector <=> CAST(:query AS vector)"
        if among is not None:
            columns += "WHERE exemplar_id = ANY(:among) "
            values["among"] = [int(number) for number in np.unique(among)]
        if among is not None or n > MOST_CANDIDATES:
            distance = f"({distance}) + 0"  # an expression that no index knows: compare all
        ordered = self._sql(f"{columns}ORDER BY {distance} LIMIT :n")
        return [(row[0], row[1]) for row in connection.execute(ordered, values)]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One writer of these tables at a time; it does not stand in the way of the watcher."""
        with told_by(self._db.address), self._db.engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(OUR_LOCKS, VECTORS_LOCK)))
            yield connection

    def _sql(self, words: str) -> TextClause:
        """A statement about our table, whose name holds nothing that a user wrote."""
        return text(words.replace("{table}", self._table))


def open_postgres(
    db: Database, *, model: str, modality: Modality, dimension: int
) -> PostgresIndex | None:
    """The index of a network's exemplars in one light, in step with `exemplar`.

    Returns:
        None where there can be none: another database, no pgvector, vectors too long, or a network
        that has made none of this dimension yet.
    """
    if db.address.file is not None or dimension > MOST_NUMBERS or not _ensure_extension(db):
        return None
    row = select(ModelVersionRow.id).where(
        ModelVersionRow.name == model, ModelVersionRow.dimension == dimension
    )
    with db.read() as connection:
        model_row = connection.execute(row).scalar()
    if model_row is None:
        return None
    index = PostgresIndex(db, model_row=model_row, modality=modality, dimension=dimension)
    index.make()
    index.empty_if_misfit()
    index.refresh()
    return index


def forget_in_postgres(connection: Connection, exemplars: Collection[int]) -> int:
    """Delete these exemplars' vectors from every table; returns how many there were.

    Call it in the transaction that deletes the exemplars. Does nothing on SQLite.
    """
    if connection.dialect.name != "postgresql":
        return 0
    n_forgotten = 0
    for table in _tables(connection):
        gone = text(f"DELETE FROM {table} WHERE exemplar_id = ANY(:ids)")
        n_forgotten += connection.execute(gone, {"ids": list(exemplars)}).rowcount
    return n_forgotten


def drop_in_postgres(db: Database) -> None:
    """Drop all tables of vectors; the next search makes what it needs."""
    if db.address.file is not None:
        return
    with db.write() as connection:
        for table in _tables(connection):
            connection.execute(text(f"DROP TABLE {table}"))


def _tables(connection: Connection) -> list[str]:
    like = {"like": PREFIX.replace("_", r"\_") + "%"}
    return list(connection.execute(TABLES, like).scalars())


def _ensure_extension(db: Database) -> bool:
    with db.read() as connection:
        if connection.execute(HAS_VECTOR).first():
            return True
    try:
        with db.engine.begin() as connection:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except DBAPIError as error:  # not installed on the server, or not ours to install
        logger.info(
            "vectors are searched with FAISS: %s", db.address.without_secrets(str(error.orig))
        )
        return False
    return True


def _written(vector: Vectors) -> str:
    """As pgvector reads it; every float32 comes back as it was."""
    return "[" + ",".join(map(str, vector.tolist())) + "]"


def _written_binary(vector: Vectors) -> bytes:
    """As pgvector sends and receives it: how many numbers, two zero bytes, big-endian float32.

    Source: `vector_recv` of pgvector's vector.c.
    """
    return struct.pack(">HH", len(vector), 0) + vector.astype(">f4").tobytes()


def _rescored(query: Vectors, candidates: list[tuple[int, list[float]]], k: int) -> Neighbours:
    """The `k` best, compared in double precision."""
    if not candidates:
        return nothing_found(1, k)
    kept = np.array([vector for _, vector in candidates], dtype=np.float32).astype(np.float64)
    exact = np.clip(kept @ query.astype(np.float64), -1, 1).astype(np.float32)
    return best(np.array([[number for number, _ in candidates]]), exact[None], k)
