"""noctule clip: a stretch of recordings as one file, with a paper that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import typed_camera
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    name_operator,
    parse_time,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line
from pipeline.errors import UsageInvalid
from storage.database import Database
from storage.errors import DiskFull
from streams.clock import SystemClock
from streams.errors import SourceUnreadable
from streams.moments import to_us
from streams.types import CameraId

if TYPE_CHECKING:
    from pipeline.recordings import Recordings


def clip(
    camera: Annotated[str, typer.Argument(help="Name of a camera.")] = "",
    start: Annotated[
        str, typer.Argument(metavar="FROM", help="Time, e.g. 2026-06-01T14:00:05 (UTC).")
    ] = "",
    end: Annotated[str, typer.Argument(metavar="TO", help="Time it ends before.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="MP4 file to write; must not exist.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Instead: is this clip as it was exported?")
    ] = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Export what a camera recorded, without encoding it anew, and OUT.json that describes it.

    The clip begins at the key picture at or before FROM. The export is audited. With --check
    nothing else is given; exit code 1 says that clip or paper was changed.

    Example: noctule clip gate 2026-06-01T14:00:10 2026-06-01T14:00:30 --out gate.mp4
    """
    if check is not None:
        _check(check)
        return
    if not (camera and start and end and out):
        raise UsageInvalid("expected CAMERA FROM TO --out FILE.mp4, or --check FILE.mp4")
    if out.exists() or out.suffix.lower() != ".mp4":
        raise UsageInvalid(f"--out {out}: expected the name of an MP4 file that is not there yet")
    span = to_us(parse_time(start)), to_us(parse_time(end))
    site = read_config(config)
    with open_site(site) as database:
        from pipeline.recordings import Recordings  # PyAV takes a moment: not for --help

        recordings = Recordings(site, database)
        known = CameraId(camera)
        if not recordings.knows(known):
            known = typed_camera(database, camera) or known
        values = _export(recordings, database, known, span, out, operator=name_operator(operator))
    if as_json:
        print_json(values)
    else:
        _tell(values, out)


def _export(
    recordings: Recordings,
    database: Database,
    camera: CameraId,
    span: tuple[int, int],
    out: Path,
    *,
    operator: str,
) -> dict[str, object]:
    from pipeline.clip_paper import export

    try:
        return export(
            recordings,
            database,
            camera,
            span,
            out,
            made_by=operator,
            reason="",
            clock=SystemClock(),
        )
    except OSError as error:
        raise DiskFull(
            f"{out} cannot be written ({error.strerror}); choose another disk"
        ) from error


def _tell(values: dict[str, object], out: Path) -> None:
    shows, gaps, sources = values["shows"], values["gaps"], values["sources"]
    if not (isinstance(shows, dict) and isinstance(gaps, list) and isinstance(sources, list)):
        raise TypeError("not the paper of a clip")
    print_line(
        f"{out}: {clock_time(shows['from_us'])} to {clock_time(shows['to_us'])}, "
        f"{values['pictures']} pictures, {values['codec']}, from {len(sources)} files."
    )
    for gap in gaps:
        print_line(
            f"Nothing was recorded from {clock_time(gap['from_us'])} to "
            f"{clock_time(gap['to_us'])}; the last picture stands."
        )
    changed = [source["file"] for source in sources if source["is_unchanged"] is False]
    if changed:
        print_line(f"Not as they were recorded: {', '.join(changed)}. The paper says so.")
    print_line(f"{out.name}.json describes it; sha256 {values['sha256']}")


def _check(file: Path) -> None:
    from pipeline.clip_paper import mistakes

    try:
        found = mistakes(file)
    except (OSError, ValueError) as error:
        raise SourceUnreadable(
            f"{file}: the clip or its paper {file.name}.json cannot be read ({error})"
        ) from error
    if found:
        raise SourceUnreadable(f"{file}: {'; '.join(found)}")
    print_line(f"{file}: as it was exported.")
