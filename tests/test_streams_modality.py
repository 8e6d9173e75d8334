"""Telling visible from infrared by looking."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from streams.config import CameraConfig
from streams.modality import COLOURED, COLOURLESS, ModalitySwitch, chroma
from streams.source import open_source
from streams.types import Modality
from tests.streams_builders import DEMO_FOOTAGE, SHARED_FOOTAGE, Pixels, picture

STEP_US = 100_000
VISIBLE, INFRARED = Modality.VISIBLE, Modality.INFRARED


def follow(pictures: list[Pixels], switch: ModalitySwitch | None = None) -> list[Modality]:
    used = ModalitySwitch() if switch is None else switch
    return [used.modality(pixels, i * STEP_US) for i, pixels in enumerate(pictures)]


def seen_in(path: Path, step: int = 20) -> set[Modality]:
    with open_source(CameraConfig(name="gate", source=SecretStr(str(path)))) as source:
        return {frame.modality for frame in source.frames() if frame.sequence % step == 0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vtest.avi", VISIBLE),
        ("TUD-Stadtmitte.mp4", VISIBLE),
        ("MOT20-05_raw_night_127f.mp4", VISIBLE),
        ("intel_preview_store-aisle-detection.mp4", VISIBLE),
        ("LLVIP_pairs/vis", VISIBLE),
        ("LLVIP_pairs/ir", INFRARED),
    ],
)
def test_real_footage_is_told_right_throughout(name: str, expected: Modality) -> None:
    path = SHARED_FOOTAGE / name
    if not path.exists():
        pytest.skip("real footage is not here (../shared/assets/footage)")

    assert seen_in(path) == {expected}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gate", VISIBLE), ("plaza", VISIBLE), ("dock", INFRARED), ("corridor", INFRARED)],
)
def test_the_demo_footage_is_told_right_with_room_to_spare(name: str, expected: Modality) -> None:
    path = DEMO_FOOTAGE / f"{name}.mp4"
    config = CameraConfig.model_validate({"name": name, "source": str(path), "modality": "visible"})

    with open_source(config) as source:
        measured = [chroma(each.pixels) for each in source.frames() if each.sequence % 50 == 0]

    assert len(measured) >= 10
    if expected is VISIBLE:
        assert min(measured) > 1.3 * COLOURED
    else:
        assert max(measured) < 0.3 * COLOURLESS


@pytest.mark.parametrize("quality", [5, 30, 90])
@pytest.mark.parametrize("infrared", [False, True], ids=["visible", "infrared"])
def test_a_codec_does_not_move_the_measure_across_the_thresholds(
    quality: int, infrared: bool
) -> None:
    _, encoded = cv2.imencode(
        ".jpg", picture(3, infrared=infrared), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)

    assert (chroma(pixels) < COLOURLESS) if infrared else (chroma(pixels) > COLOURED)


def test_sensor_noise_in_every_channel_does_not_colour_an_infrared_picture() -> None:
    rng = np.random.default_rng(7)
    grey = picture(0, width=640, height=360, infrared=True).astype(float)
    noisy = grey + np.round(rng.normal(0, 4, grey.shape))

    assert chroma(noisy.clip(0, 255).astype(np.uint8)) < COLOURLESS


def test_a_pink_tint_all_over_is_no_colour() -> None:
    tinted = picture(0, infrared=True) + np.array((40, 0, 25))

    assert chroma(tinted.clip(0, 255).astype(np.uint8)) < COLOURLESS


def test_a_coloured_clock_in_the_corner_does_not_colour_an_infrared_picture() -> None:
    pixels = picture(0, infrared=True)
    pixels[2:8, 2:60] = (255, 220, 0)  # 2.3 % of the picture

    assert chroma(pixels) < COLOURLESS


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3), (97, 65), (4000, 3)])
def test_pictures_of_any_shape_have_a_chroma(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)

    assert 0 <= chroma(pixels) <= 12


def test_the_first_picture_decides_at_once() -> None:
    assert follow([picture(0, infrared=True)]) == [INFRARED]
    assert follow([picture(0)]) == [VISIBLE]


def test_a_camera_has_switched_when_its_pictures_said_so_for_half_a_second() -> None:
    pictures = [picture(i, infrared=i >= 10) for i in range(20)]

    seen = follow(pictures)

    assert seen == [VISIBLE] * 15 + [INFRARED] * 5


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(np.zeros((96, 160, 3), np.uint8), id="black"),
        pytest.param(np.full((96, 160, 3), 255, np.uint8), id="white"),
        pytest.param(np.full((96, 160, 3), (250, 60, 200), np.uint8), id="pink"),
    ],
)
@pytest.mark.parametrize("infrared", [False, True], ids=["visible", "infrared"])
def test_pictures_that_show_nothing_switch_nothing(odd: Pixels, infrared: bool) -> None:
    pictures = [picture(0, infrared=infrared)] + [odd] * 50

    assert len(set(follow(pictures))) == 1


def test_a_flash_of_colour_switches_nothing() -> None:
    pictures = [picture(i, infrared=i % 10 >= 3) for i in range(3, 60)]

    assert set(follow(pictures)) == {INFRARED}


@pytest.mark.parametrize("fixed", ["visible", "infrared"])
def test_what_the_operator_says_is_not_questioned(fixed: str) -> None:
    config = CameraConfig.model_validate({"name": "a", "source": "a.mp4", "modality": fixed})
    switch = ModalitySwitch(config.modality)

    assert set(follow([picture(0), picture(1, infrared=True)], switch)) == {Modality(fixed)}
