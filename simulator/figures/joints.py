"""Angles of the joints over one cycle of walking, and the habits that change them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from simulator.figures.body import BodyModel, Floats, RestShape

_ARMS_DOWN_DEG = 38.0
_ELBOWS_OUT_DEG = 16.0


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


def joint_rotations(
    model: BodyModel, rest: RestShape, gait: Gait, phase: float
) -> dict[str, Floats]:
    rotations: dict[str, Floats] = {}
    for side, sign, offset in (("L", 1, 0.0), ("R", -1, 0.5)):
        p = phase + offset
        hip = float(_HIP(p % 1)) * gait.stride * (1 - sign * gait.limp)
        turned = about_z(sign * gait.toes_out_deg)
        apart = about_y(sign * gait.legs_apart_deg)
        rotations[f"upperleg01.{side}"] = turned_by(turned, apart, about_x(-hip))
        rotations[f"lowerleg01.{side}"] = about_x(float(_KNEE(p % 1)) * gait.knee)
        rotations[f"foot.{side}"] = about_x(3 - float(_ANKLE(p % 1)))
        rotations |= _arm(model, rest, gait, side, p)
    twist = 5 * gait.twist * gait.stride * np.sin(2 * np.pi * (phase + 0.2))
    rotations["root"] = about_z(twist) @ about_y(gait.sway_deg * np.sin(2 * np.pi * phase))
    rotations["spine03"] = about_z(-2 * twist)
    rotations["spine05"] = about_x(gait.lean_deg)
    rotations["spine02"] = about_x(gait.bow_deg)
    nod = gait.head_pitch_deg - 0.6 * gait.bow_deg
    rotations["neck01"] = about_z(twist + gait.head_yaw_deg) @ about_x(nod)
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
        f"upperarm01.{side}": turned_by(
            about_x(-swing), about_z(sign * outwards_deg), about_y(down)
        ),
        f"lowerarm01.{side}": _elbow(model, rest, side, bend),
    }


def closed_hand(model: BodyModel, rest: RestShape, side: str) -> dict[str, Floats]:
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


def turned_by(first: Floats, second: Floats, third: Floats) -> Floats:
    """The three turns in one, the third about the axes of the rest pose."""
    return np.asarray(first @ second @ third, dtype=np.float32)


def _about(axis: npt.NDArray[np.floating], degrees: float) -> Floats:
    """Rodrigues' rotation matrix."""
    x, y, z = axis / (np.linalg.norm(axis) + 1e-9)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return np.asarray(turn, dtype=np.float32)


def about_x(degrees: float) -> Floats:
    return _about(np.array([1.0, 0, 0]), degrees)


def about_y(degrees: float) -> Floats:
    return _about(np.array([0, 1.0, 0]), degrees)


def about_z(degrees: float) -> Floats:
    return _about(np.array([0, 0, 1.0]), degrees)


def _periodic(*degrees: float) -> CubicSpline:
    """Joint angle over phase in [0, 1], from equally spaced values that close the circle."""
    phases = np.linspace(0, 1, len(degrees) + 1)
    return CubicSpline(phases, [*degrees, degrees[0]], bc_type="periodic")


# Sagittal angles over one cycle, heel strike at 0: the textbook shapes of level walking.
_HIP = _periodic(30, 27, 18, 7, -4, -10, -2, 16, 30, 34)
_KNEE = _periodic(4, 16, 15, 8, 6, 12, 38, 62, 52, 18)
_ANKLE = _periodic(0, -5, 4, 8, 10, 4, -16, -6, 2, 2)
