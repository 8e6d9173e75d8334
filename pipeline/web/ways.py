"""Ways between cameras as a drawing: cameras in a ring, an arrow for each way that people took."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.linking.topology import Topology, Way, range_words, words
from pipeline.web.transit_plot import TransitPlot, draw_transit

WIDTH, HEIGHT = 760, 420
_NODE_W, _NODE_H, _BEND = 118.0, 34.0, 0.12
_MOST_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A camera, px of its middle."""

    camera: str
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A way; `path` is SVG, x and y where its words stand."""

    path: str
    wide: float
    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way in numbers."""

    start: str
    end: str
    n: int
    share: float
    median: str
    usual: str
    stated: str
    plot: TransitPlot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The drawing, and the ways as a table, most travelled first."""

    width: int
    height: int
    node_w: float
    node_h: float
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    rows: tuple[Row, ...]


def draw_ways(topology: Topology, *, sees: Callable[[str], bool]) -> Ways:
    """All that may be told to somebody who `sees` these cameras."""
    ways = [w for w in topology.ways.values() if sees(w.pair[0]) and sees(w.pair[1])]
    ways.sort(key=lambda way: (-len(way.gaps_s), way.pair))
    rates = {camera: r for camera, r in topology.arrivals_per_h.items() if sees(camera)}
    cameras = sorted({camera for way in ways for camera in way.pair} | set(rates))
    at = {camera: _place(number, len(cameras)) for number, camera in enumerate(cameras)}
    most = max((len(way.gaps_s) for way in ways), default=1)
    nodes = tuple(
        Node(
            camera=camera, x=at[camera][0], y=at[camera][1],
            words=f"{rates.get(camera, 0.0):.3g} an hour",
        )
        for camera in cameras
    )  # fmt: skip
    arrows = tuple(
        _arrow(way, at[way.pair[0]], at[way.pair[1]], most)
        for way in ways
        if way.pair[0] != way.pair[1] and (len(way.gaps_s) or way.stated_s)
    )
    return Ways(
        width=WIDTH,
        height=HEIGHT,
        node_w=_NODE_W,
        node_h=_NODE_H,
        nodes=nodes,
        arrows=arrows,
        rows=tuple(_row(way) for way in ways[:_MOST_ROWS]),
    )


def _place(number: int, n: int) -> tuple[float, float]:
    if n == 1:
        return WIDTH / 2, HEIGHT / 2
    angle = 2 * math.pi * number / n - math.pi / 2
    return (
        WIDTH / 2 + (WIDTH / 2 - 90) * math.cos(angle),
        HEIGHT / 2 + (HEIGHT / 2 - 40) * math.sin(angle),
    )


def _arrow(way: Way, start: tuple[float, float], end: tuple[float, float], most: int) -> Arrow:
    """Bent to its right, so that there and back part."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = -dy / length, dx / length
    x0, y0 = _rim(start, (dx, dy))
    x1, y1 = _rim(end, (-dx, -dy))
    bend = _BEND * length
    cx, cy = (x0 + x1) / 2 + nx * bend, (y0 + y1) / 2 + ny * bend
    n = len(way.gaps_s)
    median = way.quantile_s(0.5)
    told = f"{n}, {words(median)}" if median is not None else "stated"
    return Arrow(
        path=f"M{x0:.1f},{y0:.1f}Q{cx:.1f},{cy:.1f} {x1:.1f},{y1:.1f}",
        wide=round(1.2 + 4 * n / most, 1),
        x=round(0.36 * x0 + 0.48 * cx + 0.16 * x1, 1),
        y=round(0.36 * y0 + 0.48 * cy + 0.16 * y1, 1),
        words=told,
    )


def _rim(middle: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Where a line from the middle of a camera's box leaves it."""
    dx, dy = towards
    share = min(
        (_NODE_W / 2 + 4) / abs(dx) if dx else math.inf,
        (_NODE_H / 2 + 4) / abs(dy) if dy else math.inf,
        0.45,
    )
    return middle[0] + dx * share, middle[1] + dy * share


def _row(way: Way) -> Row:
    median, usual = way.quantile_s(0.5), way.usual_s
    return Row(
        start=way.pair[0],
        end=way.pair[1],
        n=len(way.gaps_s),
        share=way.share,
        median="–" if median is None else words(median),
        usual="–" if usual is None else range_words(*usual),
        stated="–" if way.stated_s is None else range_words(*way.stated_s),
        plot=None if median is None else draw_transit(way, max(median, 0.5)),
    )
