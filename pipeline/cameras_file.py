"""Cameras that were added in the pages: a YAML file of our own, which only its owner may read."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import SecretStr, ValidationError

from streams.config import CameraConfig
from streams.errors import ConfigInvalid

_HEAD = "# Cameras that were added in the pages of the front desk; it writes this file.\n"
_ONLY_OWNER = 0o600


def read_cameras(file: Path) -> tuple[CameraConfig, ...]:
    """The cameras of the file, () if there is none.

    Raises:
        ConfigInvalid: It is not what we wrote.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigInvalid(f"{file}: cannot be read ({type(error).__name__}); mend it") from None
    listed = values.get("cameras") if isinstance(values, dict) else None
    if not isinstance(listed, list):
        raise ConfigInvalid(f"{file}: expected a list under `cameras`; mend it, or move it away")
    try:
        return tuple(CameraConfig.model_validate(each) for each in listed)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise ConfigInvalid(f"{file}: a camera's {where} cannot be used; mend it") from None


class CamerasFile:
    """The file, changed as a whole. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def add(self, *, name: str, address: str, transport: str) -> tuple[CameraConfig, ...]:
        """Add a live camera; all that the file holds then.

        Raises:
            ConfigInvalid: The address cannot be used.
            OSError: The file cannot be written.
        """
        made = live_camera(name=name, address=address, transport=transport)
        with self._lock:
            cameras = (*(c for c in read_cameras(self._file) if c.name != name), made)
            self._write(cameras)
        return cameras

    def remove(self, name: str) -> tuple[CameraConfig, ...]:
        """Take a camera out; all that the file holds then.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            cameras = tuple(each for each in read_cameras(self._file) if each.name != name)
            self._write(cameras)
        return cameras

    def _write(self, cameras: Sequence[CameraConfig]) -> None:
        values = [
            {
                "name": each.name,
                "source": each.source.get_secret_value(),
                "transport": each.transport,
            }
            for each in cameras
        ]
        unfinished = self._file.with_name(f".{self._file.name}.part")
        unfinished.unlink(missing_ok=True)
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(_HEAD + yaml.safe_dump({"cameras": values}, sort_keys=False))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file)


def live_camera(*, name: str, address: str, transport: str) -> CameraConfig:
    """A camera on the network.

    Raises:
        ConfigInvalid: The address is no rtsp:// address, or would take something out of the
            server's environment.
    """
    if "${" in address:
        raise ConfigInvalid("address: ${...} stands for secrets in config.yaml only; write it out")
    try:
        made = CameraConfig.model_validate(
            {"name": name, "source": SecretStr(address), "transport": transport}
        )
    except ValidationError:
        made = None  # its words may repeat a password
    if made is None or not made.is_live:
        raise ConfigInvalid("address: expected rtsp://user:password@host/path, or rtsps://")
    return made
