"""One person's visits as lanes, one for each camera, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from pipeline.web.timescale import Piece, Tick, TimeScale, make_scale
from pipeline.web.wording import hour_words, length_words

WIDTH = 1000
_LEFT, _RIGHT = 128.0, 992.0
_TOP, _LANE_H, _BAR_H, _FOOT_H = 10, 38, 18, 34
_LEAST_BAR = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A visit to be drawn, microseconds UTC.

    Attributes:
        is_sure: False: it is only perhaps this person.
        words: What a pointer or a screen reader is told.
    """

    sighting: str
    camera: str
    modality: str
    from_us: int
    to_us: int
    is_sure: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """A span in which nobody looked; `why` in words."""

    camera: str
    from_us: int
    to_us: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A drawn visit, px."""

    mark: Mark
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hatch:
    """A drawn span in which nobody looked, px."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A camera's lane, px from the top."""

    camera: str
    y: float
    height: float
    bars: tuple[Bar, ...]
    hatches: tuple[Hatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A silence that is folded up."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All lanes under one ruler.

    Attributes:
        way: SVG path from visit to visit.
    """

    width: int
    height: float
    left: float
    right: float
    floor: float
    lanes: tuple[Lane, ...]
    folds: tuple[Fold, ...]
    ticks: tuple[Tick, ...]
    way: str


def draw_lanes(marks: Sequence[Mark], blind: Sequence[Blind], *, zone: ZoneInfo) -> Chart | None:
    """The chart; None where there is no visit.

    Args:
        marks: Oldest first; lanes stand in the order of the first visit to their camera.
    """
    if not marks:
        return None
    scale = make_scale([(mark.from_us, mark.to_us) for mark in marks], left=_LEFT, right=_RIGHT)
    cameras = list(dict.fromkeys(mark.camera for mark in marks))
    tops = {camera: _TOP + number * _LANE_H for number, camera in enumerate(cameras)}
    bars = [_bar(mark, scale, tops[mark.camera]) for mark in marks]
    lanes = tuple(
        Lane(
            camera=camera,
            y=tops[camera],
            height=_LANE_H,
            bars=tuple(bar for bar in bars if bar.mark.camera == camera),
            hatches=tuple(_hatches(camera, blind, scale, zone)),
        )
        for camera in cameras
    )
    floor = _TOP + len(cameras) * _LANE_H
    return Chart(
        width=WIDTH,
        height=floor + _FOOT_H,
        left=_LEFT,
        right=_RIGHT,
        floor=floor,
        lanes=lanes,
        folds=tuple(_fold(piece) for piece in scale.folds),
        ticks=tuple(scale.ticks(zone)),
        way=_way([bar for bar in bars if bar.mark.is_sure]),
    )


def unwatched(
    camera: str, watched: Sequence[tuple[int, int]], *, from_us: int, to_us: int
) -> list[Blind]:
    """When nobody looked at a camera whose recordings are all that was ever watched of it."""
    found: list[Blind] = []
    seen_us = from_us
    for start, end in sorted(watched):
        if start > seen_us:
            found.append(_unwatched(camera, seen_us, min(start, to_us)))
        seen_us = max(seen_us, end)
    if seen_us < to_us:
        found.append(_unwatched(camera, seen_us, to_us))
    return [each for each in found if each.to_us > each.from_us]


def _unwatched(camera: str, from_us: int, to_us: int) -> Blind:
    return Blind(camera=camera, from_us=from_us, to_us=to_us, why="its film does not cover this")


def _bar(mark: Mark, scale: TimeScale, top: float) -> Bar:
    x0, x1 = scale.x(mark.from_us), scale.x(mark.to_us)
    wide = max(x1 - x0, _LEAST_BAR)
    return Bar(
        mark=mark,
        x=min(x0, _RIGHT - wide),
        y=top + (_LANE_H - _BAR_H) / 2,
        width=wide,
        height=_BAR_H,
    )


def _hatches(camera: str, blind: Sequence[Blind], scale: TimeScale, zone: ZoneInfo) -> list[Hatch]:
    found: list[Hatch] = []
    for each in blind:
        start, end = max(each.from_us, scale.from_us), min(each.to_us, scale.to_us)
        if each.camera != camera or end <= start:
            continue
        x0, x1 = scale.x(start), scale.x(end)
        words = (
            f"nobody looked at {camera} between {hour_words(start, zone=zone)} and "
            f"{hour_words(end, zone=zone)}: {each.why}"
        )
        found.append(Hatch(x=x0, width=max(x1 - x0, 2.0), words=words))
    return found


def _fold(piece: Piece) -> Fold:
    return Fold(
        x=piece.x0,
        width=piece.x1 - piece.x0,
        words=length_words(piece.to_us - piece.from_us),
    )


def _way(bars: Sequence[Bar]) -> str:
    """From the end of each visit to the beginning of the next one in another lane."""
    steps: list[str] = []
    for before, after in pairwise(bars):
        x0, y0 = before.x + before.width, before.y + before.height / 2
        x1, y1 = after.x, after.y + after.height / 2
        if y0 != y1 or x1 > x0:
            steps.append(f"M{x0:.1f},{y0:.1f}L{x1:.1f},{y1:.1f}")
    return "".join(steps)
