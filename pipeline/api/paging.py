"""Pages of long answers: newest first, each page names where the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Query

from pipeline.api.errors import QuestionInvalid
from storage.desk.pages import Page, make_cursor

MOST = 500
_MOST_LETTERS = 200
_LARGEST = 2**63 - 1


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=_Numbered)

LimitQuery = Annotated[
    int, Query(ge=1, le=MOST, description=f"Items at most, up to {MOST}.", examples=[50])
]


def to_cursor(*place: int) -> str:
    """Where the next page begins, in letters that mean nothing to anybody else.

    >>> from_cursor(to_cursor(12, 7), n=2)
    (12, 7)
    """
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def from_cursor(cursor: str, *, n: int) -> tuple[int, ...]:
    """The numbers that `to_cursor` was given.

    Raises:
        QuestionInvalid: It is no cursor of this list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, ValueError, RecursionError):
        place = None
    if (
        not isinstance(place, list)
        or len(place) != n
        or not all(type(step) is int and abs(step) <= _LARGEST for step in place)
    ):
        raise QuestionInvalid(
            "`cursor` is none of this list; take `next` of the page before, or leave it out"
        )
    return tuple(place)


async def _cursor(
    cursor: Annotated[
        str | None,
        Query(max_length=_MOST_LETTERS, description="`next` of the page before.", examples=[None]),
    ] = None,
) -> str | None:
    return cursor or None


TextCursorQuery = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=_MOST_LETTERS,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next` of the page before.",
        examples=[None],
    ),
]
"""The same where storage itself makes and reads the cursor."""
CursorQuery = Annotated[str | None, Depends(_cursor)]
"""Where the page begins; None: the first."""


def next_of(places: Sequence[tuple[int, ...]], *, limit: int) -> str | None:
    """The cursor of the next page.

    Args:
        places: Of the items found, of which there may be one more than `limit`.
    """
    return to_cursor(*places[limit - 1]) if len(places) > limit else None


def seen_page(
    read: Callable[[str | None], Page[Item]], *, cursor: str | None, limit: int
) -> Page[Item]:
    """A full page of what may be seen: a shorter one would tell how much is hidden.

    Args:
        read: What may be seen of the next piece of the list, from a cursor on.
    """
    found: list[Item] = []
    is_over = False
    while len(found) <= limit and not is_over:
        piece = read(cursor)
        found += piece.items
        cursor, is_over = piece.next, piece.next is None
    shown = tuple(found[:limit])
    return Page(items=shown, next=make_cursor(shown[-1].id) if len(found) > limit else None)
