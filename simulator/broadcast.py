"""Plays a simulated folder as live cameras: RTSP addresses that a watcher can be pointed at.

    from simulator.broadcast import serve
    serve(Path("evening"), accelerate=60)   # until Ctrl-C or SIGTERM

All cameras run in step: who connects later joins the same moment, so that a person who leaves one
view enters the next when they should. After the last picture the films begin again.
"""

from __future__ import annotations

import contextlib
import math
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from simulator.rtsp import RtspServer, ServerUnavailable
from simulator.signals import both_signals_interrupt
from streams.config import CameraConfig
from streams.errors import ConfigInvalid, SourceUnreadable
from streams.source import open_source

_SHORTEST_S = 1.0
_KEYFRAME_EVERY_S = 2
_LOOKS_EVERY_S = 0.5
_ANY_HOST = {"0.0.0.0", "::"}


def serve(
    folder: Path, *, accelerate: float = 1.0, port: int = 8554, host: str = "127.0.0.1"
) -> None:
    """Play every NAME.mp4 of a folder at rtsp://host:port/NAME until Ctrl-C or SIGTERM.

    Prints the addresses as the `cameras` of a configuration. Call it from the main thread.

    Args:
        accelerate: Time lapse: 60 shows an hour in a minute, at the cameras' own pictures per
            second.
        port: 0 takes any free one.
        host: Address to listen at; 0.0.0.0 lets other machines watch.

    Raises:
        ConfigInvalid: `accelerate` is no factor, or leaves less than a second of a film.
        SourceUnreadable: The folder holds no film, or one that cannot be read.
        ServerUnavailable: gst-rtsp-server is missing, the port is taken, or the server died.
    """
    with (
        both_signals_interrupt(),
        contextlib.suppress(KeyboardInterrupt),
        on_air(folder, accelerate=accelerate, port=port, host=host) as server,
    ):
        sys.stdout.write(_announcement(server, sorted(find_films(folder))))
        sys.stdout.flush()
        while server.is_running:
            time.sleep(_LOOKS_EVERY_S)
        raise ServerUnavailable("the RTSP server ended by itself; its message is above")


@contextlib.contextmanager
def on_air(
    folder: Path, *, accelerate: float = 1.0, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[RtspServer]:
    """The films of a folder on air for as long as the block lasts; as `serve`, without a word."""
    if not (math.isfinite(accelerate) and accelerate > 0):
        raise ConfigInvalid(f"accelerate: expected a factor above 0, such as 60, got {accelerate}")
    films = find_films(folder)
    with tempfile.TemporaryDirectory(prefix="noctule-broadcast-") as scratch:
        if accelerate != 1:
            films = {
                name: time_lapse(film, Path(scratch) / film.name, accelerate=accelerate)
                for name, film in films.items()
            }
        with RtspServer(films, host=host, port=port, in_step=True) as server:
            yield server


def find_films(folder: Path) -> Mapping[str, Path]:
    """The films of a simulated folder by the name of their camera.

    Raises:
        SourceUnreadable: There are none, or a name is none that a camera can have.
    """
    films = {path.stem: path for path in sorted(folder.glob("*.mp4"))}
    if not films:
        raise SourceUnreadable(
            f"{folder}: expected NAME.mp4 in this folder, found none; film some with "
            "`noctule simulate`"
        )
    for name in films:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise SourceUnreadable(
                f"{films[name]}: expected a camera's name of letters, digits, _ and -; rename it"
            )
    return films


def time_lapse(film: Path, out: Path, *, accelerate: float) -> Path:
    """Write `film`, `accelerate` times as fast at as many pictures per second, to `out`.

    Raises:
        ConfigInvalid: Less than a second would be left.
        SourceUnreadable: ffmpeg is missing or cannot read the film.
    """
    fps, lasts_s = _fps_and_length(film)
    if lasts_s / accelerate < _SHORTEST_S:
        raise ConfigInvalid(
            f"accelerate: expected at most {lasts_s / _SHORTEST_S:g} for {film.name}, which lasts "
            f"{lasts_s:g} s, got {accelerate:g}"
        )
    every = str(max(round(fps * _KEYFRAME_EVERY_S), 1))
    command = ["ffmpeg", "-y", "-nostdin", "-loglevel", "error", "-i", str(film), "-an"]
    command += ["-vf", f"setpts=PTS/{accelerate:.9g},fps={fps:.9g}"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-pix_fmt", "yuv420p"]
    command += ["-g", every, "-keyint_min", every, "-sc_threshold", "0", "-bf", "0", str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SourceUnreadable("ffmpeg: command not found; run: apt-get install ffmpeg") from error
    if done.returncode != 0:
        raise SourceUnreadable(f"{film}: ffmpeg could not re-time it: {done.stderr.strip()}")
    return out


def _fps_and_length(film: Path) -> tuple[float, float]:
    """Pictures per second, and seconds that the film lasts."""
    with open_source(CameraConfig(name="film", source=SecretStr(str(film.absolute())))) as source:
        fps, n_frames = source.info.fps, source.n_frames
    if not fps or not n_frames:
        raise SourceUnreadable(f"{film}: expected a film that says its length and rate")
    return fps, n_frames / fps


def _announcement(server: RtspServer, names: list[str]) -> str:
    """The addresses, ready to be pasted into a configuration."""
    host = socket.gethostname() if server.host in _ANY_HOST else None
    lines = [f"# {len(names)} cameras on air, Ctrl-C ends them. For config.yaml:", "cameras:"]
    for name in names:
        lines += [f"  - name: {name}", f"    source: {server.url(name, host=host)}"]
    return "\n".join(lines) + "\n"
