"""Times in answers and questions: ISO 8601 with Z, beside microseconds UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from pipeline.api.errors import QuestionInvalid
from storage.types import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US = 253_402_300_799_999_999
"""The last microsecond that ISO 8601 can write with four digits of the year."""


def iso(time_us: int) -> str:
    """A UTC time for machines, to the microsecond.

    >>> iso(1_780_322_400_500_000)
    '2026-06-01T14:00:00.500000Z'
    """
    seconds, rest = divmod(max(0, min(time_us, _LATEST_US)), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def iso_or_none(time_us: int | None) -> str | None:
    """`iso`, or None where there is no time."""
    return None if time_us is None else iso(time_us)


def read_time(text: str) -> int:
    """Microseconds UTC of an ISO 8601 time, UTC where it carries no offset, or of digits.

    Raises:
        QuestionInvalid: It is none.

    >>> read_time("2026-06-01T16:00:00+02:00") == read_time("1780322400000000")
    True
    """
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return min(int(text), _LATEST_US)
    try:
        time = datetime.fromisoformat(text)
        known = time if time.tzinfo else time.replace(tzinfo=UTC)
        passed = known - _EPOCH
    except (ValueError, OverflowError):
        raise QuestionInvalid(
            f"{text[:40]!r} is not a time; expected ISO 8601 such as 2026-06-01T14:00:05Z, or "
            "microseconds UTC"
        ) from None
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


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
    span = Span(
        from_us=None if not from_ else read_time(from_), to_us=None if not to else read_time(to)
    )
    if span.from_us is not None and span.to_us is not None and span.to_us <= span.from_us:
        raise QuestionInvalid("`to` is not after `from`; expected a span of time")
    return span


SpanQuery = Annotated[Span, Depends(_span)]
"""`from` and `to` of a question."""
