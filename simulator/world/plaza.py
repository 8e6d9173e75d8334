"""A town square: a kiosk, planters, a fountain and trees between houses, and a passage."""

from __future__ import annotations

from simulator.optics.cameras import View
from simulator.optics.illumination import Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Paint, Surface, ground
from simulator.world.places import SIZE_PX, Camera, CameraKind, Place, Route, build
from simulator.world.things import Thing, bench, block, column, lamp, planter, tree
from streams.types import CameraId

_SLABS = Paint(surface=Surface.SLABS, colour=(0.46, 0.44, 0.4), infrared=0.3)
_ASPHALT = Paint(surface=Surface.ASPHALT, colour=(0.14, 0.14, 0.15), infrared=0.2)
_PALE = Paint(surface=Surface.FACADE, colour=(0.6, 0.58, 0.52), infrared=0.4)
_BRICK = Paint(surface=Surface.BRICK, colour=(0.36, 0.19, 0.14), infrared=0.38)
_STONE = Paint(surface=Surface.PLASTER, colour=(0.42, 0.4, 0.38), infrared=0.4)
_WATER = Paint(colour=(0.12, 0.2, 0.24), infrared=0.05)
_GREEN = Paint(surface=Surface.RIBBED, colour=(0.08, 0.2, 0.14), infrared=0.3)
_POSTER = Paint(colour=(0.5, 0.42, 0.2), infrared=0.5)
_DOOR = Paint(colour=(0.1, 0.07, 0.05), infrared=0.2)


def plaza() -> Place:
    """Two cameras look across the square from two sides, a third watches the passage."""
    return build(
        "plaza",
        grounds=[
            ground(_ASPHALT, x=(-45, 45), y=(-45, 45), z=-0.02),
            ground(_SLABS, x=(-15, 18), y=(-13, 24)),
        ],
        things=_things(),
        plan=((-15, 17), (-14, 20)),
        cameras=_cameras(),
        doors={
            "passage": (-10.5, 18.6),
            "office": (3.0, 11.6),
            "street": (16.0, -2.0),
            "avenue": (1.0, -15.5),
            "shop": (-13.4, -2.5),
        },
        ways=_ways(),
    )


def _things() -> tuple[Thing, ...]:
    return (
        block("house", (4.5, 14.0), (27.0, 8.0, 10.0), _PALE),
        block("house", (-15.0, 2.0), (6.0, 36.0, 8.0), _BRICK),
        block("house", (20.0, 8.0), (6.0, 14.0, 9.0), _BRICK),
        block("house", (20.0, -13.0), (6.0, 15.0, 9.0), _PALE),
        block("house", (-9.5, 26.0), (9.0, 5.0, 8.0), _PALE),
        block("house", (-10.0, -20.0), (14.0, 6.0, 8.0), _BRICK),
        block("house", (9.0, -20.0), (10.0, 6.0, 9.0), _PALE),
        block("door", (3.0, 9.97), (1.6, 0.1, 2.3), _DOOR),
        block("door", (-11.97, -2.5), (0.1, 1.4, 2.2), _DOOR),
        block("kiosk", (5.2, 3.2), (2.6, 2.2, 2.7), _GREEN),
        column("pillar", (-3.6, -3.2), 0.6, 2.9, _POSTER),
        column("fountain", (-3.4, 3.4), 1.7, 0.5, _STONE),
        column("water", (-3.4, 3.4), 1.45, 0.53, _WATER),
        planter((1.2, 0.4), (2.4, 0.9, 0.6), _STONE),
        planter((9.4, -2.4), (2.4, 0.9, 0.6), _STONE, turned_rad=1.2),
        planter((-10.6, 5.4), (2.4, 0.9, 0.6), _STONE, turned_rad=0.3),
        tree((-7.6, 0.8), 2.0),
        tree((-4.4, 9.2), 1.2),
        tree((10.4, -9.6), 1.9),
        bench((-6.2, -6.4), 0.4),
        bench((1.0, 6.6), 0.0),
        lamp((3.6, -4.6)),
        lamp((-7.2, 9.6)),
    )


def _cameras() -> tuple[Camera, ...]:
    return (
        Camera(
            name=CameraId("plaza-south"),
            view=View(
                eye=(-0.5, -12.6, 3.3), target=(1.5, -3.4, 0.9), field_deg=62, size_px=SIZE_PX
            ),
            visible=VisibleSensor(exposure=0.42, saturation=0.8, noise=0.008),
            infrared=InfraredSensor(gain=0.7, noise=0.010),
            lamp=Illuminator(power=130, ambient=0.02),
        ),
        Camera(
            name=CameraId("plaza-east"),
            view=View(eye=(12.2, 7.6, 3.5), target=(4.4, -1.8, 0.9), field_deg=60, size_px=SIZE_PX),
            visible=VisibleSensor(
                exposure=0.46, balance=(1.06, 1.0, 0.92), saturation=0.7, noise=0.011
            ),
            infrared=InfraredSensor(gain=0.8, noise=0.013, blur_px=0.6),
            lamp=Illuminator(power=120, ambient=0.015),
        ),
        Camera(
            name=CameraId("plaza-passage"),
            view=View(
                eye=(-10.3, 19.4, 2.9), target=(-10.5, 14.4, 0.7), field_deg=64, size_px=SIZE_PX
            ),
            visible=VisibleSensor(
                exposure=0.5, balance=(0.95, 1.0, 1.06), saturation=0.75, noise=0.014
            ),
            infrared=InfraredSensor(gain=0.6, noise=0.012, vignette=0.5),
            lamp=Illuminator(power=80, ambient=0.03),
        ),
        Camera(
            name=CameraId("plaza-south-thermal"),
            view=View(
                eye=(-0.2, -12.6, 3.3), target=(1.5, -3.4, 0.9), field_deg=56, size_px=SIZE_PX
            ),
            kind=CameraKind.THERMAL,
        ),
    )


def _ways() -> tuple[Route, ...]:
    return (
        Route(
            start="avenue",
            end="passage",
            through=(
                (0.0, -9.0),
                (-1.4, -4.0),
                (-2.6, -1.0),
                (-5.6, 0.2),
                (-6.4, 4.6),
                (-10.4, 9.6),
                (-10.6, 14),
            ),
        ),
        Route(
            start="street",
            end="passage",
            through=(
                (10.0, 0.6),
                (4.0, -1.7),
                (0.2, -1.5),
                (-0.9, 0.8),
                (-0.8, 4.6),
                (-5.6, 7.4),
                (-10.5, 11),
            ),
        ),
        Route(
            start="avenue", end="office", through=((1.2, -9.0), (2.6, -3.4), (3.3, 0.8), (3.0, 7.0))
        ),
        Route(
            start="street",
            end="shop",
            through=((11.0, -4.6), (4.6, -6.6), (-3.0, -5.2), (-9.0, -3.0)),
        ),
        Route(
            start="shop",
            end="office",
            through=((-9.4, -2.4), (-3.6, -0.4), (-0.6, 2.0), (2.3, 4.4), (3.0, 8.2)),
        ),
        Route(start="street", end="avenue", through=((10.8, -5.0), (6.4, -5.4), (2.6, -8.4))),
        Route(
            start="office", end="street", through=((3.2, 8.0), (6.6, 6.2), (8.2, 3.4), (10.6, 0.4))
        ),
        Route(
            start="passage",
            end="office",
            through=((-10.4, 12.0), (-9.2, 8.4), (-4.0, 7.6), (2.6, 8.2)),
        ),
    )
