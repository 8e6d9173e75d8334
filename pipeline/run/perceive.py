"""Frames of all cameras become tracklets: motion gate, one batched detection, one tracker each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from models.detect.types import Detector
from pipeline.config import SiteConfig
from pipeline.tracking.tracklets import CameraTracker, OpenTrack
from pipeline.types import Tracklet
from streams.motion import MotionGate
from streams.types import CameraId, Frame

_TICK_US = 500_000
"""A camera that was silent for this long is told the time, so that its tracks can end."""
_UNSEEN_US = 500_000
"""A person not found for longer is not drawn."""


class Perception:
    """Owns the detector and one gate and tracker per camera. Used by one thread."""

    def __init__(self, config: SiteConfig, detector: Detector) -> None:
        cameras = [CameraId(camera.name) for camera in config.cameras]
        self._detector = detector
        self._gates = {camera: MotionGate(config.motion) for camera in cameras}
        self._trackers = {camera: CameraTracker(camera, config.tracking) for camera in cameras}
        self._min_quality = config.linking.min_quality
        self._told_us: dict[CameraId, int] = {}
        self._searched_us: dict[CameraId, int] = {}
        self.n_frames = 0
        self.n_still = 0

    def perceive(self, frames: Sequence[Frame]) -> list[Tracklet]:
        """Tracklets that ended (or grew long) with these frames, at most one frame per camera."""
        moving = [frame for frame in frames if self._gates[frame.camera].is_moving(frame)]
        found: list[Tracklet] = []
        for frame, detections in zip(moving, self._detector.detect(moving), strict=True):
            found += self._trackers[frame.camera].update(frame, detections)
            self._searched_us[frame.camera] = frame.captured_at_us
        for frame in frames:
            self._told_us[frame.camera] = frame.captured_at_us
            if not any(frame is other for other in moving):
                found += self._trackers[frame.camera].pause(frame.captured_at_us)
        self.n_frames += len(frames)
        self.n_still += len(frames) - len(moving)
        return found + self._tick(min(frame.captured_at_us for frame in frames)) if frames else []

    def open_tracks(self, camera: CameraId) -> list[OpenTrack]:
        """People of a camera, also those lost for less than the tracker's patience."""
        return self._trackers[camera].open_tracks()

    def in_view(self, camera: CameraId) -> tuple[OpenTrack, ...]:
        """People in a camera's newest picture that was searched."""
        since_us = self._searched_us.get(camera, 0) - _UNSEEN_US
        tracks = self._trackers[camera].open_tracks()
        return tuple(track for track in tracks if track.last_seen_us >= since_us)

    def first_looks(self, camera: CameraId) -> list[Tracklet]:
        """Open views of a camera, so far, where it is time for a look at who it is."""
        return self._trackers[camera].first_looks(min_quality=self._min_quality)

    def cut(self, camera: CameraId) -> list[Tracklet]:
        """End every open track of a camera: nobody looks there now."""
        return self._trackers[camera].cut()

    def cut_all(self) -> list[Tracklet]:
        """End every open track, in the order of cameras."""
        return [tracklet for camera in self._trackers for tracklet in self.cut(camera)]

    def _tick(self, now_us: int) -> list[Tracklet]:
        found: list[Tracklet] = []
        for camera, tracker in self._trackers.items():
            if now_us - self._told_us.get(camera, now_us) >= _TICK_US:
                self._told_us[camera] = now_us
                found += tracker.expire(now_us)
        return found


def batches(frames: Iterable[Frame], *, size: int) -> Iterator[list[Frame]]:
    """Consecutive frames in groups of at most `size`, no camera twice in a group.

    >>> list(batches([], size=4))
    []
    """
    batch: list[Frame] = []
    for frame in frames:
        if len(batch) == size or any(other.camera == frame.camera for other in batch):
            yield batch
            batch = []
        batch.append(frame)
    if batch:
        yield batch
