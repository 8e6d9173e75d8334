"""The four places of the demo footage, each built around its camera.

A camera stands above the origin and looks along +y; x is to its right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Mesh, Paint, Surface, ball, box, ground, merge, pole
from streams.types import CameraId, Modality

SIZE_PX = (640, 360)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A camera with what it sees, the light there and its sensor.

    `light` and `sensor` are of the same modality.
    """

    camera: CameraId
    mesh: Mesh
    view: View
    light: Daylight | Illuminator
    sensor: VisibleSensor | InfraredSensor

    @property
    def modality(self) -> Modality:
        """The light that this camera works in."""
        is_visible = isinstance(self.sensor, VisibleSensor)
        return Modality.VISIBLE if is_visible else Modality.INFRARED


def gate() -> Place:
    """An asphalt yard before a brick wall with an open gate, in the sun of the afternoon."""
    asphalt = Paint(surface=Surface.ASPHALT, colour=(0.13, 0.13, 0.14), infrared=0.2)
    brick = Paint(surface=Surface.BRICK, colour=(0.36, 0.17, 0.12), infrared=0.4)
    stone = Paint(surface=Surface.PLASTER, colour=(0.5, 0.47, 0.42))
    iron = Paint(colour=(0.03, 0.04, 0.04), infrared=0.1)
    line = Paint(colour=(0.6, 0.6, 0.57))
    meshes = [
        ground(_GRASS, x=(-45, 45), y=(-20, 80), z=-0.02),
        ground(asphalt, x=(-7.2, 9), y=(-5, 26)),
        ground(line, x=(-6.6, -6.5), y=(2, 13), z=0.006),
        ground(line, x=(4.6, 4.7), y=(8, 13), z=0.006),
        box((-7.5, 13.4, 1.25), (11.6, 0.4, 2.5), brick),
        box((7.5, 13.4, 1.25), (11.6, 0.4, 2.5), brick),
        box((0, 32, 4.5), (40, 4, 9), Paint(surface=Surface.FACADE, colour=(0.55, 0.48, 0.36))),
        *_tree(-9.5, 16.5, 2.3),
        *_tree(11.5, 18.0, 2.8),
        *_car(7.0, 11.0, 1.45, (0.09, 0.16, 0.3)),
        ball((-8.6, 10.5, 0.5), (1.2, 1.4, 0.9), _LEAVES, bumps=0.05),
        ball((-8.9, 7.6, 0.4), (1.1, 1.3, 0.8), _LEAVES, bumps=0.05),
    ]
    for side in (-1, 1):
        meshes.append(box((side * 1.85, 13.4, 1.6), (0.6, 0.6, 3.2), stone))
        meshes.append(box((side * 1.85, 13.4, 3.28), (0.75, 0.75, 0.16), stone))
        meshes += [pole((side * 1.6, 13.7 + 0.2 * k, 0.05), 0.018, 2.1, iron) for k in range(8)]
        meshes += [box((side * 1.6, 14.4, z), (0.03, 1.5, 0.05), iron) for z in (0.2, 2.0)]
    return Place(
        camera=CameraId("gate"),
        mesh=merge(meshes),
        view=View(eye=(0, 0, 2.8), target=(0, 8, 0.95), field_deg=58, size_px=SIZE_PX),
        light=Daylight(sun_from=(-0.75, -0.45, 0.7), sun=(2.0, 1.72, 1.35)),
        sensor=VisibleSensor(exposure=0.62, balance=(1.04, 1.0, 0.94)),
    )


def plaza() -> Place:
    """A light stone square with benches, planters and a pale office front, under a thin haze."""
    slabs = Paint(surface=Surface.SLABS, colour=(0.48, 0.46, 0.42), infrared=0.3)
    front = Paint(surface=Surface.FACADE, colour=(0.62, 0.64, 0.66))
    stone = Paint(surface=Surface.PLASTER, colour=(0.42, 0.4, 0.38))
    steel = Paint(colour=(0.2, 0.21, 0.22))
    water = Paint(colour=(0.12, 0.2, 0.24))
    meshes = [
        ground(slabs, x=(-40, 40), y=(-20, 60)),
        box((-6, 22, 6), (26, 4, 12), front),
        box((18, 27, 5), (14, 8, 10), Paint(surface=Surface.BRICK, colour=(0.4, 0.33, 0.25))),
        pole((-4.6, 14.0, 0), 2.0, 0.5, stone),
        pole((-4.6, 14.0, 0.5), 1.75, 0.02, water),
        pole((-4.6, 14.0, 0.5), 0.22, 0.9, stone),
        pole((7.8, 15.5, 0), 0.07, 5.0, steel),
        pole((-9.5, 17.0, 0), 0.07, 5.0, steel),
        *_tree(9.8, 19.5, 2.4),
    ]
    for x, y in ((1.5, 15.6), (4.8, 15.6)):
        meshes.append(box((x, y, 0.35), (2.2, 0.9, 0.7), stone))
        meshes += [
            ball((x + dx, y, 0.85), (0.5, 0.45, 0.4), _LEAVES, bumps=0.06)
            for dx in (-0.6, 0.0, 0.6)
        ]
    meshes += [*_bench(-6.0, 10.4, 0.5), *_bench(6.6, 11.6, -0.4)]
    return Place(
        camera=CameraId("plaza"),
        mesh=merge(meshes),
        view=View(eye=(0, 0, 3.1), target=(0.4, 8, 0.95), field_deg=60, size_px=SIZE_PX),
        light=Daylight(
            sun_from=(0.7, 0.25, 0.9),
            sun=(1.25, 1.2, 1.1),
            sky=(0.78, 0.82, 0.92),
            bounce=(0.42, 0.41, 0.38),
            background=(0.95, 1.0, 1.08),
        ),
        sensor=VisibleSensor(
            exposure=0.46, balance=(0.95, 1.0, 1.06), saturation=0.75, noise=0.009
        ),
    )


def dock() -> Place:
    """A loading dock: roller doors, a container and pallets, lit by the camera's lamp."""
    concrete = Paint(surface=Surface.ASPHALT, colour=(0.3, 0.3, 0.29), infrared=0.22)
    wall = Paint(surface=Surface.RIBBED, colour=(0.4, 0.42, 0.45), infrared=0.32)
    door = Paint(surface=Surface.RIBBED, colour=(0.6, 0.6, 0.6), infrared=0.5)
    frame = Paint(colour=(0.7, 0.6, 0.1), infrared=0.62)
    rust = Paint(surface=Surface.RIBBED, colour=(0.3, 0.12, 0.08), infrared=0.3)
    wood = Paint(colour=(0.4, 0.3, 0.18), infrared=0.5)
    meshes = [
        ground(concrete, x=(-40, 40), y=(-20, 40)),
        box((0, 15.2, 3), (44, 0.6, 6), wall),
        box((-7.2, 11.5, 1.3), (2.4, 6.0, 2.6), rust),
        ground(frame, x=(-5.6, -5.45), y=(3, 14.8), z=0.006),
        ground(frame, x=(5.45, 5.6), y=(3, 14.8), z=0.006),
    ]
    for x in (-2.9, 2.9):
        meshes.append(box((x, 14.85, 1.6), (3.2, 0.12, 3.2), door))
        meshes += [box((x + dx, 14.8, 1.6), (0.15, 0.25, 3.3), frame) for dx in (-1.7, 1.7)]
    for k in range(7):
        meshes.append(box((7.4, 12.4, 0.1 + 0.2 * k), (1.2, 1.1, 0.13), wood, turned_rad=0.1))
    meshes.append(box((6.9, 9.9, 0.45), (1.0, 1.0, 0.9), wood, turned_rad=0.4))
    return Place(
        camera=CameraId("dock"),
        mesh=merge(meshes),
        view=View(eye=(0, 0, 2.9), target=(-0.3, 8, 0.95), field_deg=58, size_px=SIZE_PX),
        light=Illuminator(power=120, ambient=0.02),
        sensor=InfraredSensor(gain=0.75, noise=0.012, vignette=0.4),
    )


def corridor() -> Place:
    """A wide indoor passage with a crossing at its far end, lights off."""
    floor = Paint(surface=Surface.TILES, colour=(0.5, 0.5, 0.48), infrared=0.3)
    wall = Paint(surface=Surface.PLASTER, colour=(0.7, 0.7, 0.68), infrared=0.5)
    roof = Paint(colour=(0.8, 0.8, 0.8), infrared=0.5)
    door = Paint(colour=(0.3, 0.2, 0.12), infrared=0.35)
    sign = Paint(colour=(0.05, 0.4, 0.15), infrared=0.75)
    meshes = [
        ground(floor, x=(-16, 16), y=(-6, 12.5)),
        box((0, 5, 3.15), (32, 26, 0.3), roof),
        box((0, 12.0, 1.5), (32, 0.3, 3), wall),
        box((0.9, 11.8, 1.05), (1.0, 0.12, 2.1), door),
        box((0.9, 11.8, 2.35), (0.7, 0.1, 0.22), sign),
    ]
    for side in (-1, 1):
        meshes.append(box((side * 9.4, 0.6, 1.5), (13.2, 15.4, 3), wall))
        meshes += [box((side * 2.8, y, 1.05), (0.06, 1.0, 2.1), door) for y in (4.4, 7.0)]
    meshes.append(box((2.5, 5.7, 0.45), (0.5, 0.9, 0.9), Paint(infrared=0.25)))
    return Place(
        camera=CameraId("corridor"),
        mesh=merge(meshes),
        view=View(eye=(0, 0, 2.6), target=(0, 8, 0.75), field_deg=60, size_px=SIZE_PX),
        light=Illuminator(power=95, ambient=0.03),
        sensor=InfraredSensor(gain=0.6, noise=0.016, vignette=0.6, blur_px=0.6),
    )


_GRASS = Paint(surface=Surface.GRASS, colour=(0.10, 0.18, 0.05), infrared=0.5)
_LEAVES = Paint(surface=Surface.FOLIAGE, colour=(0.09, 0.17, 0.05), infrared=0.6)
_BARK = Paint(colour=(0.15, 0.1, 0.07), infrared=0.3)


def _tree(x: float, y: float, radius_m: float) -> list[Mesh]:
    crown = ball((x, y, 2.2 + radius_m), (radius_m, radius_m, radius_m), _LEAVES, bumps=0.06)
    return [pole((x, y, 0), 0.16, 3.0, _BARK), crown]


def _bench(x: float, y: float, turned_rad: float) -> list[Mesh]:
    wood, iron = Paint(colour=(0.33, 0.2, 0.1)), Paint(colour=(0.08, 0.08, 0.08))
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    seat = box((x, y, 0.45), (1.7, 0.45, 0.07), wood, turned_rad=turned_rad)
    legs = [
        box((x + d * cos, y + d * sin, 0.21), (0.08, 0.4, 0.42), iron, turned_rad=turned_rad)
        for d in (-0.7, 0.7)
    ]
    return [seat, *legs]


def _car(x: float, y: float, turned_rad: float, colour: tuple[float, float, float]) -> list[Mesh]:
    body, glass = Paint(colour=colour, infrared=0.4), Paint(colour=(0.04, 0.05, 0.06))
    rubber = Paint(colour=(0.02, 0.02, 0.02), infrared=0.08)
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    parts = [
        box((x, y, 0.62), (4.2, 1.75, 0.62), body, turned_rad=turned_rad),
        box((x - 0.2 * cos, y - 0.2 * sin, 1.15), (2.3, 1.5, 0.5), glass, turned_rad=turned_rad),
        box((x - 0.2 * cos, y - 0.2 * sin, 1.43), (1.9, 1.4, 0.06), body, turned_rad=turned_rad),
    ]
    for along in (-1.3, 1.3):
        for across in (-0.8, 0.8):
            wheel_x = x + along * cos - across * sin
            wheel_y = y + along * sin + across * cos
            parts.append(ball((wheel_x, wheel_y, 0.32), (0.2, 0.33, 0.32), rubber))
    return parts
