"""People who look alike to a degree, for second thoughts."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from streams.types import Modality
from tests.linking_builders import AsTheyAre

D = 256
SECOND = 1_000_000
VIS, IR = Modality.VISIBLE, Modality.INFRARED


class Steep(AsTheyAre):
    """Similarity 0.5 says nothing; each 0.1 above it makes "same" six times likelier."""

    name = "steep"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        del a, b
        return math.pow(6.0, 10 * (min(max(similarity, 0.0), 0.7) - 0.5))


def somebody(number: int, *, alike: float = 0.68, seed: int = 0) -> npt.NDArray[np.float32]:
    """A look of person `number`; two looks of one person have the cosine `alike`, others 0."""
    vector = np.zeros(D, np.float32)
    vector[number] = math.sqrt(alike)
    vector[32 + 16 * number + seed] = math.sqrt(1 - alike)
    return vector
