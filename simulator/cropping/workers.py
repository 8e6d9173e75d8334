"""Shares work on a list of identities out to processes and tells of each that is finished."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import Permanent

if TYPE_CHECKING:
    from simulator.cropping.crops import CropSettings

Work = Callable[[Path, "CropSettings", list[int]], Iterator[int]]

_LOOKS_EVERY_S = 0.5


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
    finished: Queue[int] = context.Queue()
    processes = [
        context.Process(
            target=_run, args=(work, out, settings, identities[k::jobs], finished), daemon=True
        )
        for k in range(min(jobs, len(identities)))
    ]
    for process in processes:
        process.start()
    try:
        yield from _until_all_ended(finished, processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _until_all_ended(finished: Queue[int], processes: Sequence[SpawnProcess]) -> Iterator[int]:
    """What is finished; looks after the processes too, for who is killed says no word."""
    while True:
        are_done = all(process.exitcode == 0 for process in processes)
        try:
            yield finished.get(timeout=0.01 if are_done else _LOOKS_EVERY_S)
        except queue.Empty:
            died = [process.exitcode for process in processes if process.exitcode not in (None, 0)]
            if died:
                raise WorkerLost(
                    f"a process ended with status {died[0]}; its message is above, or it ran out "
                    "of memory: run the command again, perhaps with fewer --jobs"
                ) from None
            if are_done:
                return


def _run(
    work: Work, out: Path, settings: CropSettings, identities: list[int], finished: Queue[int]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us with SIGTERM
    # Mesa would start a thread per core in every process.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    for identity in work(out, settings, identities):
        finished.put(identity)
