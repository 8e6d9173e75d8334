"""Stiff things on a body: bags, brims, buns and ponytails, each moved by one bone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.figures.body import N_SKIN_VERTICES, BodyModel, Faces, Floats, RestShape
from simulator.figures.materials import Material
from simulator.figures.wardrobe import Carried, HairStyle, Headwear, Outfit
from simulator.world.meshes import sphere_points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thing:
    """One stiff mesh.

    Attributes:
        vertices: (N, 3) float32, at rest, in the person's own coordinates.
        faces: (F, 3) int32 into `vertices`.
        bone: Index of the bone that carries it.
    """

    vertices: Floats
    faces: Faces
    bone: int
    material: Material


def things(model: BodyModel, rest: RestShape, outfit: Outfit) -> list[Thing]:
    """Everything stiff that belongs to the outfit."""
    return [*_load(model, rest, outfit), *_on_head(model, rest, outfit)]


def _load(model: BodyModel, rest: RestShape, outfit: Outfit) -> Iterator[Thing]:
    """What is carried; sizes vary with the seed of the bag's cloth."""
    size = 0.8 + 0.45 * ((outfit.bag.seed * 7.3) % 1.0)
    body = rest.vertices[:N_SKIN_VERTICES]
    if outfit.carried is Carried.BACKPACK:
        spine = model.bone("spine01")
        z = rest.joints[spine, 2] - 0.03
        is_back = (np.abs(body[:, 2] - z) < 0.05) & (np.abs(body[:, 0]) < 0.1)
        half = np.array([0.15, 0.075, 0.21]) * size
        y = body[is_back, 1].max() + half[1] + outfit.top_thickness_m
        yield _box(model, "spine01", Material.BAG, half, (0, y, z))
    if outfit.carried is Carried.SHOULDER_BAG:
        z = rest.joints[model.bone("root"), 2] - 0.02
        is_hip = (np.abs(body[:, 2] - z) < 0.05) & (np.abs(body[:, 0]) < 0.3)
        half = np.array([0.055, 0.14, 0.11]) * size
        x = body[is_hip, 0].min() - half[0] - outfit.top_thickness_m
        yield _box(model, "root", Material.BAG, half, (x, 0.03, z))
    if outfit.carried in (Carried.HAND_BAG, Carried.CARRIER_BAG):
        is_carrier = outfit.carried is Carried.CARRIER_BAG
        half = np.array([0.05, 0.13, 0.16] if is_carrier else [0.06, 0.15, 0.10]) * size
        yield from _in_hand(model, rest, half)


def _in_hand(model: BodyModel, rest: RestShape, half: npt.NDArray[np.floating]) -> Iterator[Thing]:
    """A bag that hangs on from the right hand, along the arm's direction."""
    elbow, wrist = (rest.joints[model.bone(name)] for name in ("lowerarm01.R", "wrist.R"))
    down = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    ahead = np.array([0.0, 1.0, 0.0]) - down[1] * down
    ahead /= np.linalg.norm(ahead)
    axes = np.stack([np.cross(ahead, -down), ahead, -down])
    grip = wrist + 0.09 * down
    bag = _box(model, "lowerarm02.R", Material.BAG, half, (0, 0, 0))
    handle_m = 0.11
    placed = bag.vertices @ axes + grip + down * (half[2] + handle_m)
    yield Thing(
        vertices=placed.astype(np.float32), faces=bag.faces, bone=bag.bone, material=bag.material
    )
    for side in (-0.45, 0.45):
        strap = _box(
            model, "lowerarm02.R", Material.STRAP, np.array([0.006, 0.008, 0.07]), (0,) * 3
        )
        lean = strap.vertices + np.outer(0.07 - strap.vertices[:, 2], [0, side * half[1] / 0.07, 0])
        placed = lean @ axes + grip + down * handle_m / 2
        yield Thing(
            vertices=placed.astype(np.float32),
            faces=strap.faces,
            bone=strap.bone,
            material=strap.material,
        )


def _on_head(model: BodyModel, rest: RestShape, outfit: Outfit) -> Iterator[Thing]:
    body, average = rest.vertices[:N_SKIN_VERTICES], model.reference[:N_SKIN_VERTICES]
    is_crown = (average[:, 2] > 0.70) & (np.abs(average[:, 0]) < 0.12)
    crown = body[is_crown]
    low, high = crown.min(axis=0), crown.max(axis=0)
    middle, radius = (low + high) / 2, (high - low) / 2
    if outfit.headwear is Headwear.CAP:
        half = np.array([radius[0] * 0.85, 0.055, 0.008])
        front = (0, low[1] - 0.035, low[2] + 0.045)
        yield _box(model, "head", Material.BRIM, half, front, roundness=0.9)
    if outfit.headwear is Headwear.BRIMMED_HAT:
        half = np.array([radius[0] + 0.075, radius[1] + 0.075, 0.010])
        centre = (0, middle[1], low[2] + 0.035)
        yield _box(model, "head", Material.BRIM, half, centre, roundness=1.0)
        top = np.array([radius[0] + 0.012, radius[1] + 0.012, 0.075])
        yield _box(model, "head", Material.BRIM, top, (0, middle[1], high[2] - 0.02), roundness=0.7)
    if outfit.headwear in (Headwear.HOOD, Headwear.HEADSCARF):
        return
    if outfit.has_hood:
        half = np.array([0.115, 0.06, 0.07])
        neck = rest.joints[model.bone("neck01")]
        yield _box(
            model,
            "spine01",
            Material.HOOD,
            half,
            (0, neck[1] + 0.055, neck[2] + 0.01),
            roundness=0.9,
        )
    if outfit.hair_style is HairStyle.BUN and outfit.headwear is Headwear.NONE:
        at = (0.0, high[1] - 0.01, low[2] + 0.06)
        yield _box(model, "head", Material.LOCKS, np.full(3, 0.042), at, roundness=1.0)
    if outfit.hair_style is HairStyle.PONYTAIL:
        at = (0.0, high[1] + 0.015, low[2] - 0.07)
        half = np.array([0.03, 0.032, 0.12])
        yield _box(model, "head", Material.LOCKS, half, at, roundness=0.9)


def _box(
    model: BodyModel,
    bone: str,
    material: Material,
    half_m: npt.NDArray[np.floating],
    at: tuple[float, ...],
    *,
    roundness: float = 0.45,
) -> Thing:
    """A rounded box; roundness 1 is an ellipsoid, 0 has sharp edges."""
    ball, faces = sphere_points()
    box = np.sign(ball) * np.abs(ball) ** roundness
    box = box / np.abs(box).max(axis=0)
    return Thing(
        vertices=(box * half_m + np.array(at)).astype(np.float32),
        faces=faces,
        bone=model.bone(bone),
        material=material,
    )
