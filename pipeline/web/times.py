"""Times as operators read them: in the site's time zone, with the date when it is not today."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from streams.moments import to_utc


class Calendar:
    """Writes times.

    Args:
        zone: Of the site, such as Europe/Berlin.
        now_us: What is today.
    """

    def __init__(self, zone: str, *, now_us: int) -> None:
        self.zone = zone
        self.now_us = now_us
        self._zone = ZoneInfo(zone)
        self._today = self._local(now_us).date()

    def clock(self, time_us: int) -> str:
        """HH:MM:SS, after the date where it is not today.

        >>> Calendar("Europe/Berlin", now_us=1_780_322_400_000_000).clock(1_780_322_405_000_000)
        '16:00:05'
        >>> Calendar("UTC", now_us=1_790_000_000_000_000).clock(1_780_322_405_000_000)
        '2026-06-01 14:00:05'
        """
        time = self._local(time_us)
        return f"{time:%H:%M:%S}" if time.date() == self._today else f"{time:%Y-%m-%d %H:%M:%S}"

    def day(self, time_us: int) -> str:
        """The date alone, `today` where it is.

        >>> Calendar("UTC", now_us=1_780_322_400_000_000).day(1_780_322_400_000_000)
        'today'
        """
        day = self._local(time_us).date()
        return "today" if day == self._today else f"{day:%Y-%m-%d}"

    def utc(self, time_us: int) -> str:
        """The same moment in UTC, for who hovers.

        >>> Calendar("Europe/Berlin", now_us=0).utc(1_780_322_400_000_000)
        '2026-06-01 14:00:00 UTC'
        """
        return f"{to_utc(time_us):%Y-%m-%d %H:%M:%S} UTC"

    def machine(self, time_us: int) -> str:
        """For the `datetime` of <time>."""
        return f"{to_utc(time_us):%Y-%m-%dT%H:%M:%SZ}"

    def _local(self, time_us: int) -> datetime:
        return datetime.fromtimestamp(time_us // 1_000_000, self._zone)
