"""The way to a network's exemplars by likeness, whichever index this database has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.database import Database
from storage.vectors.index import VectorSearch
from storage.vectors.postgres import open_postgres
from storage.vectors.stored import open_stored
from streams.types import Modality


@contextmanager
def open_exemplars(
    db: Database, root: Path, *, model: str, modality: Modality, dimension: int
) -> Iterator[VectorSearch]:
    """Exemplars of one network in one light by their numbers, in step with the database.

    Inside PostgreSQL where pgvector is present, else FAISS with files below `root`.

    Raises:
        IndexUnavailable: Neither is there.
        DatabaseBusy: See `Database.read`.
    """
    inside = open_postgres(db, model=model, modality=modality, dimension=dimension)
    if inside is not None:
        yield inside
        return
    stored = open_stored(db, root, model=model, modality=modality, dimension=dimension)
    with stored as index:
        yield index
