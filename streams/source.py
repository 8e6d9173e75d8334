"""What every source of frames has in common, and the way to open one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from streams.config import CameraConfig
from streams.types import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What a source says about itself before its first frame.

    Attributes:
        width_px: Of the whole picture, before a region is cut out; 0 when not yet known.
        fps: Declared pictures per second, or None; cameras often declare wrongly.
        codec: As FFmpeg names it: "h264", "hevc", "mjpeg", ...; "images" for a folder.
    """

    width_px: int
    height_px: int
    fps: float | None
    codec: str


class FrameSource(Protocol):
    """A camera or a recording; open while its `with` block lasts, read by one thread only."""

    @property
    def info(self) -> SourceInfo: ...

    @property
    def n_frames(self) -> int | None:
        """How many frames there will be, as far as can be told without reading; None if unknown."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Every frame in order of time, decoded as it is asked for.

        Raises:
            StreamLost: A live camera stopped sending.
            SourceUnreadable: Nothing of a recording can be decoded.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_source(camera: CameraConfig) -> FrameSource:
    """The source a camera's configuration names; enter it to connect or open.

    Raises (on entering):
        ConnectFailed: A camera does not answer, or not with pictures.
        AccessDenied: A camera refuses user or password.
        SourceUnreadable: A file or folder is missing, empty or of the wrong kind.
    """
    from streams.files import open_recording  # here: PyAV loads only when something is opened
    from streams.rtsp import RtspSource

    return RtspSource(camera) if camera.is_live else open_recording(camera)
