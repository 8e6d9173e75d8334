"""Which tracker keeps people apart best, at what cost, on the MOT15 ground truth.

    python -m benchmarks.tracking --footage FOLDER --weights yolov8n [--weights FILE.pt]

FOLDER holds `vtest.avi` (PETS09-S2L1), `TUD-Stadtmitte.mp4` and `mot15/SEQUENCE/{gt/gt.txt,
seqinfo.ini}`. All trackers get the very same detections, at their libraries' defaults. Beside them
stand `noctule track` as shipped, and `ultralytics track` on the same frames in the same run, with
the same weights and its own detections: with its default tracker, and with BoT-SORT. Everything is
done at the full and at half the frame rate.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import SecretStr
from ultralytics import YOLO

from benchmarks import mot
from benchmarks.contestants import Rows, contestants
from benchmarks.record import record
from models.config import DetectorConfig
from models.detect.load import load_detector
from models.detect.types import Detector
from models.types import Detections, ModelId
from models.weights import obtain
from pipeline.cli.track import follow
from streams.config import CameraConfig
from streams.source import open_source
from streams.types import CameraId, Frame

RESULT = Path(__file__).parent / "results" / "tracking.json"
SEQUENCES = {"PETS09-S2L1": "vtest.avi", "TUD-Stadtmitte": "TUD-Stadtmitte.mp4"}
RATES = {1: "", 2: ", half rate"}
OURS = "noctule track"
PEERS = {"ultralytics track": None, "ultralytics track, BoT-SORT": "botsort.yaml"}
"""`ultralytics track` with the tracker it takes by itself, and with the one it took for years."""
CAMERA = CameraId("benchmark")

T = TypeVar("T")
Result = dict[str, dict[str, dict[str, float]]]
"""`[tracker][sequence][score]`, CPU milliseconds per frame among the scores."""


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


def compare(footage: Path, weights: str) -> Result:
    """Scores and cost of every tracker on every sequence."""
    cost: dict[tuple[str, str], dict[str, float]] = {}
    detector = load_detector(DetectorConfig(weights=weights, device="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        truth, results = Path(folder) / "truth", Path(folder) / "results"
        for name, file in SEQUENCES.items():
            frames, fps = _read(footage / file)
            detections, cpu_s = _timed(partial(_detect, detector, frames))
            detect_ms = 1000 * cpu_s / len(frames)
            for every, words in RATES.items():
                sequence = f"{name}{words}"
                mot.thin_truth(footage / "mot15" / name, truth / sequence, every=every)
                runs = _runs(frames[::every], detections[::every], fps / every, weights)
                for tracker, run in runs.items():
                    rows, cpu_s = _timed(run)
                    mot.write_rows(results / tracker / "data" / f"{sequence}.txt", rows)
                    ms = 1000 * cpu_s / len(frames[::every])
                    cost[tracker, sequence] = _cost(tracker, ms, detect_ms)
        sequences = sorted(path.name for path in truth.iterdir())
        with contextlib.redirect_stdout(io.StringIO()):
            scores = mot.score(truth, results, sequences)
    return {
        tracker: {each: asdict(of[each]) | cost[tracker, each] for each in sequences}
        for tracker, of in scores.items()
    }


def _runs(
    frames: Sequence[Frame], detections: Sequence[Detections], fps: float, weights: str
) -> dict[str, Callable[[], Rows]]:
    runs: dict[str, Callable[[], Rows]] = {
        name: partial(contestant, detections, fps) for name, contestant in contestants().items()
    }
    return runs | {
        OURS: partial(_ours, frames, detections),
        **{
            peer: partial(_peer, YOLO(str(obtain(weights))), frames, tracker)
            for peer, tracker in PEERS.items()
        },
    }


def _cost(tracker: str, ms: float, detect_ms: float) -> dict[str, float]:
    """CPU milliseconds per frame: of the tracker alone, and of whole commands with detector."""
    if tracker in PEERS:
        return {"cpu_ms_with_detector": round(ms, 3)}
    if tracker == OURS:
        return {"cpu_ms": round(ms, 3), "cpu_ms_with_detector": round(ms + detect_ms, 3)}
    return {"cpu_ms": round(ms, 3)}


def table(result: Result) -> str:
    """The scores as Markdown, one block per sequence, best HOTA first."""
    lines = []
    for sequence in result[OURS]:
        lines += [
            f"\n{sequence}\n",
            "| tracker | HOTA | DetA | AssA | IDF1 | MOTA | switches | ids | ms "
            "| ms with detector |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for tracker in sorted(result, key=lambda each: -result[each][sequence]["hota"]):
            one = result[tracker][sequence]
            scores = " | ".join(
                f"{one[key]:.1f}" for key in ("hota", "deta", "assa", "idf1", "mota")
            )
            costs = " | ".join(
                f"{one[key]:.2f}" if key in one else ""
                for key in ("cpu_ms", "cpu_ms_with_detector")
            )
            lines.append(
                f"| {tracker} | {scores} | {one['idsw']} | {one['n_ids']} of {one['n_true_ids']} "
                f"| {costs} |"
            )
    return "\n".join(lines)


def _read(video: Path) -> tuple[list[Frame], float]:
    camera = CameraConfig(name=CAMERA, source=SecretStr(str(video)))
    with open_source(camera) as source:
        frames = list(source.frames())
    span_us = frames[-1].captured_at_us - frames[0].captured_at_us
    return frames, (len(frames) - 1) / (span_us * 1e-6)


def _detect(detector: Detector, frames: Iterable[Frame]) -> list[Detections]:
    return [detector.detect([frame])[0] for frame in frames]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the CPU seconds it took."""
    started_s = time.process_time()
    done = work()
    return done, time.process_time() - started_s


def _ours(frames: Sequence[Frame], detections: Sequence[Detections]) -> Rows:
    rows = follow(frames, Heard(detections), CAMERA)
    values = [(r.frame, r.id, r.x, r.y, r.width, r.height, r.score) for r in rows]
    return np.asarray(values, dtype=np.float64).reshape(-1, 7)


def _peer(network: YOLO, frames: Sequence[Frame], tracker: str | None) -> Rows:
    """`YOLO(weights).track(...)` with its defaults, persons only; `tracker` None is its default."""
    choice = {} if tracker is None else {"tracker": tracker}
    rows = []
    for number, frame in enumerate(frames, start=1):
        picture = np.ascontiguousarray(frame.pixels[..., ::-1])
        answer = network.track(
            picture, persist=True, classes=[0], verbose=False, device="cpu", **choice
        )
        boxes = answer[0].boxes
        if boxes.id is None:
            continue
        for (x0, y0, x1, y1), track, score in zip(
            boxes.xyxy.tolist(), boxes.id.tolist(), boxes.conf.tolist(), strict=True
        ):
            rows.append((number, track, x0, y0, x1 - x0, y1 - y0, score))
    return np.asarray(rows, dtype=np.float64).reshape(-1, 7)


if __name__ == "__main__":
    main()
