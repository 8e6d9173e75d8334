"""What a capture process is told, once, and what it tells its parent, line by line (pure)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from streams.config import CameraConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a capture process is for. Sent through its pipe: it holds the camera's password."""

    camera: CameraConfig
    ring: int
    run: int


class Kind(StrEnum):
    """What happened in a capture process."""

    READY = "ready"
    OPENED = "opened"
    PACKET = "packet"
    FRAME = "frame"
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
        text: The operator's sentence, for the kinds that end the process; never a secret.
    """

    kind: Kind
    number: int = 0
    captured_at_us: int = 0
    text: str = ""

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
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a message of a capture process") from error
