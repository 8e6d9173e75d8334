"""Pictures that rows refer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, select

from storage.rows import portions
from storage.schema import (
    EvidenceRow,
    Table,
)


def referrers() -> list[Column[Any]]:
    """Every column that refers to a picture, whichever table it is in."""
    return [
        key.parent
        for table in Table.metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table.name == EvidenceRow.__tablename__
    ]


def used_pictures(connection: Connection, pictures: Sequence[str]) -> set[str]:
    """Which of the pictures something other than their own row refers to."""
    found: set[str] = set()
    for some in portions(pictures):
        for column in referrers():
            query = select(column).where(column.in_(some)).distinct()
            found.update(str(sha256) for sha256 in connection.execute(query).scalars())
    return found
