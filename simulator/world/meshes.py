"""The things a place is built of: boxes, balls and poles, each with a surface the shader knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.figures.wardrobe import Colour

Vector = tuple[float, float, float]


class Surface(IntEnum):
    """How a thing is painted; the numbers are those of the shader."""

    PLAIN = 0
    SLABS = 1
    ASPHALT = 2
    BRICK = 3
    FACADE = 4
    FOLIAGE = 5
    GRASS = 6
    RIBBED = 7
    TILES = 8
    PLASTER = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """Surface, linear RGB reflectance and reflectance in near infrared, all in [0, 1]."""

    surface: Surface = Surface.PLAIN
    colour: Colour = (0.5, 0.5, 0.5)
    infrared: float = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Part of a place.

    Attributes:
        vertices: (V, 11) float32: position, normal, colour, infrared, surface.
        faces: (F, 3) int32.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """All of `meshes` (at least one) as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate(
            [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
        ).astype(np.int32),
    )


def box(centre: Vector, size: Vector, paint: Paint, *, turned_rad: float = 0.0) -> Mesh:
    """A box, turned about the vertical."""
    half = np.array(size) / 2
    cos, sin = np.cos(turned_rad), np.sin(turned_rad)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    positions: list[npt.NDArray[np.float64]] = []
    normals: list[npt.NDArray[np.float64]] = []
    faces: list[list[int]] = []
    for axis in range(3):
        across, along = (other for other in range(3) if other != axis)
        for side in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = side
            first = len(positions)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corner = normal.copy()
                corner[across], corner[along] = a, b
                positions.append(rotation @ (corner * half) + centre)
                normals.append(rotation @ normal)
            faces += [[first, first + 1, first + 2], [first, first + 2, first + 3]]
    return _painted(np.array(positions), np.array(normals), np.array(faces), paint)


def ground(paint: Paint, *, x: tuple[float, float], y: tuple[float, float], z: float = 0) -> Mesh:
    """A flat rectangle that looks up."""
    positions = np.array([[x[0], y[0], z], [x[1], y[0], z], [x[1], y[1], z], [x[0], y[1], z]])
    up = np.tile([0.0, 0, 1], (4, 1))
    return _painted(positions, up, np.array([[0, 1, 2], [0, 2, 3]]), paint)


def ball(centre: Vector, size: Vector, paint: Paint, *, bumps: float = 0.0) -> Mesh:
    """An ellipsoid of half axes `size`, with a bumpy surface for bushes and tree tops."""
    points, faces = sphere_points()
    wave = np.sin(points * 9 + np.array(centre)).sum(axis=1, keepdims=True)
    return _painted(points * (1 + bumps * wave) * size + centre, points, faces, paint)


def pole(foot: Vector, radius_m: float, height_m: float, paint: Paint) -> Mesh:
    """An upright cylinder with a lid."""
    n = 20
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(n)], axis=1)
    low = circle * radius_m + foot
    high = low + np.array([0, 0, height_m])
    up = np.tile([0.0, 0, 1], (n + 1, 1))
    lid = np.concatenate([high, [[foot[0], foot[1], foot[2] + height_m]]])
    i = np.arange(n)
    j = (i + 1) % n
    side = np.concatenate([np.stack([i, j, j + n], 1), np.stack([i, j + n, i + n], 1)])
    cover = np.stack([i, j, np.full(n, n)], 1) + 2 * n
    return _painted(
        np.concatenate([low, high, lid]),
        np.concatenate([circle, circle, up]),
        np.concatenate([side, cover]),
        paint,
    )


def sphere_points(
    n_around: int = 32, n_down: int = 16
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Points (V, 3) of the unit sphere and triangles (F, 3) between them."""
    down = np.linspace(0, np.pi, n_down + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, n_around + 1)[None]
    grid = [np.sin(down) * np.cos(around), np.sin(down) * np.sin(around)]
    points = np.stack([*grid, np.broadcast_to(np.cos(down), grid[0].shape)], axis=-1)
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return points.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32)


def _painted(
    positions: npt.NDArray[np.floating],
    normals: npt.NDArray[np.floating],
    faces: npt.NDArray[np.integer],
    paint: Paint,
) -> Mesh:
    look = [*paint.colour, paint.infrared, float(paint.surface)]
    vertices = np.hstack([positions, normals, np.tile(look, (len(positions), 1))])
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))
