"""Cutting people out of frames, judging the cuts and choosing among them."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.reid.crops import best, cut
from models.types import Crop
from streams.types import CameraId, Frame, Modality

Pixels = npt.NDArray[np.uint8]


def textured(height: int, width: int) -> Pixels:
    """Grey noise at a scale of about 4 px: edges, and neither black nor white."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(60, 200, (height // 4 + 1, width // 4 + 1, 1), dtype=np.uint8)
    return np.repeat(coarse.repeat(4, 0).repeat(4, 1)[:height, :width], 3, 2).copy()


def frame(pixels: Pixels, *, at_us: int = 0, modality: Modality = Modality.VISIBLE) -> Frame:
    return Frame(
        camera=CameraId("gate"),
        modality=modality,
        captured_at_us=at_us,
        run=0,
        sequence=0,
        pixels=pixels,
    )


def crop(at_us: int, quality: float, modality: Modality = Modality.VISIBLE) -> Crop:
    return Crop(
        camera=CameraId("gate"),
        modality=modality,
        captured_at_us=at_us,
        box=(0, 0, 2, 4),
        pixels=np.zeros((4, 2, 3), np.uint8),
        quality=quality,
    )


def boxes(*rows: tuple[float, float, float, float]) -> npt.NDArray[np.float32]:
    return np.array(rows, np.float32)


def test_a_crop_is_a_copy_that_lets_the_frame_go() -> None:
    picture = frame(textured(400, 400))

    person = cut(picture, (100.4, 50.0, 180.0, 250.2))

    assert person.pixels.shape == (201, 80, 3)
    assert person.pixels.base is None
    assert not np.shares_memory(person.pixels, picture.pixels)
    np.testing.assert_array_equal(person.pixels, picture.pixels[50:251, 100:180])


@settings(max_examples=60, deadline=None)
@given(
    corners=st.tuples(*[st.floats(-5000, 5000, width=32)] * 4),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_any_box_gives_pixels_of_the_frame_and_a_quality_between_0_and_1(
    corners: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    person = cut(frame(textured(*size)), corners, others=boxes(corners, (0, 0, 3, 3)))

    assert 1 <= person.pixels.shape[0] <= size[0]
    assert 1 <= person.pixels.shape[1] <= size[1]
    assert 0 <= person.quality <= 1


@pytest.mark.parametrize("side", [1, 4000], ids=["one pixel", "4000 pixels"])
def test_the_smallest_and_the_largest_crop_survive(side: int) -> None:
    person = cut(frame(np.full((side, side, 3), 90, np.uint8)), (0, 0, side, side))

    assert person.pixels.shape == (side, side, 3)
    assert 0 <= person.quality <= 1


def test_a_crisp_whole_well_lit_person_is_nearly_perfect() -> None:
    assert cut(frame(textured(600, 600)), (200, 100, 320, 400)).quality > 0.9


@pytest.mark.parametrize(
    ("worse", "box"),
    [
        pytest.param(textured(600, 600), (200, 100, 220, 150), id="small"),
        pytest.param(
            np.asarray(cv2.GaussianBlur(textured(600, 600), (0, 0), 15), np.uint8),
            (200, 100, 320, 400),
            id="blurred",
        ),
        pytest.param(textured(600, 600), (200, 300, 320, 600), id="cut by the border"),
        pytest.param(textured(600, 600) // 40, (200, 100, 320, 400), id="too dark"),
        pytest.param(np.full((600, 600, 3), 255, np.uint8), (200, 100, 320, 400), id="burnt out"),
        pytest.param(textured(600, 600), (100, 100, 590, 200), id="lying shape"),
    ],
)
def test_what_harms_an_embedding_lowers_quality(
    worse: Pixels, box: tuple[float, float, float, float]
) -> None:
    good = cut(frame(textured(600, 600)), (200, 100, 320, 400))

    assert cut(frame(worse), box).quality < 0.8 * good.quality


def test_someone_in_front_lowers_quality_more_than_someone_behind() -> None:
    picture, box = frame(textured(600, 600)), (200.0, 100.0, 320.0, 400.0)

    alone = cut(picture, box).quality
    behind = cut(picture, box, others=boxes((260, 80, 380, 380))).quality
    in_front = cut(picture, box, others=boxes((260, 120, 380, 420))).quality

    assert in_front < behind < alone


def test_best_takes_the_best_of_each_part_of_the_time() -> None:
    crops = [crop(t * 100, 0.5) for t in range(12)]
    crops[1], crops[6], crops[11] = crop(100, 0.9), crop(600, 0.8), crop(1100, 0.7)

    chosen = best(crops, 3)

    assert [c.captured_at_us for c in chosen] == [100, 600, 1100]


def test_best_fills_empty_parts_with_the_best_of_the_rest() -> None:
    crops = [crop(0, 0.3), crop(1, 0.9), crop(2, 0.8), crop(1_000_000, 0.1)]

    chosen = best(crops, 3)

    assert [c.captured_at_us for c in chosen] == [1, 2, 1_000_000]


def test_best_chooses_for_each_light_on_its_own() -> None:
    crops = [crop(t, 0.9) for t in range(5)]
    crops += [crop(t, 0.1, Modality.INFRARED) for t in range(5, 10)]

    chosen = best(crops, 2)

    assert [c.modality for c in chosen] == [Modality.VISIBLE] * 2 + [Modality.INFRARED] * 2


@given(
    times=st.lists(st.integers(0, 50), max_size=20),
    k=st.integers(1, 6),
)
def test_best_never_invents_repeats_or_exceeds(times: list[int], k: int) -> None:
    lights = itertools.cycle(Modality)
    crops = [crop(t, (t % 7) / 7, next(lights)) for t in times]

    chosen = best(crops, k)

    assert {id(c) for c in chosen} <= {id(c) for c in crops}
    assert len({id(c) for c in chosen}) == len(chosen)
    for light in Modality:
        available = sum(c.modality is light for c in crops)
        assert sum(c.modality is light for c in chosen) == min(k, available)


def test_best_of_none_at_a_time_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="k"):
        best([], 0)
