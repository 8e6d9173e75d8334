"""Where networks run: which device, how many threads, and what to do when its memory is short."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import torch

from models.errors import MemoryShort
from streams.errors import ConfigInvalid

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def pick_device(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device to run on; `auto` takes a GPU where there is one.

    Raises:
        ConfigInvalid: `cuda` is asked for and torch sees no GPU.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "auto":
        return torch.device("cpu")
    raise ConfigInvalid(
        "device: cuda is asked for, but torch sees no usable GPU; "
        "check the driver with nvidia-smi, or write device: auto"
    )


def limit_threads(threads: int) -> None:
    """Let torch use this many CPU threads per operator, in the whole process.

    Several cameras share few cores: threads of one operator that wait for each other cost more
    than they bring as soon as the cores have other work (docs/detector.md has the figures).
    """
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def in_batches(
    run: Callable[[Sequence[Item]], list[Answer]], items: Sequence[Item], *, batch: int
) -> list[Answer]:
    """Answers of `run` for all items in order, in batches that halve when memory is short.

    Args:
        run: Gives one answer per item; may raise torch.OutOfMemoryError.
        batch: Largest number of items at once, at least 1.

    Raises:
        MemoryShort: Not even one item fits.

    >>> in_batches(lambda xs: [x * x for x in xs], [1, 2, 3], batch=2)
    [1, 4, 9]
    >>> in_batches(lambda xs: [x * x for x in xs], [], batch=2)
    []
    """
    answers: list[Answer] = []
    while len(answers) < len(items):
        part = items[len(answers) : len(answers) + batch]
        try:
            answers.extend(run(part))
        except torch.OutOfMemoryError as error:
            if len(part) == 1:
                raise MemoryShort(
                    "the GPU has no room for one picture; free its memory (nvidia-smi shows who "
                    "holds it), choose smaller pictures or write device: cpu"
                ) from error
            batch = len(part) // 2
            logger.warning(
                "GPU memory is short for %d pictures at once, trying %d", len(part), batch
            )
        else:
            continue
        torch.cuda.empty_cache()  # here, not above: the error's frames still held the tensors
    return answers
