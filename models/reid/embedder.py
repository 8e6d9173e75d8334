"""Crops in, unit vectors out, whatever device, whatever library and however many crops."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.config import EmbedderConfig
from models.device import in_batches, limit_threads, pick_device
from models.errors import MemoryShort
from models.reid.checkpoint import Checkpoint, read_checkpoint
from models.reid.networks.edge import INPUT_HEIGHT_PX, INPUT_WIDTH_PX
from models.runtime.load import Loader, Opened
from models.runtime.types import Runtime
from models.types import Crop, Embeddings, ModelId
from models.weights import cache_folder, obtain
from streams.errors import ConfigInvalid
from streams.types import Modality

logger = logging.getLogger(__name__)

SHORT_OF_MEMORY = (
    "can't allocate memory",  # torch
    "bad_alloc",  # OpenVINO, ONNX Runtime
    "could not create a memory",  # oneDNN in either
    "failed to allocate memory",  # ONNX Runtime
    "insufficient memory",  # OpenCV
)


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


class NetworkEmbedder:
    """A network behind whatever runs it. Used by one thread at a time.

    On the CPU crops go through one by one, so a crop's vector is the same to the last bit whichever
    crops it comes with, as long as the machine and the way the network is run (`way`) stay the
    same. Another way gives vectors whose cosine with these is at least 0.999 on real crops.
    """

    def __init__(
        self, checkpoint: Checkpoint, opened: Opened, *, device: torch.device, batch: int
    ) -> None:
        self._engine = opened.engine
        # A CPU gains nothing from batches in float32 (docs/recognition/runtime.md).
        self._batch = 1 if device.type == "cpu" else batch
        self._input_hw = checkpoint.network.input_hw
        self.model = checkpoint.model
        self.card = checkpoint.card
        self.dimension = checkpoint.network.dimension
        self.way = opened.way

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        """One row per crop, in their order; no crops give no rows.

        Raises:
            MemoryShort: Not even one crop fits in memory.
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
        try:
            pixels = np.stack([to_input(crop.pixels, self._input_hw) for crop in crops])
            is_infrared = np.array([crop.modality is Modality.INFRARED for crop in crops])
            return list(self._engine.run(pixels, is_infrared))
        except (MemoryError, RuntimeError, cv2.error) as error:
            if isinstance(error, torch.OutOfMemoryError) or not is_memory_short(error):
                raise
            if len(crops) == 1:
                raise MemoryShort(
                    "the machine has no memory left for one crop; stop other work on it, or watch "
                    "fewer cameras with it"
                ) from error
            raise torch.OutOfMemoryError(str(error)) from error  # `in_batches` halves


def to_input(
    pixels: npt.NDArray[np.uint8], input_hw: tuple[int, int] = (INPUT_HEIGHT_PX, INPUT_WIDTH_PX)
) -> npt.NDArray[np.uint8]:
    """A crop of any size as (256, 128, 3); shrinking averages, enlarging interpolates.

    Args:
        input_hw: Another height and width in pixels, for networks that want one.
    """
    height, width = input_hw
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    sized = cv2.resize(pixels, (width, height), interpolation=method)
    return np.asarray(sized, np.uint8)


def load_embedder(config: EmbedderConfig) -> NetworkEmbedder:
    """The embedder that the configuration names, run in the way that suits this machine.

    Raises:
        WeightsUnavailable: No such name or file.
        WeightsRefused: The file is not an embedder of ours.
        ConfigInvalid: A GPU is asked for and there is none, or a runtime for the other device.
    """
    device = pick_device(config.device)
    runtime = None if config.runtime == "auto" else Runtime(config.runtime)
    _check_device(runtime, device)
    if device.type == "cpu":
        limit_threads(config.threads)
    checkpoint = read_checkpoint(obtain(config.weights))
    if not checkpoint.card.stage.startswith("trained"):
        logger.warning(
            "embedder %s is %s: links between visible and infrared will be poor",
            checkpoint.model,
            checkpoint.card.stage,
        )
    loader = Loader(
        network=checkpoint.network,
        model=checkpoint.model,
        device=device,
        cache=cache_folder() / "runtime" / checkpoint.model,
        threads=config.threads,
    )
    opened = loader.open(runtime, allow_half=config.precision == "auto")
    return NetworkEmbedder(checkpoint, opened, device=device, batch=config.batch)


def is_memory_short(error: BaseException) -> bool:
    """Whether a library ran out of memory: each says so in its own words.

    >>> is_memory_short(MemoryError()), is_memory_short(RuntimeError("std::bad_alloc"))
    (True, True)
    >>> is_memory_short(RuntimeError("shapes do not match"))
    False
    """
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in words for sign in SHORT_OF_MEMORY)


def _check_device(runtime: Runtime | None, device: torch.device) -> None:
    on_gpu = device.type == "cuda"
    if on_gpu and runtime in (Runtime.OPENVINO, Runtime.ONNX):
        raise ConfigInvalid(
            f"embedder.runtime: {runtime} runs on the CPU; write device: cpu, or runtime: auto"
        )
    if not on_gpu and runtime is Runtime.TENSORRT:
        raise ConfigInvalid(
            "embedder.runtime: tensorrt needs a GPU and torch sees none; write runtime: auto"
        )


def _unit_rows(vectors: npt.NDArray[np.float32], model: ModelId) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 1e-6)))
    if len(bad):
        raise RuntimeError(
            f"embedder {model}: {len(bad)} of {len(vectors)} vectors are zero or not finite "
            f"(first: row {bad[0]}); the weights or the device are broken, nothing was kept"
        )
    return np.asarray(vectors / norms, np.float32)
