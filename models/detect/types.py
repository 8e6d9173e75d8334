"""What a detector is to the rest of the house; names no vendor and loads nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models.types import Detections, ModelId
from streams.types import Frame


class Detector(Protocol):
    """Finds people in frames."""

    @property
    def model(self) -> ModelId:
        """Which network and which weights answer."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """People of each frame, in the order of `frames`, highest score first.

        Frames may come from different cameras and differ in size. A frame's answer does not
        depend on its neighbours. No frames give no detections.

        Raises:
            MemoryShort: The device cannot hold even one frame.
        """
        ...
