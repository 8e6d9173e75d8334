"""One camera's detections become tracklets: who was in view, from when to when, looking how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.types import Detections
from pipeline.tracking.config import TrackingConfig
from pipeline.tracking.gathering import Gathering
from pipeline.tracking.tracker import NO_TRACK, BufferedOverlapTracker
from pipeline.types import TrackKey, Tracklet
from streams.types import CameraId, Frame

_MIN_BACKFILL_IOU = 0.3
_US = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrack:
    """A person in view, or lost for less than the patience.

    Attributes:
        number: From 1 on, within this camera and unbroken view.
        box: xyxy in pixels of the frame in which the person was last detected.
    """

    track: TrackKey
    number: int
    box: tuple[float, float, float, float]
    last_seen_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Look:
    """A frame that was searched for people, and which of them belong to no track yet."""

    frame: Frame
    detections: Detections
    is_free: npt.NDArray[np.bool_]
    watched_us: int


class CameraTracker:
    """Follows the people of one camera. Pure: time comes from the frames. Used by one thread.

    A tracklet is handed on when its person was not detected for `lost_patience_s`, when the view
    breaks (another run, another picture size, `cut`), and part by part every `part_after_s`.

    Attributes:
        n_discarded: Tracks too short to be told.
    """

    def __init__(self, camera: CameraId, config: TrackingConfig) -> None:
        self.n_discarded = 0
        self._camera = camera
        self._config = config
        self._begin()

    def _begin(self) -> None:
        self._tracker = BufferedOverlapTracker(self._config)
        self._open: dict[int, Gathering] = {}
        self._before: _Look | None = None
        self._view: tuple[int, tuple[int, ...]] | None = None
        self._now_us: int | None = None
        self._frozen_us = 0

    def update(self, frame: Frame, detections: Detections) -> list[Tracklet]:
        """Tracklets that ended, or grew long enough for a part, with this frame.

        Args:
            frame: Later than the one before, unless its run is another.
            detections: Of this very frame.

        Raises:
            ValueError: Frame and detections do not belong together or to this camera, or time does
                not advance within a run.
        """
        self._refuse_mismatch(frame, detections)
        view = (frame.run, frame.pixels.shape)
        finished = self.cut() if view != self._view else []
        self._view = view
        look = self._look(frame, detections)
        self._now_us = frame.captured_at_us
        return finished + self._reap(frame.captured_at_us, look.watched_us)

    def pause(self, now_us: int) -> list[Tracklet]:
        """Tracklets that ended because the picture has not moved for `still_patience_s`.

        Nobody comes or goes in a picture that does not move, so the patience for lost people waits.

        Args:
            now_us: Time of a frame in which nothing moved, and which was not searched for people.
        """
        if self._now_us is None:
            return []
        if now_us > self._now_us:
            self._frozen_us += now_us - self._now_us
            self._now_us = now_us
        return self._reap(now_us, now_us - self._frozen_us)

    def expire(self, now_us: int) -> list[Tracklet]:
        """Tracklets that ended because nobody has looked for `lost_patience_s`.

        Args:
            now_us: The time by another clock than this camera's frames.
        """
        return self._reap(now_us, now_us - self._frozen_us)

    def cut(self) -> list[Tracklet]:
        """All open tracks, ended: the view breaks here. Numbers begin at 1 again."""
        ended = [tracklet for number in list(self._open) for tracklet in self._end(number)]
        self._begin()
        return ended

    def open_tracks(self) -> list[OpenTrack]:
        """People in view now, by number; for live drawing."""
        return [
            OpenTrack(
                track=track.key,
                number=number,
                box=track.last_box,
                last_seen_us=track.last_seen_us,
            )
            for number, track in sorted(self._open.items())
        ]

    def first_looks(self, *, min_quality: float) -> list[Tracklet]:
        """Views that go on, as far as they have come, where it is time for a look at who it is.

        Args:
            min_quality: Of pictures worth comparing, in [0, 1].
        """
        looks = (track.first_look(min_quality=min_quality) for track in self._open.values())
        return [view for view in looks if view is not None]

    def _refuse_mismatch(self, frame: Frame, detections: Detections) -> None:
        if {frame.camera, detections.camera} != {self._camera}:
            raise ValueError(
                f"expected frame and detections of camera {self._camera}, "
                f"got {frame.camera} and {detections.camera}"
            )
        if frame.captured_at_us != detections.captured_at_us:
            raise ValueError(
                f"detections of {detections.captured_at_us} us came with the frame of "
                f"{frame.captured_at_us} us"
            )

    def _look(self, frame: Frame, detections: Detections) -> _Look:
        """Give each detection to its track; remember the rest for one frame."""
        watched_us = frame.captured_at_us - self._frozen_us
        numbers = self._tracker.update(detections, now_us=watched_us)
        look = _Look(
            frame=frame,
            detections=detections,
            is_free=numbers == NO_TRACK,
            watched_us=watched_us,
        )
        for row in np.flatnonzero(~look.is_free).tolist():
            number = int(numbers[row])
            if number not in self._open:
                self._open[number] = Gathering(self._camera, number, self._config)
                self._backfill(self._open[number], detections.boxes[row])
            _add(self._open[number], look, row)
        self._before = look
        return look

    def _backfill(self, track: Gathering, box: npt.NDArray[np.float32]) -> None:
        """A number comes with the second detection: find the first one in the frame before."""
        before = self._before
        if before is None:
            return
        can_start = before.is_free & (before.detections.scores >= self._config.min_start_score)
        overlaps = np.where(can_start, _iou(before.detections.boxes, box), 0.0)
        if overlaps.max(initial=0.0) >= _MIN_BACKFILL_IOU:
            row = int(overlaps.argmax())
            before.is_free[row] = False
            _add(track, before, row)

    def _reap(self, now_us: int, watched_us: int) -> list[Tracklet]:
        """End the tracks whose patience is over; take parts of those that grew long."""
        found: list[Tracklet] = []
        for number, track in list(self._open.items()):
            is_lost = (watched_us - track.last_watched_us) * _US > self._config.lost_patience_s
            is_stale = (now_us - track.last_seen_us) * _US > self._config.still_patience_s
            if is_lost or is_stale:
                found += self._end(number)
            elif track.is_due(now_us):
                found.append(track.take_part())
        return found

    def _end(self, number: int) -> list[Tracklet]:
        track = self._open.pop(number)
        if track.is_worth_telling:
            return [track.take()]
        self.n_discarded += track.n_rows > 0
        return []


def _add(track: Gathering, look: _Look, row: int) -> None:
    others = ~look.is_free
    others[row] = False
    track.add(
        look.frame,
        look.detections.boxes[row],
        float(look.detections.scores[row]),
        others=look.detections.boxes[others],
        watched_us=look.watched_us,
    )


def _iou(boxes: npt.NDArray[np.float32], box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Overlap of each of (N, 4) boxes with one box, (N,) in [0, 1]; xyxy."""
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(shared / np.maximum(areas - shared, 1e-6), dtype=np.float32)
