"""Lists in pieces, newest first: each piece says where the next one begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select

from storage.errors import BadCursor

T = TypeVar("T")

PAGE = 50
LONGEST_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A piece of a list.

    Attributes:
        items: Newest first.
        next: Cursor of the next piece, None at the end.
    """

    items: tuple[T, ...]
    next: str | None


def read_page(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    number: ColumnElement[int],
    to_items: Callable[[Sequence[Row[*tuple[Any, ...]]]], Sequence[T]],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """The rows of `query` from the highest `number` down, at most `limit`, after `cursor`.

    Args:
        number: Row number, which the query selects as `id`.
        to_items: Makes one item of each row.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        raise ValueError(f"limit: expected 1 to {LONGEST_PAGE}, got {limit}")
    if cursor is not None:
        query = query.where(number < read_cursor(cursor))
    rows = connection.execute(query.order_by(None).order_by(number.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(items=tuple(to_items(shown)), next=make_cursor(shown[-1].id) if more else None)


def make_cursor(number: int) -> str:
    """What stands for "after row `number`"; callers must not read anything into it.

    >>> read_cursor(make_cursor(42))
    42
    """
    return base64.urlsafe_b64encode(f"after {number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """
    Raises:
        BadCursor: It is none of ours.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        word, _, number = text.partition(" ")
        if word == "after" and number.isascii() and number.isdigit() and len(number) < 19:
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise BadCursor(
        f"{cursor[:40]!r} is no cursor; give back what `next` of the page before said, or nothing"
    )
