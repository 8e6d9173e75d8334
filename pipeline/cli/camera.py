"""noctule camera: can we see through it, where is it, and what should be changed on it?"""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from pydantic import SecretStr

from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    camera_from,
    name_operator,
    parse_time,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line
from pipeline.errors import UsageInvalid
from pipeline.linking.ground import LEAST_POINTS, errors_m, fit
from storage.cameras import CameraMove, record_move
from streams.clock import SystemClock
from streams.moments import iso_time, to_us
from streams.probe import probe
from streams.types import CameraId

_NUMBER = r"\s*([-+]?[0-9]*\.?[0-9]+)\s*"
_POINT = re.compile(f"{_NUMBER},{_NUMBER}={_NUMBER},{_NUMBER}")
_DIGITS = 9

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at one camera, say where it is or that it was moved. Example: noctule camera probe rtsp://192.0.2.7/stream1",
)


@app.command("probe")
def probe_camera(
    url: Annotated[
        str,
        typer.Argument(
            help="rtsp:// address, video file or folder; write a password as ${VARIABLE} to keep "
            "it out of the process list."
        ),
    ],
    transport: Annotated[str, typer.Option("--transport", help="tcp or udp.")] = "tcp",
    as_json: JsonOption = False,
) -> None:
    """Open a camera, say in words what is good and what to change.

    Example: noctule camera probe 'rtsp://operator:${GATE_PASSWORD}@192.0.2.7/stream1'
    """
    camera = camera_from("URL", name="probe", source=SecretStr(url), transport=transport)
    seen = probe(camera)
    facts: dict[str, object] = {
        "codec": seen.codec,
        "width_px": seen.width_px,
        "height_px": seen.height_px,
        "fps": seen.fps,
        "keyframe_interval_s": seen.keyframe_interval_s,
        "modality": seen.modality.value,
        "first_frame_s": seen.first_frame_s,
        "has_sender_clock": seen.has_sender_clock,
        "clock_off_s": seen.clock_off_s,
    }
    if as_json:
        print_json({**facts, "advice": list(seen.advice)})
        return
    for name, value in facts.items():
        print_line(f"{name.replace('_', ' '):<22}{_words(value)}")
    for sentence in seen.advice or ("Good: there is nothing to change.",):
        print_line(f"- {sentence}")


@app.command("moved")
def tell_moved(
    name: Annotated[str, typer.Argument(help="The camera's name in the configuration.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in your words.")],
    operator: OperatorOption = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When, e.g. 2026-06-01T14:00 (UTC). Default: now.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that a camera was moved or turned: its transit times are learned anew from then on.

    Example: noctule camera moved gate --reason "turned to the car park" --as ada
    """
    now_us = SystemClock().now_us()
    at_us = now_us if at is None else to_us(parse_time(at))
    if not reason.strip():
        raise UsageInvalid("--reason: expected a few words; whoever reads it later was not there")
    if at_us > now_us:
        raise UsageInvalid(f"--at {at} is still to come; say it when the camera has been moved")
    move = CameraMove(
        camera=CameraId(name),
        at_us=at_us,
        made_by=name_operator(operator),
        reason=reason.strip(),
    )
    site = read_config(config)
    with open_site(site) as database:
        record_move(database, move, now_us=now_us)
    if as_json:
        print_json(
            {"camera": name, "at": iso_time(at_us), "by": move.made_by, "reason": move.reason}
        )
        return
    print_line(f"{name} was moved at {clock_time(at_us)} UTC; what it taught before is void.")
    if any(camera.name == name and camera.ground is not None for camera in site.cameras):
        print_line(f"Its `ground` is void too: measure it with `noctule camera calibrate {name}`.")


@app.command("calibrate")
def calibrate_ground(
    name: Annotated[str, typer.Argument(help="The camera's name in the configuration.")],
    points: Annotated[
        list[str],
        typer.Option(
            "--point",
            help="x,y=X,Y: a spot of the ground in pixels of the picture, and in metres on the "
            "floor plan; at least four, not on one line, far apart.",
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Find the homography from a camera's picture to the floor plan; print what to configure.

    Example: noctule camera calibrate gate --point 12,340=0,0 --point 600,350=4,0
    --point 420,180=4,12 --point 200,178=0,12 --point 310,240=2,5
    """
    if name not in {camera.name for camera in read_config(config).cameras}:
        raise UsageInvalid(f"no camera is named {name!r} in {config}")
    numbers = np.array([_point(point) for point in points], np.float64).reshape(-1, 4)
    pixels, metres = numbers[:, :2], numbers[:, 2:]
    if len(numbers) < LEAST_POINTS:
        raise UsageInvalid(f"--point: expected at least {LEAST_POINTS}, got {len(numbers)}")
    found = fit(pixels, metres)
    if found is None:
        raise UsageInvalid(
            "--point: no flat ground looks like this; look for a mistyped number, and for points "
            "that are all on one line"
        )
    ground = [[float(f"{number:.{_DIGITS}g}") for number in row] for row in found]
    off_m = errors_m(ground, pixels, metres)
    if as_json:
        print_json({"camera": name, "ground": ground, "errors_m": off_m.round(4).tolist()})
        return
    _tell_errors(points, off_m)
    print_line(f"Write in the configuration, under the camera {name}:")
    print_line(f"    ground: {ground}")


def _point(text: str) -> tuple[float, float, float, float]:
    """Pixel x, y and floor plan X, Y.

    >>> _point("12,340.5=0,-2")
    (12.0, 340.5, 0.0, -2.0)
    """
    match = _POINT.fullmatch(text)
    if match is None:
        raise UsageInvalid(f"--point {text}: expected x,y=X,Y such as 412,300=3.5,12")
    x, y, east, north = map(float, match.groups())
    return x, y, east, north


def _tell_errors(points: list[str], off_m: npt.NDArray[np.float64]) -> None:
    if len(points) == LEAST_POINTS:
        print_line("Four points always fit; a fifth would tell how far off they are.")
        return
    for point, error_m in zip(points, off_m, strict=True):
        print_line(f"{point:<28}{error_m:8.2f} m off")
    rms_m = float(np.sqrt((off_m**2).mean()))
    print_line(f"{rms_m:.2f} m off on average (root mean square), {off_m.max():.2f} m at most.")


def _words(value: object) -> str:
    """A fact for people."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
