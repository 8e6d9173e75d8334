"""The only door of time: everything that reads a clock or sleeps is given one of these."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, how much has passed, and waiting."""

    def now_us(self) -> int:
        """Microseconds UTC since 1970; may step when the machine's clock is set."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment; never steps."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Wait; durations of 0 or less return at once."""
        ...


class SystemClock:
    """This machine's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        if duration_s > 0:
            time.sleep(duration_s)


class ManualClock:
    """A clock that stands still until told otherwise; sleeping moves it on at once.

    >>> clock = ManualClock(now_us=1_000_000)
    >>> clock.sleep(1.5)
    >>> clock.now_us(), clock.monotonic_s()
    (2500000, 1.5)
    """

    def __init__(self, *, now_us: int = 0) -> None:
        self._now_us = now_us
        self._monotonic_us = 0

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._monotonic_us / 1e6

    def sleep(self, duration_s: float) -> None:
        passed_us = max(0, round(duration_s * 1e6))
        self._now_us += passed_us
        self._monotonic_us += passed_us

    def set_wall(self, now_us: int) -> None:
        """Set the wall clock as an operator or NTP would; the monotonic clock does not notice."""
        self._now_us = now_us
