"""Settings of linking: when are two tracklets the same person."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.linking.topology_config import StatedTransit, TopologyConfig
from streams.config import Section


class LinkingConfig(Section):
    """Deciding who a tracklet is: a known identity, a new one, or unsure."""

    link_at: Annotated[
        float,
        Field(gt=0.5, lt=1, description="Probability that joins a tracklet to an identity, 0-1."),
    ] = 0.9
    new_at: Annotated[
        float,
        Field(gt=0, lt=1, description="Probability of being nobody known that makes a new person."),
    ] = 0.5
    returning: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Prior: share of tracklets that show somebody who was seen before, 0-1; "
            "0.7 where a person is seen about three times.",
        ),
    ] = 0.7
    horizon_h: Annotated[
        float,
        Field(
            gt=0,
            description="Sightings older than this are not compared, hours: appearance is clothes.",
        ),
    ] = 24.0
    candidates: Annotated[
        int, Field(ge=2, le=1000, description="Nearest people weighed per modality, a count.")
    ] = 50
    overlapping: Annotated[
        tuple[tuple[str, str], ...],
        Field(
            description="Pairs of cameras that see the same ground, so one person may be in both "
            "at once."
        ),
    ] = ()
    clock_skew_s: Annotated[
        float,
        Field(ge=0, description="How far cameras' clocks may disagree, seconds."),
    ] = 0.5

    topology: Annotated[
        TopologyConfig, Field(description="What the time between two cameras says.")
    ] = TopologyConfig()
    transits: Annotated[
        tuple[StatedTransit, ...],
        Field(
            description="Ways between cameras that the installer knows, such as {from: gate, "
            "to: yard, least_s: 9, most_s: 15}; they count until more was seen."
        ),
    ] = ()

    @model_validator(mode="after")
    def _leave_room_for_unsure(self) -> LinkingConfig:
        if self.link_at + self.new_at < 1:
            raise ValueError(
                "link_at + new_at must be at least 1, or one tracklet could be both linked and new"
            )
        return self
