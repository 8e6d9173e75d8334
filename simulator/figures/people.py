"""A dressed person: one mesh of skin, garments and hair that walks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.figures.body import BodyModel, Figure, Floats, skin
from simulator.figures.gait import Gait, WalkCycle, fit_walk_cycle, random_gait
from simulator.figures.garments import DressedMesh, Material, tailor, vertex_normals
from simulator.figures.wardrobe import Cloth, Outfit, random_outfit


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
        """The mesh at `phase` of the walk, standing at `xy_m`, facing `heading_rad` (0 is +x)."""
        local = skin(self.mesh.weights, self.cycle.at(phase), self.mesh.rest)
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
        age=rng.uniform(0.6, 0.95),
        muscle=rng.uniform(0.3, 0.75),
        weight=rng.beta(2, 2.2),
        height=float(np.clip(rng.normal(0.42 if feminine else 0.47, 0.07), 0.25, 0.65)),
        proportions=rng.uniform(0.2, 0.8),
        african=african,
        asian=asian,
        caucasian=caucasian,
    )
    return Looks(figure=figure, gait=random_gait(rng), outfit=random_outfit(rng, feminine=feminine))


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


def cloth_of(outfit: Outfit, material: Material) -> Cloth:
    """The cloth that a material of a person shows."""
    return {
        Material.SKIN: outfit.skin,
        Material.TOP: outfit.top,
        Material.BOTTOM: outfit.bottom,
        Material.SHOES: outfit.shoes,
        Material.HAIR: outfit.hair,
        Material.CAP: outfit.cap,
        Material.BAG: outfit.bag,
        Material.LOCKS: outfit.hair,
    }[material]
