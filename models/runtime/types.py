"""How a network can be run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


class Runtime(StrEnum):
    """A library that runs networks."""

    TORCH = "torch"
    OPENVINO = "openvino"
    ONNX = "onnx"
    TENSORRT = "tensorrt"


class GraphFormat(StrEnum):
    """A kind of file that a network is exported to."""

    OPENVINO = "openvino"
    ONNX = "onnx"

    @property
    def suffix(self) -> str:
        """How the name of a graph file ends."""
        return ".xml" if self is GraphFormat.OPENVINO else ".onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A library and how exactly it counts.

    Attributes:
        runtime: The library.
        half: Convolutions in bfloat16, where the processor has instructions for it.

    >>> str(Way(runtime=Runtime.OPENVINO, half=True))
    'openvino in bfloat16'
    """

    runtime: Runtime
    half: bool = False

    def __str__(self) -> str:
        return f"{self.runtime} in {'bfloat16' if self.half else 'float32'}"


class Engine(Protocol):
    """A network ready to run. Used by one thread at a time."""

    def run(self, pixels: Pixels, is_infrared: npt.NDArray[np.bool_]) -> Vectors:
        """Vectors of crops, not of unit length.

        Args:
            pixels: (B, H, W, 3) RGB, contiguous, of the network's size; B at least 1.
            is_infrared: (B,) the light of each crop.

        Returns:
            (B, D), rows in the order of the crops.
        """
        ...


class Graph(Protocol):
    """The half of a network that serves one light."""

    def __call__(self, pixels: Pixels) -> Vectors:
        """(B, H, W, 3) RGB to (B, D)."""
        ...
