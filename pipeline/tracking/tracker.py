"""Which detections of consecutive frames are the same person: association by motion and overlap.

A thin layer over the ByteTrack of the `trackers` library that adds what a watching system needs and
a benchmark does not: patience in seconds by the stream's own times, numbers owned by the instance,
one answer per detection row. Why this tracker: docs/adr/0005-tracker.md.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Protocol

import numpy as np
import numpy.typing as npt
import supervision as sv
from trackers import BIoU, ByteTrackTracker

from models.types import Detections
from pipeline.tracking.config import TrackingConfig

NO_TRACK = -1
"""Stands for a detection that belongs to no track, or to none yet."""

ENLARGED_BY = 0.1
"""Boxes grow by this share on each side before their overlap is measured: people who walk fast or
stop abruptly still overlap their prediction at low frame rates."""

MIN_OVERLAP = 0.25
"""Intersection over union of enlarged boxes below which two are never the same person."""

_PERIODS_REMEMBERED = 15
_US = 1e-6


class Tracker(Protocol):
    """Follows the people of one camera from frame to frame."""

    def update(self, detections: Detections, *, now_us: int | None = None) -> npt.NDArray[np.int64]:
        """Track number of each detection, (N,) int64 from 1 on, or `NO_TRACK`.

        Args:
            detections: Of the next frame, later than the one before; N may be 0. A frame without
                people must be told too: it lets tracks grow old.
            now_us: The time to count in, where it is not `captured_at_us`.
        """
        ...


class BufferedOverlapTracker:
    """ByteTrack: Kalman prediction, then overlap of enlarged boxes, sure detections first.

    A track gets its number at its second detection in a row, of which the first must be at least
    `min_start_score` sure. Equal input gives equal numbers, whatever else runs in the process.
    """

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._patience_us = round(config.lost_patience_s / _US)
        self._periods_us: deque[int] = deque(maxlen=_PERIODS_REMEMBERED)
        self._last_us: int | None = None
        self._n_given = 0
        self._library = self._start()

    def update(self, detections: Detections, *, now_us: int | None = None) -> npt.NDArray[np.int64]:
        """See `Tracker.update`.

        Raises:
            ValueError: The frame is not later than the one before.
        """
        now_us = detections.captured_at_us if now_us is None else now_us
        self._advance(now_us)
        rows = np.flatnonzero(detections.scores >= self._config.min_continue_score)
        answer = self._library.update(
            sv.Detections(
                xyxy=detections.boxes[rows].astype(np.float64),
                confidence=detections.scores[rows].astype(np.float64),
                data={"row": rows},
            ),
            timestamp=self._n_steps,
        )
        numbers = np.full(len(detections), NO_TRACK, dtype=np.int64)
        if len(answer):
            numbers[answer.data["row"]] = self._own_numbers(answer.tracker_id, now_us)
        return numbers

    def _start(self) -> ByteTrackTracker:
        """A library tracker without tracks.

        It counts time in frames of this camera (`frame_rate=1`): its noise is tuned per frame, and
        exact whole steps keep it so for every frame rate and in spite of jittery time stamps.
        """
        self._n_steps = 0.0
        self._numbers: dict[int, int] = {}
        self._seen_us: dict[int, int] = {}
        return ByteTrackTracker(
            frame_rate=1.0,
            track_activation_threshold=self._config.min_start_score,
            high_conf_det_threshold=self._config.min_firm_score,
            minimum_iou_threshold=MIN_OVERLAP,
            iou=BIoU(buffer_ratio=ENLARGED_BY),
        )

    def _advance(self, now_us: int) -> None:
        """Count the frames since the last update; forget everything after a gap."""
        if self._last_us is not None:
            elapsed_us = now_us - self._last_us
            if elapsed_us <= 0:
                raise ValueError(f"expected a frame later than {self._last_us} us, got {now_us} us")
            if elapsed_us > self._patience_us:
                self._library = self._start()
            else:
                self._periods_us.append(elapsed_us)
                period_us = median(self._periods_us)
                self._n_steps += max(1, round(elapsed_us / period_us))
                # One more than needed: _own_numbers decides by the exact time.
                self._library.maximum_time_without_update = self._patience_us / period_us + 1
        self._last_us = now_us

    def _own_numbers(
        self, library_ids: npt.NDArray[np.int64], now_us: int
    ) -> npt.NDArray[np.int64]:
        """Numbers from 1 on; a track that comes back after more than the patience is a new one."""
        own = np.full(len(library_ids), NO_TRACK, dtype=np.int64)
        for at, library_id in enumerate(library_ids.tolist()):
            if library_id < 0:
                continue
            seen_us = self._seen_us.get(library_id)
            if seen_us is None or now_us - seen_us > self._patience_us:
                self._n_given += 1
                self._numbers[library_id] = self._n_given
            self._seen_us[library_id] = now_us
            own[at] = self._numbers[library_id]
        self._forget_dead()
        return own

    def _forget_dead(self) -> None:
        alive = {track.tracker_id for track in self._library.tracks}
        for gone in [key for key in self._numbers if key not in alive]:
            del self._numbers[gone], self._seen_us[gone]
