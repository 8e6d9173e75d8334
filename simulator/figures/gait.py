"""How a person walks: joint angles over one cycle, fitted to a body and the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

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
_ELBOWS_OUT_DEG = 16.0
_DOUBLE_SUPPORT = 0.13
_BOTH_DOWN_M = 0.012
_KNEE_STEP_DEG = 3.0
_MAX_KNEE_STEPS = 14


class Arms(StrEnum):
    """What a person does with the arms while walking."""

    SWING = "swing"
    POCKETS = "pockets"
    PHONE = "phone"
    STRAPS = "straps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gait:
    """One person's habits of walking; factors are relative to the average adult.

    Attributes:
        stride, knee, arm_swing: Factors of amplitude.
        legs_apart_deg, arms_apart_deg, elbow_deg, lean_deg: Postures kept all the way.
        head_yaw_deg, head_pitch_deg: Where the person looks (pitch > 0 is down).
        cycle_s: Seconds per full cycle (two steps).
        toes_out_deg: How far the feet point outwards.
        sway_deg: How far the hips drop from side to side.
        twist: Factor on the turn of hips against shoulders.
        bow_deg: Of the upper back, forwards.
        limp: Share by which the left step is shorter than the right one, may be negative.
        loaded: Share of swing that is left to the right arm, which carries something.
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
    toes_out_deg: float = 0.0
    sway_deg: float = 2.2
    twist: float = 1.0
    bow_deg: float = 0.0
    limp: float = 0.0
    loaded: float = 1.0
    arms: Arms = Arms.SWING


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
        self.hands = _closed_hand(model, rest, "L") | _closed_hand(model, rest, "R")

    def vertices(self, pose: Floats, side: str) -> Floats:
        return skin(self._weights[side], pose, self._rest[side])

    def lowest_m(self, pose: Floats, side: str) -> float:
        return float(self.vertices(pose, side)[:, 2].min())


def _planted_pose(
    model: BodyModel, rest: RestShape, gait: Gait, limbs: _Limbs, phase: float
) -> Floats:
    """(B, 3, 4) transforms at `phase`, moved up or down until the lower foot stands."""
    rotations = _joint_rotations(model, rest, gait, phase) | limbs.hands
    pose = bone_transforms(model, rest.joints, rotations)
    trailing = _trailing_side(phase)
    if trailing is not None:
        leading = "L" if trailing == "R" else "R"
        for _ in range(_MAX_KNEE_STEPS):
            if limbs.lowest_m(pose, leading) - limbs.lowest_m(pose, trailing) < _BOTH_DOWN_M:
                break
            knee, ankle = f"lowerleg01.{trailing}", f"foot.{trailing}"
            rotations[knee] = rotations[knee] @ _about_x(_KNEE_STEP_DEG)
            rotations[ankle] = rotations[ankle] @ _about_x(-_KNEE_STEP_DEG / 2)
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
    rotations = _joint_rotations(model, rest, still, 0.25) | limbs.hands
    for side, sign in (("L", 1), ("R", -1)):
        apart_deg = sign * (gait.legs_apart_deg + 1.5)
        hip, knee = (4.0, 3.0) if side == "L" else (12.0, 14.0)
        turned = _about_z(sign * (gait.toes_out_deg + 4))
        rotations[f"upperleg01.{side}"] = _turned(turned, _about_y(apart_deg), _about_x(-hip))
        rotations[f"lowerleg01.{side}"] = _about_x(knee)
        rotations[f"foot.{side}"] = _about_x(hip - knee)
    pose = bone_transforms(model, rest.joints, rotations)
    pose[:, 2, 3] -= min(limbs.lowest_m(pose, "L"), limbs.lowest_m(pose, "R")) - _SOLE_M
    return pose


def _joint_rotations(
    model: BodyModel, rest: RestShape, gait: Gait, phase: float
) -> dict[str, Floats]:
    rotations: dict[str, Floats] = {}
    for side, sign, offset in (("L", 1, 0.0), ("R", -1, 0.5)):
        p = phase + offset
        hip = float(_HIP(p % 1)) * gait.stride * (1 - sign * gait.limp)
        turned = _about_z(sign * gait.toes_out_deg)
        apart = _about_y(sign * gait.legs_apart_deg)
        rotations[f"upperleg01.{side}"] = _turned(turned, apart, _about_x(-hip))
        rotations[f"lowerleg01.{side}"] = _about_x(float(_KNEE(p % 1)) * gait.knee)
        rotations[f"foot.{side}"] = _about_x(3 - float(_ANKLE(p % 1)))
        rotations |= _arm(model, rest, gait, side, p)
    twist = 5 * gait.twist * gait.stride * np.sin(2 * np.pi * (phase + 0.2))
    rotations["root"] = _about_z(twist) @ _about_y(gait.sway_deg * np.sin(2 * np.pi * phase))
    rotations["spine03"] = _about_z(-2 * twist)
    rotations["spine05"] = _about_x(gait.lean_deg)
    rotations["spine02"] = _about_x(gait.bow_deg)
    nod = gait.head_pitch_deg - 0.6 * gait.bow_deg
    rotations["neck01"] = _about_z(twist + gait.head_yaw_deg) @ _about_x(nod)
    return rotations


def _arm(
    model: BodyModel, rest: RestShape, gait: Gait, side: str, phase: float
) -> dict[str, Floats]:
    """Turns of one arm, whose leg is at `phase`."""
    sign = 1 if side == "L" else -1
    is_loaded = side == "R" and gait.loaded < 1
    swing_by = gait.arm_swing * (gait.loaded if side == "R" else 1.0)
    forward_deg, apart_deg, bend = gait.arm_forward_deg, gait.arms_apart_deg, 8 + gait.elbow_deg
    outwards_deg = _ELBOWS_OUT_DEG
    if is_loaded:
        apart_deg, bend = apart_deg + 4, 6.0
    elif gait.arms is Arms.POCKETS:
        swing_by, forward_deg, apart_deg, bend = 0.12 * swing_by, -22.0, 13.0, 44.0
        outwards_deg = 46.0
    elif gait.arms is Arms.STRAPS:
        swing_by, forward_deg, apart_deg, bend = 0.1 * swing_by, 4.0, 6.0, 128.0
    elif gait.arms is Arms.PHONE and side == "L":
        swing_by, forward_deg, apart_deg, bend = 0.1 * swing_by, 18.0, 5.0, 92.0
    swing = forward_deg - 22 * swing_by * np.cos(2 * np.pi * (phase - 0.02))
    bend += 8 * swing_by * (1 - np.cos(2 * np.pi * phase))
    down = sign * (_ARMS_DOWN_DEG - apart_deg)
    return {
        f"upperarm01.{side}": _turned(
            _about_x(-swing), _about_z(sign * outwards_deg), _about_y(down)
        ),
        f"lowerarm01.{side}": _elbow(model, rest, side, bend),
    }


def _closed_hand(model: BodyModel, rest: RestShape, side: str) -> dict[str, Floats]:
    """Turns of the fingers that close the hand by half, towards the thigh."""
    first, last = (rest.joints[model.bone(f"finger{k}-1.{side}")] for k in (2, 5))
    along = (
        rest.joints[model.bone(f"finger3-2.{side}")] - rest.joints[model.bone(f"finger3-1.{side}")]
    )
    inwards = np.array([-1.0 if side == "L" else 1.0, 0.0, -0.6])
    across = last - first
    closes = np.sign(np.cross(across, along) @ inwards)
    bends = {1: 26.0, 2: 34.0, 3: 22.0}
    return {
        f"finger{finger}-{joint}.{side}": _about(across, float(closes * bend))
        for finger in (2, 3, 4, 5)
        for joint, bend in bends.items()
    }


def _elbow(model: BodyModel, rest: RestShape, side: str, bend_deg: float) -> Floats:
    """Turn of the lower arm that leaves `bend_deg` between it and the upper arm."""
    shoulder, elbow, wrist = (
        rest.joints[model.bone(f"{name}.{side}")] for name in ("upperarm01", "lowerarm01", "wrist")
    )
    upper, lower = elbow - shoulder, wrist - elbow
    cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
    rest_deg = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return _about(np.cross(upper, lower), bend_deg - float(rest_deg))


def _turned(first: Floats, second: Floats, third: Floats) -> Floats:
    """The three turns in one, the third about the axes of the rest pose."""
    return np.asarray(first @ second @ third, dtype=np.float32)


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


_ARMS = {Arms.SWING: 0.72, Arms.POCKETS: 0.14, Arms.PHONE: 0.09, Arms.STRAPS: 0.05}

# Sagittal angles over one cycle, heel strike at 0: the textbook shapes of level walking.
_HIP = _periodic(30, 27, 18, 7, -4, -10, -2, 16, 30, 34)
_KNEE = _periodic(4, 16, 15, 8, 6, 12, 38, 62, 52, 18)
_ANKLE = _periodic(0, -5, 4, 8, 10, 4, -16, -6, 2, 2)
