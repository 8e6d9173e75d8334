"""The configuration as it is now: cameras may be added while the front desk runs."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from pipeline.cameras_file import CamerasFile, read_cameras
from pipeline.config import SiteConfig
from streams.config import CameraConfig
from streams.errors import ConfigInvalid
from streams.types import CameraId

logger = logging.getLogger(__name__)

Version = tuple[int, int, int] | None
"""What tells one content of a file from another; None: there is no file."""


class SiteNow:
    """Follows the file of added cameras, whoever writes it. Threads may share it.

    Everything else stays as it was read at the start.
    """

    def __init__(self, config: SiteConfig) -> None:
        self.file = CamerasFile(config.cameras_file)
        self._lock = threading.Lock()
        self._version = _version(self.file.path)
        added = self._read() or ()
        self.added = frozenset(CameraId(camera.name) for camera in added)
        """Cameras that were added in the pages."""
        self._own = tuple(camera for camera in config.cameras if camera.name not in self.added)
        self._config = config.model_copy(update={"cameras": (*self._own, *added)})

    @property
    def config(self) -> SiteConfig:
        """The same object until the cameras change."""
        version = _version(self.file.path)
        if version != self._version:
            with self._lock:
                if version != self._version:
                    self._follow(version)
        return self._config

    def _follow(self, version: Version) -> None:
        added = self._read()
        if added is not None:
            own = {camera.name for camera in self._own}
            twice = [camera.name for camera in added if camera.name in own]
            if twice:
                logger.error("%s: %s is in config.yaml, too; rename it", self.file.path, twice[0])
            else:
                self.added = frozenset(CameraId(camera.name) for camera in added)
                self._config = self._config.model_copy(update={"cameras": (*self._own, *added)})
        self._version = version

    def _read(self) -> tuple[CameraConfig, ...] | None:
        """None: it cannot be used, and whoever spoiled it is told in the log."""
        try:
            return read_cameras(self.file.path).cameras
        except ConfigInvalid as error:
            logger.error("cameras stay as they were: %s", error)
            return None


def _version(file: Path) -> Version:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
