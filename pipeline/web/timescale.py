"""From times to places on a ruler; long silences are folded up, and say how long they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

US = 1_000_000
_FOLD_PX, _LEAST_PX = 64.0, 90.0
_MOST_FOLDS = 6
_LEAST_SILENCE_US = 120 * US
_FOLDED_SHARE = 0.3
_PADDED_SHARE, _LEAST_PADDING_US = 0.04, 2 * US
_TICK_PX = 92.0
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of time and the stretch of the ruler that shows it, microseconds UTC and px.

    Attributes:
        is_folded: Nothing happened in it; its length on the ruler says nothing.
    """

    from_us: int
    to_us: int
    x0: float
    x1: float
    is_folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the ruler; `day` where another day begins."""

    x: float
    words: str
    day: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """A ruler. Pieces follow each other without holes; there is one at least."""

    pieces: tuple[Piece, ...]

    @property
    def from_us(self) -> int:
        """Where it begins."""
        return self.pieces[0].from_us

    @property
    def to_us(self) -> int:
        """Where it ends."""
        return self.pieces[-1].to_us

    def x(self, time_us: int) -> float:
        """Where a time is, px; times outside are at the ends."""
        for piece in self.pieces:
            if time_us <= piece.to_us:
                passed = max(0, time_us - piece.from_us) / (piece.to_us - piece.from_us)
                return piece.x0 + passed * (piece.x1 - piece.x0)
        return self.pieces[-1].x1

    @property
    def folds(self) -> tuple[Piece, ...]:
        """The silences that are folded up."""
        return tuple(piece for piece in self.pieces if piece.is_folded)

    def ticks(self, zone: ZoneInfo) -> list[Tick]:
        """Round times of the site's clock, far enough apart to be read."""
        found: list[Tick] = []
        day: str | None = None
        for piece in self.pieces:
            if piece.is_folded:
                continue
            for x, time in _round_times(piece, zone):
                today = f"{time:%a} {time.day} {time:%b}"
                words = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"
                found.append(Tick(x=x, words=words, day=today if today != day else None))
                day = today
        return found


def make_scale(spans: Sequence[tuple[int, int]], *, left: float, right: float) -> TimeScale:
    """A ruler from `left` to `right` px on which all spans are seen.

    Args:
        spans: Beginning and end of what happened, microseconds UTC; one at least.
    """
    busy = _joined(spans)
    silences = [(after[0] - before[1], n) for n, (before, after) in enumerate(_pairs(busy))]
    shown_us = busy[-1][1] - busy[0][0]
    folded: set[int] = set()
    for length_us, number in sorted(silences, reverse=True)[:_MOST_FOLDS]:
        if length_us < max(_LEAST_SILENCE_US, _FOLDED_SHARE * shown_us):
            break
        folded.add(number)
        shown_us -= length_us
    return TimeScale(pieces=tuple(_laid_out(_stretches(busy, folded), left, right)))


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, max(end, start + 1)))
    return found


def _pairs(
    busy: Sequence[tuple[int, int]],
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(pairwise(busy))


def _stretches(busy: Sequence[tuple[int, int]], folded: set[int]) -> list[tuple[int, int, bool]]:
    """Beginning, end, folded or not; what is shown gets some room at both ends."""
    groups = [[busy[0]]]
    for number, span in enumerate(busy[1:]):
        if number in folded:
            groups.append([span])
        else:
            groups[-1].append(span)
    padded: list[tuple[int, int]] = []
    for group in groups:
        start, end = group[0][0], group[-1][1]
        room = max(round((end - start) * _PADDED_SHARE), _LEAST_PADDING_US)
        padded.append((start - room, end + room))
    found: list[tuple[int, int, bool]] = []
    for number, (start, end) in enumerate(padded):
        if number:
            found.append((padded[number - 1][1], start, True))
        found.append((start, end, False))
    return found


def _laid_out(stretches: Sequence[tuple[int, int, bool]], left: float, right: float) -> list[Piece]:
    shown = [end - start for start, end, is_folded in stretches if not is_folded]
    room = right - left - _FOLD_PX * (len(stretches) - len(shown))
    least = min(_LEAST_PX, room / len(shown))
    free = room - least * len(shown)
    found: list[Piece] = []
    x = left
    for start, end, is_folded in stretches:
        wide = _FOLD_PX if is_folded else least + free * (end - start) / sum(shown)
        found.append(Piece(from_us=start, to_us=end, x0=x, x1=x + wide, is_folded=is_folded))
        x += wide
    return found


def _round_times(piece: Piece, zone: ZoneInfo) -> list[tuple[float, datetime]]:
    length_s = (piece.to_us - piece.from_us) / US
    per_s = (piece.x1 - piece.x0) / length_s
    fits = [step for step in _STEPS_S if step * per_s >= _TICK_PX]
    step_s = fits[0] if fits else _DAY_S * max(1, round(_TICK_PX / (per_s * _DAY_S) + 0.5))
    first = datetime.fromtimestamp(piece.from_us / US, zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    number = int((first - midnight).total_seconds() // step_s)
    found: list[tuple[float, datetime]] = []
    while True:
        time = midnight + timedelta(seconds=number * step_s)
        at_us = round(time.timestamp() * US)
        if at_us > piece.to_us:
            return found
        if at_us >= piece.from_us:
            x = piece.x0 + (at_us - piece.from_us) / US * per_s
            if x <= piece.x1 - _TICK_PX / 3 or not found:
                found.append((x, time))
        number += 1
