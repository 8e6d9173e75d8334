"""Hours of the wall clock: midnight, holidays, summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.schedule import Calendar, parse_hours

BERLIN = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(BERLIN, [date(2026, 12, 25)])
MINUTE_US = 60_000_000


def at(text: str) -> int:
    """Microseconds of a time; Berlin's wall clock where no offset is given."""
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=BERLIN)).timestamp() * 1e6)


@pytest.mark.parametrize(
    ("hours", "time", "is_open"),
    [
        pytest.param("07:00-19:00", "2026-06-15T07:00", True, id="begins at its minute"),
        pytest.param("07:00-19:00", "2026-06-15T19:00", False, id="ends before its minute"),
        pytest.param("22:00-06:00", "2026-06-15T02:00", True, id="after midnight"),
        pytest.param("fri 22:00-06:00", "2026-06-20T05:59", True, id="Friday night into Saturday"),
        pytest.param("fri 22:00-06:00", "2026-06-19T05:59", False, id="not Thursday night"),
        pytest.param(
            "sat-mon 10:00-11:00", "2026-06-15T10:30", True, id="days over the week's end"
        ),
        pytest.param("mon+wed 10:00-11:00", "2026-06-16T10:30", False, id="not Tuesday"),
        pytest.param("00:00-24:00", "2026-06-15T23:59", True, id="all day"),
        pytest.param("fri 07:00-19:00", "2026-12-25T10:00", False, id="a holiday is no Friday"),
        pytest.param("holidays 07:00-19:00", "2026-12-25T10:00", True, id="but a holiday"),
        pytest.param("daily 07:00-19:00", "2026-12-25T10:00", True, id="and a day"),
        pytest.param("01:00-04:00, 10:00-11:00", "2026-06-15T10:30", True, id="the second window"),
    ],
)
def test_hours_are_those_of_the_wall_clock(hours: str, time: str, is_open: bool) -> None:
    assert CALENDAR.is_open(parse_hours(hours), at(time)) is is_open


@pytest.mark.parametrize(
    "text", ["", "7-19", "25:00-26:00", "24:00-25:00", "xyz 10:00-11:00", "10:61-11:00"]
)
def test_what_are_no_hours_is_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="mon"):
        parse_hours(text)


def test_the_hour_that_winter_time_repeats_counts_twice() -> None:
    night = parse_hours("02:00-03:00")
    first, second = at("2026-10-25T02:30:00+02:00"), at("2026-10-25T02:30:00+01:00")
    assert second - first == 60 * MINUTE_US
    assert CALENDAR.is_open(night, first)
    assert CALENDAR.is_open(night, second)


@pytest.mark.parametrize(
    ("day", "n_minutes"),
    [("2026-03-29", 0), ("2026-10-25", 120), ("2026-06-15", 60)],
    ids=["the hour that is skipped", "the hour that comes twice", "any other day"],
)
def test_an_hour_lasts_as_long_as_the_clock_shows_it(day: str, n_minutes: int) -> None:
    night, midnight = parse_hours("02:00-03:00"), at(f"{day}T00:00")
    n_open = sum(CALENDAR.is_open(night, midnight + k * MINUTE_US) for k in range(6 * 60))
    assert n_open == n_minutes


@given(
    minute=st.integers(min_value=0, max_value=2 * 366 * 24 * 60),
    begins=st.integers(min_value=0, max_value=1439),
    ends=st.integers(min_value=0, max_value=1440),
)
def test_over_midnight_or_not_a_window_is_what_a_clock_on_the_wall_says(
    minute: int, begins: int, ends: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    wall = now.astimezone(BERLIN)
    shown = wall.hour * 60 + wall.minute
    plain = begins <= shown < ends if begins < ends else shown >= begins or shown < ends
    hours = parse_hours(f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}")
    assert CALENDAR.is_open(hours, round(now.timestamp() * 1e6)) is plain
