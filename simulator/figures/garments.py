"""Garments cut out of the body's helper geometry, put on, and joined with the skin to one mesh."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy import sparse

from simulator.figures.body import N_SKIN_VERTICES, BodyModel, BodyPart, Faces, Floats, RestShape
from simulator.figures.wardrobe import HairStyle, Outfit
from simulator.world.meshes import sphere_points


class Material(IntEnum):
    """What a vertex of a person is made of; the numbers are those of the shader."""

    SKIN = 0
    TOP = 1
    BOTTOM = 2
    SHOES = 3
    HAIR = 4
    CAP = 5
    BAG = 6
    LOCKS = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DressedMesh:
    """Skin, garments and hair of one person at rest.

    Attributes:
        rest: (V, 3) float32.
        reference: (V, 3) float32, the same vertices on the average adult.
        parts: (V, 6) float32, share of each `BodyPart`.
        materials: (V,) int32, of `Material`.
        faces: (F, 3) int32.
        weights: (V, B) sparse float32, which bones move a vertex.
        faces_of_vertex: (V, F) sparse float32, 1 where a vertex belongs to a face.
    """

    rest: Floats
    reference: Floats
    parts: Floats
    materials: npt.NDArray[np.int32]
    faces: Faces
    weights: sparse.csr_matrix
    faces_of_vertex: sparse.csr_matrix


def tailor(model: BodyModel, rest: RestShape, outfit: Outfit) -> DressedMesh:
    """The mesh of a body that wears `outfit`."""
    pieces = _pieces(model, outfit)
    indices, faces = _gather([piece.faces for piece in pieces])
    sizes = [len(np.unique(piece.faces)) for piece in pieces]
    thickness = np.repeat([piece.thickness_m for piece in pieces], sizes).astype(np.float32)
    vertices = rest.vertices[indices]
    faces_of_vertex = _incidence(faces, len(vertices))
    normals = vertex_normals(vertices, faces, faces_of_vertex)
    mesh = DressedMesh(
        rest=vertices + normals * thickness[:, None],
        reference=model.reference[indices],
        parts=model.parts[indices],
        materials=np.repeat([piece.material for piece in pieces], sizes).astype(np.int32),
        faces=faces,
        weights=model.weights[indices],
        faces_of_vertex=faces_of_vertex,
    )
    return _with_backpack(mesh, model, rest, outfit) if outfit.has_backpack else mesh


def vertex_normals(vertices: Floats, faces: Faces, faces_of_vertex: sparse.csr_matrix) -> Floats:
    """(V, 3) float32 unit normals, faces weighted by area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    summed = faces_of_vertex @ np.cross(b - a, c - a)
    unit = summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-9)
    return np.asarray(unit, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Piece:
    material: Material
    faces: Faces
    thickness_m: float


def _pieces(model: BodyModel, outfit: Outfit) -> list[_Piece]:
    """Cut the garments out of the helper geometry, roughly: the shader trims the edges."""
    pieces = [_Piece(Material.SKIN, model.body, 0.0)]
    tights = model.tights
    part = model.parts.argmax(axis=1)[tights[:, 0]]
    is_arm = np.isin(part, (BodyPart.ARM, BodyPart.HAND))
    z = model.reference[tights][..., 2].mean(axis=1)
    if outfit.skirt_end_m is not None:
        skirt = _between(model, model.skirt, outfit.skirt_end_m - 0.02, 0.16)
        pieces.append(_Piece(Material.BOTTOM, skirt, 0.004))
    else:
        legs = tights[~is_arm & (z < 0.16) & (z > outfit.trousers_end_m - 0.05)]
        pieces.append(_Piece(Material.BOTTOM, legs, outfit.bottom_thickness_m))
    if outfit.has_coat:
        coat = _between(model, model.skirt, outfit.hem_m - 0.02, 0.12)
        pieces.append(_Piece(Material.TOP, coat, 0.014))
    torso = is_arm | ((z > max(outfit.hem_m, -0.10) - 0.05) & (z < 0.62))
    pieces.append(_Piece(Material.TOP, tights[torso], outfit.top_thickness_m))
    pieces.append(_Piece(Material.SHOES, tights[(z < -0.70) & ~is_arm], 0.012))
    return pieces + _hair_pieces(model, outfit.hair_style)


def _hair_pieces(model: BodyModel, style: HairStyle) -> list[_Piece]:
    centre = model.reference[model.body].mean(axis=1)
    scalp = model.body[(centre[:, 2] > 0.60) & (np.abs(centre[:, 0]) < 0.12)]
    if style is HairStyle.CAP:
        return [_Piece(Material.CAP, scalp, 0.018)]
    if style is HairStyle.SHORT:
        return [_Piece(Material.HAIR, scalp, 0.012)]
    lowest = 0.42 if style is HairStyle.LONG else 0.62
    hanging = model.hair[model.reference[model.hair][..., 2].mean(axis=1) > lowest]
    return [_Piece(Material.HAIR, scalp, 0.02), _Piece(Material.LOCKS, hanging, 0.0)]


def _between(model: BodyModel, faces: Faces, low_m: float, high_m: float) -> Faces:
    z = model.reference[faces][..., 2]
    return np.asarray(faces[(z.max(axis=1) > low_m) & (z.min(axis=1) < high_m)])


def _gather(groups: list[Faces]) -> tuple[npt.NDArray[np.int64], Faces]:
    """Vertices used by each group one after another, and the faces renumbered to them."""
    indices: list[npt.NDArray[np.int64]] = []
    faces: list[Faces] = []
    n = 0
    for group in groups:
        used, own = np.unique(group, return_inverse=True)
        indices.append(used.astype(np.int64))
        faces.append((own.reshape(-1, 3) + n).astype(np.int32))
        n += len(used)
    return np.concatenate(indices), np.concatenate(faces)


def _incidence(faces: Faces, n_vertices: int) -> sparse.csr_matrix:
    n = len(faces)
    return sparse.csr_matrix(
        (np.ones(3 * n, np.float32), (faces.T.ravel(), np.tile(np.arange(n), 3))),
        shape=(n_vertices, n),
    )


def _with_backpack(
    mesh: DressedMesh, model: BodyModel, rest: RestShape, outfit: Outfit
) -> DressedMesh:
    """The mesh with a rounded box behind the shoulders, carried by the upper spine."""
    ball, faces = sphere_points()
    box = np.sign(ball) * np.abs(ball) ** 0.45
    box = box / np.abs(box).max(axis=0)
    spine = model.bone("spine01")
    z = rest.joints[spine, 2] - 0.03
    body = rest.vertices[:N_SKIN_VERTICES]
    is_back = (np.abs(body[:, 2] - z) < 0.05) & (np.abs(body[:, 0]) < 0.1)
    depth_m = 0.075
    y = body[is_back, 1].max() + depth_m + outfit.top_thickness_m
    vertices = (box * [0.15, depth_m, 0.21] + [0, y, z]).astype(np.float32)
    n = len(vertices)
    carried = sparse.csr_matrix(
        (np.ones(n, np.float32), (np.arange(n), np.full(n, spine))), shape=(n, len(model.bones))
    )
    torso = np.zeros((n, len(BodyPart)), np.float32)
    torso[:, BodyPart.TORSO] = 1
    joined = np.concatenate([mesh.faces, faces + len(mesh.rest)])
    return DressedMesh(
        rest=np.concatenate([mesh.rest, vertices]),
        reference=np.concatenate([mesh.reference, vertices]),
        parts=np.concatenate([mesh.parts, torso]),
        materials=np.append(mesh.materials, np.full(n, Material.BAG, np.int32)),
        faces=joined,
        weights=sparse.vstack([mesh.weights, carried]).tocsr(),
        faces_of_vertex=_incidence(joined, len(mesh.rest) + n),
    )
