"""Opens ultralytics checkpoints: only what an allow-list of network classes can express."""

from __future__ import annotations

import os
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch  # before ultralytics, whose import would set OMP_NUM_THREADS for torch

from models.errors import WeightsRefused
from models.types import ModelId
from models.weights import cache_folder
from streams.disk import sha256_of

TASKS = {"detect", "pose", "segment"}
UNREADABLE = (  # whatever an unpickler does with bytes that are no pickle
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(pickle.UnpicklingError, struct.error),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PersonNetwork:
    """A network that finds people, ready for inference.

    Attributes:
        module: (B, 3, h, w) float32 in [0, 1], RGB, to raw answers; h and w multiples of the
            stride.
        person: Index of the class `person`.
        is_final: It suppresses doubles itself.
    """

    module: torch.nn.Module
    model: ModelId
    person: int
    n_classes: int
    is_final: bool
    stride_px: int


def load_network(weights: Path, device: torch.device) -> PersonNetwork:
    """Open a checkpoint that somebody vouches for (see `models.weights`).

    Raises:
        WeightsRefused: Not an ultralytics detector of people in colour pictures.
    """
    module = _open(weights)
    person = _find_person(module, weights)
    module = module.fuse(verbose=False).float().eval().requires_grad_(False).to(device)
    return PersonNetwork(
        module=module,
        model=ModelId(f"{weights.stem}@{sha256_of(weights)[:12]}"),
        person=person,
        n_classes=len(module.names),
        is_final=bool(module.end2end),
        stride_px=max(32, int(module.stride.max())),
    )


def _open(weights: Path) -> Any:
    if weights.suffix != ".pt":
        raise WeightsRefused(
            f"weights {weights}: expected an ultralytics checkpoint (.pt), got {weights.suffix!r}; "
            "give the file that the training wrote, not an export of it"
        )
    _quieten_ultralytics()
    from ultralytics.nn.tasks import torch_safe_load

    try:
        checkpoint, _ = torch_safe_load(str(weights), safe_only=True)
        module = checkpoint.get("ema") or checkpoint.get("model")
    except UNREADABLE as error:
        reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
        raise WeightsRefused(
            f"weights {weights}: not readable as an ultralytics checkpoint: {reason}"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise WeightsRefused(
            f"weights {weights}: the checkpoint holds no whole network (only "
            f"{', '.join(sorted(map(str, checkpoint)))}); save it with ultralytics"
        )
    return module


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


def _find_person(module: Any, weights: Path) -> int:
    """Index of the class `person`.

    Raises:
        WeightsRefused: The network does another task or does not know people.
    """
    from ultralytics.nn.tasks import guess_model_task

    task = guess_model_task(module)
    channels = getattr(module, "yaml", {}).get("channels", 3)
    if task not in TASKS or channels != 3:
        raise WeightsRefused(
            f"weights {weights}: expected a network for {', '.join(sorted(TASKS))} in pictures of "
            f"3 channels, got one for {task} in {channels} channels"
        )
    names: dict[int, str] = dict(module.names)
    for index, name in names.items():
        if name.lower() == "person":
            return int(index)
    known = ", ".join(list(names.values())[:10]) + (", ..." if len(names) > 10 else "")
    raise WeightsRefused(
        f"weights {weights}: no class is called person (classes: {known}); "
        "name a detector that was trained on people"
    )
