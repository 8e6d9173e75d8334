"""Files that a process did not live to finish, and files that no index knows, become segments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import av.error

from streams.disk import flush, sha256_of
from streams.recording.boxes import whole_bytes
from streams.recording.segment import TAG, UNFINISHED
from streams.recording.types import Segment
from streams.timeline import US
from streams.types import CameraId


def salvage_camera(
    folder: Path, camera: CameraId, *, n_days: int | None = None
) -> Iterator[Segment]:
    """Finish what was left unfinished of a camera that nobody records just now.

    Args:
        folder: Of all recordings.
        n_days: Only its newest so many days; None: all.

    Raises:
        OSError: The disk does not take it.
    """
    days = sorted((folder / camera).glob("*/"))
    recent = days if n_days is None else days[-n_days:]
    for place in [place for day in recent for place in sorted(day.glob(f"*.mp4{UNFINISHED}"))]:
        segment = salvage_file(folder, place.with_name(place.name.removesuffix(UNFINISHED)))
        if segment is not None:
            yield segment


def salvage_file(folder: Path, place: Path) -> Segment | None:
    """Cut an unfinished file behind its last whole fragment and name it `place`; None if empty.

    Raises:
        OSError: The disk does not take it.
    """
    written = place.with_name(place.name + UNFINISHED)
    n_bytes = whole_bytes(written)
    if n_bytes == 0:
        written.unlink()
        return None
    os.truncate(written, n_bytes)
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(place)
    flush(place.parent)
    return read_segment(folder, place)


def read_segment(folder: Path, place: Path) -> Segment | None:
    """The segment in a file, told by the file alone; None if it is none of ours.

    Raises:
        OSError: It cannot be read.
    """
    if whole_bytes(place) == 0:
        return None
    try:
        with av.open(str(place), format="mp4") as container:
            word, camera, number = (container.metadata.get(TAG, "").split() + 3 * [""])[:3]
            stream = container.streams.video[0]
            codec = stream.codec_context.codec.canonical_name
            base = stream.time_base
            ends = [
                packet.pts + (packet.duration or 0)
                for packet in container.demux(stream)
                if packet.pts is not None
            ]
    except (av.error.FFmpegError, IndexError, ValueError):
        return None
    if word != "noctule" or not number.isdecimal() or base is None or not ends:
        return None
    from_us = int(number)
    return Segment(
        camera=CameraId(camera),
        from_us=from_us,
        to_us=max(from_us + 1, from_us + round(max(ends) * base * US)),
        path=place.relative_to(folder).as_posix(),
        codec=codec,
        n_bytes=place.stat().st_size,
        sha256=sha256_of(place),
    )


def recorded_files(folder: Path) -> Iterator[Path]:
    """All finished segments of all cameras, by name."""
    yield from sorted(folder.glob("*/*/*.mp4"))
