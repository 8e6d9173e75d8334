"""Times in answers and questions: ISO 8601 with Z, beside microseconds UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from pipeline.api.errors import QuestionInvalid
from storage.types import Span
from streams.moments import LATEST_US, iso_time, to_us


def iso_or_none(time_us: int | None) -> str | None:
    """`iso_time`, or None where there is no time."""
    return None if time_us is None else iso_time(time_us)


def read_time(text: str) -> int:
    """Microseconds UTC of an ISO 8601 time, UTC where it carries no offset, or of digits.

    Raises:
        QuestionInvalid: It is none.

    >>> read_time("2026-06-01T16:00:00+02:00") == read_time("1780322400000000")
    True
    """
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return min(int(text), LATEST_US)
    try:
        time = datetime.fromisoformat(text)
        return to_us(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise QuestionInvalid(
            f"{text[:40]!r} is not a time; expected ISO 8601 such as 2026-06-01T14:00:05Z, or "
            "microseconds UTC"
        ) from None


def forward(span: Span) -> Span:
    """The span as it is.

    Raises:
        QuestionInvalid: It ends before it begins.
    """
    if span.is_empty:
        raise QuestionInvalid("`to` is not after `from`; expected a span of time")
    return span


def read_span(start: str | None, end: str | None) -> Span:
    """From one time to another; none, or empty text, is open-ended.

    Raises:
        QuestionInvalid: One of them is no time, or it ends before it begins.
    """
    return forward(
        Span(from_us=read_time(start) if start else None, to_us=read_time(end) if end else None)
    )


def _span(
    from_: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=40,
            description="Not before; ISO 8601, or microseconds UTC.",
            examples=["2026-06-01T14:00:00Z"],
        ),
    ] = None,
    to: Annotated[
        str | None, Query(max_length=40, description="Before; likewise.", examples=[None])
    ] = None,
) -> Span:
    return read_span(from_, to)


SpanQuery = Annotated[Span, Depends(_span)]
"""`from` and `to` of a question."""
