"""Where one file ends and the next begins: packets of one camera, cut at key pictures."""

from __future__ import annotations

import contextlib
import io
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import av.container
import av.error

from streams.recording.salvage import salvage_camera, salvage_file
from streams.recording.segment import SegmentWriter, VideoPacket, VideoStream
from streams.recording.types import RecordingJob, Segment
from streams.timeline import US
from streams.types import CameraId

MOST_UNTIMED = 300
"""Packets kept until the first picture tells when they were taken."""
JUMP_S = 5.0
"""Ticks that leap by more than this are not one recording."""
LONGEST_S = 1800.0
"""A segment without a second key picture ends here all the same, and waits for one."""
TRY_AGAIN_S = 10.0
"""After the disk refused to take a recording."""
_STEPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A tick whose moment is known."""

    pts: int
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """A packet, and what was known of time when it came.

    Attributes:
        follows: False if packets before it were lost on the way to the disk.
    """

    packet: VideoPacket
    anchor: Anchor | None
    is_reordered: bool
    follows: bool


class Cutter:
    """Cuts packets into segments at key pictures. Used by the recorder's thread."""

    def __init__(
        self,
        job: RecordingJob,
        camera: CameraId,
        *,
        closed: Callable[[Segment], None],
        troubled: Callable[[str], None],
    ) -> None:
        self._job = job
        self._camera = camera
        self._closed = closed
        self._troubled = troubled
        self._trouble = ""
        self._holder: av.container.OutputContainer | None = None
        self._template: VideoStream | None = None
        self._time_base = Fraction(1, 90_000)
        self._writer: SegmentWriter | None = None
        self._untimed: list[Arrival] = []
        self._newest_pts: int | None = None
        self._last_pts: int | None = None
        self._steps: deque[int] = deque(maxlen=_STEPS)
        self._anchor: Anchor | None = None
        self._pause_until_s = 0.0

    def begin(self, stream: VideoStream) -> None:
        """Take a copy of the stream's description: the stream itself belongs to another thread."""
        self._time_base = stream.time_base or self._time_base
        self._holder = av.open(io.BytesIO(), "w", format="mp4")
        self._template = self._holder.add_stream_from_template(stream)

    def salvage(self) -> None:
        """Finish what an earlier process of this camera left unfinished."""
        try:
            for segment in salvage_camera(self._job.folder, self._camera, n_days=2):
                self._closed(segment)
        except OSError as error:
            self._stop(_words(self._job, error))

    def take(self, arrival: Arrival) -> None:
        try:
            self._take(arrival)
        except OSError as error:
            self._give_up(error)
        except av.error.FFmpegError as error:
            self._abandon()
            self._stop(f"FFmpeg cannot put this stream into MP4 ({error.strerror})")

    def finish(self, to_us: int | None = None) -> None:
        """End the segment, if one is being written."""
        writer, self._writer = self._writer, None
        self._untimed = []
        if writer is None:
            return
        end_us = self._end_us() if to_us is None else to_us
        try:
            segment = writer.finish(end_us)
        except OSError as error:
            self._writer = writer
            self._give_up(error)
            return
        if segment is not None:
            self._closed(segment)

    def _take(self, arrival: Arrival) -> None:
        packet, pts = arrival.packet, arrival.packet.pts
        if not arrival.follows:
            self.finish()
            self._stop("the disk of the recordings is too slow; part of them is missing")
        if pts is not None and self._leaps(pts):
            self.finish()
            self._newest_pts = None
            self._anchor = None
        if arrival.anchor is not None and (pts is None or self._is_near(arrival.anchor.pts, pts)):
            self._anchor = arrival.anchor
        if time.monotonic() < self._pause_until_s:
            return
        if self._writer is not None:
            self._append(arrival, self._next_pts() if pts is None else pts)
        elif packet.is_keyframe or self._untimed:
            self._hold(arrival)

    def _append(self, arrival: Arrival, pts: int) -> None:
        writer = self._writer
        if writer is None:
            return
        length_s = float((pts - writer.first_pts) * self._time_base)
        if length_s >= LONGEST_S and not arrival.packet.is_keyframe:
            self.finish()
            return
        if length_s >= self._job.segment_s and arrival.packet.is_keyframe:
            self.finish(self._at_us(pts))
            self._open(pts, is_reordered=arrival.is_reordered)
            writer = self._writer
        if writer is not None:
            self._write(writer, arrival.packet, pts)

    def _hold(self, arrival: Arrival) -> None:
        """Keep packets, from a key picture on, until it is known when they were taken."""
        self._untimed.append(arrival)
        known = [each.packet.pts for each in self._untimed if each.packet.pts is not None]
        if len(self._untimed) > MOST_UNTIMED:
            self._untimed = []
        elif self._anchor is not None and known:
            held, self._untimed = self._untimed, []
            steps = sorted(set(known))
            usual = min((b - a for a, b in pairwise(steps)), default=0)
            step = usual or self._step
            first = held[0].packet.pts
            start = min(known) - step if first is None else first
            self._open(start, is_reordered=arrival.is_reordered)
            for index, each in enumerate(held):
                pts = each.packet.pts
                if self._writer is not None and (pts is not None or index == 0):
                    self._write(self._writer, each.packet, start if pts is None else pts)

    def _open(self, pts: int, *, is_reordered: bool) -> None:
        if self._template is None:
            return
        self._job.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._job.folder).free
        if free < self._job.reserve_bytes:
            self._stop(
                f"the disk of {self._job.folder} has {free // 1_000_000} MB left, and "
                f"{self._job.reserve_bytes // 1_000_000} MB are to stay free "
                "(storage.reserve_mb); delete something, or lower recording.quota_gb"
            )
            return
        self._writer = SegmentWriter(
            folder=self._job.folder,
            camera=self._camera,
            template=self._template,
            from_us=self._at_us(pts),
            first_pts=pts,
            is_reordered=is_reordered,
        )
        self._newest_pts = None
        if self._trouble:
            self._trouble = ""
            self._troubled("")

    def _write(self, writer: SegmentWriter, packet: VideoPacket, pts: int) -> None:
        writer.write(packet, pts, self._time_base)
        if self._last_pts is not None and pts != self._last_pts:
            self._steps.append(abs(pts - self._last_pts))
        self._last_pts = pts
        if self._newest_pts is None or pts > self._newest_pts:
            self._newest_pts = pts

    def _at_us(self, pts: int) -> int:
        if self._anchor is None:
            raise ValueError("no picture has told the time yet")
        return self._anchor.at_us + round((pts - self._anchor.pts) * self._time_base * US)

    def _end_us(self) -> int:
        """When the picture after the last would have been taken."""
        if self._anchor is None or self._newest_pts is None:
            return 0
        return self._at_us(self._newest_pts + self._step)

    def _next_pts(self) -> int:
        """Tick of a packet that has none."""
        return 0 if self._newest_pts is None else self._newest_pts + self._step

    @property
    def _step(self) -> int:
        """Ticks between two pictures; those sent out of order are further apart."""
        return min(self._steps, default=round(Fraction(1, 25) / self._time_base))

    def _leaps(self, pts: int) -> bool:
        return self._newest_pts is not None and not self._is_near(self._newest_pts, pts)

    def _is_near(self, pts: int, other: int) -> bool:
        return abs(pts - other) * self._time_base <= JUMP_S

    def _give_up(self, error: OSError) -> None:
        self._abandon()
        self._stop(_words(self._job, error))

    def _abandon(self) -> None:
        """Stop writing; what is whole of the file becomes a shorter segment."""
        writer, self._writer = self._writer, None
        self._untimed = []
        if writer is None:
            return
        writer.abandon()
        with contextlib.suppress(OSError):
            segment = salvage_file(self._job.folder, writer.place)
            if segment is not None:
                self._closed(segment)

    def _stop(self, words: str) -> None:
        """Rest for a while; the operator is told once."""
        self._pause_until_s = time.monotonic() + TRY_AGAIN_S
        if words != self._trouble:
            self._troubled(words)
        self._trouble = words


def _words(job: RecordingJob, error: OSError) -> str:
    return (
        f"{job.folder} cannot be written ({error.strerror or 'unknown error'}); free some space, "
        "check its permissions and its disk"
    )
