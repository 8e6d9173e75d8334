"""All live cameras at once: one process each, watched by one thread."""

from __future__ import annotations

import logging
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Self

import numpy as np

from streams.backoff import Backoff
from streams.clock import Clock, SystemClock
from streams.config import CameraConfig
from streams.errors import ConfigInvalid
from streams.feed import CameraHealth, Feed
from streams.recording.types import RecordingJob, Segment
from streams.supervisor import Supervisor
from streams.types import Frame, Gap

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""Longest time between two looks at every camera's watchdog."""

FAREWELL_S = 2.5
MOST_EVENTS = 10_000
"""Gap events kept for a caller who does not take them; then the oldest go, and the log says so."""


class LiveFeeds:
    """Frames of live cameras as they come; who cannot keep up sees the newest only.

    A camera that fails is retried for as long as the `with` block lasts, and the others go on.

    Args:
        cameras: Live ones only, names all different.
        clock: For deadlines and gaps; the capture processes have the system's.
        backoff: How patiently lost cameras are retried.
        seed: Of the jitter between retries; None for another one each time.
        recording: How the cameras are recorded; None: not at all.

    Raises:
        ConfigInvalid: Two cameras share a name, or one of them is a recording.
    """

    def __init__(
        self,
        cameras: Sequence[CameraConfig],
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        seed: int | None = None,
        recording: RecordingJob | None = None,
    ) -> None:
        names = [camera.name for camera in cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigInvalid(f"camera name {twice[0]} is used twice; every camera needs its own")
        recorded = [camera.name for camera in cameras if not camera.is_live]
        if recorded:
            raise ConfigInvalid(f"camera {recorded[0]} is a recording; it is replayed, not live")
        self._clock = SystemClock() if clock is None else clock
        self._backoff = Backoff() if backoff is None else backoff
        self._rng = np.random.default_rng(seed)
        self._recording = recording
        self._segments: deque[Segment] = deque(maxlen=MOST_EVENTS)
        self._cameras = tuple(cameras)
        self._feeds: list[Feed] = []
        self._changed = threading.Condition()
        self._gaps: deque[Gap] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._stopping.clear()
        self._feeds = [
            Feed(
                camera,
                Supervisor(camera, clock=self._clock, rng=self._rng, backoff=self._backoff),
                self._clock,
                self._recording,
            )
            for camera in self._cameras
        ]
        self._thread = threading.Thread(target=self._watch, name="live feeds", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._changed:
            for feed in self._feeds:
                feed.close()
            self._feeds = []

    def take(self, timeout_s: float) -> list[Frame | Gap]:
        """Gaps that opened or closed, in order, then the newest untaken frame of each camera.

        Waits up to `timeout_s` for the first of them; empty when none came. A gap that opens has
        `to_us` None, and comes again with the same camera and `from_us` when it closes.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._gaps or any(feed.has_news for feed in self._feeds), timeout_s
            )
            taken: list[Frame | Gap] = list(self._gaps)
            self._gaps.clear()
            for feed in self._feeds:
                frame = feed.take()
                if frame is not None:
                    taken.append(frame)
        return taken

    def health(self) -> list[CameraHealth]:
        """How each camera is doing now, in the order of configuration."""
        with self._changed:
            return [feed.health() for feed in self._feeds]

    def segments(self) -> list[Segment]:
        """What was recorded since the last call; ask once more after leaving the block.

        Segments that nobody asks for are found by `salvage` later: their files are there.
        """
        with self._changed:
            taken = list(self._segments)
            self._segments.clear()
        return taken

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            try:
                next_round_s = 0.0
                while not self._stopping.is_set():
                    for key, _ in selector.select(LOOK_EVERY_S):
                        self._attend(key.data, selector)
                    if time.monotonic() >= next_round_s:
                        next_round_s = time.monotonic() + LOOK_EVERY_S
                        for feed in self._feeds:
                            self._attend(feed, selector)
            finally:
                self._end_all(selector)

    def _attend(self, feed: Feed, selector: selectors.BaseSelector) -> None:
        """See to one camera: hear its process, judge it, start or end it."""
        gaps: list[Gap] = []
        with self._changed:
            had_process = feed.process
            gaps += feed.listen()
            self._segments.extend(feed.take_segments())
            if feed.process is not had_process and had_process is not None:
                selector.unregister(had_process)
                had_process.kill()
            n_starting = sum(each.supervisor.is_starting for each in self._feeds)
            if feed.supervisor.is_due() and n_starting < (os.cpu_count() or 1):
                gaps += feed.start()
                if feed.process is not None:
                    selector.register(feed.process, selectors.EVENT_READ, feed)
            self._gaps.extend(gaps)
            if len(self._gaps) > MOST_EVENTS:
                logger.warning("nobody takes gaps from the live feeds: the oldest are dropped")
                while len(self._gaps) > MOST_EVENTS:
                    self._gaps.popleft()
            if gaps or feed.has_news:
                self._changed.notify_all()

    def _end_all(self, selector: selectors.BaseSelector) -> None:
        feeds = [feed for feed in self._feeds if feed.process is not None]
        running = [feed.process for feed in feeds if feed.process is not None]
        for process in running:
            selector.unregister(process)
            process.ask_to_stop()
        give_up_s = time.monotonic() + FAREWELL_S
        while time.monotonic() < give_up_s and not all(each.has_ended() for each in running):
            self._hear_farewells(feeds)
            time.sleep(0.02)
        self._hear_farewells(feeds)
        for process in running:
            process.kill()
        for feed in self._feeds:
            feed.process = None

    def _hear_farewells(self, feeds: Sequence[Feed]) -> None:
        with self._changed:
            for feed in feeds:
                feed.hear_farewell()
                self._segments.extend(feed.take_segments())
