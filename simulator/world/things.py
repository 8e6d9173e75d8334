"""What stands in a place: each thing with its mesh and with its outline on the floor plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.figures.wardrobe import Colour
from simulator.world.meshes import Mesh, Paint, Surface, Vector, ball, box, merge, pole
from simulator.world.walks import Point

LEAVES = Paint(surface=Surface.FOLIAGE, colour=(0.09, 0.17, 0.05), infrared=0.6)
_BARK = Paint(colour=(0.15, 0.1, 0.07), infrared=0.3)
_WOOD = Paint(colour=(0.33, 0.2, 0.1), infrared=0.42)
_IRON = Paint(colour=(0.08, 0.08, 0.08), infrared=0.12)
_GLASS = Paint(colour=(0.04, 0.05, 0.06), infrared=0.08)
_RUBBER = Paint(colour=(0.02, 0.02, 0.02), infrared=0.08)
_STEEL = Paint(colour=(0.2, 0.21, 0.22), infrared=0.3)
_N_CORNERS = 12
LAMP = "lamp"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thing:
    """Something that people walk around and that may hide them.

    Attributes:
        kind: One word, as the floor plan says it.
        footprint: Corners of a convex outline on the ground (metres), in order.
        bottom_m, top_m: It hides what is between these heights.
    """

    kind: str
    mesh: Mesh
    footprint: tuple[Point, ...]
    bottom_m: float
    top_m: float


def block(
    kind: str,
    centre: Point,
    size: Vector,
    paint: Paint,
    *,
    turned_rad: float = 0.0,
    bottom_m: float = 0.0,
) -> Thing:
    """A box that stands on the ground, or `bottom_m` above it."""
    x, y = centre
    return Thing(
        kind=kind,
        mesh=box((x, y, bottom_m + size[2] / 2), size, paint, turned_rad=turned_rad),
        footprint=_rectangle(centre, size[0], size[1], turned_rad),
        bottom_m=bottom_m,
        top_m=bottom_m + size[2],
    )


def column(kind: str, centre: Point, radius_m: float, height_m: float, paint: Paint) -> Thing:
    """An upright cylinder."""
    return Thing(
        kind=kind,
        mesh=pole((*centre, 0.0), radius_m, height_m, paint),
        footprint=_circle(centre, radius_m),
        bottom_m=0.0,
        top_m=height_m,
    )


def tree(centre: Point, crown_m: float) -> Thing:
    """A trunk that hides a leg and a crown above people's heads."""
    x, y = centre
    crown = ball((x, y, 2.4 + crown_m), (crown_m, crown_m, crown_m), LEAVES, bumps=0.06)
    return Thing(
        kind="tree",
        mesh=merge([pole((x, y, 0), 0.17, 3.2, _BARK), crown]),
        footprint=_circle(centre, 0.17),
        bottom_m=0.0,
        top_m=3.2,
    )


def planter(centre: Point, size: Vector, paint: Paint, *, turned_rad: float = 0.0) -> Thing:
    """A stone box with a hedge as high again: hides people up to the chest."""
    x, y = centre
    width, depth, height = size
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    n = max(int(width / 0.6), 1)
    shifts = [(k + 0.5) * width / n - width / 2 for k in range(n)]
    meshes = [box((x, y, height / 2), size, paint, turned_rad=turned_rad)]
    meshes += [
        ball(
            (x + s * cos, y + s * sin, height + 0.15),
            (width / n * 0.62, depth * 0.5, 0.42),
            LEAVES,
            bumps=0.06,
        )
        for s in shifts
    ]
    return Thing(
        kind="planter",
        mesh=merge(meshes),
        footprint=_rectangle(centre, width, depth, turned_rad),
        bottom_m=0.0,
        top_m=height + 0.4,
    )


def bench(centre: Point, turned_rad: float) -> Thing:
    """A wooden seat on two iron legs."""
    x, y = centre
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    seat = box((x, y, 0.45), (1.7, 0.45, 0.07), _WOOD, turned_rad=turned_rad)
    legs = [
        box((x + d * cos, y + d * sin, 0.21), (0.08, 0.4, 0.42), _IRON, turned_rad=turned_rad)
        for d in (-0.7, 0.7)
    ]
    return Thing(
        kind="bench",
        mesh=merge([seat, *legs]),
        footprint=_rectangle(centre, 1.7, 0.45, turned_rad),
        bottom_m=0.0,
        top_m=0.48,
    )


def lamp(centre: Point, height_m: float = 4.6) -> Thing:
    """A thin mast with a head."""
    x, y = centre
    head = box((x, y, height_m), (0.5, 0.22, 0.12), _STEEL)
    return Thing(
        kind=LAMP,
        mesh=merge([pole((x, y, 0), 0.06, height_m, _STEEL), head]),
        footprint=_circle(centre, 0.06),
        bottom_m=0.0,
        top_m=height_m,
    )


def car(centre: Point, turned_rad: float, colour: Colour, *, infrared: float = 0.4) -> Thing:
    """A parked saloon: hides people up to the chest."""
    x, y = centre
    body = Paint(colour=colour, infrared=infrared)
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    back = (x - 0.2 * cos, y - 0.2 * sin)
    parts = [
        box((x, y, 0.62), (4.2, 1.75, 0.62), body, turned_rad=turned_rad),
        box((*back, 1.15), (2.3, 1.5, 0.5), _GLASS, turned_rad=turned_rad),
        box((*back, 1.43), (1.9, 1.4, 0.06), body, turned_rad=turned_rad),
    ]
    return Thing(
        kind="car",
        mesh=merge([*parts, *_wheels(centre, turned_rad, 1.3, 0.8)]),
        footprint=_rectangle(centre, 4.2, 1.75, turned_rad),
        bottom_m=0.0,
        top_m=1.3,
    )


def van(centre: Point, turned_rad: float, colour: Colour, *, infrared: float = 0.5) -> Thing:
    """A parked van: hides people whole."""
    x, y = centre
    body = Paint(colour=colour, infrared=infrared)
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    hood = box((x + 2.2 * cos, y + 2.2 * sin, 0.8), (0.9, 1.9, 0.9), body, turned_rad=turned_rad)
    pane = box(
        (x + 1.76 * cos, y + 1.76 * sin, 1.6), (0.1, 1.7, 0.6), _GLASS, turned_rad=turned_rad
    )
    hold = box((x - 0.4 * cos, y - 0.4 * sin, 1.3), (4.3, 2.0, 1.9), body, turned_rad=turned_rad)
    return Thing(
        kind="van",
        mesh=merge([hood, pane, hold, *_wheels(centre, turned_rad, 1.7, 0.95)]),
        footprint=_rectangle(centre, 5.2, 2.0, turned_rad),
        bottom_m=0.0,
        top_m=2.25,
    )


def _wheels(centre: Point, turned_rad: float, along_m: float, across_m: float) -> list[Mesh]:
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    return [
        ball(
            (
                centre[0] + along * cos - across * sin,
                centre[1] + along * sin + across * cos,
                0.32,
            ),
            (0.26, 0.26, 0.32),
            _RUBBER,
        )
        for along in (-along_m, along_m)
        for across in (-across_m, across_m)
    ]


def _rectangle(centre: Point, width: float, depth: float, turned_rad: float) -> tuple[Point, ...]:
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    signs: Sequence[Point] = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = [(a * width / 2, b * depth / 2) for a, b in signs]
    return tuple(
        (float(centre[0] + u * cos - v * sin), float(centre[1] + u * sin + v * cos))
        for u, v in corners
    )


def _circle(centre: Point, radius_m: float) -> tuple[Point, ...]:
    angles = 2 * np.pi * np.arange(_N_CORNERS) / _N_CORNERS
    return tuple(
        (float(centre[0] + radius_m * np.cos(a)), float(centre[1] + radius_m * np.sin(a)))
        for a in angles
    )
