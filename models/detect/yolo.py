"""People through an ultralytics YOLO network."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch  # before ultralytics, whose import would set OMP_NUM_THREADS for torch
from torchvision.ops import nms

from models.config import DetectorConfig
from models.detect.letterbox import Letterbox, fit
from models.device import in_batches, limit_threads, pick_device
from models.errors import WeightsRefused
from models.types import Detections, ModelId
from models.weights import cache_folder, sha256_of
from streams.types import Frame

logger = logging.getLogger(__name__)

MAX_OVERLAP_IOU = 0.7
MOST_PEOPLE = 300
UNREADABLE = (
    *(AttributeError, EOFError, ImportError, KeyError, OSError, RuntimeError, TypeError),
    *(ValueError, pickle.UnpicklingError),
)
TASKS = {"detect", "pose", "segment"}


def open_yolo(weights: Path, config: DetectorConfig) -> YoloDetector:
    """Load a verified checkpoint.

    Raises:
        WeightsRefused: Not an ultralytics detector of people in colour pictures.
        ConfigInvalid: The device that was asked for is not there.
    """
    device = pick_device(config.device)
    if device.type == "cpu":
        limit_threads(config.threads)
    network = _load_network(weights)
    person = _find_person(network, weights)
    network = network.fuse(verbose=False).float().eval().requires_grad_(False).to(device)
    logger.info("detector %s runs on %s", weights.name, device)
    return YoloDetector(
        network=network.to(memory_format=torch.channels_last),
        person=person,
        n_classes=len(network.names),
        model=ModelId(f"{weights.stem}@{sha256_of(weights)[:12]}"),
        device=device,
        config=config,
    )


class YoloDetector:
    """A loaded network. Used by one thread at a time."""

    def __init__(
        self,
        *,
        network: torch.nn.Module,
        person: int,
        n_classes: int,
        model: ModelId,
        device: torch.device,
        config: DetectorConfig,
    ) -> None:
        self._network = network
        self._person = person
        self._n_classes = n_classes
        self._is_final = bool(getattr(network, "end2end", False))
        self._model = model
        self._device = device
        self._image_size_px = config.image_size_px
        self._min_score = config.min_score
        # A CPU gains nothing from batches, and one by one the answer is the same to the last bit
        # whichever cameras happen to share the call.
        self._batch = 1 if device.type == "cpu" else config.batch
        stride = getattr(network, "stride", None)
        self._stride_px = max(32, int(stride.max()) if isinstance(stride, torch.Tensor) else 32)

    @property
    def model(self) -> ModelId:
        """Which network and which weights answer."""
        return self._model

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """People of each frame; see `Detector.detect`."""
        fits = [
            fit(frame.pixels.shape[:2], longer_px=self._image_size_px, stride_px=self._stride_px)
            for frame in frames
        ]
        found: dict[int, Detections] = {}
        for shape in sorted({each.shape for each in fits}):
            group = [index for index, each in enumerate(fits) if each.shape == shape]
            answers = in_batches(
                lambda part: self._detect_alike([(frames[i], fits[i]) for i in part]),
                group,
                batch=self._batch,
            )
            found.update(zip(group, answers, strict=True))
        return [found[index] for index in range(len(frames))]

    def _detect_alike(self, pairs: Sequence[tuple[Frame, Letterbox]]) -> list[Detections]:
        """People of frames that share one input shape, in one forward pass."""
        pictures = np.stack([each.apply(frame.pixels) for frame, each in pairs])  # (B, h, w, 3)
        with torch.inference_mode():
            batch = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2)
            output: Any = self._network(batch.float().div_(255))  # (B, 3, h, w), channels last
            while isinstance(output, (tuple, list)):
                output = output[0]  # boxes and scores come first, masks and raw maps after
            people = [self._people_of(one) for one in output]
        return [
            _to_detections(frame, each, boxes, scores)
            for (frame, each), (boxes, scores) in zip(pairs, people, strict=True)
        ]

    def _people_of(
        self, output: torch.Tensor
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Boxes (N, 4) xyxy of the input and scores (N,) of one picture, highest score first.

        Args:
            output: (4 + classes + extra, anchors) with boxes as centre and size, or, of a network
                that suppresses doubles itself, (N, 6 + extra) rows of xyxy, score, class.
        """
        if self._is_final:
            keep = (output[:, 5] == self._person) & (output[:, 4] >= self._min_score)
            boxes, scores = output[keep, :4], output[keep, 4]
            order = scores.argsort(descending=True, stable=True)
        else:
            score, label = output[4 : 4 + self._n_classes].max(dim=0)  # (anchors,)
            keep = (label == self._person) & (score >= self._min_score)
            centre, size = output[:2, keep].T, output[2:4, keep].T  # (N, 2)
            boxes, scores = torch.cat((centre - size / 2, centre + size / 2), dim=1), score[keep]
            order = nms(boxes, scores, MAX_OVERLAP_IOU)
        order = order[:MOST_PEOPLE]
        return boxes[order].cpu().numpy(), scores[order].cpu().numpy()


def _to_detections(
    frame: Frame,
    letterbox: Letterbox,
    boxes: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
) -> Detections:
    """Boxes back in pixels of the frame, without those that are thinner than a pixel there."""
    boxes = letterbox.restore(boxes)
    keep = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)  # false for NaN too
    return Detections(
        camera=frame.camera,
        captured_at_us=frame.captured_at_us,
        boxes=boxes[keep],
        scores=np.clip(scores[keep], 0, 1),
    )


def _load_network(weights: Path) -> Any:
    """The network of a checkpoint, by an unpickler that knows networks and nothing else."""
    if weights.suffix != ".pt":
        raise WeightsRefused(
            f"weights {weights}: expected an ultralytics checkpoint (.pt), got {weights.suffix!r}; "
            "give the file that the training wrote, not an export of it"
        )
    _quieten_ultralytics()
    from ultralytics.nn.tasks import torch_safe_load

    try:
        checkpoint, _ = torch_safe_load(str(weights), safe_only=True)
    except UNREADABLE as error:
        raise WeightsRefused(
            f"weights {weights}: not readable as an ultralytics checkpoint: {_first_line(error)}"
        ) from error
    network = checkpoint.get("ema") or checkpoint.get("model")
    if not isinstance(network, torch.nn.Module):
        raise WeightsRefused(
            f"weights {weights}: the checkpoint holds no whole network (only "
            f"{', '.join(sorted(map(str, checkpoint)))}); save it with ultralytics"
        )
    return network


def _quieten_ultralytics() -> None:
    """Keep ultralytics from installing, phoning, printing and writing into the home folder."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ["YOLO_VERBOSE"] = "false"
    os.environ.setdefault("YOLO_CONFIG_DIR", str(cache_folder()))
    had_threads = "OMP_NUM_THREADS" in os.environ
    import ultralytics  # noqa: F401

    if not had_threads:  # its import sets this for everything we start later
        os.environ.pop("OMP_NUM_THREADS", None)


def _find_person(network: Any, weights: Path) -> int:
    """Index of the class `person`.

    Raises:
        WeightsRefused: The network does another task or does not know people.
    """
    from ultralytics.nn.tasks import guess_model_task

    task = guess_model_task(network)
    channels = getattr(network, "yaml", {}).get("channels", 3)
    if task not in TASKS or channels != 3:
        raise WeightsRefused(
            f"weights {weights}: expected a network for {', '.join(sorted(TASKS))} in pictures of "
            f"3 channels, got one for {task} in {channels} channels"
        )
    names: dict[int, str] = dict(getattr(network, "names", {}))
    for index, name in names.items():
        if name.lower() == "person":
            return int(index)
    known = ", ".join(list(names.values())[:10]) + (", ..." if len(names) > 10 else "")
    raise WeightsRefused(
        f"weights {weights}: no class is called person (classes: {known}); "
        "name a detector that was trained on people"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300] or type(error).__name__
