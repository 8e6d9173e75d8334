"""From official layouts on disk to protocols, on miniature trees made here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from models.evaluation.benchmark import Choices, read_benchmark
from streams.errors import SourceUnreadable

PEOPLE, N_PICTURES = (3, 7), 4


def touch(paths: Iterable[Path]) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def sysu(tmp_path: Path) -> Path:
    """Two test people at all cameras, four pictures each; another to train on."""
    folder = tmp_path / "SYSU-MM01"
    touch(
        folder / f"cam{camera}" / f"{person:04d}" / f"{number:04d}.jpg"
        for camera in range(1, 7)
        for person in (*PEOPLE, 9)
        for number in range(1, N_PICTURES + 1)
    )
    (folder / "exp").mkdir()
    for split, ids in (("train", "9"), ("val", ""), ("test", "7,3")):
        (folder / "exp" / f"{split}_id.txt").write_text(ids)
    return folder


def write_permutations(path: Path) -> None:
    """The official cell array: person p of a camera has rows that start with p modulo 4, plus 1."""
    cameras = np.empty((6, 1), object)
    for camera in range(6):
        people = np.empty((9, 1), object)
        for person in range(1, 10):
            row = np.roll(np.arange(1, N_PICTURES + 1), -person)
            known = person in (*PEOPLE, 9)
            people[person - 1, 0] = (
                np.tile(row, (10, 1)).astype(np.uint8) if known else np.zeros((10, 0))
            )
        cameras[camera, 0] = people
    savemat(path, {"rand_perm_cam": cameras})


def test_sysu_draws_by_its_own_file_where_that_lies_in_the_folder(sysu: Path) -> None:
    write_permutations(sysu / "exp" / "rand_perm_cam.mat")

    found = read_benchmark(sysu, "sysu-indoor", Choices(shots=1))

    (search,) = found.protocol.searches
    drawn = [found.images[at].path.relative_to(sysu) for at in search.trials[5].gallery]
    assert "official" in found.protocol.gallery_source
    assert [str(path) for path in drawn] == [
        "cam1/0003/0004.jpg",
        "cam2/0003/0004.jpg",
        "cam1/0007/0004.jpg",
        "cam2/0007/0004.jpg",
    ]
    asked = {found.images[at].path.parts[-3] for at in search.trials[0].query}
    assert asked == {"cam3", "cam6"}


def test_sysu_without_its_file_is_drawn_by_seed_and_says_so(sysu: Path) -> None:
    found = read_benchmark(sysu, "sysu-all", Choices(shots=10))

    assert "not the official draw" in found.protocol.gallery_source
    assert len(found.protocol.searches[0].trials[0].gallery) == 2 * 4 * N_PICTURES
    assert {image.person for image in found.images} == {"0003", "0007"}


def test_a_draw_of_other_pictures_is_refused(sysu: Path, tmp_path: Path) -> None:
    write_permutations(tmp_path / "mine.mat")
    (sysu / "cam1" / "0003" / "0002.jpg").unlink()

    with pytest.raises(SourceUnreadable, match="person 3, camera 1: 3 pictures"):
        read_benchmark(sysu, "sysu-all", Choices(permutations=tmp_path / "mine.mat"))


def test_regdb_reads_the_split_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "idx").mkdir()
    for split in (1, 2):
        for light in ("Visible", "Thermal"):
            names = [f"{light}/{split}{person}/{n}.bmp" for person in range(3) for n in range(10)]
            touch(tmp_path / name for name in names)
            for use in ("train", "test"):
                lines = "".join(f"{name} 0\n" for name in names)
                (tmp_path / "idx" / f"{use}_{light.lower()}_{split}.txt").write_text(lines)

    found = read_benchmark(tmp_path, "regdb-t2v", Choices(split=2))

    (trial,) = found.protocol.searches[0].trials
    assert {image.person for image in found.images} == {"20", "21", "22"}
    assert (len(trial.query), len(trial.gallery)) == (30, 30)
    assert found.images[trial.query[0]].path.parts[-3] == "Thermal"
    assert "split 2" in found.protocol.gallery_source


def test_llcm_draws_one_picture_per_person_and_camera(tmp_path: Path) -> None:
    (tmp_path / "idx").mkdir()
    for light in ("vis", "nir"):
        names = [
            f"{light}/{person:04d}/{person:04d}_c0{camera}_s1_f{n}_{light}.jpg"
            for person in (5, 8)
            for camera in (1, 4)
            for n in range(6)
        ]
        touch(tmp_path / name for name in names)
        for use in ("train", "test"):
            lines = "".join(f"{name} 0\n" for name in names)
            (tmp_path / "idx" / f"{use}_{light}.txt").write_text(lines)

    found = read_benchmark(tmp_path, "llcm-i2v", Choices())

    (search,) = found.protocol.searches
    assert len(search.trials) == 10
    assert (len(search.trials[0].query), len(search.trials[0].gallery)) == (24, 4)
    assert len({tuple(trial.gallery.tolist()) for trial in search.trials}) > 1
    assert found.labels.camera[search.trials[0].gallery].tolist() == [1, 4, 1, 4]
