"""A car park: two rows of parked cars, a lane between them, a ticket hut and a footpath."""

from __future__ import annotations

import math

from simulator.optics.cameras import View
from simulator.optics.illumination import Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Mesh, Paint, Surface, ground
from simulator.world.places import SIZE_PX, Camera, CameraKind, Place, Route, build
from simulator.world.things import LEAVES, Thing, block, car, lamp, planter, tree, van
from streams.types import CameraId

_ASPHALT = Paint(surface=Surface.ASPHALT, colour=(0.13, 0.13, 0.14), infrared=0.2)
_PATH = Paint(surface=Surface.SLABS, colour=(0.4, 0.39, 0.36), infrared=0.3)
_GRASS = Paint(surface=Surface.GRASS, colour=(0.1, 0.18, 0.05), infrared=0.5)
_LINE = Paint(colour=(0.6, 0.6, 0.57), infrared=0.6)
_CONCRETE = Paint(surface=Surface.PLASTER, colour=(0.4, 0.4, 0.38), infrared=0.38)
_SHED = Paint(surface=Surface.RIBBED, colour=(0.34, 0.36, 0.4), infrared=0.35)
_HUT = Paint(surface=Surface.RIBBED, colour=(0.5, 0.4, 0.12), infrared=0.5)
_DOOR = Paint(colour=(0.08, 0.08, 0.09), infrared=0.12)
_NORTHWARD, _SOUTHWARD = math.pi / 2, -math.pi / 2


def carpark() -> Place:
    """Two cameras watch the lane from two sides, a third the footpath behind the wall."""
    return build(
        "carpark",
        grounds=[
            ground(_GRASS, x=(-45, 45), y=(-45, 45), z=-0.02),
            ground(_ASPHALT, x=(-22, 14.8), y=(-10, 10)),
            ground(_PATH, x=(14.8, 18.6), y=(-16, 22), z=0.002),
            *_lines(),
        ],
        things=_things(),
        plan=((-17, 22), (-12, 16)),
        cameras=_cameras(),
        doors={
            "ramp": (-19.5, -0.6),
            "shed": (-6.0, 11.6),
            "stairs": (11.6, -10.8),
            "footpath": (16.8, 18.5),
            "park": (16.8, -14.0),
        },
        ways=_ways(),
    )


def _lines() -> list[Mesh]:
    north = [ground(_LINE, x=(x, x + 0.1), y=(3.6, 8.6), z=0.004) for x in range(-10, 12, 3)]
    south = [ground(_LINE, x=(x, x + 0.1), y=(-8.6, -3.6), z=0.004) for x in range(-10, 12, 3)]
    return [*north, *south]


def _things() -> tuple[Thing, ...]:
    return (
        block("wall", (15.0, -3.0), (0.3, 19.0, 2.6), _CONCRETE),
        block("wall", (15.0, 11.6), (0.3, 4.8, 2.6), _CONCRETE),
        block("house", (-4.0, 13.0), (22.0, 5.0, 6.0), _SHED),
        block("house", (8.5, -13.0), (13.0, 5.0, 7.0), _CONCRETE),
        block("house", (-18.0, -10.5), (6.0, 13.0, 6.0), _SHED),
        block("house", (-18.5, 8.5), (5.0, 14.0, 6.0), _SHED),
        block("door", (-6.0, 10.47), (1.4, 0.1, 2.2), _DOOR),
        block("door", (11.6, -10.47), (1.4, 0.1, 2.2), _DOOR),
        block("hut", (11.4, 1.6), (2.2, 2.0, 2.6), _HUT),
        car((-8.4, 6.0), _NORTHWARD, (0.3, 0.03, 0.03)),
        car((-5.4, 6.2), _SOUTHWARD, (0.5, 0.5, 0.5), infrared=0.55),
        van((0.6, 6.1), _NORTHWARD, (0.62, 0.62, 0.6)),
        car((6.6, 6.0), _SOUTHWARD, (0.06, 0.1, 0.22), infrared=0.15),
        car((-5.4, -6.0), _NORTHWARD, (0.05, 0.05, 0.055), infrared=0.1),
        car((0.6, -6.2), _SOUTHWARD, (0.1, 0.22, 0.12)),
        car((3.6, -6.0), _NORTHWARD, (0.55, 0.5, 0.4), infrared=0.6),
        van((-8.4, -6.2), _NORTHWARD, (0.12, 0.2, 0.4), infrared=0.3),
        lamp((-4.6, 3.2)),
        lamp((9.4, -3.4)),
        lamp((18.95, 1.6)),
        tree((20.6, 3.0), 2.2),
        tree((20.8, 12.0), 2.4),
        planter((18.9, 7.0), (3.0, 0.7, 0.5), _CONCRETE, turned_rad=_NORTHWARD),
        block("hedge", (20.6, -6.0), (1.0, 10.0, 1.5), LEAVES),
    )


def _cameras() -> tuple[Camera, ...]:
    return (
        Camera(
            name=CameraId("carpark-lane"),
            view=View(
                eye=(-14.6, 3.4, 3.8), target=(-6.0, -0.8, 0.9), field_deg=58, size_px=SIZE_PX
            ),
            visible=VisibleSensor(exposure=0.44, saturation=0.75, noise=0.01),
            infrared=InfraredSensor(gain=0.75, noise=0.012),
            lamp=Illuminator(power=150, ambient=0.02),
        ),
        Camera(
            name=CameraId("carpark-hut"),
            view=View(eye=(9.6, 2.9, 3.6), target=(2.0, -1.4, 0.8), field_deg=62, size_px=SIZE_PX),
            visible=VisibleSensor(
                exposure=0.48, balance=(0.94, 1.0, 1.08), saturation=0.7, noise=0.013
            ),
            infrared=InfraredSensor(gain=0.7, noise=0.014, blur_px=0.6),
            lamp=Illuminator(power=120, ambient=0.02),
        ),
        Camera(
            name=CameraId("carpark-path"),
            view=View(
                eye=(18.4, -7.4, 3.0), target=(16.9, -0.4, 0.8), field_deg=56, size_px=SIZE_PX
            ),
            kind=CameraKind.COLOUR,
            visible=VisibleSensor(
                exposure=0.46, balance=(1.05, 1.0, 0.93), saturation=0.85, noise=0.01
            ),
        ),
        Camera(
            name=CameraId("carpark-hut-thermal"),
            view=View(eye=(9.6, 3.1, 3.6), target=(2.0, -1.4, 0.8), field_deg=56, size_px=SIZE_PX),
            kind=CameraKind.THERMAL,
        ),
    )


def _ways() -> tuple[Route, ...]:
    return (
        Route(
            start="ramp",
            end="footpath",
            through=(
                (-13.0, -0.4),
                (-5.0, 0.6),
                (4.0, 1.2),
                (8.4, 2.5),
                (9.4, 4.8),
                (13.4, 7.8),
                (16.4, 8.2),
                (16.8, 13.0),
            ),
        ),
        Route(
            start="ramp",
            end="stairs",
            through=((-13.0, -1.0), (-5.0, -1.4), (3.0, -1.6), (8.6, -4.8), (11.6, -8.6)),
        ),
        Route(
            start="shed",
            end="stairs",
            through=(
                (-5.4, 9.5),
                (-3.1, 8.4),
                (-2.4, 6.0),
                (-1.2, 1.8),
                (4.0, -1.6),
                (9.0, -5.6),
                (11.6, -8.8),
            ),
        ),
        Route(
            start="shed",
            end="footpath",
            through=((-5.8, 9.4), (1.0, 9.4), (8.6, 9.0), (13.4, 8.0), (16.5, 8.4), (16.9, 13.0)),
        ),
        Route(
            start="ramp",
            end="park",
            through=(
                (-13.0, -0.6),
                (-4.0, -0.4),
                (5.0, 0.2),
                (9.2, 4.4),
                (13.6, 7.6),
                (16.4, 6.6),
                (16.8, -2.0),
            ),
        ),
        Route(
            start="footpath",
            end="park",
            through=((16.7, 12.0), (16.9, 4.0), (16.7, -4.0), (16.8, -9.0)),
        ),
        Route(
            start="shed",
            end="ramp",
            through=((-5.4, 9.5), (-3.1, 8.4), (-3.3, 2.8), (-7.0, 0.2), (-13.0, -0.2)),
        ),
        Route(
            start="stairs",
            end="park",
            through=(
                (11.4, -8.6),
                (12.4, -3.0),
                (13.4, 3.6),
                (13.8, 7.7),
                (16.6, 7.6),
                (16.8, -2.0),
            ),
        ),
    )
