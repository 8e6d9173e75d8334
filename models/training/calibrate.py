"""Fits a calibration to people whom the network has not seen.

    python -m models.training.calibrate edge --data DIR

Scores are those the linker meets: cosines between the unit means of two tracklets. A tracklet is
all crops of one person by one camera in one light. Of the pairs of one person, those of the same
camera and light are left out; strangers count also within one camera, where background makes them
alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.config import EmbedderConfig
from models.reid.calibration import (
    Calibration,
    Pair,
    calibration_path,
    fit_curve,
    pair_of,
    write_calibration,
)
from models.reid.embedder import Embedder, load_embedder
from models.reid.pictures import picture_crop
from models.training.data import LabelledCrop, find_crops, read_pixels
from models.weights import obtain
from streams.types import Modality

WIDENING = {
    Pair.VISIBLE_VISIBLE: 2.0,
    Pair.INFRARED_INFRARED: 2.0,
    Pair.VISIBLE_INFRARED: 1.25,
}
"""Simulated people are easier to tell apart than real ones, so slopes are divided by this.
docs/recognition.md compares it with what real footage asks for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Similarities of pairs of tracklets in one pair of lights.

    Attributes:
        same: (N,) float32, of one person.
        different: (M,) float32, of two people.
    """

    same: npt.NDArray[np.float32]
    different: npt.NDArray[np.float32]


def tracklet_scores(crops: Sequence[LabelledCrop], embedder: Embedder) -> dict[Pair, Scores]:
    """Scores of all pairs of tracklets that count, per pair of lights."""
    views: dict[tuple[str, Modality, str], list[LabelledCrop]] = {}
    for crop in crops:
        views.setdefault((crop.person, crop.modality, crop.camera), []).append(crop)
    keys = list(views)
    means = np.stack([_mean(views[key], embedder) for key in keys])  # (T, D)
    similarity = means @ means.T
    first, second = np.triu_indices(len(keys), 1)
    same_person = np.array([keys[i][0] == keys[j][0] for i, j in zip(first, second, strict=True)])
    same_view = np.array([keys[i][1:] == keys[j][1:] for i, j in zip(first, second, strict=True)])
    pairs = [pair_of(keys[i][1], keys[j][1]) for i, j in zip(first, second, strict=True)]
    values = similarity[first, second]
    scores = {}
    for pair in Pair:
        of_pair = np.array([each is pair for each in pairs])
        scores[pair] = Scores(
            same=values[of_pair & same_person & ~same_view],
            different=values[of_pair & ~same_person],
        )
    return scores


def fit(
    scores: Mapping[Pair, Scores],
    embedder: Embedder,
    *,
    name: str,
    widening: Mapping[Pair, float] = WIDENING,
) -> Calibration:
    """One widened curve per pair of lights."""
    curves = {
        pair: fit_curve(each.same, each.different, widening=widening[pair])
        for pair, each in scores.items()
    }
    return Calibration(
        name=name,
        model=embedder.model,
        visible_visible=curves[Pair.VISIBLE_VISIBLE],
        infrared_infrared=curves[Pair.INFRARED_INFRARED],
        visible_infrared=curves[Pair.VISIBLE_INFRARED],
    )


def _mean(crops: Sequence[LabelledCrop], embedder: Embedder) -> npt.NDArray[np.float32]:
    pictures = [picture_crop(read_pixels(c.path), c.modality.value) for c in crops]
    mean = embedder.embed(pictures).vectors.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def main() -> None:
    """Reads the arguments, fits and writes the file beside the weights."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.calibrate",
        description="Fits similarity to probability on people whom the network has not seen.",
    )
    parser.add_argument("weights", help="name or path of an embedder")
    parser.add_argument("--data", type=Path, required=True, help="PERSON/MODALITY_CAMERA/*.jpg")
    arguments = parser.parse_args()
    embedder = load_embedder(EmbedderConfig(weights=arguments.weights, device="cpu"))
    scores = tracklet_scores(find_crops(arguments.data), embedder)
    calibration = fit(scores, embedder, name=f"simulated, {embedder.model}")
    write_calibration(calibration_path(obtain(arguments.weights)), calibration)


if __name__ == "__main__":
    main()
