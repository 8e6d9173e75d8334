"""What every re-ranking is to those who use it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Reranking(Protocol):
    """A gallery that was looked at once and orders itself for any query."""

    def order_scores(self, query: Vectors) -> npt.NDArray[np.float32]:
        """How early each gallery row comes for each query.

        A row of the answer depends on its query and on the gallery alone.

        Args:
            query: (Q, D) float32, rows of any length above 0.

        Returns:
            (Q, G) float32, higher comes earlier. Only comparable within a row.
        """
        ...
