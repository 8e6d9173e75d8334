"""Settings of second thoughts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from streams.config import Section


class RefineConfig(Section):
    """Reconsidering the last hours, when later views have told more."""

    enabled: Annotated[
        bool, Field(description="false leaves every decision as it was first made.")
    ] = True
    window_h: Annotated[
        float, Field(gt=0, le=168, description="Hours that are reconsidered, back from now.")
    ] = 12.0
    every_min: Annotated[
        float,
        Field(gt=0, description="Minutes between two times; recordings also at their end."),
    ] = 10.0
    max_tracks: Annotated[
        int,
        Field(
            ge=2,
            le=10_000,
            description="Tracks reconsidered at once; where the window has more, it is shortened. "
            "Time grows with the square of it.",
        ),
    ] = 2000
