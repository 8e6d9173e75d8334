"""Finding people again, within and across light: our embedder beside three peers.

    python -m benchmarks.reid_retrieval --simulated DIR --shared ../shared/assets --out FILE

Peers: two visible-only networks of the Open Model Zoo that know people, and a ResNet-50 that knows
ImageNet. `--weights` takes several of ours, to compare candidates. Three sets, none of which any of
the networks was trained on by us:
- simulated: held-out people as `models.datasets.folder` lays them out. Within one light, crops of
  the same camera do not count, for they share a background.
- llvip: pairs of aligned visible and thermal pictures; people are found in the visible picture by
  the default detector and cut from both at the same box. One box is one instance: the same person
  in the next picture counts as another, so all figures are too low by the same rule.
- pets: one visible camera, true boxes; the first half of each person's time looks for the second.

Each set is searched whole, and in ten drawn crowds of eleven people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torchvision
from pydantic import SecretStr

from benchmarks.pets import first_numbers
from benchmarks.record import record
from models.config import DetectorConfig, EmbedderConfig
from models.datasets.folder import find_crops
from models.datasets.types import read_pixels
from models.detect.load import load_detector
from models.evaluation.measure import SearchFigures, measure
from models.evaluation.protocols import folder
from models.evaluation.rules import Labels
from models.reid.crops import cut
from models.reid.embedder import load_embedder, to_input
from models.reid.pictures import picture_crop
from models.runtime.libraries import openvino_core
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
CROWDS: dict[str, int | None] = {"everybody": None, "eleven": 11}
SETS = ("simulated", "llvip", "pets")
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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

    def labels(self) -> Labels:
        """As the protocols see them."""
        return Labels(
            person=np.array(self.people, np.int64),
            camera=np.unique(self.cameras, return_inverse=True)[1].astype(np.int64),
            infrared=np.array([crop.modality is Modality.INFRARED for crop in self.crops]),
        )


def peer(xml: Path) -> Network:
    """A retail network of the Open Model Zoo in full precision: BGR 0-255, any light."""
    core = openvino_core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(xml), "CPU", settings)

    def embed(crops: Sequence[Crop]) -> Vectors:
        rows = [
            compiled(to_input(c.pixels)[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32))[0]
            for c in crops
        ]
        return _unit(np.concatenate(rows).reshape(len(rows), -1))

    return embed


def imagenet(weights: Path) -> Network:
    """ResNet-50 as ImageNet left it: 2048 averages over the last map, any light.

    The file's blocks shrink in their first convolution, torchvision's in the second.
    """
    network = torchvision.models.resnet50()
    for layer in (network.layer2, network.layer3, network.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    network.fc = torch.nn.Identity()
    tensors = torch.load(weights, map_location="cpu", weights_only=True)
    network.load_state_dict(
        {name: tensor.float() for name, tensor in tensors.items() if not name.startswith("fc.")}
    )
    network.eval()
    mean, std = (np.array(each, np.float32) for each in (_IMAGENET_MEAN, _IMAGENET_STD))

    def embed(crops: Sequence[Crop]) -> Vectors:
        rows = []
        for crop in crops:
            pixels = (to_input(crop.pixels).astype(np.float32) / 255 - mean) / std
            with torch.inference_mode():
                rows.append(network(torch.from_numpy(pixels.transpose(2, 0, 1)[None])).numpy())
        return _unit(np.concatenate(rows))

    return embed


def ours(weights: str) -> tuple[str, Network]:
    """Model and network of an embedder of ours, in full precision as its peers."""
    embedder = load_embedder(EmbedderConfig(weights=weights, precision="float32"))
    return str(embedder.model), lambda crops: embedder.embed(crops).vectors


def simulated(folder: Path, *, n_people: int | None = None) -> Labelled:
    """Held-out simulated people: the first `n_people`, or all."""
    labelled = Labelled()
    found = find_crops(folder)
    people = sorted({each.person for each in found})[:n_people]
    for each in found:
        if each.person in people:
            crop = picture_crop(read_pixels(each.path), each.modality.value)
            labelled.add(crop, people.index(each.person), each.camera)
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
    first = first_numbers()
    rows[:, 1] = [first.get(int(number), number) for number in rows[:, 1]]
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


def figures(found: SearchFigures) -> dict[str, float]:
    """What the benchmark keeps of a direction: shares 0-1, spread over crowds."""
    assert found.plain is not None
    return {
        "rank1": found.plain.rank1.mean,
        "rank1_std": found.plain.rank1.std,
        "mean_ap": found.plain.mean_ap.mean,
        "mean_ap_std": found.plain.mean_ap.std,
        "n_queries": found.n_valid_queries,
        "n_gallery": found.n_gallery,
    }


def compare(
    sets: dict[str, Labelled], networks: dict[str, Network]
) -> dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]:
    """Figures by set, crowd, direction and network."""
    compared: dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]] = {}
    for name, labelled in sets.items():
        labels = labelled.labels()
        for model, network in networks.items():
            vectors = network(labelled.crops)
            for crowd, n_people in CROWDS.items():
                protocol = folder(labels, shots=None, n_people=n_people)
                for found in measure(vectors, labels, protocol):
                    if found.plain is None:
                        continue
                    kept = figures(found)
                    directions = compared.setdefault(name, {}).setdefault(crowd, {})
                    directions.setdefault(found.name, {})[model] = kept
                    print(
                        f"{name:10} {crowd:10} {found.name:22} {model:20} "
                        f"R1 {100 * kept['rank1']:5.1f} mAP {100 * kept['mean_ap']:5.1f} "
                        f"({kept['n_queries']:.0f} queries, {kept['n_gallery']:.0f} gallery)",
                        flush=True,
                    )
    return compared


def _unit(vectors: npt.NDArray[np.float32]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=Path, help="held-out simulated crops")
    parser.add_argument("--shared", type=Path, required=True, help="holds footage/ and weights/")
    parser.add_argument(
        "--weights", nargs="+", default=["edge"], help="names or files of our embedders"
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--identities", type=int, default=30, help="simulated people to take")
    parser.add_argument("--no-peers", action="store_true", help="only ours: quicker")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if "simulated" in arguments.sets and arguments.simulated is None:
        parser.error("--simulated DIR is needed, or leave the set away with --sets llvip pets")

    torch.set_num_threads(1)
    footage, weights = arguments.shared / "footage", arguments.shared / "weights"
    networks = dict(ours(each) for each in arguments.weights)
    if not arguments.no_peers:
        networks |= {
            f"retail-{number}": peer(weights / f"person-reidentification-retail-{number}.xml")
            for number in ("0277", "0288")
        }
        networks["ImageNet ResNet-50"] = imagenet(weights / "resnet50_imagenet_fp16.pth")
    readers: dict[str, Callable[[], Labelled]] = {
        "simulated": lambda: simulated(arguments.simulated, n_people=arguments.identities),
        "llvip": lambda: llvip(footage / "LLVIP_pairs"),
        "pets": lambda: pets(footage),
    }
    record(arguments.out, compare({name: readers[name]() for name in arguments.sets}, networks))


if __name__ == "__main__":
    main()
