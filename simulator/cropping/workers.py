"""Shares work on a list of identities out to processes and tells of each that is finished."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import Permanent

if TYPE_CHECKING:
    from simulator.cropping.crops import CropSettings

Work = Callable[[Path, "CropSettings", list[int]], Iterator[int]]


class WorkerLost(Permanent):
    """A process ended before its work was done."""


def share_out(
    work: Work, out: Path, settings: CropSettings, identities: list[int], *, jobs: int
) -> Iterator[int]:
    """Do `work` on all `identities`; yields each when it is finished.

    Raises:
        WorkerLost: If a process died; what is finished stays, and another run goes on from there.
    """
    if jobs <= 1 or len(identities) < 2:
        yield from work(out, settings, identities)
        return
    context = multiprocessing.get_context("spawn")
    finished: Queue[int | None] = context.Queue()
    processes = [
        context.Process(target=_run, args=(work, out, settings, identities[k::jobs], finished))
        for k in range(min(jobs, len(identities)))
    ]
    for process in processes:
        process.start()
    try:
        yield from _until_all_ended(finished, len(processes))
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _until_all_ended(finished: Queue[int | None], n_processes: int) -> Iterator[int]:
    n_ended = 0
    while n_ended < n_processes:
        identity = finished.get()
        if identity is None:
            n_ended += 1
        elif identity < 0:
            raise WorkerLost("a process ended early, its message is above; run the command again")
        else:
            yield identity


def _run(
    work: Work,
    out: Path,
    settings: CropSettings,
    identities: list[int],
    finished: Queue[int | None],
) -> None:
    # Mesa would start a thread per core in every process.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    is_done = False
    try:
        for identity in work(out, settings, identities):
            finished.put(identity)
        is_done = True
    finally:
        finished.put(None if is_done else -1)


"""A negative identity tells of an early end."""
