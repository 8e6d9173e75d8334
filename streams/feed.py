"""One live camera as its parent sees it: supervisor, process and ring together."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import deque
from dataclasses import dataclass

from streams.address import without_secrets
from streams.child import CaptureProcess
from streams.clock import Clock
from streams.config import CameraConfig
from streams.messages import Job, Kind, Message
from streams.recording.types import RecordingJob, Segment
from streams.ring import RingReader, create_ring
from streams.supervisor import CameraState, Supervisor
from streams.types import CameraId, Frame, Gap, GapReason

logger = logging.getLogger(__name__)

RATE_OVER_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """How one live camera is doing.

    Attributes:
        n_frames: Decoded since the feeds were started.
        n_dropped: Of these, replaced by newer ones before anybody took them.
        n_reconnects: Tries to connect after the first.
        fps: Decoded per second over the last few seconds.
        last_error: The operator's sentence while the camera is not seen; None while it is.
        recording_error: The operator's sentence while it should be recorded and is not.
    """

    camera: CameraId
    state: CameraState
    last_frame_us: int | None
    n_frames: int
    n_dropped: int
    n_reconnects: int
    fps: float
    last_error: str | None
    recording_error: str | None = None


class Feed:
    """One camera's supervisor, process and ring; used under the lock of its `LiveFeeds`."""

    def __init__(
        self,
        camera: CameraConfig,
        supervisor: Supervisor,
        clock: Clock,
        recording: RecordingJob | None = None,
    ) -> None:
        self._recording = recording
        self._recording_error: str | None = None
        self._segments: list[Segment] = []
        self._camera = camera
        self._clock = clock
        self._ring = create_ring()
        self._reader = RingReader(self._ring)
        self._taken = 0
        self._told = 0
        self._n_taken = 0
        self._recent_s: deque[float] = deque(maxlen=512)
        self.supervisor = supervisor
        self.process: CaptureProcess | None = None

    @property
    def has_news(self) -> bool:
        return self._told > self._taken

    def start(self) -> list[Gap]:
        job = Job(
            camera=self._camera,
            ring=self._ring,
            run=self.supervisor.started(),
            recording=self._recording,
        )
        try:
            self.process = CaptureProcess(job)
        except OSError as error:
            text = f"its process cannot be started: {error.strerror}"
            return self.supervisor.lost(GapReason.DECODER_DIED, text)
        return []

    def listen(self) -> list[Gap]:
        """Hear the process; leave it (`process` is None then) when it or its camera is lost."""
        if self.process is None:
            return []
        has_ended = self.process.has_ended()  # before its last messages are read
        gaps: list[Gap] = []
        is_over = False
        for message in self.process.messages():
            if self._heard_of_recording(message):
                continue
            gaps += self.supervisor.told(message)
            if message.kind is Kind.FRAME:
                self._count(message.number)
            is_over |= message.is_last
        if not is_over:
            verdict = self._verdict(self.process, has_ended)
            if verdict is not None:
                gaps += self.supervisor.lost(*verdict)
                is_over = True
        if is_over:
            self.process = None
        return gaps

    def hear_farewell(self) -> None:
        """Hear only what a process that was asked to stop has recorded."""
        if self.process is not None:
            for message in self.process.messages():
                self._heard_of_recording(message)

    def take_segments(self) -> list[Segment]:
        """Segments that were finished since the last call."""
        segments, self._segments = self._segments, []
        return segments

    def _heard_of_recording(self, message: Message) -> bool:
        """Note what the recorder says; whether it was the recorder."""
        if message.kind is Kind.RECORDING:
            camera = self._camera.name
            if message.text:
                logger.error("camera %s is not recorded: %s", camera, message.text)
            else:
                logger.info("camera %s is recorded again", camera)
            self._recording_error = message.text or None
        elif message.kind is Kind.SEGMENT and message.segment is not None:
            self._segments.append(message.segment)
        return message.kind in (Kind.SEGMENT, Kind.RECORDING)

    def _verdict(self, process: CaptureProcess, has_ended: bool) -> tuple[GapReason, str] | None:
        """Why to give this process up although it did not say goodbye itself, or None."""
        if not has_ended:
            return self.supervisor.overdue()
        epitaph = without_secrets(process.epitaph, self._camera.source.get_secret_value())
        return GapReason.DECODER_DIED, f"its capture process died ({epitaph})"

    def take(self) -> Frame | None:
        if not self.has_news:
            return None
        found = self._reader.newest(CameraId(self._camera.name), after=self._taken)
        if found is None:
            self._taken = self._told
            return None
        self._taken, frame = found
        self._n_taken += 1
        return frame

    def health(self) -> CameraHealth:
        now_s = self._clock.monotonic_s()
        recent = [at_s for at_s in self._recent_s if now_s - at_s <= RATE_OVER_S]
        span_s = recent[-1] - recent[0] if recent else 0.0
        waiting = 1 if self.has_news else 0
        return CameraHealth(
            camera=CameraId(self._camera.name),
            state=self.supervisor.state,
            last_frame_us=self.supervisor.last_frame_us,
            n_frames=self._told,
            n_dropped=max(0, self._told - self._n_taken - waiting),
            n_reconnects=max(0, self.supervisor.n_starts - 1),
            fps=(len(recent) - 1) / span_s if span_s > 0 else 0.0,
            last_error=self.supervisor.last_error,
            recording_error=self._recording_error,
        )

    def close(self) -> None:
        if self._ring >= 0:
            with contextlib.suppress(OSError):
                os.close(self._ring)
            self._ring = -1

    def _count(self, number: int) -> None:
        self._told = max(self._told, number)
        self._recent_s.append(self._clock.monotonic_s())
