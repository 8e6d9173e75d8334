"""Writes pictures as H.264, as cameras send it, through the `ffmpeg` command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from simulator.errors import FilmingFailed, ToolMissing
from simulator.optics.illumination import Picture
from streams.types import Modality

_KEYFRAME_EVERY_S = 2
_BITS_PER_PIXEL = 0.2
"""Most that is spent without a bit rate: twice of what cameras are usually set to."""
_QUALITY = {Modality.VISIBLE: 22, Modality.INFRARED: 28}
"""Constant rate factors; noise of the night would cost most of the bits and is not worth them."""


class Encoder:
    """One video that is being written."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
        self._process = process
        self._pipe = pipe

    def write(self, picture: Picture) -> None:
        """The next (H, W, 3) uint8 RGB picture."""
        self._pipe.write(picture.tobytes())

    def finish(self) -> int:
        """End the video; the command's exit status."""
        self._pipe.close()
        return self._process.wait()

    def abandon(self) -> None:
        """Stop at once."""
        self._process.kill()
        self._process.wait()


@contextmanager
def encoder(
    path: Path,
    *,
    size_px: tuple[int, int],
    fps: int,
    modality: Modality,
    bitrate_kbps: int | None,
) -> Iterator[Encoder]:
    """Write a video that stands at `path` once the block is through, and not before.

    No B frames and a key frame every 2 s, which every player and every decoder likes.

    Raises:
        ToolMissing: There is no `ffmpeg`.
        FilmingFailed: It could not write the video.
    """
    part = path.with_name(f"{path.name}.part")
    command = _command(part, size_px, fps, modality, bitrate_kbps)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except FileNotFoundError:
        raise ToolMissing(
            "ffmpeg: command not found; install it with libx264, e.g. `apt-get install ffmpeg`"
        ) from None
    if process.stdin is None or process.stderr is None:
        raise FilmingFailed(f"{path}: ffmpeg was started without a pipe")
    running = Encoder(process, process.stdin)
    try:
        try:
            yield running
            status = running.finish()
        except BrokenPipeError:
            status = process.wait() or 1
        if status != 0:
            words = process.stderr.read().decode(errors="replace").strip()
            raise FilmingFailed(f"{path}: ffmpeg ended with status {status}: {words or 'no word'}")
        part.replace(path)
    finally:
        if process.poll() is None:
            running.abandon()
        process.stderr.close()
        part.unlink(missing_ok=True)


def _command(
    path: Path,
    size_px: tuple[int, int],
    fps: int,
    modality: Modality,
    bitrate_kbps: int | None,
) -> list[str]:
    width, height = size_px
    keyframe_every = str(_KEYFRAME_EVERY_S * fps)
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    codec = ["-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p"]
    if bitrate_kbps is None:
        most_kbps = max(round(_BITS_PER_PIXEL * width * height * fps / 1000), 16)
        rate = ["-crf", str(_QUALITY[modality])]
    else:
        most_kbps = bitrate_kbps
        rate = ["-b:v", f"{bitrate_kbps}k"]
    rate += ["-maxrate", f"{most_kbps}k", "-bufsize", f"{2 * most_kbps}k"]
    groups = ["-g", keyframe_every, "-keyint_min", keyframe_every, "-sc_threshold", "0", "-bf", "0"]
    same = ["-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact"]
    return [
        *("ffmpeg", "-y", "-loglevel", "error", *source, "-i", "-"),
        *(*codec, *rate, *groups, *same, "-movflags", "+faststart", "-f", "mp4", str(path)),
    ]
