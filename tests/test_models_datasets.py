"""Readers of datasets on miniature trees in the official layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.datasets.catalogue import check, read_dataset, recognise
from models.datasets.folder import find_crops
from models.datasets.llcm import read_llcm
from models.datasets.market1501 import read_market1501
from models.datasets.regdb import read_regdb
from models.datasets.sysu import read_sysu
from models.datasets.types import Dataset, fingerprint, join, read_pixels
from streams.errors import SourceUnreadable
from streams.types import Modality
from tests.cli import call
from tests.labelled_crops import write_people, write_picture


def write_sysu(folder: Path) -> Path:
    for camera in range(1, 7):
        for person in (1, 2, 334, 6):
            if (camera, person) != (2, 1):  # camera 2 never saw person 1
                write_picture(folder / f"cam{camera}" / f"{person:04d}" / "0001.jpg")
    for use, ids in (("train", "1,2\n"), ("val", "334"), ("test", "6")):
        path = folder / "exp" / f"{use}_id.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(ids, encoding="utf-8")
    return folder


def write_regdb(folder: Path) -> Path:
    for light, mark in (("Visible", "v"), ("Thermal", "t")):
        for use, person in (("train", 285), ("test", 88)):
            name = f"{light}/{person}/male_back_{mark}_05528_{person}.bmp"
            write_picture(folder / name)
            for split in (1, 2):
                index = folder / "idx" / f"{use}_{light.lower()}_{split}.txt"
                index.parent.mkdir(exist_ok=True)
                index.write_text(f"{name} 0\n", encoding="utf-8")
    return folder


def write_llcm(folder: Path) -> Path:
    for light in ("vis", "nir"):
        for use, person in (("train", "0250"), ("test", "0891")):
            name = f"{light}/{person}/{person}_c03_s200519_f13770_{light}.jpg"
            write_picture(folder / name)
            index = folder / "idx" / f"{use}_{light}.txt"
            index.parent.mkdir(exist_ok=True)
            index.write_text(f"{name} 0\n", encoding="utf-8")
    (folder / "idx" / "test_id.txt").write_text("0891", encoding="utf-8")
    return folder


def write_market(folder: Path) -> Path:
    write_picture(folder / "bounding_box_train" / "0002_c1s1_000451_03.jpg")
    write_picture(folder / "query" / "0001_c2s1_000301_00.jpg")
    for name in ("0001_c1s1_001051_00.jpg", "0000_c3s1_000001_00.jpg", "-1_c1s1_000401_03.jpg"):
        write_picture(folder / "bounding_box_test" / name)
    return folder


def test_sysu_trains_on_train_and_val_and_asks_with_infrared(tmp_path: Path) -> None:
    dataset = read_sysu(write_sysu(tmp_path))

    assert {image.person for image in dataset.train} == {"0001", "0002", "0334"}
    assert len(dataset.train) == 3 * 6 - 1
    assert {(i.person, i.camera) for i in dataset.query} == {("0006", "3"), ("0006", "6")}
    assert {image.camera for image in dataset.gallery} == {"1", "2", "4", "5"}
    assert {i.modality for i in dataset.train if i.camera in "36"} == {Modality.INFRARED}
    assert {i.modality for i in dataset.train if i.camera in "1245"} == {Modality.VISIBLE}
    assert "research only" in dataset.terms


def test_regdb_reads_one_split(tmp_path: Path) -> None:
    folder = write_regdb(tmp_path)

    dataset = read_regdb(folder, split=2)

    assert {(i.person, i.modality) for i in dataset.train} == {("285", m) for m in Modality}
    assert [(i.person, i.modality) for i in dataset.query] == [("88", Modality.VISIBLE)]
    assert [(i.person, i.modality) for i in dataset.gallery] == [("88", Modality.INFRARED)]
    with pytest.raises(SourceUnreadable, match="split of 1 to 10, got 11"):
        read_regdb(folder, split=11)
    with pytest.raises(SourceUnreadable, match="train_visible_3"):
        read_regdb(folder, split=3)


@pytest.mark.parametrize("tree", [False, True], ids=["lists", "second tree"])
def test_llcm_takes_camera_and_person_from_names(tmp_path: Path, tree: bool) -> None:
    folder = write_llcm(tmp_path)
    if tree:
        for light in ("vis", "nir"):
            name = f"0891_c03_s200519_f13770_{light}.jpg"
            write_picture(folder / f"test_{light}" / "cam3" / "0891" / name)

    dataset = read_llcm(folder)

    assert {(i.person, i.camera, i.modality) for i in dataset.train} == {
        ("0250", "3", modality) for modality in Modality
    }
    assert [(i.person, i.camera) for i in dataset.query] == [("0891", "3")]
    assert [i.modality for i in dataset.gallery] == [Modality.INFRARED]


def test_market_leaves_junk_out_and_keeps_distractors(tmp_path: Path) -> None:
    dataset = read_market1501(write_market(tmp_path))

    assert [(i.person, i.camera) for i in dataset.train] == [("0002", "1")]
    assert [(i.person, i.camera) for i in dataset.query] == [("0001", "2")]
    assert {image.person for image in dataset.gallery} == {"0000", "0001"}
    assert {image.modality for image in dataset.train} == {Modality.VISIBLE}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("sysu", write_sysu),
        ("regdb", write_regdb),
        ("llcm", write_llcm),
        ("market1501", write_market),
        ("folder", lambda folder: write_people(folder, 2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_folder_is_recognised_and_found_good(tmp_path: Path, name: str, write: object) -> None:
    assert callable(write)
    folder = write(tmp_path)

    assert recognise(folder) == name
    assert check(read_dataset(folder)).is_good


def test_a_missing_part_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    folder = write_sysu(tmp_path)
    (folder / "exp" / "val_id.txt").unlink()

    with pytest.raises(SourceUnreadable, match=r"val_id\.txt missing.*signed agreement"):
        read_dataset(folder, "sysu")


def test_a_list_that_names_a_missing_picture_is_refused(tmp_path: Path) -> None:
    folder = write_llcm(tmp_path)
    next(folder.glob("nir/0250/*")).unlink()

    with pytest.raises(SourceUnreadable, match=r"1 of 1 pictures .* missing"):
        read_llcm(folder)


def test_check_finds_damage_lone_pictures_and_people_of_both_sides(tmp_path: Path) -> None:
    folder = write_sysu(tmp_path)
    (folder / "cam1" / "0001" / "0001.jpg").write_bytes(b"not a picture")
    (folder / "exp" / "test_id.txt").write_text("2,6", encoding="utf-8")

    finding = check(read_sysu(folder))

    assert not finding.is_good
    assert [path.parent.name for path in finding.unreadable] == ["0001"]
    assert finding.leaked == ("0002",)
    assert finding.n_people["in both lights"] == 3


def test_wrong_folders_and_empty_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="found no picture"):
        find_crops(tmp_path)
    write_picture(tmp_path / "0001" / "radar_c1" / "0.jpg")
    with pytest.raises(SourceUnreadable, match="visible_CAMERA"):
        find_crops(tmp_path)


def test_thermal_pictures_are_infrared_of_cameras_of_their_own(tmp_path: Path) -> None:
    for name in ("infrared_c1", "thermal_c1"):
        write_picture(tmp_path / "0001" / name / "0.jpg")

    crops = find_crops(tmp_path)

    assert [crop.modality for crop in crops] == [Modality.INFRARED, Modality.INFRARED]
    assert len({crop.camera for crop in crops}) == 2


def test_people_who_are_half_written_are_left_out(tmp_path: Path) -> None:
    for person in ("0001", ".partial-0002"):
        write_picture(tmp_path / person / "visible_c1" / "0.jpg")

    assert {crop.person for crop in find_crops(tmp_path)} == {"0001"}


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    for name, content in (("empty.jpg", b""), ("text.jpg", b"text")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceUnreadable, match=name):
            read_pixels(tmp_path / name)
    with pytest.raises(SourceUnreadable, match="nowhere"):
        read_pixels(tmp_path / "nowhere.jpg")


def test_the_fingerprint_of_data_changes_with_a_file(tmp_path: Path) -> None:
    images = find_crops(write_people(tmp_path, 2))
    before = fingerprint(images)

    images[0].path.write_bytes(b"x")

    assert fingerprint(images) != before


def test_people_of_joined_datasets_stay_apart(tmp_path: Path) -> None:
    datasets = [read_dataset(write_people(tmp_path / name, 2)) for name in "ab"]

    joined = join(datasets)

    assert len({image.person for image in joined.train}) == 4
    assert len(joined.train) == sum(len(dataset.train) for dataset in datasets)
    assert join(datasets[:1]) == datasets[0]
    terms = [Dataset(name=n, train=(), terms=t) for n, t in (("x", "A."), ("y", ""), ("z", "B."))]
    assert join(terms).terms == "A. B."


def test_data_check_answers_people_and_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_people(tmp_path / "own", 2)
    good = call(("data", "check", str(folder)), capsys, monkeypatch)
    (folder / "0000" / "visible_c1" / "0.jpg").write_bytes(b"")

    bad = call(("data", "check", str(folder), "--json"), capsys, monkeypatch)

    assert (good.code, bad.code) == (0, 1)
    assert "2 in both lights" in good.out
    answer = json.loads(bad.out)
    assert answer["good"] is False
    assert len(answer["unreadable"]) == 1
