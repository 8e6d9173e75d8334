"""The newest picture of each camera and what the watcher says about it, read from its files.

The watcher writes `NAME.jpg` and `NAME.json` by renaming, so each is whole. They are read once for
all who look on, and again only when they changed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.live import WANTED_FOR_S, want
from streams.types import CameraId

FRESH_US = 15_000_000
"""The watcher says how a camera does every few seconds; older words say nothing."""
SEEING = ("live", "recorded")
"""The watcher's words for a camera that sees."""
_LARGEST_STATE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePicture:
    """The newest JPEG of a camera; `version` changes with it."""

    jpeg: bytes
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """What the watcher says about a camera.

    Attributes:
        captured_at_us: Of the newest picture, microseconds UTC; None: there is none.
        written_at_us: When the watcher said so; None: unknown.
        health: The watcher's word, such as `live`; None: it says none.
        boxes: People in the picture, as the watcher wrote them.
        values: All that the file holds.
        version: Changes with the file.
    """

    camera: CameraId
    captured_at_us: int | None
    written_at_us: int | None
    health: str | None
    boxes: tuple[Mapping[str, Any], ...]
    values: Mapping[str, Any]
    version: int


class LiveFiles:
    """The folder that the watcher writes. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pictures: dict[CameraId, LivePicture] = {}
        self._states: dict[CameraId, LiveState] = {}
        self._lock = threading.Lock()
        self._wanted_s: float | None = None

    def want(self, now_s: float) -> None:
        """Tell the watcher that somebody looks, so that pictures come often.

        Args:
            now_s: Of a clock that does not step.
        """
        with self._lock:
            if self._wanted_s is not None and now_s - self._wanted_s < WANTED_FOR_S / 3:
                return
            self._wanted_s = now_s
        with suppress(OSError):  # a full disk: then they come seldom
            want(self._folder)

    def picture(self, camera: CameraId) -> LivePicture | None:
        """The newest picture, None if there is none.

        Args:
            camera: A name that is known to be a camera's: it becomes part of a path.
        """
        file = self._folder / f"{camera}.jpg"
        version = _version(file)
        if version is None:
            return None
        with self._lock:
            known = self._pictures.get(camera)
        if known is not None and known.version == version:
            return known
        try:
            found = LivePicture(jpeg=file.read_bytes(), version=version)
        except OSError:
            return None
        with self._lock:
            self._pictures[camera] = found
        return found

    def state(self, camera: CameraId) -> LiveState | None:
        """What the watcher last said, None if nothing, or nothing that can be read."""
        file = self._folder / f"{camera}.json"
        version = _version(file)
        if version is None:
            return None
        with self._lock:
            known = self._states.get(camera)
        if known is not None and known.version == version:
            return known
        try:
            with file.open("rb") as opened:
                values = json.loads(opened.read(_LARGEST_STATE))
        except (OSError, ValueError):
            return None
        if not isinstance(values, dict):
            return None
        found = _to_state(camera, values, version)
        with self._lock:
            self._states[camera] = found
        return found


def _to_state(camera: CameraId, values: dict[str, Any], version: int) -> LiveState:
    health = values.get("health")
    boxes = values.get("boxes")
    return LiveState(
        camera=camera,
        captured_at_us=_number(values, "captured_at_us"),
        written_at_us=_number(values, "written_at_us"),
        health=health if isinstance(health, str) else None,
        boxes=tuple(box for box in boxes if isinstance(box, dict))
        if isinstance(boxes, list)
        else (),
        values=values,
        version=version,
    )


def _number(values: dict[str, Any], name: str) -> int | None:
    found = values.get(name)
    return found if isinstance(found, int) else None


def _version(file: Path) -> int | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return hash((state.st_mtime_ns, state.st_ino))
