"""Video files as cameras: every frame, in order, by one thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import av.video
import numpy as np
import numpy.typing as npt

from streams.config import CameraConfig
from streams.container import ContainerSource
from streams.errors import SourceUnreadable
from streams.images import IMAGE_SUFFIXES, ImageFolder
from streams.imaging import Imager
from streams.moments import to_us
from streams.source import FrameSource
from streams.timeline import US, RecordedTimeline
from streams.types import Frame

logger = logging.getLogger(__name__)

FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,wtv,dv,ivf,h264,hevc,av1,obu,m4v,"
    "mpegvideo,mjpeg,nut,yuv4mpegpipe,rm"
)
"""Containers that hold their own pictures: playlists, which name other files, are left out."""

PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")

Pixels = npt.NDArray[np.uint8]


def open_recording(camera: CameraConfig) -> FrameSource:
    """A camera's video file or folder of images, to be entered."""
    path = Path(camera.source.get_secret_value()).expanduser()
    return ImageFolder(camera, path) if path.is_dir() else VideoFile(camera, path)


def open_video(path: Path) -> av.container.InputContainer:
    """Open a video file, and nothing that it may name.

    Raises:
        SourceUnreadable: It is missing, empty, not a video or damaged beyond use.
    """
    _refuse_hopeless(path)
    try:
        container = av.open(
            str(path.absolute()),
            options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise SourceUnreadable(
            f"{path} is not a video that can be read ({_reason(error)}); if it is a recording "
            "that broke off, repair it with its recorder or convert it to MP4"
        ) from error
    if not container.streams.video:
        container.close()
        raise SourceUnreadable(
            f"{path} holds no pictures: it is sound or data only, or a recording that broke off"
        )
    return container


class VideoFile(ContainerSource):
    """One video file. What cannot be decoded is skipped and told once, at the end.

    Args:
        camera: Whose file it is.
        path: Where it is; checked on entering.
    """

    def __init__(self, camera: CameraConfig, path: Path) -> None:
        super().__init__(lambda: open_video(path))
        self._camera = camera
        self._path = path

    @property
    def n_frames(self) -> int | None:
        stream = self._stream
        if stream.frames:
            return stream.frames
        if stream.average_rate is None:
            return None
        if stream.duration is not None and stream.time_base is not None:
            return round(stream.duration * stream.time_base * stream.average_rate)
        duration = self._container.duration if self._container is not None else None
        return None if duration is None else round(duration / US * stream.average_rate)

    @property
    def span_us(self) -> tuple[int, int]:
        """When its first picture was taken and when its last one ends, microseconds UTC."""
        stream = self._stream
        duration_us = 0
        if stream.duration is not None and stream.time_base is not None:
            duration_us = round(stream.duration * stream.time_base * US)
        elif self._container is not None and self._container.duration is not None:
            duration_us = self._container.duration
        elif stream.frames and stream.average_rate:
            duration_us = round(stream.frames / stream.average_rate * US)
        starts_at_us = self._starts_at_us()
        return starts_at_us, starts_at_us + max(1, duration_us)

    def frames(self) -> Iterator[Frame]:
        stream = self._stream
        stream.thread_type = "NONE"  # the same frames and memory on every machine
        rate = stream.average_rate or Fraction(25)
        timeline = RecordedTimeline(
            starts_at_us=self._starts_at_us(),
            time_base=stream.time_base or Fraction(1, US),
            period_us=round(US / rate),
        )
        imager = Imager(self._camera)
        n_broken = n_decoded = 0
        for picture in self._pictures():
            if picture is None:
                n_broken += 1
                continue
            yield imager.frame(
                to_rgb(picture),
                captured_at_us=timeline.captured_at_us(picture.pts),
                run=0,
                sequence=n_decoded,
            )
            n_decoded += 1
        self._judge(n_decoded, n_broken)

    def _pictures(self) -> Iterator[av.VideoFrame | None]:
        """Decoded pictures, and None for each packet that cannot be decoded."""
        if self._container is None:
            return
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                yield None
                return
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                yield None

    def _judge(self, n_decoded: int, n_broken: int) -> None:
        if n_decoded == 0:
            raise SourceUnreadable(
                f"{self._path}: none of its pictures can be decoded; it is damaged or uses a codec "
                f"that is not supported ({self.info.codec})"
            )
        expected = self.n_frames or 0
        if n_broken or n_decoded < 0.98 * expected - 2:
            logger.warning(
                "camera %s: %s is damaged or ends early: %d pictures of about %d read, %d broken",
                self._camera.name,
                self._path,
                n_decoded,
                max(expected, n_decoded),
                n_broken,
            )

    def _starts_at_us(self) -> int:
        if self._camera.starts_at is not None:
            return to_us(self._camera.starts_at)
        tags = dict(self._container.metadata) if self._container is not None else {}
        tagged = _parse_time(
            tags.get("creation_time") or self._stream.metadata.get("creation_time")
        )
        if tagged is not None:
            return tagged
        return self._path.stat().st_mtime_ns // 1000


def to_rgb(picture: av.VideoFrame) -> Pixels:
    """(H, W, 3) uint8 RGB of a decoded picture, upright as its recorder meant it."""
    pixels = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns)) if quarter_turns else pixels


def _parse_time(text: str | None) -> int | None:
    """Microseconds UTC of a creation_time tag, or None if it says nothing believable."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # FFmpeg writes UTC, some cameras leave the Z out
    return to_us(moment) if moment.year > 1980 else None


def _refuse_hopeless(path: Path) -> None:
    """Say in plain words what an opened file would say in riddles."""
    if not path.exists():
        raise SourceUnreadable(f"{path} does not exist; check the path in the camera's source")
    if not path.is_file():
        raise SourceUnreadable(f"{path} is neither a file nor a folder; expected a video")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise SourceUnreadable(
            f"{path} cannot be opened: {error.strerror}; check permissions"
        ) from error
    if not start:
        raise SourceUnreadable(f"{path} is empty (0 bytes); the recording or the copy failed")
    if path.suffix.lower() in IMAGE_SUFFIXES or start.startswith(PICTURE_STARTS):
        if path.suffix.lower() in {".mjpeg", ".mjpg"}:
            return
        raise SourceUnreadable(
            f"{path} is a picture, and a video was expected; to read pictures, name their folder"
        )


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
