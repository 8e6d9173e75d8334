"""A drawing of the topology: cameras with arrows, and a small histogram for every way.

Hand-written SVG in dark ink on white, with shapes rather than colours to tell things apart: it can
be read in print.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from pipeline.linking.topology import EDGES_S, FIRST_APART, Topology, Way, range_words, words
from streams.types import CameraId

_WIDTH = 960
_COLUMNS, _PANEL_H, _GAP = 3, 150, 20
_MOST_PANELS = 60
_NODE_H = 34
_TAG_AT = 0.36
"""Where on an arrow its words stand: before the middle, where arrows cross."""
_INK, _SOFT, _FAINT, _BAR, _LINE = "#1c1e21", "#5c636b", "#d9dde1", "#8fa3b5", "#33597a"
_TICKS = ((2, "2 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (36000, "10 h"))
_STYLE = (
    f"text{{font-family:'DejaVu Sans',Verdana,sans-serif;fill:{_INK}}}"
    f".soft{{fill:{_SOFT};font-size:10px}}.name{{font-size:13px;font-weight:bold}}"
    ".n{font-size:11px;font-weight:bold}.title{font-size:18px;font-weight:bold}"
)

Point = tuple[float, float]


def draw(topology: Topology, *, title: str) -> str:
    """The SVG document; most travelled ways first, at most 60 of them with a histogram."""
    ways = sorted(topology.ways.values(), key=lambda way: (-len(way.gaps_s), way.pair))
    cameras = sorted({camera for way in ways for camera in way.pair} | set(topology.arrivals_per_h))
    panels = [way for way in ways if len(way.gaps_s)][:_MOST_PANELS]
    graph_h = _graph_height(len(cameras))
    n_rows = math.ceil(len(panels) / _COLUMNS)
    height = 70 + graph_h + n_rows * (_PANEL_H + _GAP) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}">',
        f"<title>{escape(title)}: ways between cameras</title><style>{_STYLE}</style>",
        _ARROW,
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="24" y="34" class="title">{escape(title)}: ways between cameras</text>',
        f'<text x="24" y="54" class="soft">{_summary(ways)}</text>',
        *_graph(topology, cameras, ways, top=70, height=graph_h),
    ]
    top = 70 + graph_h + 10
    wide = (_WIDTH - 48 - (_COLUMNS - 1) * _GAP) / _COLUMNS
    for number, way in enumerate(panels):
        left = 24 + (number % _COLUMNS) * (wide + _GAP)
        parts += _panel(way, left, top + (number // _COLUMNS) * (_PANEL_H + _GAP), wide)
    return "\n".join([*parts, "</svg>"]) + "\n"


_ARROW = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
    f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 Z" fill="{_LINE}"/>'
    "</marker></defs>"
)


def _summary(ways: Sequence[Way]) -> str:
    n_links = sum(len(way.gaps_s) for way in ways)
    shown = f"; the {_MOST_PANELS} most travelled in detail" if len(ways) > _MOST_PANELS else ""
    return (
        f"{n_links} sure transits on {len(ways)} ways{shown}. Arrows: transits and median time. "
        "Histograms: time from the end of one view to the beginning of the next."
    )


def _graph_height(n_cameras: int) -> int:
    return 120 if n_cameras < 2 else min(230 + 40 * n_cameras, 700)


def _graph(
    topology: Topology,
    cameras: Sequence[CameraId],
    ways: Sequence[Way],
    *,
    top: float,
    height: float,
) -> Iterator[str]:
    """Cameras on an ellipse by name; ways bend a little, so that the two directions part."""
    middle = (_WIDTH / 2, top + height / 2)
    places: dict[CameraId, Point] = {}
    for number, camera in enumerate(cameras):
        angle = 2 * math.pi * number / len(cameras) - math.pi / 2
        radius = (0, 0) if len(cameras) == 1 else (_WIDTH / 2 - 150, height / 2 - 50)
        places[camera] = (
            middle[0] + radius[0] * math.cos(angle),
            middle[1] + radius[1] * math.sin(angle),
        )
    most = max((len(way.gaps_s) for way in ways), default=1)
    arrows = [
        _arrow(way, places[way.pair[0]], places[way.pair[1]], most)
        for way in ways
        if way.pair[0] != way.pair[1]
    ]
    yield from (line for line, _ in arrows)
    yield from (tag for _, tag in arrows)
    again = {way.pair[0]: len(way.gaps_s) for way in ways if way.pair[0] == way.pair[1]}
    for camera, (x, y) in places.items():
        wide = _node_width(camera)
        per_h = topology.arrivals_per_h.get(camera, 0.0)
        back = f", {again[camera]} came back" if again.get(camera) else ""
        yield (
            f'<rect x="{x - wide / 2:.1f}" y="{y - _NODE_H / 2:.1f}" width="{wide:.1f}" '
            f'height="{_NODE_H}" rx="7" fill="white" stroke="{_INK}" stroke-width="1.4"/>'
            f'<text x="{x:.1f}" y="{y - 1:.1f}" text-anchor="middle" class="name">'
            f"{escape(camera)}</text>"
            f'<text x="{x:.1f}" y="{y + 12:.1f}" text-anchor="middle" class="soft">'
            f"{per_h:.3g} an hour{back}</text>"
        )


def _node_width(camera: str) -> float:
    return max(9.2 * len(camera) + 20, 150)


def _arrow(way: Way, start: Point, end: Point, most: int) -> tuple[str, str]:
    """A slightly bent line from border to border, and its words, nearer to where it begins."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    bend = min(0.16 * length, 44)
    control = (
        (start[0] + end[0]) / 2 - dy / length * bend,
        (start[1] + end[1]) / 2 + dx / length * bend,
    )
    a = _border(start, control, way.pair[0])
    b = _border(end, control, way.pair[1])
    n = len(way.gaps_s)
    stroke = 1 + 4 * math.sqrt(n / most) if n else 1
    dashes = "" if n else ' stroke-dasharray="5 4"'
    early, t, late = (1 - _TAG_AT) ** 2, 2 * _TAG_AT * (1 - _TAG_AT), _TAG_AT**2
    x, y = (early * a[k] + t * control[k] + late * b[k] for k in (0, 1))
    label = _arrow_words(way)
    wide = 6.9 * len(label) + 6
    line = (
        f'<path d="M{a[0]:.1f},{a[1]:.1f} Q{control[0]:.1f},{control[1]:.1f} '
        f'{b[0]:.1f},{b[1]:.1f}" fill="none" stroke="{_LINE}" stroke-width="{stroke:.1f}"'
        f'{dashes} marker-end="url(#tip)"/>'
    )
    tag = (
        f'<rect x="{x - wide / 2:.1f}" y="{y - 8:.1f}" width="{wide:.1f}" height="16" rx="4" '
        f'fill="white" fill-opacity="0.92"/><text x="{x:.1f}" y="{y + 4:.1f}" '
        f'text-anchor="middle" class="n">{label}</text>'
    )
    return line, tag


def _arrow_words(way: Way) -> str:
    median_s = way.quantile_s(0.5)
    if median_s is None:
        return f"stated {range_words(*way.stated_s)}" if way.stated_s else "stated"
    return f"{len(way.gaps_s)} · {'both at once' if median_s < 0 else words(median_s)}"


def _border(of: Point, towards: Point, camera: str) -> Point:
    """Where the line to `towards` leaves the camera's box, with a little air."""
    dx, dy = towards[0] - of[0], towards[1] - of[1]
    half_w, half_h = _node_width(camera) / 2 + 4, _NODE_H / 2 + 4
    scale = min(half_w / abs(dx) if dx else math.inf, half_h / abs(dy) if dy else math.inf)
    return of[0] + dx * scale, of[1] + dy * scale


def _panel(way: Way, left: float, top: float, wide: float) -> Iterator[str]:
    """Histogram of one way; hatched: the views overlapped; the bracket: 5 to 95 %."""
    base, high = top + _PANEL_H - 22, _PANEL_H - 72
    yield (
        f'<text x="{left:.1f}" y="{top + 14:.1f}" class="name">{escape(way.pair[0])} → '
        f"{escape(way.pair[1])}</text>"
        f'<text x="{left:.1f}" y="{top + 28:.1f}" class="soft">{_panel_words(way)}</text>'
    )
    start = left + 26  # what is left of it is for overlaps
    last = _last_cell(way)
    step = (left + wide - start) / (last - FIRST_APART + 1)

    def x_of(gap_s: float) -> float:
        cell = FIRST_APART + np.interp(
            gap_s, EDGES_S[FIRST_APART:-1], np.arange(len(EDGES_S) - 1 - FIRST_APART)
        )
        return float(min(start + (cell - FIRST_APART) * step, left + wide))

    counts, _ = np.histogram(way.gaps_s, EDGES_S)
    n_overlapping = int(counts[:FIRST_APART].sum())
    most = max(int(counts.max(initial=0)), n_overlapping, 1)
    yield f'<path d="M{left:.1f},{base:.1f} H{left + wide:.1f}" stroke="{_INK}" fill="none"/>'
    if n_overlapping:
        tall = high * n_overlapping / most
        yield (
            f'<rect x="{left:.1f}" y="{base - tall:.1f}" width="20" height="{tall:.1f}" '
            f'fill="white" stroke="{_INK}" stroke-dasharray="2 2"/>'
            f'<text x="{left:.1f}" y="{base + 14:.1f}" class="soft">both</text>'
        )
    for cell in range(FIRST_APART, last + 1):
        if counts[cell]:
            tall = high * counts[cell] / most
            yield (
                f'<rect x="{start + (cell - FIRST_APART) * step + 0.5:.1f}" '
                f'y="{base - tall:.1f}" width="{step - 1:.1f}" height="{tall:.1f}" '
                f'fill="{_BAR}"/>'
            )
    for tick_s, name in _TICKS:
        if tick_s <= EDGES_S[last]:
            x = x_of(tick_s)
            yield (
                f'<path d="M{x:.1f},{base:.1f} v4" stroke="{_INK}"/><text x="{x:.1f}" '
                f'y="{base + 15:.1f}" text-anchor="middle" class="soft">{name}</text>'
            )
    for bracket_s, y, dashes in (
        (_learned_range(way), base - high - 12, ""),
        (way.stated_s, base - high - 6, ' stroke-dasharray="4 3"'),
    ):
        if bracket_s is not None:
            low, top_end = x_of(bracket_s[0]), x_of(bracket_s[1])
            yield (
                f'<path d="M{low:.1f},{y + 4:.1f} V{y:.1f} H{top_end:.1f} v4" fill="none" '
                f'stroke="{_LINE}" stroke-width="1.5"{dashes}/>'
            )


def _learned_range(way: Way) -> tuple[float, float] | None:
    low_s, high_s = way.quantile_s(0.05), way.quantile_s(0.95)
    if low_s is None or high_s is None or high_s < 0:
        return None
    return max(low_s, 0.0), high_s


def _last_cell(way: Way) -> int:
    """The axis ends soon after the longest gap, but not before 100 s."""
    longest_s = max([*way.gaps_s[-1:], *(way.stated_s or ()), 100.0])
    return int(min(np.searchsorted(EDGES_S, longest_s), len(EDGES_S) - 2))


def _panel_words(way: Way) -> str:
    stated = "" if way.stated_s is None else f"stated {range_words(*way.stated_s)}"
    found = _learned_range(way)
    time = "both at once" if found is None else range_words(*found)
    facts = [f"n = {len(way.gaps_s)}", f"{way.share:.0%} of departures", time]
    return ", ".join([*facts, *([stated] if stated else [])])
