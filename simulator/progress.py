"""Progress of filming on stderr: a bar with the time that is left, or a line per finished video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from simulator.cropping.crops import write_crops
from simulator.errors import FilmingFailed, OrderInvalid
from simulator.filming.crew import film_all, has_bodies, require_tools
from simulator.filming.folder import CONFIG
from simulator.filming.job import Job, Order, lay_out, prepare
from simulator.signals import both_signals_interrupt

_INTERRUPTED = 130
_console = Console(stderr=True, highlight=False)


def film_with_bar(order: Order, out: Path) -> None:
    """Carry out an order and say what is where."""
    job = prepare(order)
    require_tools()
    _make_folder(out)
    kept = [take.video for take in job.takes if take.is_filmed(out)]
    if kept:
        _console.print(f"{len(kept)} of {len(job.takes)} videos are there already")
    _say_when_bodies_are_built()
    with interruptible(), _bar() as bar:
        task = bar.add_task("filming", total=sum(take.n_frames for take in job.takes), words="")
        film_all(job.takes, out, jobs=job.jobs, report=_Counter(bar, task, job, kept))
        bar.update(task, description="cutting the contact sheet", words="")
        written = lay_out(job, out)
    _console.print(f"{len(job.takes)} videos and their truth in {out}")
    if written:
        others = ", ".join(path.name for path in written if path.name != CONFIG)
        _console.print(f"beside them {others}")
        _console.print(f"Watch them: noctule run --config {out / CONFIG}")


def crops_with_bar(
    out: Path,
    *,
    identities: range,
    seed: int,
    visible: int,
    infrared: int,
    thermal: int,
    cameras: int,
    size_hw: tuple[int, int],
    jobs: int,
) -> None:
    """Write the crops of `identities`, see `cropping.crops.write_crops`."""
    if visible + infrared + thermal == 0:
        raise OrderInvalid("no crops: one of --visible, --infrared, --thermal has to be above 0")
    require_tools()
    _make_folder(out)
    _say_when_bodies_are_built()
    with interruptible(), _bar() as bar:
        task = bar.add_task("cropping", total=len(identities), words="")
        write_crops(
            out,
            identities=identities,
            seed=seed,
            visible=visible,
            infrared=infrared,
            thermal=thermal,
            cameras=cameras,
            size_hw=size_hw,
            jobs=jobs,
            report=lambda n_done, n_all: bar.update(
                task, completed=n_done, total=n_all, words=f"{n_done}/{n_all} people"
            ),
        )
    _console.print(f"{len(identities)} people in {out}")


class _Counter:
    """Adds up the frames of all videos."""

    def __init__(self, bar: Progress, task: TaskID, job: Job, kept: list[str]) -> None:
        self._bar = bar
        self._task = task
        self._total = {take.video: take.n_frames for take in job.takes}
        self._done = {video: self._total[video] for video in kept}

    def __call__(self, video: str, n_frames: int) -> None:
        self._done[video] = n_frames
        n_finished = sum(self._done.get(name) == total for name, total in self._total.items())
        n_done, n_all = sum(self._done.values()), sum(self._total.values())
        words = f"{n_finished}/{len(self._total)} videos, {n_done}/{n_all} frames, {video}"
        self._bar.update(self._task, completed=n_done, words=words)
        if not _console.is_terminal and n_frames == self._total[video]:
            _console.print(f"{video}: {n_frames} frames ({n_finished}/{len(self._total)} videos)")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OrderInvalid(
            f"--out {out}: expected a folder, or a place for one, got: {error.strerror}; "
            "choose another"
        ) from error


def _say_when_bodies_are_built() -> None:
    if not has_bodies():
        _console.print("Building the bodies, once: a few minutes and 1 GB of cache")


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a full disk end with a sentence instead of a trace."""
    try:
        with both_signals_interrupt():
            yield
    except KeyboardInterrupt:
        _console.print("Stopped; run the same again to go on, what is finished stays.")
        raise typer.Exit(_INTERRUPTED) from None
    except OSError as error:
        raise FilmingFailed(
            f"{error}; see to it and run the same again, what is finished stays"
        ) from error


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=_console,
        transient=not _console.is_terminal,
        disable=not _console.is_terminal,
    )
