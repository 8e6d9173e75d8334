"""Vectors inside PostgreSQL: taken over in batches, once, and without what is gone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Connection, delete, event

from storage.database import Database, open_database
from storage.schema import ExemplarRow
from storage.vectors import postgres
from storage.vectors.postgres import PostgresIndex, open_postgres
from streams.types import Modality
from tests.storage_builders import MODEL
from tests.test_storage_vectors_stored import D, record, unit_rows

pytest_plugins = ["tests.storage_fixtures"]

N = 20


@pytest.fixture
def site(postgresql_address: str) -> Iterator[Database]:
    """Ten vectors by day, ten by night."""
    with open_database(postgresql_address) as database:
        record(database, unit_rows(1, N // 2), number=0)
        record(database, unit_rows(2, N // 2), number=1, modality=Modality.INFRARED)
        yield database


def opened(database: Database) -> PostgresIndex:
    index = open_postgres(database, model=MODEL, modality=Modality.VISIBLE, dimension=D)
    if index is None:
        pytest.skip("this PostgreSQL has no pgvector")
    return index


def test_exemplars_are_counted_once_however_many_batches_they_take(
    site: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ROWS_AT_ONCE", 2)
    asked: list[str] = []

    def note(_: Connection, __: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(site.engine, "before_cursor_execute", note)
    index = opened(site)

    assert len(index) == N // 2
    assert sum("FROM exemplar" in words and "LIMIT" in words for words in asked) > N // 2
    assert sum("count(*)" in words and "FROM exemplar " in words for words in asked) == 1


def test_every_number_of_a_vector_comes_back_as_it_was(site: Database) -> None:
    index = opened(site)

    found = index.search(unit_rows(1, N // 2), 1)

    assert found.ids[:, 0].tolist() == list(range(1, N // 2 + 1))
    np.testing.assert_allclose(found.similarities[:, 0], 1, atol=1e-7)


def test_what_was_deleted_while_nobody_looked_is_dropped_at_the_next_opening(
    site: Database,
) -> None:
    opened(site)
    with site.write() as connection:
        connection.execute(delete(ExemplarRow).where(ExemplarRow.id == 3))
    record(site, unit_rows(3, 1), number=2)

    index = opened(site)

    kept = index.search(unit_rows(1, 1), N).ids[0].tolist()
    assert sorted(number for number in kept if number > 0) == [1, 2, *range(4, 11), N + 1]
