"""What every table shares: names of constraints, kinds of columns."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

BIG = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in columns of type INTEGER, which hold 64 bits there."""

NEVER_REUSED = {"sqlite_autoincrement": True}
SHA256_DIGITS = 64
WORDS_ERASED = "erased with the person"
"""Stands where an operator's words stood about somebody who was erased; tables that are only
appended allow this one change."""


def one_of(column: str, values: type[StrEnum]) -> str:
    """SQL that allows the enum's values only.

    >>> from streams.types import Modality
    >>> one_of("modality", Modality)
    "modality IN ('visible', 'infrared')"
    """
    allowed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({allowed})"


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
