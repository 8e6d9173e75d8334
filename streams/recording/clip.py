"""A stretch of recordings as one file, without encoding anything anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import av.video

from streams.errors import SourceUnreadable
from streams.files import open_video
from streams.recording.segment import VideoPacket, VideoStream
from streams.timeline import US

_MICROSECOND = Fraction(1, US)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A recorded file, and when its first picture was taken, microseconds UTC."""

    path: Path
    from_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a clip really holds.

    Attributes:
        from_us: Its first picture: the key picture at or before the moment asked for.
        to_us: Where its last picture ends.
        n_pictures: In it.
        codec: As FFmpeg names it.
    """

    from_us: int
    to_us: int
    n_pictures: int
    codec: str


def cut_clip(pieces: Sequence[Piece], *, from_us: int, to_us: int, out: Path) -> Cut:
    """Write the pictures of a stretch of time into one MP4 file.

    It begins at a key picture, for what comes before one cannot be shown without it. Where nothing
    was recorded, the last picture stands: the file's clock stays that of the recordings.

    Args:
        pieces: In order of time; those that have nothing of the stretch are left out.

    Raises:
        SourceUnreadable: Nothing is recorded there, a file cannot be read, or the camera sent
            another format from one file on.
        OSError: `out` cannot be written.
    """
    joiner: _Joiner | None = None
    try:
        for piece in pieces:
            with open_video(piece.path) as container:
                stream = container.streams.video[0]
                if joiner is None:
                    joiner = _Joiner(out, stream)
                joiner.refuse_other_format(stream, piece.path)
                for packet, shown_us, decoded_us in _packets(container, stream, piece, from_us):
                    if decoded_us >= to_us:
                        break
                    joiner.add(packet, shown_us, decoded_us)
        if joiner is None or joiner.cut is None:
            raise SourceUnreadable("nothing is recorded in that time; ask for another")
        joiner.close()
    except av.error.FFmpegError as error:
        raise SourceUnreadable(f"the clip cannot be made: {error.strerror}") from error
    return joiner.cut


class _Joiner:
    """Appends packets of several files to one."""

    def __init__(self, out: Path, stream: VideoStream) -> None:
        self._format = _format(stream)
        self._container = av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream_from_template(stream)
        if stream.codec_context.codec.canonical_name == "hevc":
            self._stream.codec_context.codec_tag = "hvc1"
        self._codec = stream.codec_context.codec.canonical_name
        self._first_us: int | None = None
        self._decoded_us = 0
        self._end_us = 0
        self._n = 0

    @property
    def cut(self) -> Cut | None:
        if self._first_us is None:
            return None
        return Cut(
            from_us=self._first_us,
            to_us=max(self._end_us, self._first_us + 1),
            n_pictures=self._n,
            codec=self._codec,
        )

    def refuse_other_format(self, stream: VideoStream, path: Path) -> None:
        if _format(stream) != self._format:
            raise SourceUnreadable(
                f"from {path.name} on the camera sent another format (codec, size or settings); "
                "ask for the time before it and for the time after it separately"
            )

    def add(self, packet: VideoPacket, shown_us: int, decoded_us: int) -> None:
        if self._first_us is None:
            self._first_us = shown_us
            self._decoded_us = decoded_us - shown_us - 1
        duration = packet.duration or 0
        duration_us = round(duration * (packet.time_base or _MICROSECOND) * US)
        decoded = max(decoded_us - self._first_us, self._decoded_us + 1)
        self._decoded_us = decoded
        packet.time_base = _MICROSECOND
        packet.pts = max(decoded, shown_us - self._first_us)
        packet.dts = decoded
        packet.duration = duration_us
        packet.stream = self._stream
        self._container.mux_one(packet)
        self._end_us = max(self._end_us, shown_us + duration_us)
        self._n += 1

    def close(self) -> None:
        self._container.close()


def _packets(
    container: av.container.InputContainer, stream: VideoStream, piece: Piece, from_us: int
) -> Iterator[tuple[VideoPacket, int, int]]:
    """Packets from the last key picture at or before `from_us` on, with their moments."""
    base = stream.time_base or _MICROSECOND
    start = stream.start_time or 0
    wanted = start + int((from_us - piece.from_us) / (base * US))
    if wanted > start:
        container.seek(wanted, stream=stream, backward=True)
    began = False
    for packet in container.demux(stream):
        if packet.pts is None or packet.dts is None:
            continue
        began = began or packet.is_keyframe
        if began:
            shown_us = piece.from_us + round((packet.pts - start) * base * US)
            yield packet, shown_us, piece.from_us + round((packet.dts - start) * base * US)


def _format(stream: VideoStream) -> tuple[str, int, int, bytes]:
    context = stream.codec_context
    return context.name, context.width, context.height, bytes(context.extradata or b"")
