"""Indoors: an entrance hall with pillars and a desk, and a corridor round a corner."""

from __future__ import annotations

from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Paint, Surface, ground
from simulator.world.places import SIZE_PX, Camera, CameraKind, Place, Route, build
from simulator.world.things import Thing, bench, block, planter
from streams.types import CameraId

_TILES = Paint(surface=Surface.TILES, colour=(0.46, 0.45, 0.42), infrared=0.3)
_CARPET = Paint(colour=(0.16, 0.2, 0.26), infrared=0.34)
_WALL = Paint(surface=Surface.PLASTER, colour=(0.66, 0.64, 0.6), infrared=0.5)
_ACCENT = Paint(surface=Surface.PLASTER, colour=(0.3, 0.4, 0.42), infrared=0.42)
_WOOD = Paint(colour=(0.32, 0.2, 0.1), infrared=0.45)
_STONE = Paint(surface=Surface.PLASTER, colour=(0.4, 0.39, 0.37), infrared=0.36)
_DOOR = Paint(colour=(0.12, 0.13, 0.14), infrared=0.12)
_STEEL = Paint(surface=Surface.RIBBED, colour=(0.4, 0.41, 0.42), infrared=0.4)
_HIGH_M = 4.4
"""Higher than any camera looks, so that nobody misses the ceiling that would hold off light."""
_LAMPS = Daylight(
    sun_from=(0.05, 0.12, 1.0),
    sun=(0.75, 0.72, 0.66),
    sky=(0.62, 0.6, 0.56),
    bounce=(0.5, 0.48, 0.44),
    background=(0.5, 0.5, 0.5),
)


def lobby() -> Place:
    """Two cameras in the hall see each other's ground, one watches the far end of the corridor."""
    return build(
        "lobby",
        grounds=[
            ground(_TILES, x=(-9, 9), y=(-3, 15)),
            ground(_CARPET, x=(7.1, 19), y=(-1, 19), z=0.005),
        ],
        things=_things(),
        plan=((-8, 18.5), (-2, 18)),
        cameras=_cameras(),
        doors={
            "entrance": (0.6, -1.4),
            "lift": (-2.6, 13.2),
            "stairs": (4.6, 13.2),
            "offices": (15.6, 18.4),
            "archive": (18.2, 5.6),
        },
        ways=_ways(),
        is_indoor=True,
    )


def _things() -> tuple[Thing, ...]:
    return (
        block("wall", (0.0, -0.2), (14.8, 0.4, _HIGH_M), _WALL),
        block("wall", (-7.2, 6.0), (0.4, 12.8, _HIGH_M), _ACCENT),
        block("wall", (0.0, 12.2), (14.8, 0.4, _HIGH_M), _WALL),
        block("wall", (7.2, 2.0), (0.4, 4.0, _HIGH_M), _WALL),
        block("wall", (7.2, 9.5), (0.4, 5.0, _HIGH_M), _WALL),
        block("wall", (10.6, 7.2), (6.4, 0.4, _HIGH_M), _WALL),
        block("wall", (12.2, 3.8), (9.6, 0.4, _HIGH_M), _WALL),
        block("wall", (13.8, 12.2), (0.4, 10.4, _HIGH_M), _ACCENT),
        block("wall", (17.2, 10.6), (0.4, 13.6, _HIGH_M), _WALL),
        block("wall", (15.5, 17.4), (3.8, 0.4, _HIGH_M), _WALL),
        block("door", (0.6, 0.03), (2.2, 0.08, 2.4), _DOOR),
        block("door", (-2.6, 11.97), (1.3, 0.08, 2.2), _STEEL),
        block("door", (4.6, 11.97), (1.1, 0.08, 2.1), _WOOD),
        block("door", (15.6, 17.17), (1.1, 0.08, 2.1), _WOOD),
        block("door", (16.97, 5.6), (0.08, 1.1, 2.1), _WOOD),
        block("pillar", (-2.6, 4.4), (0.6, 0.6, _HIGH_M), _STONE),
        block("pillar", (3.0, 4.4), (0.6, 0.6, _HIGH_M), _STONE),
        block("pillar", (-2.6, 8.6), (0.6, 0.6, _HIGH_M), _STONE),
        block("pillar", (3.0, 8.6), (0.6, 0.6, _HIGH_M), _STONE),
        block("desk", (-5.2, 6.4), (0.8, 3.0, 1.1), _WOOD),
        planter((6.2, 9.8), (1.2, 0.6, 0.6), _STONE),
        planter((-5.4, 1.2), (1.8, 0.6, 0.6), _STONE),
        bench((5.9, 1.9), 1.57),
        block("cupboard", (14.3, 12.6), (0.5, 1.4, 1.5), _STEEL),
    )


def _cameras() -> tuple[Camera, ...]:
    return (
        Camera(
            name=CameraId("lobby-entrance"),
            view=View(eye=(4.6, 0.4, 2.9), target=(0.2, 6.0, 0.8), field_deg=66, size_px=SIZE_PX),
            daylight=_LAMPS,
            visible=VisibleSensor(
                exposure=0.62, balance=(1.08, 1.0, 0.88), saturation=0.8, noise=0.012
            ),
            infrared=InfraredSensor(gain=0.6, noise=0.012, vignette=0.5),
            lamp=Illuminator(power=85, ambient=0.03),
        ),
        Camera(
            name=CameraId("lobby-desk"),
            view=View(
                eye=(-6.6, 11.4, 2.9), target=(-1.4, 5.0, 0.8), field_deg=60, size_px=SIZE_PX
            ),
            daylight=_LAMPS,
            visible=VisibleSensor(exposure=0.58, saturation=0.7, noise=0.009),
            infrared=InfraredSensor(gain=0.65, noise=0.014, vignette=0.45),
            lamp=Illuminator(power=85, ambient=0.03),
        ),
        Camera(
            name=CameraId("lobby-corridor"),
            view=View(
                eye=(15.5, 16.9, 2.7), target=(15.4, 10.8, 0.75), field_deg=62, size_px=SIZE_PX
            ),
            daylight=_LAMPS,
            visible=VisibleSensor(
                exposure=0.66, balance=(1.0, 1.04, 0.95), saturation=0.75, noise=0.016
            ),
            infrared=InfraredSensor(gain=0.55, noise=0.016, vignette=0.6, blur_px=0.6),
            lamp=Illuminator(power=70, ambient=0.04),
        ),
        Camera(
            name=CameraId("lobby-desk-thermal"),
            view=View(
                eye=(-6.4, 11.5, 2.9), target=(-1.4, 5.0, 0.8), field_deg=56, size_px=SIZE_PX
            ),
            kind=CameraKind.THERMAL,
        ),
    )


def _ways() -> tuple[Route, ...]:
    return (
        Route(
            start="entrance",
            end="lift",
            through=((0.6, 1.2), (0.2, 4.6), (-0.4, 8.4), (-2.4, 10.6)),
        ),
        Route(
            start="entrance",
            end="stairs",
            through=((0.8, 1.2), (0.8, 5.4), (1.2, 9.2), (4.4, 10.9)),
        ),
        Route(
            start="entrance",
            end="offices",
            through=((1.2, 1.4), (4.8, 3.8), (7.4, 5.6), (13.0, 5.5), (15.6, 7.6), (15.8, 15.8)),
        ),
        Route(
            start="lift",
            end="offices",
            through=(
                (-2.2, 10.6),
                (0.4, 7.6),
                (5.2, 6.2),
                (9.0, 5.4),
                (14.0, 5.6),
                (15.7, 8.6),
                (15.6, 15.6),
            ),
        ),
        Route(
            start="stairs",
            end="lift",
            through=((4.0, 10.6), (1.8, 10.0), (0.4, 7.6), (-1.2, 9.6), (-2.6, 10.8)),
        ),
        Route(
            start="stairs",
            end="offices",
            through=((4.4, 10.8), (4.4, 7.8), (6.2, 5.8), (12.0, 5.4), (15.4, 7.4), (15.5, 15.6)),
        ),
        Route(
            start="archive",
            end="offices",
            through=((16.0, 5.6), (15.4, 8.0), (15.8, 12.0), (15.6, 15.8)),
        ),
        Route(
            start="entrance",
            end="archive",
            through=((1.4, 1.6), (4.8, 3.6), (8.0, 5.4), (15.4, 5.6)),
        ),
    )
