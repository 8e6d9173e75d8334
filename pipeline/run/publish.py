"""Newest picture and boxes of each camera, in files, for whoever looks.

The watcher's thread only hands over what it has; pictures are made on a thread of their own, and
of what comes meanwhile the newest counts.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.config import SiteConfig
from pipeline.live import is_wanted
from pipeline.run.perceive import Perception
from pipeline.tracking.tracklets import OpenTrack
from pipeline.types import TrackKey
from storage.types import Decision, NewLink, Recorded, person_name
from streams.clock import Clock
from streams.feed import CameraHealth
from streams.pictures import to_jpeg
from streams.types import CameraId, Frame, Gap

logger = logging.getLogger(__name__)

IDLE_S = 10.0
"""Between two pictures of a camera while nobody looks."""
STATE_EVERY_S = 2.0
"""What is said of a camera is said anew at least this often, so that old words can be told."""
RECORDED = "recorded"
ENDED = "ended"
_JPEG_QUALITY = 75
_REMEMBERED_TRACKS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Who:
    """What the linker said last of a track.

    Attributes:
        first_look: What would be decided by what is seen so far; None: it is decided.
    """

    person: str | None
    candidate: str | None
    probability: float | None
    first_look: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """A picture and the people in it."""

    frame: Frame
    tracks: tuple[OpenTrack, ...]


@dataclass(slots=True, kw_only=True)
class _Camera:
    """What is known of one camera."""

    health: str
    view: _View | None = None
    taken_s: float | None = None
    fps: float | None = None
    last_error: str | None = None
    recording: str
    recording_error: str | None = None
    n_frames: int | None = None
    n_dropped: int | None = None
    n_reconnects: int | None = None
    blind_since_us: int | None = None
    captured_at_us: int | None = None
    searched_at_us: int | None = None
    modality: str | None = None
    boxes: tuple[dict[str, object], ...] = ()
    said_s: float = 0.0


class Publisher:
    """Writes `NAME.jpg` and `NAME.json` of each camera while the block lasts.

    Args:
        config: Of the site.
        live: Whether its cameras are.
    """

    def __init__(self, config: SiteConfig, *, live: bool, clock: Clock) -> None:
        self._folder = config.live_folder
        self._width = config.live.width
        self._period_s = 1.0 / config.live.fps
        self._live = live
        self._clock = clock
        is_recorded = live and config.recording.mode == "always"
        self._cameras = {
            CameraId(camera.name): _Camera(
                health="connecting" if live else RECORDED,
                recording="on" if is_recorded or not live else "off",
            )
            for camera in config.cameras
        }
        self._who: OrderedDict[TrackKey, _Who] = OrderedDict()
        self._about: TrackKey | None = None
        self._changed = threading.Condition()
        self._is_wanted = False
        self._has_failed = False
        self._n_waiting = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="publish", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        for camera in self._cameras.values():
            camera.health = ENDED
            camera.boxes = ()
        self._say_all()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody looks at live pictures."""
        return self._is_wanted

    @property
    def n_remembered(self) -> int:
        """Tracks of which it is known who they are."""
        return len(self._who)

    def saw(self, frames: Sequence[Frame], perception: Perception) -> None:
        """Take over frames that were searched just now, where it is time for another picture."""
        now_s = time.monotonic()
        with self._changed:
            pause_s = self._period_s if self._is_wanted else IDLE_S
            for frame in frames:
                camera = self._cameras.get(frame.camera)
                if camera is None:
                    continue
                camera.searched_at_us = frame.captured_at_us
                if camera.taken_s is not None and now_s - camera.taken_s < pause_s:
                    continue
                camera.taken_s = now_s
                camera.view = _View(frame=frame, tracks=perception.in_view(frame.camera))
                self._changed.notify_all()

    def gap(self, gap: Gap) -> None:
        """A camera is blind, or sees again."""
        with self._changed:
            camera = self._cameras.get(gap.camera)
            if camera is not None:
                camera.blind_since_us = gap.from_us if gap.to_us is None else None
                camera.boxes = ()
                camera.said_s = 0.0

    def health(self, cameras: Sequence[CameraHealth], *, n_waiting: int = 0) -> None:
        """How live cameras are.

        Args:
            n_waiting: Visits that wait to be recorded.
        """
        with self._changed:
            self._n_waiting = n_waiting
            for each in cameras:
                camera = self._cameras.get(each.camera)
                if camera is None:
                    continue
                if camera.health != each.state.value:
                    camera.said_s = 0.0
                camera.health = each.state.value
                camera.fps = each.fps
                camera.last_error = each.last_error
                camera.recording_error = each.recording_error
                camera.n_frames = each.n_frames
                camera.n_dropped = each.n_dropped
                camera.n_reconnects = each.n_reconnects

    def about(self, track: TrackKey) -> None:
        """What is heard next is about this track; used with `heard` by one thread."""
        self._about = track

    def heard(self, recorded: Recorded, link: NewLink) -> None:
        """The linker has said who it is."""
        if self._about is None:
            return
        is_sure = recorded.identity is not None
        candidate = link.candidate if link.decision is Decision.UNSURE else None
        who = _Who(
            person=None if recorded.identity is None else person_name(recorded.identity),
            candidate=None if is_sure or candidate is None else person_name(candidate),
            probability=link.probability,
        )
        self._say(self._about, who)

    def may_be(self, track: TrackKey, link: NewLink) -> None:
        """Whom a view shows that goes on, by what is seen so far; used by the thread of `heard`."""
        is_new = link.decision is Decision.NEW
        nobody = link.grounds.get("nobody")
        who = _Who(
            person=None,
            candidate=None if is_new or not link.candidate else person_name(link.candidate),
            probability=float(nobody or 0) if is_new else link.probability,
            first_look=link.decision,
        )
        self._say(track, who)

    def _say(self, track: TrackKey, who: _Who) -> None:
        with self._changed:
            self._who[track] = who
            self._who.move_to_end(track)
            if len(self._who) > _REMEMBERED_TRACKS:
                self._who.popitem(last=False)

    def _loop(self) -> None:
        looked_s = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, timeout=0.5)
                if self._stopping:
                    return
                views = {name: c.view for name, c in self._cameras.items() if c.view is not None}
                for name in views:
                    self._cameras[name].view = None
            now_s = time.monotonic()
            if now_s - looked_s >= 1.0:
                looked_s = now_s
                self._look_who_looks()
            for name, view in views.items():
                self._show(name, view)
            self._say_due(now_s)

    def _has_work(self) -> bool:
        return self._stopping or any(c.view is not None for c in self._cameras.values())

    def _look_who_looks(self) -> None:
        wanted = is_wanted(self._folder)
        with self._changed:
            self._is_wanted = wanted

    def _show(self, name: CameraId, view: _View) -> None:
        height, width = view.frame.pixels.shape[:2]
        with self._changed:
            camera = self._cameras[name]
            camera.captured_at_us = view.frame.captured_at_us
            camera.modality = view.frame.modality.value
            camera.boxes = tuple(
                _box(track, self._who.get(track.track), width, height) for track in view.tracks
            )
            said = self._state(name, camera)
            camera.said_s = time.monotonic()
        self._write(f"{name}.jpg", small_jpeg(view.frame.pixels, self._width))
        self._write(f"{name}.json", said)

    def _say_due(self, now_s: float) -> None:
        with self._changed:
            due = [n for n, c in self._cameras.items() if now_s - c.said_s >= STATE_EVERY_S]
            words = {name: self._state(name, self._cameras[name]) for name in due}
            for name in due:
                self._cameras[name].said_s = now_s
        for name, said in words.items():
            self._write(f"{name}.json", said)

    def _say_all(self) -> None:
        for name, camera in self._cameras.items():
            self._write(f"{name}.json", self._state(name, camera))

    def _state(self, name: CameraId, camera: _Camera) -> bytes:
        values = {
            "camera": name,
            "captured_at_us": camera.captured_at_us,
            "modality": camera.modality,
            "boxes": camera.boxes,
            "health": camera.health,
            "last_error": camera.last_error,
            "fps": None if camera.fps is None else round(camera.fps, 2),
            "n_frames": camera.n_frames,
            "n_dropped": camera.n_dropped,
            "n_reconnects": camera.n_reconnects,
            "searched_at_us": camera.searched_at_us,
            "n_waiting": self._n_waiting,
            "blind_since_us": camera.blind_since_us,
            "recording": "stopped" if camera.recording_error else camera.recording,
            "recording_error": camera.recording_error,
            "written_at_us": self._clock.now_us(),
        }
        return json.dumps(values).encode()

    def _write(self, name: str, content: bytes) -> None:
        """Put a file in place whole; a disk that does not take it costs the picture only."""
        place = self._folder / name
        unfinished = place.with_name(f".{name}.part")
        try:
            try:
                unfinished.write_bytes(content)
            except FileNotFoundError:
                self._folder.mkdir(parents=True, exist_ok=True)
                unfinished.write_bytes(content)
            unfinished.replace(place)
        except OSError as error:
            if not self._has_failed:
                logger.warning(
                    "live pictures cannot be written to %s (%s)", self._folder, error.strerror
                )
            self._has_failed = True
        else:
            self._has_failed = False


def small_jpeg(pixels: npt.NDArray[np.uint8], width: int) -> bytes:
    """(H, W, 3) uint8 RGB as a JPEG at most `width` pixels wide."""
    if pixels.shape[1] > width:
        height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR))
    return to_jpeg(pixels, quality=_JPEG_QUALITY)


def _box(track: OpenTrack, who: _Who | None, width: int, height: int) -> dict[str, object]:
    x0, y0, x1, y1 = track.box
    corners = (x0 / width, y0 / height, x1 / width, y1 / height)
    return {
        "xyxy": [round(min(1.0, max(0.0, at)), 4) for at in corners],
        "track": track.track,
        "person": who and who.person,
        "candidate": who and who.candidate,
        "probability": who and who.probability,
        "first_look": who and who.first_look,
        "last_seen_us": track.last_seen_us,
    }
