"""The index in files: never ahead of the database, whole or made anew, forgetting for good."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import delete, update

from storage.database import Database
from storage.errors import DatabaseBusy
from storage.exemplars import to_vector_bytes
from storage.schema import ExemplarRow
from storage.sightings import record_sighting
from storage.types import Exemplar
from storage.vectors import files
from storage.vectors.files import owned
from storage.vectors.opening import open_exemplars
from storage.vectors.postgres import PREFIX, drop_in_postgres, forget_in_postgres
from storage.vectors.stored import forget_in_files, open_stored
from streams.types import Modality
from tests.storage_builders import MODEL, TEN_O_CLOCK_US, exemplar, sighting

pytest_plugins = ["tests.storage_fixtures"]

Vectors = npt.NDArray[np.float32]
VIS, IR = Modality.VISIBLE, Modality.INFRARED
D = 8
FEW = 100
"""Vectors from which on the tests' indexes have lists."""


def unit_rows(seed: int, n: int, dimension: int = D) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def record(
    db: Database, vectors: Vectors, *, number: int, modality: Modality = VIS, model: str = MODEL
) -> None:
    """One visit with an exemplar for each vector."""
    exemplars: Sequence[Exemplar] = [
        exemplar(*vector.tolist(), evidence=None, modality=modality) for vector in vectors
    ]
    visit = sighting(number, exemplars=tuple(exemplars), model=model)
    record_sighting(db, visit, now_us=TEN_O_CLOCK_US)


def nearest(
    db: Database, root: Path, queries: Vectors, *, model: str = MODEL, modality: Modality = VIS
) -> list[int]:
    """The nearest exemplar of each query, by an index that is opened for it."""
    opened = open_stored(
        db, root, model=model, modality=modality, dimension=queries.shape[1], flat_up_to=FEW
    )
    with opened as index:
        return [int(number) for number in index.search(queries, 1).ids[:, 0]]


def manifest(root: Path) -> Path:
    (found,) = root.glob("*/visible/current.json")
    return found


def in_files(root: Path, vector: Vectors) -> bool:
    raw = to_vector_bytes(vector)
    return any(raw in path.read_bytes() for path in root.rglob("*") if path.is_file())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(params=[40, 300], ids=["flat", "lists"])
def seen(request: pytest.FixtureRequest, database: Database) -> Vectors:
    """Vectors of exemplars 1, 2, ... that are recorded."""
    vectors = unit_rows(1, request.param)
    record(database, vectors, number=0)
    return vectors


def test_what_is_recorded_later_is_found_and_the_rest_comes_from_the_file(
    database: Database, root: Path, seen: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = len(seen)
    assert nearest(database, root, seen[:5]) == [1, 2, 3, 4, 5]
    record(database, unit_rows(2, 4), number=1)
    monkeypatch.setattr("storage.vectors.approximate.make_block", None)  # no making anew

    found = nearest(database, root, np.concatenate([seen[:2], unit_rows(2, 4)]))

    assert found == [1, 2, n + 1, n + 2, n + 3, n + 4]


def test_rows_that_were_deleted_leave_the_file_at_the_next_opening(
    database: Database, root: Path, seen: Vectors
) -> None:
    nearest(database, root, seen[:1])
    assert in_files(root, seen[2])
    with database.write() as connection:
        connection.execute(delete(ExemplarRow).where(ExemplarRow.id == 3))

    assert nearest(database, root, seen[2:3]) != [3]

    assert not in_files(root, seen[2])
    assert in_files(root, seen[3])


def test_forgetting_takes_a_vector_out_of_every_file_and_table_at_once(
    database: Database, root: Path, seen: Vectors
) -> None:
    night = unit_rows(3, 3)
    record(database, night, number=1, modality=IR)
    gone = [3, len(seen) + 1]
    for modality in (VIS, IR):
        nearest(database, root, seen[:1], modality=modality)
        with open_exemplars(database, root, model=MODEL, modality=modality, dimension=D) as index:
            n_inside = 0 if database.address.file else len(index)
    with database.write() as connection:
        connection.execute(delete(ExemplarRow).where(ExemplarRow.id.in_(gone)))

    with database.write() as connection:
        n_forgotten = forget_in_postgres(connection, gone)
    n_forgotten += forget_in_files(root, gone)

    assert n_forgotten == (4 if n_inside else 2)
    assert not in_files(root, seen[2])
    assert not in_files(root, night[0])
    assert nearest(database, root, seen[1:4])[::2] == [2, 4]


def test_forgetting_waits_for_whoever_is_writing(
    database: Database, root: Path, seen: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearest(database, root, seen[:1])
    monkeypatch.setattr("storage.vectors.stored.FORGET_PATIENCE_S", 0.1)

    with owned(manifest(root).parent, patience_s=0), pytest.raises(DatabaseBusy, match="writing"):
        forget_in_files(root, [3])

    assert forget_in_files(root, [3]) == 1
    assert forget_in_files(root, [3]) == 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x41
    path.write_bytes(raw)


@pytest.mark.parametrize("harm", [_cut, _flip, Path.unlink], ids=["torn", "changed", "missing"])
@pytest.mark.parametrize("name", ["current.json", "ids.i64", "vectors.f32", "lists.faiss"])
def test_a_damaged_file_is_made_anew_and_said(
    sqlite_database: Database,
    root: Path,
    name: str,
    harm: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    vectors = unit_rows(1, 150)
    record(sqlite_database, vectors, number=0)
    nearest(sqlite_database, root, vectors[:1])
    (file,) = root.rglob(name)
    assert callable(harm)
    harm(file)

    with caplog.at_level(logging.WARNING):
        found = nearest(sqlite_database, root, vectors[:5])

    assert found == [1, 2, 3, 4, 5]
    assert "made anew from the database" in caplog.text or (
        name == "current.json" and harm is Path.unlink  # there is just no index then
    )
    caplog.clear()
    nearest(sqlite_database, root, vectors[:5])
    assert caplog.text == ""


def test_a_crash_while_writing_leaves_the_index_that_was(
    sqlite_database: Database, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = unit_rows(1, 150)
    record(sqlite_database, vectors, number=0)
    nearest(sqlite_database, root, vectors[:1])
    before = manifest(root).read_text()
    record(sqlite_database, unit_rows(2, 50), number=1)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_replace", no_space)
    found = nearest(sqlite_database, root, unit_rows(2, 50)[:2])

    assert found == [151, 152]
    assert manifest(root).read_text() == before
    assert len([path for path in manifest(root).parent.iterdir() if path.is_dir()]) == 1


def test_an_index_that_disagrees_with_the_database_is_made_anew_and_said(
    database: Database, root: Path, seen: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    nearest(database, root, seen[:1])
    other = unit_rows(9, 1)
    newest = len(seen)
    with database.write() as connection:
        values = {"vector": to_vector_bytes(other[0])}
        connection.execute(update(ExemplarRow).where(ExemplarRow.id == newest).values(values))

    assert nearest(database, root, other) == [newest]

    assert f"disagree about exemplar {newest}" in caplog.text


def test_an_index_of_another_database_is_made_anew(
    sqlite_database: Database, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(sqlite_database, unit_rows(1, 20), number=0)
    nearest(sqlite_database, root, unit_rows(1, 1))
    with sqlite_database.write() as connection:
        connection.execute(delete(ExemplarRow))
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'exemplar'")
    record(sqlite_database, unit_rows(5, 30), number=1)

    assert nearest(sqlite_database, root, unit_rows(5, 3)) == [1, 2, 3]

    assert "made anew" in caplog.text


def test_vectors_of_two_networks_or_two_lights_never_meet(database: Database, root: Path) -> None:
    same = unit_rows(1, 3)
    record(database, same, number=0)
    record(database, same, number=1, modality=IR)
    record(database, same, number=2, model="other@1")
    record(database, unit_rows(1, 3, 16), number=3, model="wide@1")

    assert nearest(database, root, same) == [1, 2, 3]
    assert nearest(database, root, same, modality=IR) == [4, 5, 6]
    assert nearest(database, root, same, model="other@1") == [7, 8, 9]
    assert nearest(database, root, unit_rows(1, 3, 16), model="wide@1") == [10, 11, 12]
    assert nearest(database, root, unit_rows(1, 3, 16)) == [-1, -1, -1]  # not its dimension
    assert nearest(database, root, same) == [1, 2, 3]
    with open_exemplars(database, root, model="other@1", modality=VIS, dimension=D) as index:
        assert index.search(same, 3).ids[0].tolist()[0] == 7
        assert len(index) == 3


def test_a_second_program_reads_what_is_there_and_writes_nothing(
    sqlite_database: Database, root: Path
) -> None:
    vectors = unit_rows(1, 150)
    record(sqlite_database, vectors, number=0)
    owner = open_stored(
        sqlite_database, root, model=MODEL, modality=VIS, dimension=D, flat_up_to=FEW
    )
    with owner as first:
        told = manifest(root).read_text()
        record(sqlite_database, unit_rows(2, 80), number=1)
        second = nearest(sqlite_database, root, unit_rows(2, 2))
        assert manifest(root).read_text() == told
        first.refresh()  # a new generation takes the place of the one that others may read
        assert json.loads(manifest(root).read_text())["n"] == 230

    assert second == [151, 152]


def test_readers_and_a_writer_never_see_half_an_index(
    sqlite_database: Database, root: Path
) -> None:
    vectors = unit_rows(1, 150)
    record(sqlite_database, vectors, number=0)
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                assert nearest(sqlite_database, root, vectors[:3]) == [1, 2, 3]
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    owner = open_stored(
        sqlite_database, root, model=MODEL, modality=VIS, dimension=D, flat_up_to=FEW
    )
    with owner as index:
        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(15):
            index.save()
        done.set()
        for reader in readers:
            reader.join()

    assert failures == []


def test_inside_postgresql_vectors_follow_the_table_and_can_be_dropped(
    postgresql_address: str, root: Path
) -> None:
    from storage.database import open_database

    vectors = unit_rows(1, 30)
    with open_database(postgresql_address) as db:
        record(db, vectors, number=0)
        with open_exemplars(db, root, model=MODEL, modality=VIS, dimension=D) as index:
            assert type(index).__name__ == "PostgresIndex"
            assert index.search(vectors[:3], 1).ids.ravel().tolist() == [1, 2, 3]
        with db.write() as connection:
            connection.execute(delete(ExemplarRow).where(ExemplarRow.id == 2))
        record(db, unit_rows(2, 5), number=1)

        with open_exemplars(db, root, model=MODEL, modality=VIS, dimension=D) as index:
            assert len(index) == 34
            assert index.search(unit_rows(2, 2), 1).ids.ravel().tolist() == [31, 32]
            assert index.search(vectors[1:2], 1).ids.ravel().tolist() != [2]
        drop_in_postgres(db)
        with db.read() as connection:
            left = f"SELECT count(*) FROM pg_tables WHERE tablename LIKE '{PREFIX}%%'"
            assert connection.exec_driver_sql(left).scalar() == 0
    assert not root.exists()
