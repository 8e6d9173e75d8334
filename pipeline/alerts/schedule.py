"""When a rule counts: hours of the site's wall clock, with holidays, summer time and midnight."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holidays"
DAILY = "daily"
_WINDOW = re.compile(
    r"(?:(?P<days>[a-z]+(?:[-+][a-z]+)*)\s+)?(?P<begins>\d\d:\d\d)-(?P<ends>\d\d:\d\d)"
)
_MINUTE_US = 60_000_000
_DAY_MIN = 24 * 60
_HELP = "write hours like `07:00-19:00` or `mon-fri 07:00-19:00, sat+sun 09:00-12:00`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of the day on some days; over midnight it belongs to the day on which it begins.

    Attributes:
        days: 0 (Monday) to 6 of days that are no holidays.
        on_holidays: Whether it also counts on holidays.
        begins_min: Minutes of the wall clock after midnight, 0-1439.
        ends_min: Not included; up to 1440, or not after `begins_min` for the next day.
    """

    days: frozenset[int]
    on_holidays: bool
    begins_min: int
    ends_min: int

    def holds(self, minute: int, *, today: bool, yesterday: bool) -> bool:
        """Whether it is open at a minute of a day.

        Args:
            today: Whether it counts on that day.
            yesterday: Whether it counts on the day before.
        """
        if self.begins_min < self.ends_min:
            return today and self.begins_min <= minute < self.ends_min
        return (today and minute >= self.begins_min) or (yesterday and minute < self.ends_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of a week, as an operator wrote them."""

    text: str
    windows: tuple[Window, ...]


class Calendar:
    """Wall clock and holidays of the site. Pure: the time arrives as microseconds UTC.

    Args:
        zone: The site's time zone.
        holidays: Days that count as `holidays`, not as their weekday.
    """

    def __init__(self, zone: ZoneInfo, holidays: Collection[date] = ()) -> None:
        self._zone = zone
        self._holidays = frozenset(holidays)
        self._of_minute = lru_cache(maxsize=64)(self._look)

    def is_open(self, hours: Hours, at_us: int) -> bool:
        """Whether the wall clock shows one of the hours.

        The hour that summer time skips is not there; the one that winter time repeats counts twice.
        """
        return self._of_minute(hours, at_us // _MINUTE_US)

    def local(self, at_us: int) -> datetime:
        """The site's wall clock."""
        return datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(self._zone)

    def _look(self, hours: Hours, minute_utc: int) -> bool:
        now = self.local(minute_utc * _MINUTE_US)
        minute = now.hour * 60 + now.minute
        today, yesterday = now.date(), now.date() - timedelta(days=1)
        return any(
            window.holds(
                minute, today=self._counts(window, today), yesterday=self._counts(window, yesterday)
            )
            for window in hours.windows
        )

    def _counts(self, window: Window, day: date) -> bool:
        if day in self._holidays:
            return window.on_holidays
        return day.weekday() in window.days


def parse_hours(text: str) -> Hours:
    """Hours from words such as `mon-fri 07:00-19:00, holidays 10:00-12:00`.

    Days are mon to sun, `holidays`, or `daily` (the default, holidays included). A window that does
    not end after it begins goes over midnight.

    Raises:
        ValueError: With what is wrong and how to write it.

    >>> parse_hours("22:00-06:00").windows[0].holds(60, today=False, yesterday=True)
    True
    """
    parts = [part.strip() for part in text.lower().split(",")]
    return Hours(text=text.strip(), windows=tuple(_window(part) for part in parts))


def _window(text: str) -> Window:
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} are no hours; {_HELP}")
    begins, ends = _minutes(match["begins"], last=time.max), _minutes(match["ends"])
    days, on_holidays = _days(match["days"] or DAILY)
    return Window(days=days, on_holidays=on_holidays, begins_min=begins, ends_min=ends)


def _minutes(text: str, *, last: time | None = None) -> int:
    """Minutes after midnight; 24:00 may end a window, not begin one."""
    hours, minutes = int(text[:2]), int(text[3:])
    total = hours * 60 + minutes
    if minutes > 59 or total > _DAY_MIN or (last is not None and total == _DAY_MIN):
        raise ValueError(f"{text!r} is no time of day; {_HELP}")
    return total


def _days(text: str) -> tuple[frozenset[int], bool]:
    """Weekdays, and whether holidays count."""
    if text == DAILY:
        return frozenset(range(7)), True
    found: set[int] = set()
    on_holidays = False
    for part in text.split("+"):
        if part == HOLIDAY:
            on_holidays = True
            continue
        ends = part.split("-")
        if len(ends) > 2 or not set(ends) <= set(_DAYS):
            raise ValueError(f"{part!r} are no days; use mon to sun, `holidays` or `daily`")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found), on_holidays


def _checked_hours(text: str) -> str:
    parse_hours(text)
    return text


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"there is no time zone {name!r}; use a name such as Europe/Berlin or UTC"
        ) from None
    return name


HoursText = Annotated[
    str, AfterValidator(_checked_hours), Field(json_schema_extra={"format": "hours"})
]
"""Hours in words, known to be readable."""
ZoneName = Annotated[str, AfterValidator(_checked_zone)]
"""Name of a time zone that exists."""
