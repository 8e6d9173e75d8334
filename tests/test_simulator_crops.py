"""Crops: resumed runs write the same bytes; boxes, blur and light of single crops."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from simulator.cropping.crops import CropSettings, CropsRefused, write_crops
from simulator.cropping.cutting import Cut, cut
from simulator.cropping.lenses import infrared_cameras, thermal_cameras, visible_cameras
from simulator.cropping.skies import some_daylight, some_light
from simulator.cropping.workers import WorkerLost, share_out
from simulator.optics.bands import Band

pytest_plugins = ["tests.rendering"]


def few_crops(out: Path, identities: range, *, seed: int = 3) -> None:
    """One visible, two near-infrared and one thermal crop of each, small."""
    write_crops(
        out,
        identities=identities,
        seed=seed,
        visible=1,
        infrared=2,
        thermal=1,
        cameras=2,
        size_hw=(64, 32),
    )


def bytes_under(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.usefixtures("drawing")
def test_a_resumed_run_writes_the_same_bytes_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    few_crops(whole, range(5, 8))
    shutil.copytree(whole, resumed)
    shutil.rmtree(resumed / "0007")
    (resumed / "DONE").unlink()
    (resumed / "0006").rename(resumed / ".partial-0006")
    (resumed / ".partial-0006" / "visible_c1" / "99.jpg").write_bytes(b"torn")

    few_crops(resumed, range(5, 8))

    assert bytes_under(resumed) == bytes_under(whole)
    assert sorted(bytes_under(whole)) == sorted(
        [
            "DONE",
            "crops.json",
            *(
                f"{identity}/{name}"
                for identity in ("0005", "0006", "0007")
                for name in (
                    "visible_c1/00.jpg",
                    "infrared_c1/00.jpg",
                    "infrared_c2/00.jpg",
                    "thermal_c1/00.jpg",
                )
            ),
        ]
    )
    crop = cv2.imread(str(whole / "0006" / "infrared_c2" / "00.jpg"))
    assert crop is not None
    assert crop.shape == (64, 32, 3)
    assert crop.std() > 5


def test_a_folder_begun_with_another_seed_is_refused_before_anything_is_drawn(
    tmp_path: Path,
) -> None:
    few_crops(tmp_path, range(0))

    with pytest.raises(CropsRefused, match="choose another folder"):
        few_crops(tmp_path, range(2), seed=4)
    assert (tmp_path / "DONE").exists()


def test_no_identities_are_no_crops_and_a_finished_folder(tmp_path: Path) -> None:
    few_crops(tmp_path, range(0))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["DONE", "crops.json"]


def work_until_killed(_: Path, __: CropSettings, identities: list[int]) -> Iterator[int]:
    """Finishes all but identity 3, at which the process is killed as by a lack of memory."""
    for identity in identities:
        if identity == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield identity


def test_a_process_that_is_killed_ends_the_work_instead_of_hanging_it(tmp_path: Path) -> None:
    settings = CropSettings(seed=1, visible=1, infrared=0, thermal=0, cameras=1, size_hw=(64, 32))

    assert set(share_out(work_until_killed, tmp_path, settings, [4, 5], jobs=2)) == {4, 5}
    with pytest.raises(WorkerLost, match="status -9"):
        list(share_out(work_until_killed, tmp_path, settings, [2, 3], jobs=2))


def test_a_crop_shows_what_the_mask_shows() -> None:
    picture = np.full((200, 100, 3), 40, np.uint8)
    picture[60:140, 30:70] = 220
    mask = picture[..., 0] > 100

    crops = [
        cut(picture, mask, Cut(size_hw=(64, 32), sharpness=0.9), np.random.default_rng(seed))
        for seed in range(30)
    ]

    assert all(crop.shape == (64, 32, 3) for crop in crops)
    # Boxes are loose by some percent and the frame may cut them, so most of a crop is the person.
    assert np.mean([crop.mean() for crop in crops]) > 180


def test_a_mask_that_shows_nobody_gives_the_whole_picture() -> None:
    picture = np.full((80, 40, 3), 90, np.uint8)

    crop = cut(
        picture,
        np.zeros((80, 40), bool),
        Cut(size_hw=(64, 32), sharpness=1.0),
        np.random.default_rng(1),
    )

    assert crop.mean() == pytest.approx(90, abs=3)


def test_a_camera_stays_the_same_however_many_there_are() -> None:
    assert visible_cameras(4)[:2] == visible_cameras(2)
    assert infrared_cameras(6)[5] != infrared_cameras(6)[1]


def test_a_quarter_of_all_visible_crops_is_taken_in_little_light() -> None:
    rng = np.random.default_rng(0)

    lux = np.array([some_daylight(rng).lux for _ in range(300)])

    assert 0.15 < np.mean(lux < 5000) < 0.35
    assert lux.min() < 100


def test_every_sensor_gets_light_of_its_own_band() -> None:
    rng = np.random.default_rng(2)
    lenses = (visible_cameras(1)[0], infrared_cameras(1)[0], thermal_cameras(1)[0])

    bands = [some_light(lens.sensor, rng).band for lens in lenses]

    assert bands == [Band.VISIBLE, Band.NEAR_INFRARED, Band.THERMAL]
