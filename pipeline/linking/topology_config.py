"""Settings of transit times: what the installer states, how far what was learned is trusted."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from streams.config import Section


class TopologyConfig(Section):
    """How far the time between two cameras may speak for or against a person."""

    least_links: Annotated[
        int,
        Field(
            ge=1,
            description="Sure transits out of a camera before its transit times say anything, a "
            "count.",
        ),
    ] = 20
    floor: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Share of transits that follow no habit, 0-1: nobody is held for less "
            "likely than this factor because their way was never seen.",
        ),
    ] = 0.05
    cap: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="Most that a transit time may add to or take from the natural logarithm "
            "of a person's odds; 3 is a factor of 20, 0 turns transit times off.",
        ),
    ] = 3.0
    least_probability: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Links below this probability teach no transit time, 0-1; counted without "
            "what transit times themselves added. Operators' verdicts always teach.",
        ),
    ] = 0.95
    newest_sightings: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Sightings that are learned from, a count."),
    ] = 50_000
    stated_links: Annotated[
        int,
        Field(
            ge=1,
            description="Transits that one entry of `transits` counts for until more were seen.",
        ),
    ] = 20


class StatedTransit(Section):
    """A way between two cameras that the installer knows."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    from_camera: Annotated[str, Field(alias="from", description="Camera that people leave.")]
    to_camera: Annotated[str, Field(alias="to", description="Camera where they turn up next.")]
    least_s: Annotated[
        float, Field(ge=0, description="Seconds that the quickest need, out of sight of both.")
    ]
    most_s: Annotated[
        float, Field(gt=0, description="Seconds within which almost all have arrived.")
    ]
    both_ways: Annotated[
        bool, Field(description="Whether the way back takes as long; false says nothing of it.")
    ] = True

    @model_validator(mode="after")
    def _is_a_range(self) -> StatedTransit:
        if self.least_s >= self.most_s:
            raise ValueError("transits: expected least_s < most_s")
        return self
