"""People through an ultralytics YOLO network."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from models.config import DetectorConfig
from models.detect.checkpoint import PersonNetwork, load_network
from models.detect.letterbox import Letterbox, fit
from models.device import in_batches, limit_threads, pick_device
from models.types import Detections, ModelId
from streams.types import Frame

logger = logging.getLogger(__name__)

MAX_OVERLAP_IOU = 0.7
MOST_PEOPLE = 300


def open_yolo(weights: Path, config: DetectorConfig) -> YoloDetector:
    """A detector from a checkpoint that somebody vouches for.

    Raises:
        WeightsRefused: Not an ultralytics detector of people in colour pictures.
        ConfigInvalid: The device that was asked for is not there.
    """
    device = pick_device(config.device)
    if device.type == "cpu":
        limit_threads(config.threads)
    network = load_network(weights, device)
    logger.info("detector %s runs on %s", network.model, device)
    # A CPU gains nothing from batches, and one by one the answer is the same to the last bit
    # whichever cameras happen to share a call.
    batch = 1 if device.type == "cpu" else config.batch
    return YoloDetector(network, config, device=device, batch=batch)


class YoloDetector:
    """A loaded network. Used by one thread at a time."""

    def __init__(
        self, network: PersonNetwork, config: DetectorConfig, *, device: torch.device, batch: int
    ) -> None:
        self._network = network
        self._image_size_px = config.image_size_px
        self._min_score = config.min_score
        self._device = device
        self._batch = batch

    @property
    def model(self) -> ModelId:
        """Which network and which weights answer."""
        return self._network.model

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """People of each frame; see `Detector.detect`."""
        boxings = [
            fit(
                frame.pixels.shape[:2],
                longer_px=self._image_size_px,
                stride_px=self._network.stride_px,
            )
            for frame in frames
        ]
        found: dict[int, Detections] = {}
        for shape in sorted({each.shape for each in boxings}):
            alike = [index for index, each in enumerate(boxings) if each.shape == shape]
            answers = in_batches(
                self._detect_alike, [(frames[i], boxings[i]) for i in alike], batch=self._batch
            )
            found.update(zip(alike, answers, strict=True))
        return [found[index] for index in range(len(frames))]

    def _detect_alike(self, pairs: Sequence[tuple[Frame, Letterbox]]) -> list[Detections]:
        """People of frames that share one input shape, in one forward pass."""
        pictures = np.stack([boxing.apply(frame.pixels) for frame, boxing in pairs])  # (B, h, w, 3)
        with torch.inference_mode():
            batch = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2)
            output: Any = self._network.module(batch.float().div_(255))  # (B, 3, h, w)
            while isinstance(output, (tuple, list)):
                output = output[0]  # boxes and scores come first, masks and raw maps after
            people = [self._people_of(one) for one in output]
        return [
            _to_detections(frame, boxing, boxes, scores)
            for (frame, boxing), (boxes, scores) in zip(pairs, people, strict=True)
        ]

    def _people_of(
        self, output: torch.Tensor
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Boxes (N, 4) xyxy of the input and scores (N,) of one picture, highest score first.

        Args:
            output: (4 + classes + extra, anchors) with boxes as centre and size, or, of a network
                that suppresses doubles itself, (N, 6 + extra) rows of xyxy, score, class.
        """
        if self._network.is_final:
            keep = (output[:, 5] == self._network.person) & (output[:, 4] >= self._min_score)
            boxes, scores = output[keep, :4], output[keep, 4]
            order = scores.argsort(descending=True, stable=True)
        else:
            score, label = output[4 : 4 + self._network.n_classes].max(dim=0)  # (anchors,)
            keep = (label == self._network.person) & (score >= self._min_score)
            centre, size = output[:2, keep].T, output[2:4, keep].T  # (N, 2)
            boxes, scores = torch.cat((centre - size / 2, centre + size / 2), dim=1), score[keep]
            order = nms(boxes, scores, MAX_OVERLAP_IOU)
        order = order[:MOST_PEOPLE]
        return boxes[order].cpu().numpy(), scores[order].cpu().numpy()


def _to_detections(
    frame: Frame,
    boxing: Letterbox,
    boxes: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
) -> Detections:
    """Boxes back in pixels of the frame, without those that are thinner than a pixel there."""
    boxes = boxing.restore(boxes)
    keep = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)  # false for NaN too
    return Detections(
        camera=frame.camera,
        captured_at_us=frame.captured_at_us,
        boxes=boxes[keep],
        scores=np.clip(scores[keep], 0, 1),
    )
