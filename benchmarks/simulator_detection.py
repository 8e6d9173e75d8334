"""Whether a detector finds rendered people as well as it finds real ones, in each kind of light.

    python -m benchmarks.simulator_detection [FOLDER ...] [--weights yolov8n --weights FILE.pt]

FOLDER is what `noctule simulate` wrote; the embedded footage where none is named. A person counts
whose whole body is at least 60 px high in the frame and who shows at least by half; a detection of
anybody else is neither right nor wrong. Found is who overlaps a detection by half or more
(intersection over union with the box of what shows).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detector_recall import (
    DEMO,
    MIN_HEIGHT_PX,
    MIN_IOU,
    MIN_VISIBILITY,
    Rows,
    Tally,
    frames,
)
from benchmarks.record import record
from models.config import DetectorConfig
from models.detect.load import load_detector
from models.detect.types import Detector
from simulator.filming.scenario import scenario
from simulator.filming.truth import TrueFrame, Truth, read_truth
from simulator.optics.bands import Band
from simulator.world.places import CameraKind
from streams.types import Modality

YOLO26N = Path(__file__).resolve().parents[2] / "shared" / "assets" / "weights" / "yolo26n.pt"
YOLO26N_SHA256 = "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef"
RESULT = Path(__file__).parent / "results" / "simulator_detection.json"
SUFFIX = ".truth.json"
SCORE = 0.25
EVERY = 5
TARGETS = {Band.VISIBLE: 0.95, Band.NEAR_INFRARED: 0.90}
"""Recall that rendered people should reach; none was set for thermal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A video, its truth, and whether its camera sees warmth."""

    video: Path
    truth: Truth
    is_thermal: bool

    def band(self, frame: TrueFrame) -> Band:
        """The kind of light of one frame."""
        if frame.modality is Modality.VISIBLE:
            return Band.VISIBLE
        return Band.THERMAL if self.is_thermal else Band.NEAR_INFRARED


def main() -> None:
    """Measures, prints and writes the figures; with `--table` only prints what was written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders", type=Path, nargs="*", help="of `noctule simulate`", metavar="FOLDER"
    )
    parser.add_argument("--weights", action="append", help="name or file; may be given again")
    parser.add_argument("--every", type=int, default=EVERY, help="look at one frame of so many")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    given = parser.parse_args()
    if not given.table:
        films = [film for folder in given.folders or [DEMO] for film in films_of(folder)]
        detectors = {}
        for weights in given.weights or default_weights():
            detector = load_detector(
                DetectorConfig(weights=weights, min_score=SCORE, device="cpu", threads=1)
            )
            detectors[str(detector.model)] = measure(detector, films, every=given.every)
        record(
            given.out,
            {
                "rules": f"confidence >= {SCORE}, IoU >= {MIN_IOU}, people of {MIN_HEIGHT_PX} px "
                f"and visibility {MIN_VISIBILITY} at least, one frame of {given.every}",
                "videos": [film.video.name for film in films],
                "targets": {band.value: target for band, target in TARGETS.items()},
                "detectors": detectors,
            },
        )
    print(table(json.loads(given.out.read_text(encoding="utf-8"))["result"]))


def default_weights() -> list[str]:
    """The detector that noctule takes by itself, and YOLO26n where its file lies beside us."""
    peer = [f"{YOLO26N}#sha256={YOLO26N_SHA256}"] if YOLO26N.is_file() else []
    return [DetectorConfig().weights, *peer]


def films_of(folder: Path) -> Iterator[Film]:
    """The videos of a simulated folder that have a truth.

    Raises:
        SystemExit: There are none.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise SystemExit(f"{folder}: expected NAME.mp4 with NAME{SUFFIX} of `noctule simulate`")
    for path in paths:
        truth = read_truth(path)
        cameras = scenario(truth.scenario).place(truth.place).cameras
        kinds = {camera.name: camera.kind for camera in cameras}
        yield Film(
            video=path.with_name(path.name.removesuffix(SUFFIX) + ".mp4"),
            truth=truth,
            is_thermal=kinds[truth.camera] is CameraKind.THERMAL,
        )


def measure(
    detector: Detector, films: Sequence[Film], *, every: int
) -> dict[str, dict[str, float]]:
    """Recall and precision by band."""
    tallies: dict[Band, Tally] = {}
    n_frames: dict[Band, int] = {}
    for film in films:
        for frame, true in zip(frames(film.video), film.truth.frames, strict=True):
            if true.frame % every:
                continue
            band = film.band(true)
            (found,) = detector.detect([frame])
            boxes = found.above(SCORE).boxes.astype(np.float64)
            tallies.setdefault(band, Tally()).add(boxes, rows_of(true))
            n_frames[band] = n_frames.get(band, 0) + 1
    return {
        band.value: {
            "n_frames": n_frames[band],
            "n_people": tally.n_people,
            "recall": round(tally.n_found / max(1, tally.n_people), 4),
            "precision": round(tally.n_found / max(1, tally.n_found + tally.n_wrong), 4),
        }
        for band, tally in tallies.items()
    }


def rows_of(frame: TrueFrame) -> Rows:
    """(N, 6) as `Tally` reads them: frame, box of what shows, and 1 where the person counts."""
    rows = [
        (
            frame.frame,
            *person.box_px,
            person.full_box_px[3] - person.full_box_px[1] >= MIN_HEIGHT_PX
            and person.visibility >= MIN_VISIBILITY,
        )
        for person in frame.people
    ]
    return np.array(rows, np.float64).reshape(-1, 6)


def table(result: Mapping[str, Any]) -> str:
    """The figures as a table in Markdown."""
    targets = result["targets"]
    lines = [
        "| detector | light | people | found | target | detections that are people |",
        "|---|---|---|---|---|---|",
    ]
    for model, bands in result["detectors"].items():
        for band, figures in bands.items():
            target = f"{100 * targets[band]:.0f} %" if band in targets else "none set"
            lines.append(
                f"| {model} | {band} | {figures['n_people']:.0f} | {100 * figures['recall']:.1f} % "
                f"| {target} | {100 * figures['precision']:.1f} % |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
