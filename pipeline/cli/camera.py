"""noctule camera: can we see through it, and what should be changed on it?"""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import SecretStr

from pipeline.cli.options import JsonOption, camera_from
from pipeline.cli.output import print_json, print_line
from streams.probe import probe

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at one camera. Example: noctule camera probe rtsp://192.0.2.7/stream1",
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


def _words(value: object) -> str:
    """A fact for people."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
