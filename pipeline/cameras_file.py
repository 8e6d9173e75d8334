"""Cameras that were added in the pages: a YAML file of our own, which only its owner may read.

It holds addresses with their passwords. Relative paths in it start at its folder.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr, ValidationError

from pipeline.errors import FileUnwritable
from pipeline.yaml_file import YamlFile, parse_yaml, read_text
from streams.config import CameraConfig
from streams.errors import ConfigInvalid

_HEAD = "# Cameras that were added in the pages of the front desk, which writes this file.\n"
_ONLY_OWNER = 0o600
_KEY = "cameras"

Entry = Mapping[str, Any]
"""A camera as it is written: what `${NAME}` stands for is not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AddedCameras:
    """What the file holds.

    Attributes:
        entries: As they are written, one for each of `cameras`.
    """

    file: YamlFile
    entries: tuple[Entry, ...]
    cameras: tuple[CameraConfig, ...]


def read_cameras(path: Path) -> AddedCameras:
    """The cameras of the file, none if there is none.

    Raises:
        ConfigInvalid: With file, line and key of every mistake.
    """
    try:
        text = read_text(path)
    except FileNotFoundError:
        text = ""
    file = parse_yaml(text, name=str(path))
    unknown = sorted(map(str, set(file.values) - {_KEY}))
    if unknown:
        raise ConfigInvalid(
            f"{file.place((unknown[0],))}: unknown key; this file holds {_KEY} only, everything "
            "else is in config.yaml"
        )
    entries = file.values.get(_KEY) or []
    if not isinstance(entries, list):
        raise ConfigInvalid(f"{file.place((_KEY,))}: expected a list of cameras")
    cameras = tuple(_read_camera(file, index, each) for index, each in enumerate(entries))
    refuse_twice(file, [camera.name for camera in cameras], others={})
    return AddedCameras(
        file=file,
        entries=tuple(entries),
        cameras=tuple(within(path.parent, camera) for camera in cameras),
    )


def _read_camera(file: YamlFile, index: int, entry: Any) -> CameraConfig:
    try:
        return CameraConfig.model_validate(entry)
    except ValidationError as error:
        raise file.refusal(error, below=(_KEY, index)) from None


def check_camera(entry: Entry) -> CameraConfig:
    """The camera that an entry says; a path stays as it is written.

    Raises:
        ConfigInvalid: The words of the first mistake; never what was given.
    """
    try:
        return CameraConfig.model_validate(entry)
    except ValidationError as error:
        mistake = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(map(str, mistake["loc"])) or "camera"
        words = mistake["msg"].removeprefix("Value error, ")
    raise ConfigInvalid(f"{key}: {words}")


def refuse_twice(file: YamlFile, names: Sequence[str], *, others: Mapping[str, str]) -> None:
    """Each name of the file's cameras stands once.

    Args:
        others: Cameras of other files, with where they stand.

    Raises:
        ConfigInvalid: With file and line of the second.
    """
    places = dict(others)
    for index, name in enumerate(names):
        where = (_KEY, index, "name")
        if name in places:
            raise ConfigInvalid(
                f"{file.place(where)}: the name {name!r} is used twice, also in {places[name]}; "
                "names must differ"
            )
        places[name] = f"{file.name}:{file.line_of(where)}"


def within(folder: Path, camera: CameraConfig) -> CameraConfig:
    """The camera with the path of its recording, if it is one, starting at `folder`."""
    if camera.is_live:
        return camera
    path = folder / Path(camera.source.get_secret_value()).expanduser()
    return camera.model_copy(update={"source": SecretStr(str(path))})


class CamerasFile:
    """The file, changed as a whole. Threads of one process may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def change(self, to: Callable[[AddedCameras], Sequence[Entry]]) -> AddedCameras:
        """Write what `to` makes of the cameras that are there, whole or not at all.

        Raises:
            ConfigInvalid: The file, or what is to be written, cannot be used.
            FileUnwritable: It cannot be written.
        """
        with self._lock:
            entries = [dict(entry) for entry in to(read_cameras(self.path))]
            text = _HEAD + yaml.safe_dump({_KEY: entries}, sort_keys=False, allow_unicode=True)
            try:
                _write(self.path, text)
            except OSError as error:
                raise FileUnwritable(
                    f"the list of cameras cannot be written ({error.strerror}); let the front "
                    "desk write into the folder of `cameras_file`, or set another one"
                ) from error
            return read_cameras(self.path)


def _write(path: Path, text: str) -> None:
    """Put the file in its place at once, so that nobody reads half of it."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
