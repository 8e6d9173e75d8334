"""Times that somebody typed: without an offset they are the site's."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.api.times import forward, read_time
from storage.types import Span


def read_local(text: str, zone: str) -> int:
    """Microseconds UTC.

    Raises:
        QuestionInvalid: It is no time.

    >>> read_local("2026-06-01T16:00", "Europe/Berlin") == read_time("2026-06-01T14:00Z")
    True
    """
    if not text.isdecimal():
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        if time is not None and time.tzinfo is None:
            return round(time.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1e6)
    return read_time(text)


def read_span(start: str, end: str, zone: str) -> Span:
    """From one time to another; empty text is open-ended.

    Raises:
        QuestionInvalid: One of them is no time, or it ends before it begins.
    """
    return forward(
        Span(
            from_us=read_local(start, zone) if start else None,
            to_us=read_local(end, zone) if end else None,
        )
    )


def to_field(time_us: int, zone: str) -> str:
    """The same for an input of date and time.

    >>> to_field(1_780_322_405_000_000, "UTC")
    '2026-06-01T14:00:05'
    """
    return f"{datetime.fromtimestamp(time_us // 1_000_000, ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S}"
