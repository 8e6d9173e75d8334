"""Crops in, unit vectors out, whatever device and however many crops."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.config import EmbedderConfig
from models.device import in_batches, limit_threads, pick_device
from models.reid.checkpoint import Checkpoint, read_checkpoint
from models.reid.networks.edge import INPUT_HEIGHT_PX, INPUT_WIDTH_PX
from models.types import Crop, Embeddings, ModelId
from models.weights import obtain
from streams.types import Modality

logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """A network that makes comparable vectors of people in visible and in infrared light."""

    @property
    def model(self) -> ModelId:
        """Name and content of the network."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        """One row per crop, in their order; no crops give no rows."""
        ...


class EdgeEmbedder:
    """The edge network on one device. Used by one thread at a time.

    On the CPU a crop's vector is the same to the last bit whichever crops it comes with.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: torch.device, batch: int) -> None:
        self._network = checkpoint.network.to(device).to(memory_format=torch.channels_last)
        self._device = device
        # A CPU gains nothing from batches (43 ms a crop one by one, 57 ms in batches of 32).
        self._batch = 1 if device.type == "cpu" else batch
        self.model = checkpoint.model
        self.card = checkpoint.card
        self.dimension = checkpoint.network.dimension

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        """One row per crop, in their order; no crops give no rows.

        Raises:
            MemoryShort: Not even one crop fits on the device.
            RuntimeError: The network gave a vector that is not finite or zero: its weights or the
                device are broken, and no row of the call may be stored.
        """
        rows = in_batches(self._forward, crops, batch=self._batch)
        vectors = np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)
        return Embeddings(
            vectors=_unit_rows(vectors, self.model),
            modality=tuple(crop.modality for crop in crops),
            model=self.model,
        )

    def _forward(self, crops: Sequence[Crop]) -> list[npt.NDArray[np.float32]]:
        pixels = torch.from_numpy(np.stack([to_input(crop.pixels) for crop in crops]))
        infrared = torch.tensor([crop.modality is Modality.INFRARED for crop in crops])
        with torch.inference_mode():
            x = pixels.to(self._device).permute(0, 3, 1, 2)  # (B, 3, 256, 128), channels last
            rows: Tensor = self._network(x, infrared.to(self._device))
            return list(rows.float().cpu().numpy())


def to_input(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A crop of any size as (256, 128, 3); shrinking averages, enlarging interpolates."""
    shrinks = pixels.shape[0] >= INPUT_HEIGHT_PX and pixels.shape[1] >= INPUT_WIDTH_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    sized = cv2.resize(pixels, (INPUT_WIDTH_PX, INPUT_HEIGHT_PX), interpolation=method)
    return np.asarray(sized, np.uint8)


def load_embedder(config: EmbedderConfig) -> EdgeEmbedder:
    """The embedder that the configuration names.

    Raises:
        WeightsUnavailable: No such name or file.
        WeightsRefused: The file is not an embedder of ours.
        ConfigInvalid: A GPU is asked for and there is none.
    """
    device = pick_device(config.device)
    if device.type == "cpu":
        limit_threads(config.threads)
    checkpoint = read_checkpoint(obtain(config.weights))
    if not checkpoint.card.stage.startswith("trained"):
        logger.warning(
            "embedder %s is %s: links between visible and infrared will be poor",
            checkpoint.model,
            checkpoint.card.stage,
        )
    return EdgeEmbedder(checkpoint, device=device, batch=config.batch)


def _unit_rows(vectors: npt.NDArray[np.float32], model: ModelId) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 1e-6)))
    if len(bad):
        raise RuntimeError(
            f"embedder {model}: {len(bad)} of {len(vectors)} vectors are zero or not finite "
            f"(first: row {bad[0]}); the weights or the device are broken, nothing was kept"
        )
    return np.asarray(vectors / norms, np.float32)
