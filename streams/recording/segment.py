"""One segment file while it is written. Fragmented, so that what is on the disk can be played."""

from __future__ import annotations

import contextlib
import hashlib
import os
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.container
import av.error
import av.video

from streams.disk import flush
from streams.moments import to_utc
from streams.recording.order import REORDERED, DecodeOrder
from streams.recording.types import Segment
from streams.timeline import US
from streams.types import CameraId

VideoPacket: TypeAlias = "av.Packet[av.video.stream.VideoStream]"
VideoStream: TypeAlias = "av.video.stream.VideoStream"

UNFINISHED = ".part"
TAG = "comment"
"""Of the file: `noctule CAMERA MICROSECONDS`, so that it tells when it begins by itself."""

_FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof"


def segment_name(camera: CameraId, from_us: int) -> str:
    """Place of a segment below the folder of recordings.

    >>> segment_name(CameraId("gate"), 1_780_000_000_123_456)
    'gate/2026-05-28/202640.mp4'
    """
    moment = to_utc(from_us)
    return f"{camera}/{moment:%Y-%m-%d}/{moment:%H%M%S}.mp4"


def free_name(folder: Path, camera: CameraId, from_us: int) -> str:
    """`segment_name`, or one with microseconds where a segment of the same second is there."""
    name = segment_name(camera, from_us)
    place = folder / name
    if place.exists() or unfinished(place).exists():
        return name.replace(".mp4", f"-{from_us % US:06d}.mp4")
    return name


def unfinished(place: Path) -> Path:
    """Where a segment lies while it is written."""
    return place.with_name(place.name + UNFINISHED)


class _HashedFile:
    """What FFmpeg writes into: counts and hashes on the way. It never seeks."""

    def __init__(self, place: Path) -> None:
        self._descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        self._sha256 = hashlib.sha256()
        self.n_bytes = 0
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self.failure = error
            raise
        self._sha256.update(data)
        self.n_bytes += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def close(self, *, flush: bool) -> None:
        try:
            if flush:
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


class SegmentWriter:
    """Writes packets of one camera into one file, without decoding them.

    Args:
        folder: Of all recordings.
        template: A stream with the camera's codec.
        from_us: When the first picture was taken.
        first_pts: Its tick.
        is_reordered: Whether pictures are sent in another order than they are shown in.

    Raises:
        OSError: The file cannot be made.
        av.error.FFmpegError: FFmpeg does not put this codec into MP4.
    """

    def __init__(
        self,
        *,
        folder: Path,
        camera: CameraId,
        template: VideoStream,
        from_us: int,
        first_pts: int,
        is_reordered: bool,
    ) -> None:
        self.from_us = from_us
        self.first_pts = first_pts
        self._camera = camera
        self._name = free_name(folder, camera, from_us)
        self._place = folder / self._name
        self._place.parent.mkdir(parents=True, exist_ok=True)
        self._codec = template.codec_context.codec.canonical_name
        self._order = DecodeOrder(depth=REORDERED if is_reordered else 0)
        self._file = _HashedFile(unfinished(self._place))
        try:
            self._container = av.open(
                self._file,
                "w",
                format="mp4",
                options={"movflags": _FRAGMENTS, "use_editlist": "0"},
            )
            self._container.metadata[TAG] = f"noctule {camera} {from_us}"
            self._stream = self._container.add_stream_from_template(template)
            if self._codec == "hevc":
                self._stream.codec_context.codec_tag = "hvc1"  # what browsers look for
        except BaseException:
            self.abandon()
            raise

    @property
    def place(self) -> Path:
        """Of the finished file."""
        return self._place

    def write(self, packet: VideoPacket, pts: int, time_base: Fraction) -> None:
        """Append a packet; pictures that belong before the first one are left out.

        Raises:
            OSError: The disk does not take it.
        """
        shown = pts - self.first_pts
        if shown < 0:
            return
        packet.pts = shown
        packet.dts = self._order.decoded_at(shown)
        packet.time_base = time_base
        packet.stream = self._stream
        self._mux(packet)

    def finish(self, to_us: int) -> Segment | None:
        """Close the file and give it its name; None if it holds no picture.

        Raises:
            OSError: The disk does not take it.
        """
        self._close_container()
        self._file.close(flush=True)
        written = unfinished(self._place)
        if to_us <= self.from_us:
            written.unlink()
            return None
        written.replace(self._place)
        flush(self._place.parent)
        return Segment(
            camera=self._camera,
            from_us=self.from_us,
            to_us=to_us,
            path=self._name,
            codec=self._codec,
            n_bytes=self._file.n_bytes,
            sha256=self._file.sha256,
        )

    def abandon(self) -> None:
        """Let go of a file that cannot be written on; what is on the disk stays there."""
        with contextlib.suppress(OSError, av.error.FFmpegError, AttributeError):
            self._container.close()
        with contextlib.suppress(OSError):
            self._file.close(flush=False)

    def _mux(self, packet: VideoPacket) -> None:
        try:
            self._container.mux_one(packet)
        except av.error.FFmpegError as error:
            raise self._file.failure or OSError(error.errno, "FFmpeg cannot write it") from error
        if self._file.failure is not None:
            raise self._file.failure

    def _close_container(self) -> None:
        try:
            self._container.close()
        except av.error.FFmpegError as error:
            raise self._file.failure or OSError(error.errno, "FFmpeg cannot end it") from error
        if self._file.failure is not None:
            raise self._file.failure
