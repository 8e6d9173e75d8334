"""Finding people again, within and across light: our embedder beside two visible-only peers.

    python benchmarks/reid_retrieval.py --simulated DIR --footage DIR --peers DIR --out FILE

Three sets, none of which any of the networks was trained on by us:
- simulated: held-out people as `models.training.data` lays them out. Within one light, crops of the
  same camera do not count, for they share a background.
- llvip: pairs of aligned visible and thermal pictures; people are found in the visible picture by
  the default detector and cut from both at the same box. One box is one instance: the same person
  in the next picture counts as another, so all figures are too low by the same rule.
- pets: one visible camera, true boxes; the first half of each person's time looks for the second.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino
from pydantic import SecretStr

from models.config import DetectorConfig, EmbedderConfig
from models.detect.load import load_detector
from models.evaluation.retrieval import Retrieval, measure_retrieval
from models.reid.crops import cut
from models.reid.embedder import load_embedder, to_input
from models.reid.pictures import picture_crop
from models.training.data import find_crops
from models.types import Crop
from streams.config import CameraConfig
from streams.images import read_image
from streams.source import open_source
from streams.types import CameraId, Frame, Modality

Vectors = npt.NDArray[np.float32]
Network = Callable[[Sequence[Crop]], Vectors]

LEAST_HEIGHT_PX = 80
PAIRS = {
    "visible-visible": (Modality.VISIBLE, Modality.VISIBLE),
    "infrared-infrared": (Modality.INFRARED, Modality.INFRARED),
    "visible-infrared": (Modality.VISIBLE, Modality.INFRARED),
    "infrared-visible": (Modality.INFRARED, Modality.VISIBLE),
}


class Labelled:
    """Crops with who is seen and by which camera; keeps the vectors' order."""

    def __init__(self) -> None:
        self.crops: list[Crop] = []
        self.people: list[int] = []
        self.cameras: list[str] = []

    def add(self, crop: Crop, person: int, camera: str) -> None:
        self.crops.append(crop)
        self.people.append(person)
        self.cameras.append(camera)


def peer(xml: Path) -> Network:
    """A retail network of the Open Model Zoo in full precision: BGR 0-255, any light."""
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(xml), "CPU", settings)

    def embed(crops: Sequence[Crop]) -> Vectors:
        rows = [
            compiled(to_input(c.pixels)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32))[0]
            for c in crops
        ]
        vectors = np.concatenate(rows).reshape(len(rows), -1)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    return embed


def simulated(folder: Path) -> Labelled:
    """Held-out simulated people."""
    labelled = Labelled()
    for each in find_crops(folder):
        pixels = read_image(each.path)
        if pixels is not None:
            crop = picture_crop(pixels, each.modality.value)
            labelled.add(crop, int(each.person), each.camera)
    return labelled


def llvip(folder: Path) -> Labelled:
    """People of the aligned pairs, cut at the same box in both lights."""
    detector = load_detector(DetectorConfig(min_score=0.5))
    labelled = Labelled()
    for path in sorted((folder / "vis").glob("*.jpg")):
        pictures = [read_image(path), read_image(folder / "ir" / path.name)]
        frames = [
            Frame(
                camera=CameraId(path.stem),
                modality=light,
                captured_at_us=0,
                run=0,
                sequence=0,
                pixels=pixels,
            )
            for light, pixels in zip(Modality, pictures, strict=True)
            if pixels is not None
        ]
        boxes = detector.detect(frames[:1])[0].boxes
        for box in boxes[boxes[:, 3] - boxes[:, 1] >= LEAST_HEIGHT_PX]:
            instance = len(labelled.crops) // 2
            for frame in frames:
                labelled.add(cut(frame, box), instance, path.stem)
    return labelled


def pets(footage: Path) -> Labelled:
    """Crops at true boxes, every 25th frame; `camera` says which half of the person's time."""
    rows = np.loadtxt(footage / "mot15/PETS09-S2L1/gt/gt.txt", delimiter=",")
    labelled = Labelled()
    config = CameraConfig(
        name="pets", source=SecretStr(str(footage / "vtest.avi")), modality="visible"
    )
    middle = {person: np.median(rows[rows[:, 1] == person, 0]) for person in np.unique(rows[:, 1])}
    with open_source(config) as source:
        for number, frame in enumerate(source.frames(), start=1):
            if number % 25:
                continue
            for _, person, x, y, w, h in rows[rows[:, 0] == number, :6]:
                half = "first" if number < middle[person] else "second"
                labelled.add(cut(frame, (x, y, x + w, y + h)), int(person), half)
    return labelled


def measure(vectors: Vectors, labelled: Labelled, pair: str) -> Retrieval:
    """Retrieval of one pair of lights; within one light, across cameras only."""
    people, cameras = np.array(labelled.people), np.array(labelled.cameras)
    light = np.array([crop.modality for crop in labelled.crops])
    query, gallery = (np.flatnonzero(light == side) for side in PAIRS[pair])
    same_camera = cameras[query][:, None] == cameras[gallery][None]
    return measure_retrieval(
        vectors[query] @ vectors[gallery].T,
        people[query],
        people[gallery],
        left_out=same_camera if PAIRS[pair][0] is PAIRS[pair][1] else None,
    )


def main() -> None:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=Path, required=True, help="held-out simulated crops")
    parser.add_argument("--footage", type=Path, required=True, help="LLVIP_pairs, vtest.avi, mot15")
    parser.add_argument("--peers", type=Path, required=True, help="folder of the retail networks")
    parser.add_argument("--weights", default="edge", help="name or path of our embedder")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    ours = load_embedder(EmbedderConfig(weights=arguments.weights, device="cpu"))
    networks: dict[str, Network] = {
        str(ours.model): lambda crops: ours.embed(crops).vectors,
        "retail-0277": peer(arguments.peers / "person-reidentification-retail-0277.xml"),
        "retail-0288": peer(arguments.peers / "person-reidentification-retail-0288.xml"),
    }
    sets = {
        "simulated": (simulated(arguments.simulated), tuple(PAIRS)),
        "llvip": (
            llvip(arguments.footage / "LLVIP_pairs"),
            ("visible-infrared", "infrared-visible"),
        ),
        "pets": (pets(arguments.footage), ("visible-visible",)),
    }
    report: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name, (labelled, pairs) in sets.items():
        for model, network in networks.items():
            vectors = network(labelled.crops)
            for pair in pairs:
                found = measure(vectors, labelled, pair)
                report.setdefault(name, {}).setdefault(pair, {})[model] = asdict(found)
                print(
                    f"{name:10} {pair:18} {model:20} R1 {found.rank1:.3f} mAP {found.mean_ap:.3f}"
                    f" ({found.n_queries} queries, {found.n_gallery} gallery)"
                )
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
