"""Recordings for tests: a film becomes segments by the real recorder, without a camera."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from streams.files import to_rgb
from streams.recording.recorder import Recorder
from streams.recording.types import RecordingJob, Segment
from streams.types import CameraId
from tests.streams_builders import Pixels, write_video

US = 1_000_000
START_US = 1_780_322_400 * US
"""2026-06-01T14:00:00Z."""


def counter(index: int, *, width: int = 160, height: int = 96) -> Pixels:
    """(H, W, 3) uint8 grey whose level is 5 for each picture, so that a still tells its number."""
    return np.full((height, width, 3), 10 + 5 * index, np.uint8)


def number_of(pixels: Pixels) -> int:
    """Which picture of `counter` this is."""
    return round((float(pixels.mean()) - 10) / 5)


def counted_film(path: Path, *, n: int = 40, codec: str = "libx264", b_frames: int = 0) -> Path:
    """Ten pictures a second, a key picture every second."""
    return write_video(path, map(counter, range(n)), codec=codec, b_frames=b_frames)


def record_film(
    film: Path,
    folder: Path,
    *,
    camera: str = "gate",
    from_us: int = START_US,
    segment_s: float = 2.0,
    reserve_bytes: int = 0,
) -> list[Segment]:
    """Segments of a film, as if a camera had sent it from `from_us` on."""
    segments: list[Segment] = []
    troubles: list[str] = []
    job = RecordingJob(folder=folder, segment_s=segment_s, reserve_bytes=reserve_bytes)
    with (
        av.open(str(film)) as container,
        Recorder(
            job, CameraId(camera), closed=segments.append, troubled=troubles.append
        ) as recorder,
    ):
        stream = container.streams.video[0]
        feed(recorder, stream, container, from_us)
    if troubles:
        raise AssertionError(troubles)
    return segments


def feed(
    recorder: Recorder,
    stream: VideoStream,
    container: av.container.InputContainer,
    from_us: int,
) -> None:
    """Give a recorder all packets of a film, as the live source does."""
    stream.thread_type = "NONE"
    base = stream.time_base or Fraction(1, US)
    recorder.begin(stream)
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        for picture in packet.decode():
            if picture.pts is not None:
                recorder.pictured(picture.pts, from_us + round(picture.pts * base * US))
        recorder.take(packet, stream)


def decoded(path: Path) -> list[tuple[float, int]]:
    """Seconds from the start of a file and number of each of its pictures of `counter`."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = stream.time_base or Fraction(1, US)
        return [
            (float((picture.pts or 0) * base), number_of(to_rgb(picture)))
            for picture in container.decode(stream)
        ]
