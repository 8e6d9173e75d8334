"""noctule run and replay: watch the cameras of a site, or one recording."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from models.fetch import Received
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    ModalityOption,
    camera_from,
    parse_time,
    read_config,
)
from pipeline.cli.output import (
    SIGHTING_COLUMNS,
    clock_time,
    print_json,
    print_line,
    print_table,
    progress_console,
    sighting_json,
    sighting_row,
)
from pipeline.cli.process import start_logging, stopped_by_signals
from pipeline.config import SiteConfig
from pipeline.errors import UsageInvalid
from storage.address import read_address
from storage.database import open_database
from storage.identities import identities
from storage.sightings import sightings
from storage.types import Decision, Sighting, Span, person_name

if TYPE_CHECKING:
    from pipeline.run.watch import Progress

logger = logging.getLogger(__name__)

_ROWS_SHOWN = 200
_SAY_EVERY_S = 10.0
"""Where there is no terminal to draw a bar on, a line this often."""


def run(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Watch all cameras: until the recordings end, or live until Ctrl-C.

    Example: noctule run --config config.yaml
    """
    _watch(read_config(config), config, as_json=as_json)


def replay(
    file: Annotated[Path, typer.Argument(help="A video file or a folder of images.")],
    camera: Annotated[str, typer.Option("--camera", help="Name of the camera that took it.")],
    start: Annotated[
        str | None,
        typer.Option("--start", help="Time of its first frame, e.g. 2026-06-01T14:00 (UTC)."),
    ] = None,
    modality: ModalityOption = "auto",
    region: Annotated[
        str | None,
        typer.Option("--region", help="Only this part, fractions x0,y0,x1,y1, e.g. 0,0,0.5,1."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Watch one recording as a camera, into the site's database.

    Example: noctule replay yard.mp4 --camera yard --start 2026-06-01T22:40
    """
    site = read_config(config)
    only = camera_from(
        "FILE",
        name=camera,
        source=SecretStr(str(file.expanduser().absolute())),
        modality=modality,
        starts_at=parse_time(start) if start else None,
        region=_parse_region(region) if region else None,
    )
    _watch(site.model_copy(update={"cameras": (only,)}), config, as_json=as_json)


def _parse_region(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageInvalid(f"--region {text}: expected four fractions such as 0,0,0.5,1") from None


def _watch(site: SiteConfig, config: Path, *, as_json: bool) -> None:
    from pipeline.run.watch import watch  # torch takes seconds: not for --help

    stop = threading.Event()
    start_logging(site.log_level, form=site.log_format)
    is_text = site.log_format == "text"
    with stopped_by_signals(stop), _bar(is_shown=is_text) as bar:
        task = bar.add_task("starting", total=None, words="")

        said_s = time.monotonic()

        def report(progress: Progress) -> None:
            nonlocal said_s
            if not progress_console.is_terminal and time.monotonic() - said_s > _SAY_EVERY_S:
                said_s = time.monotonic()
                if is_text:
                    progress_console.print(_words(progress))
                else:
                    logger.info("%s", _words(progress))
            bar.update(
                task,
                description="watching",
                completed=progress.n_frames,
                total=progress.n_expected,
                words=_words(progress),
            )

        def fetching(received: Received) -> None:
            bar.update(
                task,
                description=f"fetching {received.file} from {received.source}",
                completed=received.done_bytes,
                total=received.total_bytes,
            )

        done = watch(site, stop=stop, report=report, fetching=fetching)
    _conclude(site, config, done, as_json=as_json)
    if done.failures:
        raise typer.Exit(1)


def _bar(*, is_shown: bool) -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=progress_console,
        disable=not is_shown,
    )


def _words(progress: Progress) -> str:
    frames = f"{progress.n_frames}"
    if progress.n_expected is not None:
        frames += f"/{progress.n_expected}"
    at = f" at {clock_time(progress.now_us)}" if progress.now_us is not None else ""
    dark = [health.camera for health in progress.health if health.state != "live"]
    blind = f", blind: {', '.join(dark)}" if dark else ""
    return f"{frames} frames{at}, {progress.n_sightings} sightings{blind}"


def _conclude(site: SiteConfig, config: Path, done: Progress, *, as_json: bool) -> None:
    url = site.storage.database.get_secret_value()
    end_us = None if done.now_us is None else done.now_us + 1
    span = Span(from_us=done.first_us, to_us=end_us)
    with open_database(url) as database:
        found = sightings(database, span=span, limit=_ROWS_SHOWN)
        people = identities(database, span=span, limit=None)
    found.sort(key=lambda s: (s.identity is None, s.identity or 0, s.first_seen_us))
    if as_json:
        print_json([sighting_json(sighting) for sighting in found])
        return
    print_table(SIGHTING_COLUMNS, [sighting_row(sighting) for sighting in found])
    both = [person for person in people if len(person.modalities) > 1]
    print_line(
        f"{len(people)} people, {len(both)} of them seen by day and by night "
        f"(visible and infrared)."
    )
    unsure = sum(s.link.decision is Decision.UNSURE and s.identity is None for s in found)
    if unsure:
        print_line(f"{unsure} sightings are unsure: `P-0001?` names the best guess.")
    if done.n_known:
        print_line(f"{done.n_known} sightings stand as an earlier run recorded them.")
    if len(found) == _ROWS_SHOWN:
        print_line(f"Only the first {_ROWS_SHOWN} sightings are shown; `query sightings` has all.")
    if done.was_stopped:
        print_line("Stopped before the end; run the same again to finish, nothing is told twice.")
    for camera, error in done.failures.items():
        print_line(f"Camera {camera} was not watched to the end: {error}")
    _say_what_next(site, config, found, [person_name(p.id) for p in both or people])


def _say_what_next(
    site: SiteConfig, config: Path, found: list[Sighting], people: list[str]
) -> None:
    print_line()
    print_line(f"Database: {read_address(site.storage.database.get_secret_value())}")
    print_line(f"Evidence: {site.storage.evidence}")
    given = "" if config == DEFAULT_CONFIG else f" --config {config}"
    if found and people:
        print_line("Ask next:")
        noctule = "noctule" if shutil.which("noctule") else os.path.relpath(sys.argv[0])
        print_line(f"  {noctule} query trajectory {people[0]} --sheet {people[0]}.png{given}")
        print_line(f"  {noctule} query identities --camera {found[0].camera}{given}")
        print_line(f"  {noctule} search --image CROP.jpg{given}")
