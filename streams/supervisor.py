"""When to start, give up on and retry a camera, and which gaps that leaves (pure but for a clock).

One `Supervisor` per live camera. It starts no process and reads no pipe: it is told what happened,
and says what to do.
"""

from __future__ import annotations

import logging
from enum import StrEnum

import numpy as np

from streams.backoff import Backoff
from streams.clock import Clock
from streams.config import CameraConfig
from streams.messages import Kind, Message
from streams.types import CameraId, Gap, GapReason

logger = logging.getLogger(__name__)

START_S = 60.0
"""A capture process that has not come up by then, on however busy a machine, hangs."""

FIRST_PICTURE_S = 30.0
"""Packets without a picture for this long after opening: some cameras send key pictures rarely."""

STABLE_S = 10.0
"""A camera seen for this long begins again at the first pause when lost."""

_REASONS = {
    Kind.CONNECT_FAILED: GapReason.CONNECT_FAILED,
    Kind.ACCESS_DENIED: GapReason.ACCESS_DENIED,
    Kind.STREAM_ENDED: GapReason.STREAM_ENDED,
    Kind.STALLED: GapReason.STALLED,
}


class CameraState(StrEnum):
    """How a live camera is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    DENIED = "denied"


class _Phase(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    OPENING = "opening"
    OPENED = "opened"
    LIVE = "live"


class Supervisor:
    """The life of one live camera.

    Args:
        rng: For the jitter.
    """

    def __init__(
        self, camera: CameraConfig, *, clock: Clock, rng: np.random.Generator, backoff: Backoff
    ) -> None:
        self._config = camera
        self._camera = CameraId(camera.name)
        self._clock = clock
        self._rng = rng
        self._backoff = backoff
        self._phase = _Phase.WAITING
        self._since_s = clock.monotonic_s()
        self._heard_s = self._since_s
        self._pictured_s = self._since_s
        self._next_start_s = self._since_s
        self._n_losses = 0
        self._unseen_since_us = clock.now_us()
        self._gap: Gap | None = None
        self.n_starts = 0
        self.last_frame_us: int | None = None
        self.last_error: str | None = None

    @property
    def state(self) -> CameraState:
        if self._phase is _Phase.LIVE:
            return CameraState.LIVE
        if self._gap is None:
            return CameraState.CONNECTING
        denied = self._gap.reason is GapReason.ACCESS_DENIED
        return CameraState.DENIED if denied else CameraState.LOST

    @property
    def is_starting(self) -> bool:
        """Whether its process is still coming up, which costs much of a processor."""
        return self._phase is _Phase.STARTING

    def is_due(self) -> bool:
        """Whether to start a capture process now."""
        return self._phase is _Phase.WAITING and self._clock.monotonic_s() >= self._next_start_s

    def started(self) -> int:
        """Note that a process was started; the number of its run."""
        self._enter(_Phase.STARTING)
        self.n_starts += 1
        return self.n_starts - 1

    def told(self, message: Message) -> list[Gap]:
        """Take in what the process says; gaps that open or close by it, in order."""
        self._heard_s = self._clock.monotonic_s()
        if message.kind is Kind.READY:
            self._enter(_Phase.OPENING)
        elif message.kind is Kind.OPENED:
            self._enter(_Phase.OPENED)
        elif message.kind is Kind.FRAME:
            return self._pictured(message.captured_at_us)
        elif message.kind in _REASONS:
            return self.lost(_REASONS[message.kind], message.text)
        return []

    def overdue(self) -> tuple[GapReason, str] | None:
        """Why to kill the process now, or None while it does what it should in time."""
        now_s = self._clock.monotonic_s()
        stall_s = self._config.stall_after_s
        if self._phase is _Phase.STARTING and now_s - self._since_s > START_S:
            return GapReason.DECODER_DIED, f"its process did not come up within {START_S:g} s"
        if self._phase is _Phase.OPENING:
            patience_s = self._config.open_timeout_s
            if now_s - self._since_s > patience_s + 0.5:  # its own time limit words it better
                return GapReason.CONNECT_FAILED, f"no answer within {patience_s:g} s"
        elif self._phase is _Phase.OPENED:
            if now_s - self._heard_s > stall_s:
                return GapReason.STALLED, f"nothing came for {stall_s:g} s"
            if now_s - self._since_s > max(FIRST_PICTURE_S, stall_s):
                return GapReason.STALLED, "packets come, but none that makes a picture"
        elif self._phase is _Phase.LIVE and now_s - self._pictured_s > stall_s:
            return GapReason.STALLED, f"no picture came for {stall_s:g} s"
        return None

    def lost(self, reason: GapReason, text: str) -> list[Gap]:
        """Note that the camera, or its process, is gone; the gap that this opens, if it does."""
        if self._phase is _Phase.WAITING:
            return []
        now_s = self._clock.monotonic_s()
        if self._phase is _Phase.LIVE and now_s - self._since_s >= STABLE_S:
            self._n_losses = 0
        self._n_losses += 1
        self.last_error = text
        pause_s = self._backoff.pause_s(self._n_losses, self._rng)
        if reason is GapReason.ACCESS_DENIED:
            pause_s = self._config.retry_denied_s
        self._enter(_Phase.WAITING)
        self._next_start_s = now_s + pause_s
        logger.warning(
            "camera %s: %s (%s); next try in %.1f s", self._camera, text, reason, pause_s
        )
        return self._open_gap(reason)

    def _enter(self, phase: _Phase) -> None:
        self._phase = phase
        self._since_s = self._heard_s = self._clock.monotonic_s()

    def _pictured(self, captured_at_us: int) -> list[Gap]:
        self._pictured_s = self._clock.monotonic_s()
        self.last_frame_us = captured_at_us
        closed = self._close_gap(captured_at_us)
        if self._phase is not _Phase.LIVE:
            self._enter(_Phase.LIVE)
            self.last_error = None
            logger.info("camera %s is seen", self._camera)
        return closed

    def _open_gap(self, reason: GapReason) -> list[Gap]:
        """Open a gap; a lasting one goes on, unless it came or ceased to be the password's."""
        if self._gap is None:
            from_us = self._unseen_since_us if self.last_frame_us is None else self.last_frame_us
            self._gap = Gap(camera=self._camera, from_us=from_us, to_us=None, reason=reason)
            return [self._gap]
        denied = GapReason.ACCESS_DENIED
        if self._gap.reason is reason or denied not in (self._gap.reason, reason):
            return []
        closed = self._close_gap(self._clock.now_us())
        from_us = closed[0].to_us if closed[0].to_us is not None else self._gap_start()
        self._gap = Gap(camera=self._camera, from_us=from_us, to_us=None, reason=reason)
        return [*closed, self._gap]

    def _gap_start(self) -> int:
        return self._unseen_since_us if self.last_frame_us is None else self.last_frame_us

    def _close_gap(self, to_us: int) -> list[Gap]:
        if self._gap is None:
            return []
        gap = self._gap
        self._gap = None
        return [
            Gap(
                camera=gap.camera,
                from_us=gap.from_us,
                to_us=max(gap.from_us, to_us),
                reason=gap.reason,
            )
        ]
