"""Nouns of recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streams.types import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One recorded file: playable by itself, from a key picture on.

    Attributes:
        from_us: When its first picture was taken, microseconds UTC.
        to_us: When the next one after its last was taken, or would have been.
        path: Below the folder of recordings, with slashes.
        codec: As FFmpeg names it: "h264", "hevc", "mjpeg".
        sha256: Of the file, hex.
    """

    camera: CameraId
    from_us: int
    to_us: int
    path: str
    codec: str
    n_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if self.to_us <= self.from_us:
            raise ValueError(f"segment {self.path}: ends {self.to_us} at or before {self.from_us}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingJob:
    """How a capture process records.

    Attributes:
        folder: Of all recordings, absolute.
        segment_s: Length of a file, at least; it ends at the next key picture.
        reserve_bytes: Of the disk, never to be filled.
    """

    folder: Path
    segment_s: float
    reserve_bytes: int
