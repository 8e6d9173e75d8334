"""How a person walks: joint angles over one cycle, fitted to a body and the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from simulator.figures.body import (
    N_SKIN_VERTICES,
    BodyModel,
    BodyPart,
    Floats,
    RestShape,
    bone_transforms,
    skin,
)

N_PHASES = 32
_SOLE_M = 0.018
_ARMS_DOWN_DEG = 38.0
_DOUBLE_SUPPORT = 0.13
_BOTH_DOWN_M = 0.012
_KNEE_STEP_DEG = 3.0
_MAX_KNEE_STEPS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Gait:
    """One person's habits of walking; factors are relative to the average adult.

    Attributes:
        stride, knee, arm_swing: Factors of amplitude.
        legs_apart_deg, arms_apart_deg, elbow_deg, lean_deg: Postures kept all the way.
        head_yaw_deg, head_pitch_deg: Where the person looks (pitch > 0 is down).
        cycle_s: Seconds per full cycle (two steps).
    """

    stride: float = 0.92
    knee: float = 1.0
    arm_swing: float = 0.9
    legs_apart_deg: float = 2.5
    arms_apart_deg: float = 6.0
    arm_forward_deg: float = 2.0
    elbow_deg: float = 12.0
    lean_deg: float = 2.0
    head_yaw_deg: float = 0.0
    head_pitch_deg: float = 4.0
    cycle_s: float = 1.12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WalkCycle:
    """A gait on a body, feet on the ground in every phase.

    Attributes:
        transforms: (N_PHASES, B, 3, 4) float32.
        stride_m: Way per cycle at which the standing foot does not slide.
    """

    transforms: Floats
    stride_m: float

    def at(self, phase: float) -> Floats:
        """(B, 3, 4) float32 transforms at `phase` (cycles; the whole part is ignored)."""
        position = (phase % 1.0) * N_PHASES
        before = int(position) % N_PHASES
        share = position - int(position)
        after = (before + 1) % N_PHASES
        mixed = (1 - share) * self.transforms[before] + share * self.transforms[after]
        return np.asarray(mixed, dtype=np.float32)


def random_gait(rng: np.random.Generator) -> Gait:
    """Somebody's gait."""
    return Gait(
        stride=rng.uniform(0.75, 1.05),
        knee=rng.uniform(0.9, 1.08),
        arm_swing=rng.uniform(0.4, 1.3),
        legs_apart_deg=rng.uniform(1, 4.5),
        arms_apart_deg=rng.uniform(2, 12),
        arm_forward_deg=rng.uniform(-4, 8),
        elbow_deg=rng.uniform(0, 30),
        lean_deg=rng.uniform(-2, 6),
        head_yaw_deg=rng.uniform(-12, 12),
        head_pitch_deg=rng.uniform(-4, 14),
        cycle_s=rng.uniform(1.02, 1.2),
    )


def fit_walk_cycle(model: BodyModel, rest: RestShape, gait: Gait) -> WalkCycle:
    """The cycle of `gait` on this body."""
    feet = _Feet(model, rest)
    poses = [_planted_pose(model, rest, gait, feet, k / N_PHASES) for k in range(N_PHASES)]
    forward_m = [float(feet.vertices(pose, "L")[:, 1].mean()) for pose in poses]
    return WalkCycle(transforms=np.stack(poses), stride_m=2 * (max(forward_m) - min(forward_m)))


class _Feet:
    """The soles of one body, to find the ground under them."""

    def __init__(self, model: BodyModel, rest: RestShape) -> None:
        is_foot = model.parts.argmax(axis=1) == BodyPart.FOOT
        is_foot[N_SKIN_VERTICES:] = False
        is_left = model.reference[:, 0] > 0
        rows = {"L": np.flatnonzero(is_foot & is_left), "R": np.flatnonzero(is_foot & ~is_left)}
        self._weights = {side: model.weights[rows[side]] for side in rows}
        self._rest = {side: rest.vertices[rows[side]] for side in rows}

    def vertices(self, pose: Floats, side: str) -> Floats:
        return skin(self._weights[side], pose, self._rest[side])

    def lowest_m(self, pose: Floats, side: str) -> float:
        return float(self.vertices(pose, side)[:, 2].min())


def _planted_pose(
    model: BodyModel, rest: RestShape, gait: Gait, feet: _Feet, phase: float
) -> Floats:
    """(B, 3, 4) transforms at `phase`, moved up or down until the lower foot stands."""
    rotations = _joint_rotations(model, rest, gait, phase)
    pose = bone_transforms(model, rest.joints, rotations)
    trailing = _trailing_side(phase)
    if trailing is not None:
        leading = "L" if trailing == "R" else "R"
        for _ in range(_MAX_KNEE_STEPS):
            if feet.lowest_m(pose, leading) - feet.lowest_m(pose, trailing) < _BOTH_DOWN_M:
                break
            knee, ankle = f"lowerleg01.{trailing}", f"foot.{trailing}"
            rotations[knee] = rotations[knee] @ _about_x(_KNEE_STEP_DEG)
            rotations[ankle] = rotations[ankle] @ _about_x(-_KNEE_STEP_DEG / 2)
            pose = bone_transforms(model, rest.joints, rotations)
    pose[:, 2, 3] -= min(feet.lowest_m(pose, "L"), feet.lowest_m(pose, "R")) - _SOLE_M
    return pose


def _trailing_side(phase: float) -> str | None:
    """The leg behind while both feet are down; its knee bends until they both touch."""
    if phase < _DOUBLE_SUPPORT:
        return "R"
    if 0.5 <= phase < 0.5 + _DOUBLE_SUPPORT:
        return "L"
    return None


def _joint_rotations(
    model: BodyModel, rest: RestShape, gait: Gait, phase: float
) -> dict[str, Floats]:
    rotations: dict[str, Floats] = {}
    for side, sign, offset in (("L", 1, 0.0), ("R", -1, 0.5)):
        p = phase + offset
        hip = float(_HIP(p % 1)) * gait.stride
        rotations[f"upperleg01.{side}"] = _about_y(sign * gait.legs_apart_deg) @ _about_x(-hip)
        rotations[f"lowerleg01.{side}"] = _about_x(float(_KNEE(p % 1)) * gait.knee)
        rotations[f"foot.{side}"] = _about_x(3 - float(_ANKLE(p % 1)))
        swing = gait.arm_forward_deg - 22 * gait.arm_swing * np.cos(2 * np.pi * (p - 0.02))
        down = sign * (_ARMS_DOWN_DEG - gait.arms_apart_deg)
        rotations[f"upperarm01.{side}"] = _about_x(-swing) @ _about_y(down)
        bend = 8 + gait.elbow_deg + 8 * gait.arm_swing * (1 - np.cos(2 * np.pi * p))
        rotations[f"lowerarm01.{side}"] = _elbow(model, rest, side, bend)
    twist = 5 * gait.stride * np.sin(2 * np.pi * (phase + 0.2))
    rotations["root"] = _about_z(twist) @ _about_y(2.2 * np.sin(2 * np.pi * phase))
    rotations["spine03"] = _about_z(-2 * twist)
    rotations["spine05"] = _about_x(gait.lean_deg)
    rotations["neck01"] = _about_z(twist + gait.head_yaw_deg) @ _about_x(gait.head_pitch_deg)
    return rotations


def _elbow(model: BodyModel, rest: RestShape, side: str, bend_deg: float) -> Floats:
    """Turn of the lower arm that leaves `bend_deg` between it and the upper arm."""
    shoulder, elbow, wrist = (
        rest.joints[model.bone(f"{name}.{side}")] for name in ("upperarm01", "lowerarm01", "wrist")
    )
    upper, lower = elbow - shoulder, wrist - elbow
    cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
    rest_deg = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return _about(np.cross(upper, lower), bend_deg - float(rest_deg))


def _about(axis: npt.NDArray[np.floating], degrees: float) -> Floats:
    """Rodrigues' rotation matrix."""
    x, y, z = axis / (np.linalg.norm(axis) + 1e-9)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return np.asarray(turn, dtype=np.float32)


def _about_x(degrees: float) -> Floats:
    return _about(np.array([1.0, 0, 0]), degrees)


def _about_y(degrees: float) -> Floats:
    return _about(np.array([0, 1.0, 0]), degrees)


def _about_z(degrees: float) -> Floats:
    return _about(np.array([0, 0, 1.0]), degrees)


def _periodic(*degrees: float) -> CubicSpline:
    """Joint angle over phase in [0, 1], from equally spaced values that close the circle."""
    phases = np.linspace(0, 1, len(degrees) + 1)
    return CubicSpline(phases, [*degrees, degrees[0]], bc_type="periodic")


# Sagittal angles over one cycle, heel strike at 0: the textbook shapes of level walking.
_HIP = _periodic(30, 27, 18, 7, -4, -10, -2, 16, 30, 34)
_KNEE = _periodic(4, 16, 15, 8, 6, 12, 38, 62, 52, 18)
_ANKLE = _periodic(0, -5, 4, 8, 10, 4, -16, -6, 2, 2)
