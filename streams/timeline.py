"""When was it captured? From a stream's own time stamps to microseconds UTC (pure).

A stream counts its pictures in ticks (pts) of a time base from an arbitrary start. Timelines anchor
that count to the wall clock and keep it strictly growing within a run, whatever the ticks do:
missing, repeated, backwards, wrapped around 2^32 or 2^33, or jumping ahead.
"""

from __future__ import annotations

from fractions import Fraction

US = 1_000_000

WRAPS = (1 << 32, 1 << 33)
"""Ticks after which RTP and MPEG-TS begin again at 0."""

LONGEST_PAUSE_US = 6 * 3600 * US
"""A recording that pauses longer than this between two pictures has a broken time stamp."""

FASTEST_DRIFT = 0.001
"""Camera clocks run up to this much faster or slower than ours (worst seen: 200 ppm)."""

SLEW = 0.25
"""A better anchor is approached by this share of the time passed, so that time never jumps."""

WORST_LATENCY_US = 10 * US
"""A live picture older than this on arrival was not delayed: its time stamp jumped."""

TRUSTED_AGE_US = (-200_000, 3 * US)
"""Ages on arrival, by the camera's own clock, that are believable; else that clock is wrong."""


class Ticks:
    """Turns pts into microseconds since the first one, across wraps."""

    def __init__(self, time_base: Fraction) -> None:
        self._us_per_tick = time_base * US
        self._last: int | None = None
        self._wrapped = 0

    def elapsed_us(self, pts: int) -> int:
        """Microseconds since tick 0, counted on across wraps; may go backwards or jump."""
        if self._last is not None:
            for wrap in WRAPS:
                if abs(pts - self._last + wrap) * self._us_per_tick < WORST_LATENCY_US:
                    self._wrapped += wrap
        self._last = pts
        return int((pts + self._wrapped) * self._us_per_tick)


class RecordedTimeline:
    """Times of a recording: where its first picture was, plus its own progress.

    Args:
        starts_at_us: When the first picture was taken.
        time_base: Seconds per tick of `pts`.
        period_us: Assumed between pictures whose own time stamps say nothing useful.
    """

    def __init__(self, *, starts_at_us: int, time_base: Fraction, period_us: int) -> None:
        self._starts_at_us = starts_at_us
        self._ticks = Ticks(time_base)
        self._period_us = max(1, period_us)
        self._offset_us: int | None = None
        self._last_us: int | None = None

    def captured_at_us(self, pts: int | None) -> int:
        """Time of the next picture in order of display, after the one before.

        >>> timeline = RecordedTimeline(
        ...     starts_at_us=5_000_000, time_base=Fraction(1, 10), period_us=100_000)
        >>> [timeline.captured_at_us(pts) for pts in (7, 8, None, 9, 3, 4)]
        [5000000, 5100000, 5200000, 5200001, 5300001, 5400001]
        """
        if self._last_us is None:
            expected_us = self._starts_at_us
        else:
            expected_us = self._last_us + self._period_us
        captured_us = expected_us
        if pts is not None:
            elapsed_us = self._ticks.elapsed_us(pts)
            if self._offset_us is None or not self._is_plausible(elapsed_us + self._offset_us):
                self._offset_us = expected_us - elapsed_us
            captured_us = elapsed_us + self._offset_us
        if self._last_us is not None:
            captured_us = max(captured_us, self._last_us + 1)
        self._last_us = captured_us
        return captured_us

    def _is_plausible(self, captured_us: int) -> bool:
        if self._last_us is None:
            return True
        return -self._period_us <= captured_us - self._last_us <= LONGEST_PAUSE_US


class LiveTimeline:
    """Times of one run of a live camera.

    Progress comes from the camera's ticks. The anchor is the camera's own wall clock where it sends
    one (RTCP sender reports) and that clock is believable; else our arrival times, of which the
    earliest are the truest: a picture can be late but never early.
    """

    def __init__(self, time_base: Fraction) -> None:
        self._ticks = Ticks(time_base)
        self._offset_us: int | None = None
        self._elapsed_us = 0
        self._last_us: int | None = None

    def captured_at_us(self, pts: int | None, *, arrived_us: int, sent_us: int | None) -> int:
        """Time of the next picture, later than the one before.

        Args:
            pts: The camera's tick of this picture, or None.
            arrived_us: When it arrived, by our clock.
            sent_us: When it was taken by the camera's clock, or None where it does not say.

        >>> timeline = LiveTimeline(Fraction(1, 1000))
        >>> timeline.captured_at_us(500, arrived_us=9_000_000, sent_us=None)
        9000000
        >>> timeline.captured_at_us(600, arrived_us=9_700_000, sent_us=None)  # late: 0.6 s
        9100100
        """
        target_us = arrived_us
        if pts is not None:
            elapsed_us = self._ticks.elapsed_us(pts)
            target_us = elapsed_us + self._anchor_us(elapsed_us, arrived_us, sent_us)
        if self._last_us is not None:
            target_us = max(target_us, self._last_us + 1)
        self._last_us = target_us
        return target_us

    def _anchor_us(self, elapsed_us: int, arrived_us: int, sent_us: int | None) -> int:
        """Wall clock at tick 0, moved a little towards the best evidence at hand."""
        trusted_us = sent_us
        if sent_us is not None and not _is_believable(arrived_us - sent_us):
            trusted_us = None
        best_us = (arrived_us if trusted_us is None else trusted_us) - elapsed_us
        passed_us = elapsed_us - self._elapsed_us
        self._elapsed_us = elapsed_us
        if self._offset_us is None or passed_us < 0 or self._is_far_off(elapsed_us, arrived_us):
            self._offset_us = best_us
            return best_us
        wanted_us = best_us - self._offset_us
        pull = SLEW if trusted_us is not None or wanted_us < 0 else FASTEST_DRIFT
        limit_us = round(pull * passed_us)
        self._offset_us += max(-limit_us, min(limit_us, wanted_us))
        return self._offset_us

    def _is_far_off(self, elapsed_us: int, arrived_us: int) -> bool:
        return abs(arrived_us - elapsed_us - (self._offset_us or 0)) > WORST_LATENCY_US


def _is_believable(age_us: int) -> bool:
    return TRUSTED_AGE_US[0] <= age_us <= TRUSTED_AGE_US[1]
