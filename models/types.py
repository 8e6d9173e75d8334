"""Nouns of recognition: where people are, what they look like, how they compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

import numpy as np
import numpy.typing as npt

from streams.types import CameraId, Modality

ModelId = NewType("ModelId", str)
"""Name and content of a network, `name@first 12 digits of the sha256 of its weights`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """People found in one frame.

    Attributes:
        boxes: (N, 4) float32, xyxy in pixels of the frame, inside it, N may be 0.
        scores: (N,) float32, detector confidence in [0, 1].
    """

    camera: CameraId
    captured_at_us: int
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.boxes.dtype != np.float32:
            raise ValueError(
                f"boxes: expected ({n}, 4) float32, got {self.boxes.dtype} {self.boxes.shape}"
            )
        self.boxes.flags.writeable = False
        self.scores.flags.writeable = False

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, min_score: float) -> Detections:
        """Those with a confidence of at least `min_score`."""
        keep = self.scores >= min_score
        return Detections(
            camera=self.camera,
            captured_at_us=self.captured_at_us,
            boxes=self.boxes[keep],
            scores=self.scores[keep],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crop:
    """The picture of one person, cut out of a frame.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, read-only, as large as in the frame.
        box: xyxy in pixels of the frame.
        quality: How much an embedding of it can be trusted, in [0, 1].
    """

    camera: CameraId
    modality: Modality
    captured_at_us: int
    box: tuple[float, float, float, float]
    pixels: npt.NDArray[np.uint8]
    quality: float

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """Vectors of one network, one row per crop.

    Attributes:
        vectors: (N, D) float32, rows of unit length, finite; N may be 0.
        modality: (N,) the light each crop was taken in.
        model: The network that made them; vectors of two models are never compared.
    """

    vectors: npt.NDArray[np.float32]
    modality: tuple[Modality, ...]
    model: ModelId

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.modality):
            raise ValueError(
                f"vectors: expected ({len(self.modality)}, D), got {self.vectors.shape}"
            )
        norms = np.linalg.norm(self.vectors, axis=1)
        if not np.allclose(norms, 1.0, atol=1e-3):  # false for NaN and infinity too
            raise ValueError("vectors: rows must be finite and of unit length")
        self.vectors.flags.writeable = False

    def __len__(self) -> int:
        return len(self.modality)
