"""Moments, microseconds UTC since 1970, as dates and as words for machines (pure)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _US
LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _US
"""The last microsecond of the year 9999."""


def to_us(moment: datetime) -> int:
    """Microseconds UTC of a zone-aware moment, exact.

    >>> to_us(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (moment - _EPOCH) // _US


def to_utc(time_us: int) -> datetime:
    """The moment in UTC, exact; the nearest that a date can hold, where none can.

    >>> to_utc(1_780_322_400_500_000)
    datetime.datetime(2026, 6, 1, 14, 0, 0, 500000, tzinfo=datetime.timezone.utc)
    >>> to_utc(10**18).year
    9999
    """
    return _EPOCH + timedelta(microseconds=max(_FIRST_US, min(time_us, LATEST_US)))


def iso_time(time_us: int) -> str:
    """A moment for machines: ISO 8601 in UTC, to the microsecond.

    >>> iso_time(1_780_322_400_000_000)
    '2026-06-01T14:00:00.000000Z'
    """
    return to_utc(time_us).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
