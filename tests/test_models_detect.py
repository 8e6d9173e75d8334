"""People are found in frames of any size, the same whoever shares the call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from models.config import DetectorConfig
from models.detect.checkpoint import load_network
from models.detect.letterbox import fit
from models.detect.load import load_detector
from models.detect.types import Detector
from models.detect.yolo import YoloDetector
from models.device import pick_device
from models.errors import MemoryShort, WeightsUnavailable
from models.types import Detections
from models.weights import obtain
from simulator.filming.truth import read_truth
from streams.errors import ConfigInvalid
from streams.types import CameraId, Frame, Modality

DEMO = Path(__file__).parents[1] / "simulator" / "footage" / "demo"
CPU = torch.device("cpu")
REAL = Path(__file__).parents[2] / "shared" / "assets" / "footage" / "vtest.avi"


def frame(pixels: npt.NDArray[np.uint8], *, at_us: int = 0) -> Frame:
    return Frame(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=at_us,
        run=0,
        sequence=0,
        pixels=pixels,
    )


def noise(height: int, width: int) -> Frame:
    rng = np.random.default_rng(height * 10_000 + width)
    return frame(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def weights() -> Path:
    try:
        return obtain("yolov8n")
    except WeightsUnavailable as error:
        pytest.skip(f"no detector weights here: {error}")


@pytest.fixture(scope="module")
def detector(weights: Path) -> Detector:
    return load_detector(DetectorConfig(weights=str(weights), device="cpu"))


@pytest.fixture(scope="module")
def street() -> list[Frame]:
    """Four frames of a street with people, 768x576."""
    if not REAL.is_file():
        pytest.skip("the real footage (vtest.avi) is not here")
    video = cv2.VideoCapture(str(REAL))
    pictures = []
    for number in range(450):
        _, picture = video.read()
        if number % 150 == 100:
            pictures.append(frame(picture[..., ::-1].copy(), at_us=number))
    video.release()
    return pictures


def assert_well_formed(found: Detections, seen: Frame) -> None:
    height, width = seen.pixels.shape[:2]
    assert found.camera == seen.camera
    assert found.captured_at_us == seen.captured_at_us
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [width, height, width, height]).all()
    assert (found.boxes[:, 2:] - found.boxes[:, :2] >= 1).all()
    assert (np.diff(found.scores) <= 0).all(), "highest score first"


def test_people_of_a_street_are_found_as_by_ultralytics_itself(
    detector: Detector, street: list[Frame], weights: Path
) -> None:
    from ultralytics import YOLO

    peer = YOLO(str(weights))

    for seen, found in zip(street, detector.detect(street), strict=True):
        assert_well_formed(found, seen)
        bgr = np.ascontiguousarray(seen.pixels[..., ::-1])
        theirs = peer.predict(bgr, conf=0.25, classes=[0], device="cpu", verbose=False)[0].boxes
        sure = found.above(0.25)
        assert len(sure) == len(theirs) >= 3
        # Letterbox rounding differs by part of a pixel; swapped colours would differ by 0.1.
        np.testing.assert_allclose(sure.scores, theirs.conf.numpy(), atol=0.01)
        np.testing.assert_allclose(sure.boxes, theirs.xyxy.numpy(), atol=1.0)


@pytest.mark.parametrize("camera", ["gate", "plaza", "dock", "corridor"])
def test_people_of_the_embedded_footage_are_found_by_day_and_by_night(
    detector: Detector, camera: str
) -> None:
    truth = read_truth(DEMO / f"{camera}.truth.json")
    video = cv2.VideoCapture(str(DEMO / f"{camera}.mp4"))
    n_people = n_found = 0
    for true_frame in truth.frames:
        _, picture = video.read()
        people = [
            person.box_px
            for person in true_frame.people
            if person.visibility > 0.8 and person.box_px[3] - person.box_px[1] >= 60
        ]
        if true_frame.frame % 40 or not people:
            continue
        (found,) = detector.detect([frame(np.ascontiguousarray(picture[..., ::-1]))])
        overlap = box_iou(torch.tensor(people).float(), torch.tensor(found.above(0.25).boxes))
        n_people += len(people)
        n_found += int((overlap.amax(dim=1) >= 0.5).sum()) if len(found.above(0.25)) else 0
    video.release()

    assert n_people >= 5
    assert n_found >= 0.85 * n_people, "measured: 0.98 (docs/detector.md)"


def test_answer_to_a_frame_does_not_depend_on_its_neighbours(
    detector: Detector, street: list[Frame]
) -> None:
    half = frame(np.ascontiguousarray(street[0].pixels[:, :384]))
    mixed = [street[0], half, street[1], noise(90, 160), street[2]]

    together = detector.detect(mixed)

    for seen, found in zip(mixed, together, strict=True):
        (alone,) = detector.detect([seen])
        np.testing.assert_array_equal(found.boxes, alone.boxes)
        np.testing.assert_array_equal(found.scores, alone.scores)


def test_batch_gives_what_single_frames_give(weights: Path, street: list[Frame]) -> None:
    network = load_network(weights, CPU)
    batched = YoloDetector(network, DetectorConfig(min_score=0.25), device=CPU, batch=3)
    single = YoloDetector(network, DetectorConfig(min_score=0.25), device=CPU, batch=1)

    for together, alone in zip(batched.detect(street), single.detect(street), strict=True):
        # float32 sums in another order: far below a pixel
        np.testing.assert_allclose(together.boxes, alone.boxes, atol=0.05)
        np.testing.assert_allclose(together.scores, alone.scores, atol=1e-4)


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (8000, 8000), (1, 8000), (8000, 1), (31, 33), (641, 639)],
    ids=lambda side: str(side),
)
def test_frames_of_any_size_are_survived(detector: Detector, height: int, width: int) -> None:
    seen = noise(height, width)

    (found,) = detector.detect([seen])

    assert_well_formed(found, seen)


def test_person_cut_by_the_edge_gets_a_box_that_ends_there(
    detector: Detector, street: list[Frame]
) -> None:
    boxes = detector.detect(street)[1].boxes
    x0, _, x1, _ = boxes[0]
    cut = frame(np.ascontiguousarray(street[1].pixels[:, int((x0 + x1) / 2) :]))

    (found,) = detector.detect([cut])

    assert_well_formed(found, cut)
    assert (found.boxes[:, 0] == 0).any()


def test_large_picture_is_answered_in_its_own_pixels(
    detector: Detector, street: list[Frame]
) -> None:
    large = frame(cv2.resize(street[1].pixels, None, fx=4, fy=4))

    (small_found,), (large_found,) = detector.detect([street[1]]), detector.detect([large])

    best_small, best_large = small_found.boxes[:3], large_found.boxes[:3]
    np.testing.assert_allclose(best_large, 4 * best_small, atol=16)


def test_no_frames_give_no_detections(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_lowest_score_is_kept_to(weights: Path, street: list[Frame]) -> None:
    loose, strict = (
        load_detector(DetectorConfig(weights=str(weights), min_score=score, device="cpu"))
        for score in (0.1, 0.6)
    )

    for many, few in zip(loose.detect(street), strict.detect(street), strict=True):
        assert len(few) < len(many)
        np.testing.assert_array_equal(few.boxes, many.above(0.6).boxes)


def test_model_id_names_the_weights_and_their_content(detector: Detector) -> None:
    assert detector.model == "yolov8n@f59b3d833e2f"


class Cramped(torch.nn.Module):
    """A network on a device that holds only so many pictures at once."""

    def __init__(self, network: torch.nn.Module, room: int) -> None:
        super().__init__()
        self.network, self.room, self.tried = network, room, list[int]()

    def forward(self, batch: torch.Tensor) -> object:
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.network(batch)


def cramp(weights: Path, room: int) -> tuple[YoloDetector, Cramped]:
    network = load_network(weights, CPU)
    module = Cramped(network.module, room)
    tight = type(network)(
        module=module,
        model=network.model,
        person=network.person,
        n_classes=network.n_classes,
        is_final=network.is_final,
        stride_px=network.stride_px,
    )
    return YoloDetector(tight, DetectorConfig(), device=CPU, batch=8), module


def test_short_memory_halves_the_batch_and_says_so(
    weights: Path, detector: Detector, street: list[Frame], caplog: pytest.LogCaptureFixture
) -> None:
    tight, module = cramp(weights, room=2)
    five = [*street, *street][:5]

    found = tight.detect(five)

    assert module.tried == [5, 2, 2, 1]
    assert "memory is short" in caplog.text
    for ours, expected in zip(found, detector.detect(five), strict=True):
        np.testing.assert_allclose(ours.boxes, expected.boxes, atol=0.05)


def test_memory_without_room_for_one_frame_says_what_to_do(weights: Path) -> None:
    tight, module = cramp(weights, room=0)

    with pytest.raises(MemoryShort, match="device: cpu"):
        tight.detect([noise(64, 64)] * 3)

    assert module.tried == [3, 1]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_gpu_is_refused_when_asked_for_and_coped_with_on_auto() -> None:
    assert pick_device("auto") == CPU

    with pytest.raises(ConfigInvalid, match="device: auto"):
        pick_device("cuda")


QUIET_RUN = """
import socket, sys
def refuse(*_, **__): raise SystemExit("went to the network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import numpy as np
from models.config import DetectorConfig
from models.detect.load import load_detector
from streams.types import CameraId, Frame, Modality
frame = Frame(camera=CameraId("a"), modality=Modality.VISIBLE, captured_at_us=0, run=0, sequence=0,
              pixels=np.zeros((48, 64, 3), np.uint8))
load_detector(DetectorConfig(weights=sys.argv[1], device="cpu")).detect([frame])
import os, torch
assert "OMP_NUM_THREADS" not in os.environ
assert torch.get_num_threads() == 1
"""


def test_loading_prints_nothing_phones_nobody_and_leaves_the_home_alone(
    weights: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("YOLO", "XDG", "OMP"))
    }
    environment |= {"HOME": str(home), "NOCTULE_CACHE": str(tmp_path / "cache")}

    run = subprocess.run(
        [sys.executable, "-c", QUIET_RUN, str(weights)],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []


sides = st.integers(min_value=1, max_value=9000)


@settings(max_examples=200, deadline=None)
@given(height=sides, width=sides, longer=st.sampled_from([160, 640, 1280]))
def test_box_comes_back_from_the_input_to_where_it_was(
    height: int, width: int, longer: int
) -> None:
    boxing = fit((height, width), longer_px=longer, stride_px=32)
    inner_w, inner_h = boxing.scaled_wh
    whole = [boxing.left_px, boxing.top_px, boxing.left_px + inner_w, boxing.top_px + inner_h]
    beyond = [-50, -50, boxing.shape[1] + 50, boxing.shape[0] + 50]

    restored = boxing.restore(np.array([whole, beyond], dtype=np.float32))

    assert boxing.shape[0] % 32 == boxing.shape[1] % 32 == 0
    assert max(boxing.shape) == longer
    np.testing.assert_allclose(restored, [[0, 0, width, height]] * 2, rtol=1e-6)


def test_letterbox_centres_the_picture_in_grey() -> None:
    white = np.full((90, 160, 3), 255, dtype=np.uint8)

    canvas = fit((90, 160), longer_px=320, stride_px=32).apply(white)

    assert canvas.shape == (192, 320, 3)
    assert (canvas[6:186] == 255).all()
    assert (canvas[:6] == 114).all()
    assert (canvas[186:] == 114).all()
