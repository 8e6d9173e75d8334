"""Does a library answer as torch does? Asked of real crops of both lights, before it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.errors import RuntimeUnusable
from models.reid.networks.types import EmbeddingNetwork
from models.runtime.types import Engine, Pixels, Vectors, Way
from streams.pictures import from_file

LEAST_COSINE = 0.999
"""Between the vectors of one crop in torch and in another library."""
PROBE_HW = (256, 128)
DIM_EVERY, DIM_BY, DIM_LEVEL = 4, 8, 40
"""Every fourth crop is asked about again at an eighth of its contrast, as dark as a bad night: what
low precision loses is lost there first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """Crops and what torch says about them.

    Attributes:
        pixels: (N, H, W, 3) uint8 RGB, as many visible as infrared.
        is_infrared: (N,).
        vectors: (N, D) float32 unit rows, of the network in torch in full precision.
    """

    pixels: Pixels
    is_infrared: npt.NDArray[np.bool_]
    vectors: Vectors

    def few(self) -> Probe:
        """One crop per light: enough to notice at a start that a library has gone wrong."""
        first = [int(np.flatnonzero(self.is_infrared == light)[0]) for light in (False, True)]
        return Probe(
            pixels=self.pixels[first],
            is_infrared=self.is_infrared[first],
            vectors=self.vectors[first],
        )


def make_probe(network: EmbeddingNetwork, *, per_light: int | None = None) -> Probe:
    """What a network on the CPU says about the crops that ship in this package.

    Args:
        per_light: Only so many of each light; all by default.
    """
    pixels, is_infrared = _crops(network.input_hw)
    if per_light is not None:
        lights = (np.flatnonzero(is_infrared == light)[:per_light] for light in (False, True))
        chosen = np.concatenate(list(lights))
        pixels, is_infrared = pixels[chosen], is_infrared[chosen]
    with torch.inference_mode():
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        vectors = network(x, torch.from_numpy(is_infrared)).float().numpy()
    return Probe(pixels=pixels, is_infrared=is_infrared, vectors=_unit(vectors))


def lowest_cosine(engine: Engine, probe: Probe) -> float:
    """Cosine of an engine's answer with torch's at the crop where they differ most.

    One crop at a time, then all at once: a graph whose batch is frozen fails here. Answers that are
    not finite give -1.

    Raises:
        RuntimeUnusable: The engine fails, or its answers have another shape.
    """
    singles = [
        engine.run(probe.pixels[i : i + 1], probe.is_infrared[i : i + 1])
        for i in range(len(probe.pixels))
    ]
    answers = np.stack([np.concatenate(singles), engine.run(probe.pixels, probe.is_infrared)])
    if answers.shape[1:] != probe.vectors.shape:
        raise RuntimeUnusable(
            f"vectors: expected {probe.vectors.shape}, a library gave {answers.shape[1:]}"
        )
    cosines = (_unit(answers) * probe.vectors).sum(-1)
    return float(cosines.min()) if bool(np.isfinite(answers).all()) else -1.0


def require_parity(way: Way, engine: Engine, probe: Probe) -> float:
    """The lowest cosine, if it is high enough.

    Raises:
        RuntimeUnusable: It is not, or the engine fails.
    """
    try:
        cosine = lowest_cosine(engine, probe)
    except (RuntimeError, ValueError) as error:
        raise RuntimeUnusable(f"{way}: fails on a crop ({str(error)[:200]})") from error
    if not cosine >= LEAST_COSINE:
        raise RuntimeUnusable(
            f"{way}: differs from torch, cosine {cosine:.5f}, expected at least {LEAST_COSINE}"
        )
    return cosine


def _crops(input_hw: tuple[int, int]) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Rows of the sheet: visible, infrared. Simulated people of the embedded footage."""
    encoded = resources.files("models.runtime").joinpath("probes.jpg").read_bytes()
    sheet = from_file(encoded)
    if sheet is None:
        raise RuntimeUnusable("models/runtime/probes.jpg is damaged; install noctule again")
    height, width = PROBE_HW
    rows, columns = sheet.shape[0] // height, sheet.shape[1] // width
    crops = [
        cv2.resize(
            sheet[row * height : (row + 1) * height, column * width : (column + 1) * width],
            input_hw[::-1],
            interpolation=cv2.INTER_AREA,
        )
        for row in range(rows)
        for column in range(columns)
    ]
    is_infrared = np.repeat([False, True], columns)
    # A sensor in the dark has one channel; the codec of the sheet moved the three apart.
    for crop in crops[columns:]:
        crop[...] = crop[..., 1:2]
    bright = np.asarray(np.stack(crops), np.uint8)
    dim = bright[::DIM_EVERY].astype(np.float32)
    dim = (dim - dim.mean((1, 2, 3), keepdims=True)) / DIM_BY + DIM_LEVEL
    pixels = np.concatenate((bright, np.clip(dim.round(), 0, 255).astype(np.uint8)))
    return pixels, np.concatenate((is_infrared, is_infrared[::DIM_EVERY]))


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        return np.asarray(vectors / norms, np.float32)
