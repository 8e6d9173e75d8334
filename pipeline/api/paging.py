"""Pages of long answers: newest first, each page names where the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query

from pipeline.api.errors import QuestionInvalid

MOST = 500
_MOST_LETTERS = 200
_LARGEST = 2**63 - 1

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
