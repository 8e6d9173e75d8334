"""The four places of the demo footage, each built around its one camera.

A camera stands above the origin and looks along +y; x is to its right.
"""

from __future__ import annotations

from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Paint, Surface, ball, ground, pole
from simulator.world.places import SIZE_PX, Camera, CameraKind, Place, build
from simulator.world.things import LEAVES, bench, block, car, column, lamp, planter, tree
from streams.types import CameraId

_PLAN = ((-14.0, 14.0), (-2.0, 26.0))
_GRASS = Paint(surface=Surface.GRASS, colour=(0.10, 0.18, 0.05), infrared=0.5)


def gate() -> Place:
    """An asphalt yard before a brick wall with an open gate, in the sun of the afternoon."""
    asphalt = Paint(surface=Surface.ASPHALT, colour=(0.13, 0.13, 0.14), infrared=0.2)
    brick = Paint(surface=Surface.BRICK, colour=(0.36, 0.17, 0.12), infrared=0.4)
    front = Paint(surface=Surface.FACADE, colour=(0.55, 0.48, 0.36))
    stone = Paint(surface=Surface.PLASTER, colour=(0.5, 0.47, 0.42))
    iron = Paint(colour=(0.03, 0.04, 0.04), infrared=0.1)
    line = Paint(colour=(0.6, 0.6, 0.57))
    things = [
        block("wall", (-7.5, 13.4), (11.6, 0.4, 2.5), brick),
        block("wall", (7.5, 13.4), (11.6, 0.4, 2.5), brick),
        block("house", (0, 32), (40, 4, 9), front),
        tree((-9.5, 16.5), 2.3),
        tree((11.5, 18.0), 2.8),
        car((7.0, 11.0), 1.45, (0.09, 0.16, 0.3)),
    ]
    for side in (-1, 1):
        things.append(block("post", (side * 1.85, 13.4), (0.6, 0.6, 3.2), stone))
        things.append(block("post", (side * 1.85, 13.4), (0.75, 0.75, 0.16), stone, bottom_m=3.2))
        things += [
            block("gate", (side * 1.6, 14.4), (0.03, 1.5, 0.05), iron, bottom_m=z)
            for z in (0.175, 1.975)
        ]
    bars = [
        pole((side * 1.6, 13.7 + 0.2 * k, 0.05), 0.018, 2.1, iron)
        for side in (-1, 1)
        for k in range(8)
    ]
    return build(
        "gate",
        grounds=[
            ground(_GRASS, x=(-45, 45), y=(-20, 80), z=-0.02),
            ground(asphalt, x=(-7.2, 9), y=(-5, 26)),
            ground(line, x=(-6.6, -6.5), y=(2, 13), z=0.006),
            ground(line, x=(4.6, 4.7), y=(8, 13), z=0.006),
            ball((-8.6, 10.5, 0.5), (1.2, 1.4, 0.9), LEAVES, bumps=0.05),
            ball((-8.9, 7.6, 0.4), (1.1, 1.3, 0.8), LEAVES, bumps=0.05),
            *bars,
        ],
        things=things,
        plan=_PLAN,
        cameras=[
            Camera(
                name=CameraId("gate"),
                view=View(eye=(0, 0, 2.8), target=(0, 8, 0.95), field_deg=58, size_px=SIZE_PX),
                kind=CameraKind.COLOUR,
                daylight=Daylight(sun_from=(-0.75, -0.45, 0.7), sun=(2.0, 1.72, 1.35)),
                visible=VisibleSensor(exposure=0.62, balance=(1.04, 1.0, 0.94)),
            )
        ],
    )


def plaza() -> Place:
    """A light stone square with benches, planters and a pale office front, under a thin haze."""
    slabs = Paint(surface=Surface.SLABS, colour=(0.48, 0.46, 0.42), infrared=0.3)
    front = Paint(surface=Surface.FACADE, colour=(0.62, 0.64, 0.66))
    brick = Paint(surface=Surface.BRICK, colour=(0.4, 0.33, 0.25))
    stone = Paint(surface=Surface.PLASTER, colour=(0.42, 0.4, 0.38))
    water = Paint(colour=(0.12, 0.2, 0.24))
    return build(
        "plaza",
        grounds=[ground(slabs, x=(-40, 40), y=(-20, 60))],
        things=[
            block("house", (-6, 22), (26, 4, 12), front),
            block("house", (18, 27), (14, 8, 10), brick),
            column("fountain", (-4.6, 14.0), 2.0, 0.5, stone),
            column("water", (-4.6, 14.0), 1.75, 0.52, water),
            column("fountain", (-4.6, 14.0), 0.22, 1.4, stone),
            lamp((7.8, 15.5), 5.0),
            lamp((-9.5, 17.0), 5.0),
            tree((9.8, 19.5), 2.4),
            planter((1.5, 15.6), (2.2, 0.9, 0.7), stone),
            planter((4.8, 15.6), (2.2, 0.9, 0.7), stone),
            bench((-6.0, 10.4), 0.5),
            bench((6.6, 11.6), -0.4),
        ],
        plan=_PLAN,
        cameras=[
            Camera(
                name=CameraId("plaza"),
                view=View(eye=(0, 0, 3.1), target=(0.4, 8, 0.95), field_deg=60, size_px=SIZE_PX),
                kind=CameraKind.COLOUR,
                daylight=Daylight(
                    sun_from=(0.7, 0.25, 0.9),
                    sun=(1.25, 1.2, 1.1),
                    sky=(0.78, 0.82, 0.92),
                    bounce=(0.42, 0.41, 0.38),
                    background=(0.95, 1.0, 1.08),
                ),
                visible=VisibleSensor(
                    exposure=0.46, balance=(0.95, 1.0, 1.06), saturation=0.75, noise=0.009
                ),
            )
        ],
    )


def dock() -> Place:
    """A loading dock: roller doors, a container and pallets, lit by the camera's lamp."""
    concrete = Paint(surface=Surface.ASPHALT, colour=(0.3, 0.3, 0.29), infrared=0.22)
    wall = Paint(surface=Surface.RIBBED, colour=(0.4, 0.42, 0.45), infrared=0.32)
    door = Paint(surface=Surface.RIBBED, colour=(0.6, 0.6, 0.6), infrared=0.5)
    frame = Paint(colour=(0.7, 0.6, 0.1), infrared=0.62)
    rust = Paint(surface=Surface.RIBBED, colour=(0.3, 0.12, 0.08), infrared=0.3)
    wood = Paint(colour=(0.4, 0.3, 0.18), infrared=0.5)
    things = [
        block("wall", (0, 15.2), (44, 0.6, 6), wall),
        block("container", (-7.2, 11.5), (2.4, 6.0, 2.6), rust),
        block("crate", (6.9, 9.9), (1.0, 1.0, 0.9), wood, turned_rad=0.4),
    ]
    for x in (-2.9, 2.9):
        things.append(block("door", (x, 14.85), (3.2, 0.12, 3.2), door))
        things += [block("door", (x + dx, 14.8), (0.15, 0.25, 3.25), frame) for dx in (-1.7, 1.7)]
    things += [
        block("pallet", (7.4, 12.4), (1.2, 1.1, 0.13), wood, turned_rad=0.1, bottom_m=0.2 * k)
        for k in range(7)
    ]
    return build(
        "dock",
        grounds=[
            ground(concrete, x=(-40, 40), y=(-20, 40)),
            ground(frame, x=(-5.6, -5.45), y=(3, 14.8), z=0.006),
            ground(frame, x=(5.45, 5.6), y=(3, 14.8), z=0.006),
        ],
        things=things,
        plan=_PLAN,
        cameras=[
            Camera(
                name=CameraId("dock"),
                view=View(eye=(0, 0, 2.9), target=(-0.3, 8, 0.95), field_deg=58, size_px=SIZE_PX),
                lamp=Illuminator(power=120, ambient=0.02),
                infrared=InfraredSensor(gain=0.75, noise=0.012, vignette=0.4),
            )
        ],
    )


def corridor() -> Place:
    """A wide indoor passage with a crossing at its far end, lights off."""
    floor = Paint(surface=Surface.TILES, colour=(0.5, 0.5, 0.48), infrared=0.3)
    wall = Paint(surface=Surface.PLASTER, colour=(0.7, 0.7, 0.68), infrared=0.5)
    roof = Paint(colour=(0.8, 0.8, 0.8), infrared=0.5)
    door = Paint(colour=(0.3, 0.2, 0.12), infrared=0.35)
    sign = Paint(colour=(0.05, 0.4, 0.15), infrared=0.75)
    bin_ = Paint(infrared=0.25)
    things = [
        block("roof", (0, 5), (32, 26, 0.3), roof, bottom_m=3.0),
        block("wall", (0, 12.0), (32, 0.3, 3), wall),
        block("door", (0.9, 11.8), (1.0, 0.12, 2.1), door),
        block("sign", (0.9, 11.8), (0.7, 0.1, 0.22), sign, bottom_m=2.24),
        block("bin", (2.5, 5.7), (0.5, 0.9, 0.9), bin_),
    ]
    for side in (-1, 1):
        things.append(block("wall", (side * 9.4, 0.6), (13.2, 15.4, 3), wall))
        things += [block("door", (side * 2.8, y), (0.06, 1.0, 2.1), door) for y in (4.4, 7.0)]
    return build(
        "corridor",
        grounds=[ground(floor, x=(-16, 16), y=(-6, 12.5))],
        things=things,
        plan=_PLAN,
        cameras=[
            Camera(
                name=CameraId("corridor"),
                view=View(eye=(0, 0, 2.6), target=(0, 8, 0.75), field_deg=60, size_px=SIZE_PX),
                lamp=Illuminator(power=95, ambient=0.03),
                infrared=InfraredSensor(gain=0.6, noise=0.016, vignette=0.6, blur_px=0.6),
            )
        ],
        is_indoor=True,
    )
