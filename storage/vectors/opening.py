"""The way to a network's exemplars by likeness, whichever index this database has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.database import Database
from storage.vectors.index import VectorSearch
from storage.vectors.postgres import forget_in_postgres, open_postgres
from storage.vectors.stored import forget_in_files, open_stored
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


def forget_exemplars(db: Database, root: Path, exemplars: Collection[int]) -> int:
    """Make these exemplars' vectors be found nowhere, nor lie in any index file or table.

    For whoever deletes exemplars, right after it. Returns how many vectors were taken out.

    Raises:
        DatabaseBusy: Another program has been writing an index for a minute.
    """
    if not exemplars:
        return 0
    with db.write() as connection:
        n_inside = forget_in_postgres(connection, exemplars)
    return n_inside + forget_in_files(root, exemplars)
