"""Recorded files that were watched as cameras: they stay where they are and serve as recordings."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from streams.config import CameraConfig
from streams.errors import NoctuleError
from streams.files import VideoFile
from streams.images import ImageFolder
from streams.moments import to_utc
from streams.types import CameraId

NOTES = "files.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedFile:
    """A recorded file, or a folder of images, that a camera's footage comes from.

    Attributes:
        path: Absolute.
        from_us: When its first picture was taken, microseconds UTC.
        to_us: When its last one ends.
        codec: As FFmpeg names it; "images" for a folder.
        fps: Of a folder of images.
        region: The part of the picture that is this camera, fractions x0, y0, x1, y1.
    """

    camera: CameraId
    path: str
    from_us: int
    to_us: int
    codec: str
    fps: float
    region: tuple[float, float, float, float] | None

    @property
    def is_video(self) -> bool:
        """Whether it can be played, rather than a folder of images."""
        return self.codec != "images"

    def as_camera(self) -> CameraConfig:
        """A camera that shows this, and only this."""
        return CameraConfig(
            name=self.camera,
            source=SecretStr(self.path),
            starts_at=to_utc(self.from_us),
            fps=self.fps,
            region=self.region,
        )


def played_file(camera: CameraConfig) -> PlayedFile:
    """What a recorded camera's configuration names.

    Raises:
        SourceUnreadable: It is missing, or neither a video nor a folder of images.
    """
    path = Path(camera.source.get_secret_value()).expanduser().absolute()
    with ImageFolder(camera, path) if path.is_dir() else VideoFile(camera, path) as source:
        from_us, to_us = source.span_us
        codec = source.info.codec
    return PlayedFile(
        camera=CameraId(camera.name),
        path=str(path),
        from_us=from_us,
        to_us=to_us,
        codec=codec,
        fps=camera.fps,
        region=camera.region,
    )


def note_played(folder: Path, played: PlayedFile) -> None:
    """Remember that this file was watched as a camera, also when it is in no configuration.

    Args:
        folder: Of all recordings.

    Raises:
        OSError: It cannot be written.
    """
    notes = folder / played.camera / NOTES
    known = [each for each in noted_files(folder, played.camera) if each.path != played.path]
    notes.parent.mkdir(parents=True, exist_ok=True)
    unfinished = notes.with_name(f"{NOTES}.new")
    text = json.dumps([asdict(each) for each in [*known, played]], indent=1)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(notes)


def noted_files(folder: Path, camera: CameraId) -> list[PlayedFile]:
    """Files that were watched as this camera; none if there are no notes that can be read."""
    try:
        notes = json.loads((folder / camera / NOTES).read_text(encoding="utf-8"))
        return [_from_note(note) for note in notes]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def files_of(
    folder: Path, camera: CameraId, *, configured: CameraConfig | None
) -> list[PlayedFile]:
    """Files that serve as this camera's recordings, the oldest first.

    Args:
        configured: The camera as it is configured now, if it is.
    """
    found = {each.path: each for each in noted_files(folder, camera)}
    if configured is not None and not configured.is_live:
        try:
            played = played_file(configured)
        except NoctuleError:
            pass
        else:
            found[played.path] = played
    there = [each for each in found.values() if Path(each.path).exists()]
    return sorted(there, key=lambda each: each.from_us)


def _from_note(note: dict[str, object]) -> PlayedFile:
    region = note["region"]
    corners = [float(each) for each in region] if isinstance(region, list) else []
    return PlayedFile(
        camera=CameraId(str(note["camera"])),
        path=str(note["path"]),
        from_us=int(str(note["from_us"])),
        to_us=int(str(note["to_us"])),
        codec=str(note["codec"]),
        fps=float(str(note["fps"])),
        region=(corners[0], corners[1], corners[2], corners[3]) if len(corners) == 4 else None,
    )
