"""How a person walks: the cycle of joint angles, fitted to a body and the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.figures.body import (
    N_SKIN_VERTICES,
    BodyModel,
    BodyPart,
    Floats,
    RestShape,
    bone_transforms,
    skin,
)
from simulator.figures.joints import (
    Arms,
    Gait,
    about_x,
    about_y,
    about_z,
    closed_hand,
    joint_rotations,
    turned_by,
)

N_PHASES = 32
_SOLE_M = 0.018
_DOUBLE_SUPPORT = 0.13
_BOTH_DOWN_M = 0.012
_KNEE_STEP_DEG = 3.0
_MAX_KNEE_STEPS = 14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WalkCycle:
    """A gait on a body, feet on the ground in every phase.

    Attributes:
        transforms: (N_PHASES, B, 3, 4) float32.
        stride_m: Way per cycle at which the standing foot does not slide.
        standing: (B, 3, 4) float32, both feet down, weight on one leg.
    """

    transforms: Floats
    stride_m: float
    standing: Floats

    def at(self, phase: float) -> Floats:
        """(B, 3, 4) float32 transforms at `phase` (cycles; the whole part is ignored)."""
        position = (phase % 1.0) * N_PHASES
        before = int(position) % N_PHASES
        share = position - int(position)
        after = (before + 1) % N_PHASES
        mixed = (1 - share) * self.transforms[before] + share * self.transforms[after]
        return np.asarray(mixed, dtype=np.float32)


def random_gait(rng: np.random.Generator, *, age: float = 0.67) -> Gait:
    """Somebody's gait: strollers, walkers and hurriers; the old (age near 1) bow and go slower."""
    hurry = float(np.clip(rng.normal(0, 1) - 3.5 * max(age - 0.75, 0), -2, 2))
    arms = Arms(str(rng.choice(list(_ARMS), p=list(_ARMS.values()))))
    return Gait(
        stride=float(np.clip(0.92 + 0.10 * hurry + rng.normal(0, 0.06), 0.55, 1.2)),
        knee=rng.uniform(0.85, 1.12),
        arm_swing=float(np.clip(0.85 + 0.2 * hurry + rng.normal(0, 0.3), 0.15, 1.7)),
        legs_apart_deg=rng.uniform(0.5, 5.5),
        arms_apart_deg=rng.uniform(2, 13),
        arm_forward_deg=rng.uniform(-5, 9),
        elbow_deg=rng.uniform(0, 22) + 6 * max(hurry, 0),
        lean_deg=rng.uniform(-2, 5) + 1.5 * max(hurry, 0),
        head_yaw_deg=rng.normal(0, 10),
        head_pitch_deg=rng.uniform(-4, 14) + (16 if arms is Arms.PHONE else 0),
        cycle_s=float(np.clip(1.12 - 0.06 * hurry + rng.normal(0, 0.04), 0.92, 1.4)),
        toes_out_deg=rng.normal(5, 5),
        sway_deg=rng.uniform(0.8, 4.5),
        twist=rng.uniform(0.3, 1.9),
        bow_deg=float(max(rng.normal(2, 4) + 45 * max(age - 0.78, 0), 0)),
        limp=float(rng.normal(0, 0.04)),
        arms=arms,
    )


def fit_walk_cycle(model: BodyModel, rest: RestShape, gait: Gait) -> WalkCycle:
    """The cycle of `gait` on this body."""
    limbs = _Limbs(model, rest)
    poses = [_planted_pose(model, rest, gait, limbs, k / N_PHASES) for k in range(N_PHASES)]
    forward_m = [float(limbs.vertices(pose, "L")[:, 1].mean()) for pose in poses]
    return WalkCycle(
        transforms=np.stack(poses),
        stride_m=2 * (max(forward_m) - min(forward_m)),
        standing=_standing_pose(model, rest, gait, limbs),
    )


class _Limbs:
    """The soles of one body, to find the ground under them, and its half closed hands."""

    def __init__(self, model: BodyModel, rest: RestShape) -> None:
        is_foot = model.parts.argmax(axis=1) == BodyPart.FOOT
        is_foot[N_SKIN_VERTICES:] = False
        is_left = model.reference[:, 0] > 0
        rows = {"L": np.flatnonzero(is_foot & is_left), "R": np.flatnonzero(is_foot & ~is_left)}
        self._weights = {side: model.weights[rows[side]] for side in rows}
        self._rest = {side: rest.vertices[rows[side]] for side in rows}
        self.hands = closed_hand(model, rest, "L") | closed_hand(model, rest, "R")

    def vertices(self, pose: Floats, side: str) -> Floats:
        return skin(self._weights[side], pose, self._rest[side])

    def lowest_m(self, pose: Floats, side: str) -> float:
        return float(self.vertices(pose, side)[:, 2].min())


def _planted_pose(
    model: BodyModel, rest: RestShape, gait: Gait, limbs: _Limbs, phase: float
) -> Floats:
    """(B, 3, 4) transforms at `phase`, moved up or down until the lower foot stands."""
    rotations = joint_rotations(model, rest, gait, phase) | limbs.hands
    pose = bone_transforms(model, rest.joints, rotations)
    trailing = _trailing_side(phase)
    if trailing is not None:
        leading = "L" if trailing == "R" else "R"
        for _ in range(_MAX_KNEE_STEPS):
            if limbs.lowest_m(pose, leading) - limbs.lowest_m(pose, trailing) < _BOTH_DOWN_M:
                break
            knee, ankle = f"lowerleg01.{trailing}", f"foot.{trailing}"
            rotations[knee] = rotations[knee] @ about_x(_KNEE_STEP_DEG)
            rotations[ankle] = rotations[ankle] @ about_x(-_KNEE_STEP_DEG / 2)
            pose = bone_transforms(model, rest.joints, rotations)
    pose[:, 2, 3] -= min(limbs.lowest_m(pose, "L"), limbs.lowest_m(pose, "R")) - _SOLE_M
    return pose


def _trailing_side(phase: float) -> str | None:
    """The leg behind while both feet are down; its knee bends until they both touch."""
    if phase < _DOUBLE_SUPPORT:
        return "R"
    if 0.5 <= phase < 0.5 + _DOUBLE_SUPPORT:
        return "L"
    return None


def _standing_pose(model: BodyModel, rest: RestShape, gait: Gait, limbs: _Limbs) -> Floats:
    """(B, 3, 4) transforms of the person at rest, the hips over one leg."""
    still = replace(gait, arm_swing=0.12, twist=0.0, limp=0.0, lean_deg=gait.lean_deg / 2)
    rotations = joint_rotations(model, rest, still, 0.25) | limbs.hands
    for side, sign in (("L", 1), ("R", -1)):
        apart_deg = sign * (gait.legs_apart_deg + 1.5)
        hip, knee = (4.0, 3.0) if side == "L" else (12.0, 14.0)
        turned = about_z(sign * (gait.toes_out_deg + 4))
        rotations[f"upperleg01.{side}"] = turned_by(turned, about_y(apart_deg), about_x(-hip))
        rotations[f"lowerleg01.{side}"] = about_x(knee)
        rotations[f"foot.{side}"] = about_x(hip - knee)
    pose = bone_transforms(model, rest.joints, rotations)
    pose[:, 2, 3] -= min(limbs.lowest_m(pose, "L"), limbs.lowest_m(pose, "R")) - _SOLE_M
    return pose


_ARMS = {Arms.SWING: 0.72, Arms.POCKETS: 0.14, Arms.PHONE: 0.09, Arms.STRAPS: 0.05}
