"""What a capture process is told, once, and what it tells its parent, line by line (pure)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from streams.config import CameraConfig
from streams.recording.types import RecordingJob, Segment
from streams.types import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a capture process is for. Sent through its pipe: it holds the camera's password."""

    camera: CameraConfig
    ring: int
    run: int
    recording: RecordingJob | None = None


class Kind(StrEnum):
    """What happened in a capture process."""

    READY = "ready"
    OPENED = "opened"
    PACKET = "packet"
    FRAME = "frame"
    SEGMENT = "segment"
    RECORDING = "recording"
    CONNECT_FAILED = "connect failed"
    ACCESS_DENIED = "access denied"
    STREAM_ENDED = "stream ended"
    STALLED = "stalled"


LAST_WORDS = frozenset({Kind.CONNECT_FAILED, Kind.ACCESS_DENIED, Kind.STREAM_ENDED, Kind.STALLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line from a capture process.

    Attributes:
        number: Of the frame in the ring, for FRAME; else 0.
        captured_at_us: Of that frame; else 0.
        text: The operator's sentence, for the kinds that end the process, and for RECORDING why
            nothing is recorded ("" where it is); never a secret.
        segment: The finished one, for SEGMENT.
    """

    kind: Kind
    number: int = 0
    captured_at_us: int = 0
    text: str = ""
    segment: Segment | None = None

    @property
    def is_last(self) -> bool:
        """Whether the process ends with it."""
        return self.kind in LAST_WORDS

    def to_line(self) -> bytes:
        """The message as one line.

        >>> Message.from_line(Message(kind=Kind.FRAME, number=3).to_line()).number
        3
        """
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Message:
        """The message of one line.

        Raises:
            ValueError: The line is none of ours.
        """
        try:
            fields = json.loads(line)
            return cls(
                kind=Kind(fields["kind"]),
                number=int(fields["number"]),
                captured_at_us=int(fields["captured_at_us"]),
                text=str(fields["text"]),
                segment=_segment(fields.get("segment")),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a message of a capture process") from error


def _segment(fields: dict[str, object] | None) -> Segment | None:
    if fields is None:
        return None
    return Segment(
        camera=CameraId(str(fields["camera"])),
        from_us=int(str(fields["from_us"])),
        to_us=int(str(fields["to_us"])),
        path=str(fields["path"]),
        codec=str(fields["codec"]),
        n_bytes=int(str(fields["n_bytes"])),
        sha256=str(fields["sha256"]),
    )
