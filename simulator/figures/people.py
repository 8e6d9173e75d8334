"""A dressed person: one mesh of skin, garments and hair that walks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.figures.body import BodyModel, Figure, Floats, skin
from simulator.figures.closet import random_outfit
from simulator.figures.gait import WalkCycle, fit_walk_cycle, random_gait
from simulator.figures.garments import DressedMesh, tailor, vertex_normals
from simulator.figures.joints import Arms, Gait
from simulator.figures.wardrobe import Carried, Outfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Who somebody is to a camera."""

    figure: Figure
    gait: Gait
    outfit: Outfit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posed:
    """A person's mesh at one moment, in world coordinates.

    Attributes:
        vertices, normals: (V, 3) float32.
    """

    vertices: Floats
    normals: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Person:
    """A dressed body.

    Attributes:
        identity: > 0, unique in a scene.
        height_m: Without shoes and hair.
        cycle: The walk, fitted to the body.
        mesh: Clothes on, at rest.
    """

    identity: int
    looks: Looks
    height_m: float
    cycle: WalkCycle
    mesh: DressedMesh

    @property
    def speed_mps(self) -> float:
        """The pace at which the feet do not slide."""
        return self.cycle.stride_m / self.looks.gait.cycle_s

    def pose(self, phase: float, xy_m: tuple[float, float], heading_rad: float) -> Posed:
        """The mesh at `phase` of the walk, at `xy_m`, going to `heading_rad` (0 is +x)."""
        return self._placed(self.cycle.at(phase), xy_m, heading_rad)

    def stand(self, xy_m: tuple[float, float], heading_rad: float) -> Posed:
        """The mesh of the person who stands still at `xy_m` and faces `heading_rad` (0 is +x)."""
        return self._placed(self.cycle.standing, xy_m, heading_rad)

    def _placed(self, transforms: Floats, xy_m: tuple[float, float], heading_rad: float) -> Posed:
        local = skin(self.mesh.weights, transforms, self.mesh.rest)
        turn = heading_rad + np.pi / 2
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], np.float32)
        vertices = local @ rotation.T + np.array([*xy_m, 0], np.float32)
        normals = vertex_normals(vertices, self.mesh.faces, self.mesh.faces_of_vertex)
        return Posed(vertices=vertices, normals=normals)


def random_looks(rng: np.random.Generator) -> Looks:
    """Somebody."""
    feminine = bool(rng.random() < 0.5)
    african, asian, caucasian = rng.dirichlet([0.5, 0.5, 0.5])
    figure = Figure(
        gender=rng.uniform(0.8, 1) if feminine else rng.uniform(0, 0.2),
        age=float(np.clip(0.6 + rng.gamma(1.6, 0.075), 0.6, 0.97)),
        muscle=rng.uniform(0.3, 0.75),
        weight=rng.beta(2, 2.2),
        height=float(np.clip(rng.normal(0.42 if feminine else 0.47, 0.07), 0.25, 0.65)),
        proportions=rng.uniform(0.2, 0.8),
        african=african,
        asian=asian,
        caucasian=caucasian,
    )
    outfit = random_outfit(rng, feminine=feminine)
    gait = random_gait(rng, age=figure.age)
    return Looks(figure=figure, gait=with_load(gait, outfit), outfit=outfit)


def with_load(gait: Gait, outfit: Outfit) -> Gait:
    """`gait` as the thing in hand allows: the right arm that carries hangs and swings little.

    Hands go to straps only where there is a backpack.
    """
    if outfit.carried in (Carried.HAND_BAG, Carried.CARRIER_BAG):
        gait = replace(gait, loaded=0.35)
    if gait.arms is Arms.STRAPS and outfit.carried is not Carried.BACKPACK:
        gait = replace(gait, arms=Arms.SWING)
    return gait


def dress(model: BodyModel, identity: int, looks: Looks) -> Person:
    """The person with `looks`, ready to walk."""
    rest = model.shape(looks.figure)
    return Person(
        identity=identity,
        looks=looks,
        height_m=rest.height_m,
        cycle=fit_walk_cycle(model, rest, looks.gait),
        mesh=tailor(model, rest, looks.outfit),
    )
