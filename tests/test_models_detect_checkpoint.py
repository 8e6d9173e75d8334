"""Only detectors of people are loaded, and nothing that hides in a checkpoint runs."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.config import DetectorConfig
from models.detect.checkpoint import load_network
from models.detect.load import load_detector
from models.errors import WeightsRefused
from streams.disk import sha256_of
from streams.types import CameraId, Frame, Modality

CPU = torch.device("cpu")


def write_checkpoint(
    path: Path, kind: str, *, names: Mapping[int, str] | None = None, channels: int = 3
) -> Path:
    """An untrained network of the given kind, saved the way ultralytics does."""
    from ultralytics.nn import tasks

    families = {
        "yolov8n": tasks.DetectionModel,
        "yolo26n": tasks.DetectionModel,
        "yolo11n-pose": tasks.PoseModel,
        "yolov8n-seg": tasks.SegmentationModel,
        "yolov8n-obb": tasks.OBBModel,
        "yolov8n-cls": tasks.ClassificationModel,
    }
    torch.manual_seed(0)
    network = families[kind](f"{kind}.yaml", ch=channels, verbose=False)
    network.names = dict(names or {0: "person"} | {i: f"class{i}" for i in range(1, 80)})
    torch.save({"model": network.half(), "train_args": {}}, path)
    return path


def frame() -> Frame:
    return Frame(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=0,
        run=0,
        sequence=0,
        pixels=np.full((90, 160, 3), 90, np.uint8),
    )


@pytest.mark.parametrize("kind", ["yolov8n", "yolo26n", "yolo11n-pose", "yolov8n-seg"])
def test_detector_of_each_family_runs(tmp_path: Path, kind: str) -> None:
    path = write_checkpoint(tmp_path / "own.pt", kind)
    config = DetectorConfig(
        weights=f"{path}#sha256={sha256_of(path)}", device="cpu", image_size_px=160, min_score=0.01
    )

    detector = load_detector(config)
    (found,) = detector.detect([frame()])

    assert detector.model == f"own@{sha256_of(path)[:12]}"
    assert found.camera == "gate"
    assert len(found) <= 300


def test_class_of_people_is_found_by_its_name(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "own.pt", "yolov8n", names={0: "car", 1: "dog", 2: "Person"})

    assert load_network(path, CPU).person == 2


def test_network_without_people_is_refused_with_what_it_knows(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "own.pt", "yolov8n", names={0: "car", 1: "dog"})

    with pytest.raises(WeightsRefused, match=r"no class is called person \(classes: car, dog\)"):
        load_network(path, CPU)


@pytest.mark.parametrize(
    ("kind", "task"), [("yolov8n-obb", "obb"), ("yolov8n-cls", "classify")], ids=["obb", "cls"]
)
def test_network_of_another_task_is_refused(tmp_path: Path, kind: str, task: str) -> None:
    path = write_checkpoint(tmp_path / "own.pt", kind)

    with pytest.raises(WeightsRefused, match=f"detect, pose, segment .* got one for {task}"):
        load_network(path, CPU)


def test_network_for_grey_pictures_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "own.pt", "yolov8n", channels=1)

    with pytest.raises(WeightsRefused, match="in 1 channels"):
        load_network(path, CPU)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.folder),))


def test_code_in_a_checkpoint_does_not_run_even_when_its_owner_vouches_for_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.pt"
    torch.save({"model": Trap(tmp_path / "code ran")}, path)
    weights = f"{path}#sha256={sha256_of(path)}"

    with pytest.raises(WeightsRefused, match="not readable as an ultralytics checkpoint"):
        load_detector(DetectorConfig(weights=weights, device="cpu"))

    assert not (tmp_path / "code ran").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a not a checkpoint", b"PK\x03\x04" + bytes(100)],
    ids=["empty", "picture", "broken zip"],
)
def test_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.pt"
    path.write_bytes(content)

    with pytest.raises(WeightsRefused, match=r"own\.pt: not readable as an ultralytics checkpoint"):
        load_network(path, CPU)


def test_garbage_of_any_kind_is_refused_and_not_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "own.pt"
    sane = pickle.dumps({"model": [1, "a", 2.5, {"b": (None, True)}]}, protocol=2)

    for _ in range(150):
        content = bytearray(sane)
        for place in rng.integers(2, len(sane), 4):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        with pytest.raises(WeightsRefused):
            load_network(path, CPU)


def test_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "own.pt", "yolov8n")
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(WeightsRefused, match="not readable as an ultralytics checkpoint"):
        load_network(path, CPU)


@pytest.mark.parametrize(
    "content",
    [{"state_dict": {}, "epoch": 3}, {"model": {"weight": torch.zeros(1)}}, [1, 2]],
    ids=["no model", "only numbers", "no table"],
)
def test_checkpoint_without_a_whole_network_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "own.pt"
    torch.save(content, path)

    with pytest.raises(WeightsRefused):
        load_network(path, CPU)


def test_export_in_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"onnx")

    with pytest.raises(WeightsRefused, match=r"expected an ultralytics checkpoint \(\.pt\)"):
        load_network(path, CPU)
