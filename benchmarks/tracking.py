"""Which tracker keeps people apart best, at what cost, on the MOT15 ground truth.

    python -m benchmarks.tracking --footage FOLDER --weights yolov8n [--weights FILE.pt]

FOLDER holds `vtest.avi` (PETS09-S2L1), `TUD-Stadtmitte.mp4` and `mot15/SEQUENCE/{gt/gt.txt,
seqinfo.ini}`. All trackers get the very same detections, at their libraries' defaults. Beside them
stand `noctule track` as shipped, and `ultralytics track` (same weights, its default BoT-SORT, its
own detections) on the same frames in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import SecretStr
from ultralytics import YOLO

from benchmarks import mot
from benchmarks.contestants import Contestant, Rows, contestants
from benchmarks.record import record
from models.config import DetectorConfig
from models.detect.load import load_detector
from models.types import Detections, ModelId
from models.weights import obtain
from pipeline.cli.track import follow
from streams.config import CameraConfig
from streams.source import open_source
from streams.types import CameraId, Frame

RESULT = Path(__file__).parent / "results" / "tracking.json"
SEQUENCES = {"PETS09-S2L1": "vtest.avi", "TUD-Stadtmitte": "TUD-Stadtmitte.mp4"}
OURS = "noctule track"
PEER = "ultralytics track"
CAMERA = CameraId("benchmark")


class Heard:
    """A detector that repeats what another one found."""

    def __init__(self, detections: Sequence[Detections]) -> None:
        self._by_time = {each.captured_at_us: each for each in detections}

    @property
    def model(self) -> ModelId:
        return ModelId("heard")

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._by_time[frame.captured_at_us] for frame in frames]


def main() -> None:
    """Measure, print a table, write the result."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--footage", type=Path, required=True)
    options.add_argument("--weights", action="append", required=True)
    options.add_argument("--out", type=Path, default=RESULT)
    given = options.parse_args()
    result = {}
    for weights in given.weights:
        name = Path(weights).stem
        result[name] = compare(given.footage, weights)
        print(f"\n{name}\n{table(result[name])}", flush=True)
        record(given.out, result)


def compare(footage: Path, weights: str) -> dict[str, dict[str, dict[str, float]]]:
    """Scores and CPU milliseconds per frame, `[tracker][sequence]`."""
    cost: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)

        def keep(tracker: str, sequence: str, rows: Rows, cpu_s: float, n_frames: int) -> None:
            mot.write_rows(results / tracker / "data" / f"{sequence}.txt", rows)
            cost[tracker, sequence] = round(1000 * cpu_s / n_frames, 3)

        for sequence, file in SEQUENCES.items():
            frames, fps = _read(footage / file)
            started_s = time.process_time()
            detections = _detect(frames, weights)
            detect_s = time.process_time() - started_s
            for name, contestant in contestants().items():
                rows, cpu_s = _timed(contestant, detections, fps)
                keep(name, sequence, rows, cpu_s, len(frames))
            rows, cpu_s = _ours(frames, detections)
            keep(OURS, sequence, rows, cpu_s + detect_s, len(frames))
            cost[f"{OURS}, tracking only", sequence] = round(1000 * cpu_s / len(frames), 3)
            rows, cpu_s = _peer(frames, weights)
            keep(PEER, sequence, rows, cpu_s, len(frames))
        with contextlib.redirect_stdout(io.StringIO()):
            scores = mot.score(footage / "mot15", results, list(SEQUENCES))
    return {
        tracker: {
            sequence: asdict(one)
            | {
                f"cpu_ms_per_frame{words}": cost[tracker + key, sequence]
                for key, words in (("", ""), (", tracking only", "_without_detector"))
                if (tracker + key, sequence) in cost
            }
            for sequence, one in by_sequence.items()
        }
        for tracker, by_sequence in scores.items()
    }


def table(result: dict[str, dict[str, dict[str, float]]]) -> str:
    """The result as Markdown, best HOTA over both sequences first."""
    order = sorted(result, key=lambda tracker: -result[tracker][mot.COMBINED]["hota"])
    lines = [
        "| tracker | sequence | HOTA | DetA | AssA | IDF1 | MOTA | IDSW | ids | CPU ms/frame |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for tracker in order:
        for sequence in SEQUENCES:
            one = result[tracker][sequence]
            scores = " | ".join(
                f"{one[key]:.1f}" for key in ("hota", "deta", "assa", "idf1", "mota")
            )
            lines.append(
                f"| {tracker} | {sequence} | {scores} | {one['idsw']} "
                f"| {one['n_ids']} of {one['n_true_ids']} | {one['cpu_ms_per_frame']:.2f} |"
            )
    return "\n".join(lines)


def _read(video: Path) -> tuple[list[Frame], float]:
    camera = CameraConfig(name=CAMERA, source=SecretStr(str(video)))
    with open_source(camera) as source:
        frames = list(source.frames())
    span_us = frames[-1].captured_at_us - frames[0].captured_at_us
    return frames, (len(frames) - 1) / (span_us * 1e-6)


def _detect(frames: Iterable[Frame], weights: str) -> list[Detections]:
    detector = load_detector(DetectorConfig(weights=weights, device="cpu"))
    return [detector.detect([frame])[0] for frame in frames]


def _timed(
    contestant: Contestant, detections: Sequence[Detections], fps: float
) -> tuple[Rows, float]:
    started_s = time.process_time()
    rows = contestant(detections, fps)
    return rows, time.process_time() - started_s


def _ours(frames: Sequence[Frame], detections: Sequence[Detections]) -> tuple[Rows, float]:
    heard = Heard(detections)
    started_s = time.process_time()
    rows = follow(frames, heard, CAMERA)
    cpu_s = time.process_time() - started_s
    values = [(r.frame, r.id, r.x, r.y, r.width, r.height, r.score) for r in rows]
    return np.asarray(values, dtype=np.float64).reshape(-1, 7), cpu_s


def _peer(frames: Sequence[Frame], weights: str) -> tuple[Rows, float]:
    """`YOLO(weights).track(...)` with its defaults, persons only."""
    network = YOLO(str(obtain(weights)))
    rows = []
    started_s = time.process_time()
    for number, frame in enumerate(frames, start=1):
        picture = np.ascontiguousarray(frame.pixels[..., ::-1])
        answer = network.track(picture, persist=True, classes=[0], verbose=False, device="cpu")
        boxes = answer[0].boxes
        if boxes.id is None:
            continue
        for (x0, y0, x1, y1), track, score in zip(
            boxes.xyxy.tolist(), boxes.id.tolist(), boxes.conf.tolist(), strict=True
        ):
            rows.append((number, track, x0, y0, x1 - x0, y1 - y0, score))
    cpu_s = time.process_time() - started_s
    return np.asarray(rows, dtype=np.float64).reshape(-1, 7), cpu_s


if __name__ == "__main__":
    main()
