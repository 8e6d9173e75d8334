"""Times, lengths and chances as an operator says them."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

US = 1_000_000


def hour_words(time_us: int, *, zone: ZoneInfo) -> str:
    """Only the clock's time.

    >>> hour_words(1_780_322_400_000_000, zone=ZoneInfo("UTC"))
    '14:00:00'
    """
    return f"{datetime.fromtimestamp(time_us / US, zone):%H:%M:%S}"


def length_words(length_us: int) -> str:
    """A length of time, in its two largest units.

    >>> length_words(12_400_000), length_words(94_000_000), length_words(31_144_900_000)
    ('12 s', '1 min 34 s', '8 h 39 min')
    """
    seconds = max(0, round(length_us / US))
    units = (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    for (name, size), finer in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            few = rest // finer[1]
            name = "day" if name == "days" and whole == 1 else name
            return f"{whole} {name} {few} {finer[0]}" if few else f"{whole} {name}"
    return f"{seconds} s"


def ago_words(time_us: int, *, now_us: int) -> str:
    """How long ago, roughly.

    >>> ago_words(0, now_us=5_000_000), ago_words(0, now_us=3 * 86_400_000_000)
    ('just now', '3 days ago')
    """
    passed_s = (now_us - time_us) / US
    if passed_s < 10:
        return "just now"
    for name, size in (("day", 86_400), ("h", 3600), ("min", 60)):
        if passed_s >= size:
            number = int(passed_s // size)
            return f"{number} {name}{'s' if name == 'day' and number != 1 else ''} ago"
    return f"{passed_s:.0f} s ago"


def chance_words(probability: float) -> str:
    """A probability; never a hundred, or nothing, where there is doubt.

    >>> chance_words(0.914), chance_words(0.9968), chance_words(0.002), chance_words(1.0)
    ('91 %', 'over 99 %', 'under 1 %', '100 %')
    """
    if 0.995 <= probability < 1:
        return "over 99 %"
    if 0 < probability < 0.005:
        return "under 1 %"
    return f"{100 * probability:.0f} %"


def count_words(number: int, one: str, many: str) -> str:
    """A number of things.

    >>> count_words(1, "visit", "visits"), count_words(3, "visit", "visits")
    ('1 visit', '3 visits')
    """
    return f"{number} {one if number == 1 else many}"
