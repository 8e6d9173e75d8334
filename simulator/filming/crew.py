"""Films all videos of a folder: one process per core, one video after another in each."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import queue
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.errors import FilmingFailed, ToolMissing
from simulator.figures.body import body_cache, load_body_model
from simulator.filming.take import Take
from streams.errors import NoctuleError

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_LOOKS_EVERY_S = 0.5
_TELLS_EVERY = 5

Report = Callable[[str, int], None]
"""Told the name of a video and how many of its frames are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What a process says: frames done, or why it stops."""

    video: str
    n_frames: int = 0
    failure: str | None = None


def require_tools() -> None:
    """Check that everything that filming needs is installed.

    Raises:
        ToolMissing: Something is not.
    """
    missing = [name for name in ("anny", "moderngl") if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolMissing(
            f"{' and '.join(missing)}: not installed; run `pip install 'noctule[simulator]'`"
        )
    if shutil.which("ffmpeg") is None:
        raise ToolMissing(
            "ffmpeg: command not found; install it with libx264, e.g. `apt-get install ffmpeg`"
        )


def has_bodies() -> bool:
    """Whether the bodies are built already; the first build takes minutes."""
    return body_cache().is_dir() and any(body_cache().iterdir())


def film_all(takes: Sequence[Take], out: Path, *, jobs: int, report: Report) -> None:
    """Film what is not filmed yet into the folder `out`.

    Args:
        jobs: Processes; 1 films in this one.

    Raises:
        FilmingFailed, ToolMissing: A video could not be written; those that were finished stay.
    """
    waiting = [take for take in takes if not take.is_filmed(out)]
    if not waiting:
        return
    if min(jobs, len(waiting)) > 1:
        if not has_bodies():
            load_body_model()
        _film_in_processes(waiting, out, min(jobs, len(waiting)), report)
        return
    from simulator.filming.film import film_take

    model = load_body_model()
    for take in waiting:
        film_take(take, model, out, partial(report, take.video))


def _film_in_processes(takes: Sequence[Take], out: Path, jobs: int, report: Report) -> None:
    context = multiprocessing.get_context("spawn")
    work: Queue[Take | None] = context.Queue()
    words: Queue[_Word] = context.Queue()
    workers = [
        context.Process(target=_work, args=(work, words, out, jobs), daemon=True)
        for _ in range(jobs)
    ]
    for worker in workers:
        worker.start()
    try:
        for take in (*takes, *[None] * jobs):
            work.put(take)
        _listen(workers, words, report)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        work.cancel_join_thread()


def _listen(workers: Sequence[SpawnProcess], words: Queue[_Word], report: Report) -> None:
    """Pass on what the processes say until all have ended well.

    Raises:
        FilmingFailed: One of them did not.
    """
    while True:
        are_done = all(worker.exitcode == 0 for worker in workers)
        try:
            word = words.get(timeout=0.01 if are_done else _LOOKS_EVERY_S)
        except queue.Empty:
            died = [worker.exitcode for worker in workers if worker.exitcode not in (None, 0)]
            if died:
                raise FilmingFailed(
                    f"a filming process ended with status {died[0]}; its message is above, or it "
                    "ran out of memory: try fewer --jobs"
                ) from None
            if are_done:
                return
            continue
        if word.failure is not None:
            raise FilmingFailed(f"{word.video}: {word.failure}")
        report(word.video, word.n_frames)


def _work(work: Queue[Take | None], words: Queue[_Word], out: Path, jobs: int) -> None:
    """One process: film until there is nothing left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent asks with SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ.setdefault("LP_NUM_THREADS", str(max((os.cpu_count() or 1) // jobs, 1)))
    from simulator.filming.film import film_take

    model = load_body_model()
    while (take := work.get()) is not None:

        def tell(n_frames: int, video: str = take.video, last: int = take.n_frames) -> None:
            if n_frames % _TELLS_EVERY == 0 or n_frames == last:
                words.put(_Word(video=video, n_frames=n_frames))

        try:
            film_take(take, model, out, tell)
        except (NoctuleError, OSError, ValueError) as error:
            words.put(_Word(video=take.video, failure=str(error)))
            return
