"""Packets of one live camera become segments, on a thread of their own in its capture process.

Watching comes first: a disk that is full, slow or away costs recordings, never pictures.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol, Self

from streams.recording.cutter import Anchor, Arrival, Cutter
from streams.recording.segment import VideoPacket, VideoStream
from streams.recording.types import RecordingJob, Segment
from streams.types import CameraId

WAITING = 600
"""Packets on their way to the disk: about 20 s; then some are lost, and the segment ends."""
FAREWELL_S = 1.5
_POLL_S = 0.2


class PacketTap(Protocol):
    """Hears what a live source receives, beside its frames."""

    def begin(self, stream: VideoStream) -> None:
        """Packets of this stream come from now on."""

    def pictured(self, pts: int, captured_at_us: int) -> None:
        """The picture of this tick was taken then; told before the packet that completed it."""

    def take(self, packet: VideoPacket, stream: VideoStream) -> None:
        """The next packet, decoded already; it is the tap's from now on."""


class Recorder:
    """Records while its `with` block lasts.

    Args:
        closed: Called, on the recorder's thread, with every finished segment.
        troubled: Called, on that thread, with the operator's sentence when recording stops, and
            with "" when it goes on.
    """

    def __init__(
        self,
        job: RecordingJob,
        camera: CameraId,
        *,
        closed: Callable[[Segment], None],
        troubled: Callable[[str], None],
    ) -> None:
        self._camera = camera
        self._queue: queue.Queue[Arrival] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._cutter = Cutter(job, camera, closed=closed, troubled=troubled)
        self._anchor: Anchor | None = None
        self._follows = True
        self._thread = threading.Thread(target=self._loop, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(FAREWELL_S)

    def begin(self, stream: VideoStream) -> None:
        self._cutter.begin(stream)

    def pictured(self, pts: int, captured_at_us: int) -> None:
        self._anchor = Anchor(pts=pts, at_us=captured_at_us)

    def take(self, packet: VideoPacket, stream: VideoStream) -> None:
        arrival = Arrival(
            packet=packet,
            anchor=self._anchor,
            is_reordered=bool(stream.codec_context.has_b_frames),
            follows=self._follows,
        )
        try:
            self._queue.put_nowait(arrival)
        except queue.Full:
            self._follows = False
        else:
            self._follows = True

    def _loop(self) -> None:
        self._cutter.salvage()
        while True:
            was_closing = self._closing.is_set()
            try:
                arrival = self._queue.get(timeout=_POLL_S)
            except queue.Empty:
                if was_closing:
                    break
                continue
            self._cutter.take(arrival)
        self._cutter.finish()
