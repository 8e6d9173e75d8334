"""The exemplars of one network in one light, searchable at once when a program starts.

The database is the truth. What lies in the files is proven, compared with it and brought up to
date; whatever does not fit is thrown away and made anew.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from storage.database import Database
from storage.errors import IndexDamaged
from storage.exemplars import to_vector
from storage.rows import ROWS_AT_ONCE
from storage.schema import ExemplarRow, ModelVersionRow
from storage.types import Neighbours
from storage.vectors.approximate import FLAT_UP_TO, ApproximateIndex
from storage.vectors.files import (
    CURRENT,
    Saved,
    delete_index,
    owned,
    read_index,
    require_owned,
    write_index,
)
from storage.vectors.index import Ids, Vectors
from streams.types import Modality

logger = logging.getLogger(__name__)

SAMPLE = 32
"""Vectors compared with the database when files are opened: the last ones, and as many others."""
SOURCE = select(
    ExemplarRow.id, ExemplarRow.modality, ExemplarRow.vector, ModelVersionRow.name
).join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
SAVE_SHARE = 0.05
FORGET_PATIENCE_S = 60.0


class StoredIndex:
    """An index that lasts: kept in files, never ahead of the database. Threads may share it.

    Made by `open_stored`. Owned by one process at a time; others read the files and keep what is
    newer to themselves.
    """

    def __init__(
        self,
        db: Database,
        folder: Path,
        *,
        model: str,
        modality: Modality,
        dimension: int,
        flat_up_to: int,
        is_owner: bool,
    ) -> None:
        self._db = db
        self._folder = folder
        self._name = f"{model} {modality}"
        self._model = model
        self._modality = modality
        self._dimension = dimension
        self._flat_up_to = flat_up_to
        self.is_owner = is_owner
        self._index = ApproximateIndex(dimension, flat_up_to=flat_up_to)
        self._watermark = 0
        self._n_exemplars = 0
        self._n_unsaved = 0
        self._must_save = True
        self._take_saved()
        self.refresh()

    def search(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Neighbours:
        """See `VectorSearch.search`."""
        return self._index.search(queries, k, among=among)

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self) -> None:
        """Take over what the database has learnt and forgotten since; write it down if it is much.

        Raises:
            DatabaseBusy: See `Database.read`.
        """
        with self._db.read() as connection:
            self._drop_gone(connection)
            ids, vectors = self._newer(connection)
            newest = connection.execute(select(func.max(ExemplarRow.id))).scalar()
            self._watermark = max(self._watermark, newest or 0)
            self._n_exemplars = _count(connection)
        if len(ids):
            self._index.add(ids, vectors)
            self._n_unsaved += len(ids)
        if self._must_save or self._n_unsaved > SAVE_SHARE * len(self):
            self.save()

    def save(self) -> None:
        """Write the files, if they are ours to write; a failure is logged, for nothing is lost."""
        if not self.is_owner:
            return
        ids, vectors = self._index.contents()
        saved = Saved(
            name=self._name,
            ids=ids,
            vectors=vectors,
            block=self._index.fold(),
            watermark=self._watermark,
            n_exemplars=self._n_exemplars,
        )
        try:
            write_index(self._folder, saved)
        except OSError as error:
            logger.warning("the vector index %s is not kept: %s", self._folder, error)
            return
        self._must_save, self._n_unsaved = False, 0

    def _take_saved(self) -> None:
        """Begin with what lies in the files, if it fits."""
        try:
            saved = read_index(self._folder)
        except IndexDamaged as error:
            logger.warning("vector index made anew from the database: %s", error)
            return
        if saved is None:
            return
        misfit = self._misfit(saved)
        if misfit is not None:
            logger.warning("vector index made anew from the database: %s", misfit)
            return
        self._index = _index_of(saved, self._flat_up_to)
        self._watermark, self._n_exemplars = saved.watermark, saved.n_exemplars
        self._must_save = False

    def _misfit(self, saved: Saved) -> str | None:
        """Why these files are not of this network, light and database; None if they are."""
        if saved.name != self._name or saved.vectors.shape[1] != self._dimension:
            return f"{self._folder} holds {saved.name}, {saved.vectors.shape[1]} numbers each"
        with self._db.read() as connection:
            n_older = _count(connection) - _count(connection, after=saved.watermark)
            if n_older > saved.n_exemplars:
                return f"{self._folder} is of another database, or of another state of it"
            rows = [*_newest(connection, saved.watermark), *_some(connection, saved.ids)]
        for row in rows:
            ours = row.name == self._model and row.modality == self._modality.value
            place = np.flatnonzero(saved.ids == row.id)
            same = [np.array_equal(to_vector(row.vector), saved.vectors[p]) for p in place]
            if same != [True] * ours:
                return f"{self._folder} and the database disagree about exemplar {row.id}"
        return None

    def _drop_gone(self, connection: Connection) -> None:
        n_older = _count(connection) - _count(connection, after=self._watermark)
        if n_older == self._n_exemplars:  # numbers are never reused: so none of them is gone
            return
        kept = np.fromiter(connection.execute(select(ExemplarRow.id)).scalars(), dtype=np.int64)
        gone = np.setdiff1d(self._index.ids(), kept)
        self._index.remove(gone)
        self._must_save = self._must_save or len(gone) > 0

    def _newer(self, connection: Connection) -> tuple[Ids, Vectors]:
        query = (
            select(ExemplarRow.id, ExemplarRow.vector)
            .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
            .where(
                ExemplarRow.id > self._watermark,
                ExemplarRow.modality == self._modality.value,
                ModelVersionRow.name == self._model,
                ExemplarRow.dimension == self._dimension,
            )
            .order_by(ExemplarRow.id)
        )
        streamed = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
        ids, vectors = [], bytearray()
        for row in streamed:
            ids.append(row.id)
            vectors += row.vector
        found = np.frombuffer(vectors, dtype="<f4").reshape(len(ids), self._dimension)
        return np.array(ids, dtype=np.int64), found


@contextmanager
def open_stored(
    db: Database,
    root: Path,
    *,
    model: str,
    modality: Modality,
    dimension: int,
    flat_up_to: int = FLAT_UP_TO,
) -> Iterator[StoredIndex]:
    """The index of a network's exemplars in one light, in step with the database.

    Args:
        root: Folder of all indexes of this database; made when missing.
        dimension: Numbers per vector of the network.

    Raises:
        IndexUnavailable: FAISS is not installed.
    """
    folder = root / _folder_name(model) / modality.value
    with owned(folder, patience_s=0) as is_owner:
        if not is_owner:
            logger.info("%s is being written by another program; read only here", folder)
        yield StoredIndex(
            db,
            folder,
            model=model,
            modality=modality,
            dimension=dimension,
            flat_up_to=flat_up_to,
            is_owner=is_owner,
        )


def forget_in_files(root: Path, exemplars: Collection[int]) -> int:
    """Write every index below `root` anew without these exemplars; returns how many there were.

    An index that is damaged is deleted instead: it will be made from the database.

    Raises:
        DatabaseBusy: Another program has been writing one of them for a minute.
    """
    gone = np.unique(np.fromiter(exemplars, dtype=np.int64))
    n_forgotten = 0
    for manifest in sorted(root.glob(f"*/*/{CURRENT}")):
        folder = manifest.parent
        with owned(folder, patience_s=FORGET_PATIENCE_S) as is_owned:
            require_owned(is_owned, folder)
            n_forgotten += _forget_in(folder, gone)
    return n_forgotten


def _forget_in(folder: Path, gone: Ids) -> int:
    try:
        saved = read_index(folder)
        n = 0 if saved is None else int(np.isin(saved.ids, gone).sum())
        if saved is None or n == 0:
            return 0
        # With its block if it has one, whatever may have been the threshold.
        index = _index_of(saved, flat_up_to=0 if saved.block else len(saved.ids))
        index.remove(gone)
        ids, vectors = index.contents()
        without = Saved(
            name=saved.name,
            ids=ids,
            vectors=vectors,
            block=index.fold(),
            watermark=saved.watermark,
            n_exemplars=saved.n_exemplars,
        )
        write_index(folder, without)
    except (IndexDamaged, OSError) as error:
        logger.warning("vector index deleted, it will be made from the database: %s", error)
        delete_index(folder)
        return 0
    return n


def _index_of(saved: Saved, flat_up_to: int) -> ApproximateIndex:
    dimension = saved.vectors.shape[1]
    index = ApproximateIndex(dimension, flat_up_to=flat_up_to, block=saved.block)
    if saved.block is None:
        index.add(saved.ids, saved.vectors)
    return index


def _newest(connection: Connection, watermark: int) -> list[Row[*tuple[Any, ...]]]:
    """The newest exemplars that an index with this watermark has seen, if it is of this database.

    A database that was restored from a backup gives the numbers after it anew.
    """
    seen = SOURCE.where(ExemplarRow.id <= watermark).order_by(ExemplarRow.id.desc())
    return list(connection.execute(seen.limit(SAMPLE)))


def _some(connection: Connection, ids: Ids) -> list[Row[*tuple[Any, ...]]]:
    chosen = np.random.default_rng().choice(ids, min(SAMPLE, len(ids)))
    return list(connection.execute(SOURCE.where(ExemplarRow.id.in_(chosen.tolist()))))


def _count(connection: Connection, *, after: int | None = None) -> int:
    query = select(func.count()).select_from(ExemplarRow)
    if after is not None:
        query = query.where(ExemplarRow.id > after)
    return int(connection.execute(query).scalar_one())


def _folder_name(model: str) -> str:
    """Fit for a folder, different for different models, and readable.

    >>> _folder_name("edge@0bc2")
    'edge_0bc2-92682a'
    """
    digits = hashlib.sha256(model.encode()).hexdigest()[:6]
    return f"{re.sub('[^A-Za-z0-9.]', '_', model)[:60]}-{digits}"
