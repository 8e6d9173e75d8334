"""Where the watcher leaves its newest pictures for the front desk, and how it is asked for more."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from streams.config import Section

WANTED = "wanted"
"""A file that the front desk touches while somebody looks."""
WANTED_FOR_S = 30.0
"""So long after it was touched."""


class LiveConfig(Section):
    """The newest picture of each camera, for pages. While nobody looks, one every 10 s."""

    fps: Annotated[
        float,
        Field(gt=0, le=30, description="Pictures per second of each camera, while somebody looks."),
    ] = 4.0
    width: Annotated[
        int,
        Field(ge=64, le=3840, description="Pixels; wider pictures are made smaller."),
    ] = 640
    folder: Annotated[
        Path | None,
        Field(
            description="Folder of NAME.jpg and NAME.json of each camera; null: `live` beside "
            "storage.evidence."
        ),
    ] = None


def want(folder: Path) -> None:
    """Say that somebody looks; again at least every `WANTED_FOR_S`.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WANTED).touch()


def is_wanted(folder: Path) -> bool:
    """Whether somebody looks, by the clock of the disk."""
    try:
        touched_s = (folder / WANTED).stat().st_mtime
    except OSError:
        return False
    return abs(time.time() - touched_s) <= WANTED_FOR_S
