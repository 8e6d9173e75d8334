"""Backgrounds for crops: a yard with walls and things, and painted ones that stand nowhere."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from simulator.world.meshes import Mesh, Paint, Surface, ball, box, ground, merge


def yard() -> Mesh:
    """A paved yard of some 20 m between four houses, with bushes, benches and parked boxes."""
    slabs = Paint(surface=Surface.SLABS, colour=(0.34, 0.33, 0.31), infrared=0.22)
    grass = Paint(surface=Surface.GRASS, colour=(0.10, 0.18, 0.05), infrared=0.5)
    leaves = Paint(surface=Surface.FOLIAGE, colour=(0.09, 0.17, 0.05), infrared=0.6)
    wood = Paint(colour=(0.35, 0.22, 0.1), infrared=0.4)
    brick = Paint(surface=Surface.BRICK, colour=(0.36, 0.19, 0.14), infrared=0.38)
    plaster = Paint(surface=Surface.FACADE, colour=(0.5, 0.46, 0.38), infrared=0.4)
    ribbed = Paint(surface=Surface.RIBBED, colour=(0.3, 0.34, 0.4), infrared=0.35)
    blue = Paint(colour=(0.1, 0.2, 0.4), infrared=0.45)
    bushes = ((-12, 10.6), (-5, 11.2), (1.5, 11), (7.5, 11.4), (12, 10), (-4, -11), (5, -10.5))
    return merge(
        [
            ground(slabs, x=(-45, 45), y=(-45, 45)),
            ground(grass, x=(-45, 45), y=(9.5, 13), z=0.01),
            box((-3, 16, 4), (30, 4, 8), brick),
            box((-16, 0, 3.5), (4, 26, 7), plaster),
            box((17, -2, 5), (4, 26, 10), ribbed),
            box((2, -16, 4), (28, 4, 8), brick),
            *(ball((x, y, 0.6), (1.1, 0.9, 0.9), leaves, bumps=0.06) for x, y in bushes),
            *(box((x, y, 0.45), (1.7, 0.45, 0.3), wood) for x, y in ((-6.5, 7.5), (7, -6.5))),
            box((8.5, 7.5, 0.8), (4.2, 1.8, 1.3), blue, turned_rad=0.1),
            box((-9.5, -6.5, 1.2), (2.4, 2.4, 2.4), ribbed, turned_rad=0.4),
        ]
    )


def paint_backdrop(size_px: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(H, W, 3) float32 linear light: two planes, some rectangles, stains, all out of focus."""
    width, height = size_px
    picture = np.empty((height, width, 3), np.float32)
    share = np.linspace(0, 1, height)[:, None, None]
    picture[:] = _tint(rng) * (1 - share) + _tint(rng) * share
    picture[int(rng.uniform(0.3, 0.85) * height) :] = _tint(rng) * rng.uniform(0.7, 1.3)
    for _ in range(rng.integers(0, 7)):
        x, y = int(rng.integers(-40, width)), int(rng.integers(-60, height))
        right, down = x + int(rng.integers(6, 110)), y + int(rng.integers(6, 200))
        picture[max(y, 0) : max(down, 0), max(x, 0) : max(right, 0)] = _tint(rng)
    for spacing_px, strength in ((10, 0.12), (40, 0.2)):
        coarse = (height // spacing_px + 2, width // spacing_px + 2)
        stains = rng.normal(0, strength, coarse).astype(np.float32)
        stains = cv2.resize(stains, (width, height), interpolation=cv2.INTER_CUBIC)
        picture *= 1 + stains[..., None]
    picture = np.clip(picture, 0.01, 1.2)
    blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.5))
    return np.asarray(blurred, dtype=np.float32)


def _tint(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return rng.uniform(0.08, 0.6) * (1 + rng.normal(0, 0.12, 3))
