"""Garments cut out of the body's helper geometry, put on, and joined with the skin to one mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from simulator.figures.body import BodyModel, BodyPart, Faces, Floats, RestShape
from simulator.figures.materials import Material
from simulator.figures.things import Thing, things
from simulator.figures.wardrobe import HairStyle, Headwear, Outfit


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
    return _with_things(mesh, model, things(model, rest, outfit))


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
    if outfit.legwear is not None:
        pieces.append(_Piece(Material.LEGWEAR, tights[~is_arm & (z < 0.05)], 0.002))
    if outfit.has_coat:
        coat = _between(model, model.skirt, outfit.hem_m - 0.02, 0.12)
        pieces.append(_Piece(Material.TOP, coat, 0.014))
    torso = (z > max(outfit.hem_m, -0.10) - 0.05) & (z < 0.62)
    over_trousers_m = max(outfit.top_thickness_m, outfit.bottom_thickness_m + 0.005)
    pieces.append(_Piece(Material.TOP, tights[is_arm | torso], over_trousers_m))
    if outfit.vest is not None:
        vest = tights[~is_arm & (z > -0.08) & (z < 0.6)]
        pieces.append(_Piece(Material.VEST, vest, outfit.top_thickness_m + 0.012))
    shoes = tights[(z < outfit.shoe_top_m + 0.035) & ~is_arm]
    is_boot = outfit.shoe_top_m > _ANKLE_M
    thickness_m = outfit.bottom_thickness_m + 0.006 if is_boot else 0.012
    pieces.append(_Piece(Material.SHOES, shoes, thickness_m))
    return pieces + _head_pieces(model, outfit)


def _head_pieces(model: BodyModel, outfit: Outfit) -> list[_Piece]:
    centre = model.reference[model.body].mean(axis=1)
    near = np.abs(centre[:, 0]) < 0.12
    scalp = model.body[(centre[:, 2] > 0.60) & near]
    shell = model.hair[model.reference[model.hair][..., 2].mean(axis=1) > 0.47]
    if outfit.headwear is Headwear.HOOD:
        return [_Piece(Material.HOOD, shell, 0.02), _Piece(Material.HOOD, scalp, 0.022)]
    if outfit.headwear is Headwear.HEADSCARF:
        return [_Piece(Material.SCARF, shell, 0.008), _Piece(Material.SCARF, scalp, 0.014)]
    pieces = []
    if outfit.headwear is not Headwear.NONE:
        thickness_m = 0.022 if outfit.headwear is Headwear.BEANIE else 0.018
        pieces.append(_Piece(Material.CAP, scalp, thickness_m))
    if outfit.hair_style is HairStyle.BALD:
        return pieces
    thickness_m = _HAIR_THICKNESS_M[outfit.hair_style]
    if outfit.headwear is not Headwear.NONE:
        thickness_m = min(thickness_m, 0.01)
    pieces.append(_Piece(Material.HAIR, scalp, thickness_m))
    if outfit.hair_style in _LOCKS_END_M:
        lowest = _LOCKS_END_M[outfit.hair_style]
        hanging = model.hair[model.reference[model.hair][..., 2].mean(axis=1) > lowest]
        is_high = model.reference[hanging][..., 2].mean(axis=1) > 0.70
        hidden = outfit.headwear is not Headwear.NONE
        pieces.append(_Piece(Material.LOCKS, hanging[~is_high] if hidden else hanging, 0.0))
    return pieces


_ANKLE_M = -0.7
_LOCKS_END_M = {HairStyle.LONG: 0.42, HairStyle.BOB: 0.60}
_HAIR_THICKNESS_M = {
    HairStyle.CROPPED: 0.004,
    HairStyle.RECEDING: 0.006,
    HairStyle.SHORT: 0.014,
    HairStyle.CURLY: 0.038,
    HairStyle.BOB: 0.02,
    HairStyle.LONG: 0.02,
    HairStyle.PONYTAIL: 0.011,
    HairStyle.BUN: 0.011,
}


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


def _with_things(mesh: DressedMesh, model: BodyModel, carried: list[Thing]) -> DressedMesh:
    """The mesh with stiff things, each moved by one bone."""
    if not carried:
        return mesh
    starts = np.cumsum([len(mesh.rest), *(len(thing.vertices) for thing in carried)])
    bones = np.repeat([thing.bone for thing in carried], np.diff(starts))
    n = len(bones)
    moved = sparse.csr_matrix(
        (np.ones(n, np.float32), (np.arange(n), bones)), shape=(n, len(model.bones))
    )
    parts = np.zeros((n, len(BodyPart)), np.float32)
    parts[:, BodyPart.TORSO] = 1
    vertices = np.concatenate([thing.vertices for thing in carried])
    materials = np.repeat([thing.material for thing in carried], np.diff(starts))
    faces = [thing.faces + start for thing, start in zip(carried, starts[:-1], strict=True)]
    joined = np.concatenate([mesh.faces, *faces]).astype(np.int32)
    return DressedMesh(
        rest=np.concatenate([mesh.rest, vertices]),
        reference=np.concatenate([mesh.reference, vertices]),
        parts=np.concatenate([mesh.parts, parts]),
        materials=np.append(mesh.materials, materials).astype(np.int32),
        faces=joined,
        weights=sparse.vstack([mesh.weights, moved]).tocsr(),
        faces_of_vertex=_incidence(joined, len(mesh.rest) + n),
    )
