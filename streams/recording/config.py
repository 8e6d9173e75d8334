"""Settings of recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from streams.config import Section


class RecordingConfig(Section):
    """Live cameras only: recorded files are recordings already, and are played where they are."""

    mode: Annotated[
        Literal["off", "always"],
        Field(description="always keeps all that live cameras send, as they send it."),
    ] = "off"
    folder: Annotated[
        Path | None,
        Field(
            description="Folder of the recordings, CAMERA/YYYY-MM-DD/HHMMSS.mp4 (UTC) in it; null: "
            "`recordings` beside storage.evidence."
        ),
    ] = None
    segment_s: Annotated[
        float,
        Field(
            ge=1,
            le=600,
            description="Seconds of one file, up to the next key picture; what is younger cannot "
            "be played yet.",
        ),
    ] = 10.0
    days: Annotated[
        float | None,
        Field(
            gt=0,
            le=36_500,
            description="How long recordings are kept, days; evidence locks outlast it; null: for "
            "ever.",
        ),
    ] = 7.0
    quota_gb: Annotated[
        float | None,
        Field(
            gt=0,
            description="Room for recordings, gigabytes; the oldest go first; null: up to "
            "storage.reserve_mb.",
        ),
    ] = 100.0
