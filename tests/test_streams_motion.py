"""The motion gate: never shut on people, shut on an empty scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydantic import SecretStr

from streams.config import CameraConfig, MotionConfig
from streams.motion import MotionGate
from streams.source import open_source
from streams.types import CameraId, Frame, Modality
from tests.streams_builders import SHARED_FOOTAGE, Pixels, picture

STEP_US = 100_000
EMPTY = picture(0, width=320, height=180)
NOISE = np.random.default_rng(7).normal(0, 2, (7, *EMPTY.shape))
QUICK = MotionConfig(keep_s=0.0, warm_up_s=0.0)


def frame(pixels: Pixels, index: int, *, name: str = "gate", run: int = 0) -> Frame:
    return Frame(
        camera=CameraId(name),
        modality=Modality.VISIBLE,
        captured_at_us=index * STEP_US,
        run=run,
        sequence=index,
        pixels=pixels,
    )


def noisy(pixels: Pixels, index: int) -> Pixels:
    return np.asarray((pixels + NOISE[index % len(NOISE)]).clip(0, 255), np.uint8)


def with_person(x_px: float, *, height_px: int) -> Pixels:
    """A dark figure, a third as wide as high, on the empty scene."""
    pixels = EMPTY.copy()
    left = round(x_px)
    pixels[80 : 80 + height_px, left : left + max(2, height_px // 3)] = (25, 25, 30)
    return pixels


def watch(config: MotionConfig, scene: Callable[[int], Pixels], n_frames: int) -> list[bool]:
    gate = MotionGate(config)
    return [gate.is_moving(frame(noisy(scene(i), i), i)) for i in range(n_frames)]


def test_an_empty_noisy_scene_shuts_the_gate() -> None:
    moving = watch(QUICK, lambda _: EMPTY, 150)

    assert sum(moving[20:]) <= 1


@pytest.mark.parametrize("height_px", [12, 30, 90])
@pytest.mark.parametrize("speed_px", [0.05, 1.5], ids=lambda speed: f"{speed} px a frame")
def test_the_gate_stays_open_for_walkers_however_slow(height_px: int, speed_px: float) -> None:
    def scene(index: int) -> Pixels:
        walked_px = (index - 50) * speed_px % 200
        return EMPTY if index < 50 else with_person(50 + walked_px, height_px=height_px)

    moving = watch(QUICK, scene, 300)

    assert all(moving[52:])


def test_the_gate_opens_with_the_first_frame_of_a_person() -> None:
    moving = watch(QUICK, lambda i: with_person(100, height_px=30) if i == 80 else EMPTY, 81)

    assert moving[80]


def test_the_gate_stays_open_for_a_while_after_the_last_motion() -> None:
    config = MotionConfig(keep_s=3.0, warm_up_s=0.0)

    moving = watch(config, lambda i: with_person(i, height_px=30) if 50 <= i < 60 else EMPTY, 150)

    assert all(moving[50:89])
    assert not any(moving[92:])


def test_the_gate_is_open_while_it_warms_up_and_after_a_gap() -> None:
    gate = MotionGate(MotionConfig(keep_s=0.0, warm_up_s=1.0))

    first = [gate.is_moving(frame(EMPTY, i)) for i in range(30)]
    again = [gate.is_moving(frame(EMPTY, i, run=1)) for i in range(30, 60)]

    assert first == again == [True] * 10 + [False] * 20


def test_what_was_left_standing_becomes_background() -> None:
    config = MotionConfig(keep_s=0.0, warm_up_s=0.0, absorb_s=5.0)

    moving = watch(config, lambda i: EMPTY if i < 20 else with_person(200, height_px=20), 150)

    assert all(moving[21:70])
    assert not any(moving[75:])


def test_light_that_changes_slowly_or_all_at_once_does_not_hold_the_gate_open() -> None:
    def scene(index: int) -> Pixels:
        brighter = index * 0.1 + (20 if index >= 100 else 0)
        return (EMPTY.astype(float) * 0.7 + brighter).clip(0, 255).astype(np.uint8)

    moving = watch(QUICK, scene, 200)

    assert sum(moving[20:]) <= 3


def test_cameras_do_not_share_their_background() -> None:
    gate = MotionGate(QUICK)
    dark = np.zeros((90, 160, 3), np.uint8)

    for i in range(10):
        gate.is_moving(frame(EMPTY, i, name="gate"))
        gate.is_moving(frame(dark, i, name="yard"))

    assert not gate.is_moving(frame(EMPTY, 10, name="gate"))
    assert not gate.is_moving(frame(dark, 10, name="yard"))


def test_a_gate_that_is_switched_off_is_open() -> None:
    gate = MotionGate(MotionConfig(enabled=False))

    assert all(gate.is_moving(frame(EMPTY, i)) for i in range(100))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1)])
def test_pictures_of_any_shape_can_be_watched(shape: tuple[int, int]) -> None:
    gate = MotionGate(QUICK)
    pixels = np.zeros((*shape, 3), np.uint8)

    assert gate.is_moving(frame(pixels, 0))
    assert not gate.is_moving(frame(pixels, 1))


def test_the_gate_never_shuts_on_a_square_full_of_walkers() -> None:
    path = SHARED_FOOTAGE / "vtest.avi"
    if not path.exists():
        pytest.skip("real footage is not here (../shared/assets/footage)")
    gate = MotionGate(QUICK)
    config = CameraConfig(name="gate", source=SecretStr(str(path)))

    with open_source(config) as source:
        moving = [gate.is_moving(each) for each in source.frames() if each.sequence % 3 == 0]

    assert all(moving)
