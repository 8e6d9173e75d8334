"""Settings of forgetting in time."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from streams.config import Section

Days = Annotated[float, Field(gt=0, le=36_500)]


class RetentionConfig(Section):
    """How long what is kept; `null` is for ever. Legal holds outlast all of it."""

    pictures_days: Annotated[
        Days | None,
        Field(description="Pictures of people, days; at most as long as vectors; null: for ever."),
    ] = 30.0
    vectors_days: Annotated[
        Days | None,
        Field(
            description="Vectors of people's looks, days; at most as long as sightings; null: for "
            "ever."
        ),
    ] = 30.0
    sightings_days: Annotated[
        Days | None,
        Field(description="Who was seen where and when, with the reasons, days; null: for ever."),
    ] = 90.0
    gaps_days: Annotated[
        Days | None,
        Field(
            description="When nobody looked, days; at least as long as sightings, or `nobody "
            "came` and `nobody looked` look the same; null: for ever."
        ),
    ] = 90.0
    runs_days: Annotated[
        Days | None, Field(description="Runs of the watcher, days; null: for ever.")
    ] = 365.0
    audit_days: Annotated[
        Days | None,
        Field(description="Who asked what, days; null: for ever."),
    ] = 730.0
    alerts_days: Annotated[
        Days | None,
        Field(description="Alerts and what operators made of them, days; null: for ever."),
    ] = 90.0
    deliveries_days: Annotated[
        Days | None,
        Field(description="What was sent, or could not be, days; null: for ever."),
    ] = 30.0
    sessions_days: Annotated[
        Days | None,
        Field(
            description="Sessions of browsers and tokens of programs that ended, days; null: for "
            "ever."
        ),
    ] = 30.0
    interests_days: Annotated[
        Days | None,
        Field(
            description="Persons of interest after they expired or were removed, with their "
            "pictures, days; null: for ever."
        ),
    ] = 30.0
    pictures_mb: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000_000,
            description="Room for pictures, megabytes; the oldest go first; null: up to "
            "storage.reserve_mb.",
        ),
    ] = 50_000
    every_h: Annotated[
        float,
        Field(gt=0, le=168, description="How often a live watcher looks for what is due, hours."),
    ] = 1.0

    @model_validator(mode="after")
    def _check_order(self) -> RetentionConfig:
        in_order = ("pictures_days", "vectors_days", "sightings_days", "gaps_days")
        for shorter, longer in pairwise(in_order):
            days, limit = getattr(self, shorter), getattr(self, longer)
            if limit is not None and (days is None or days > limit):
                raise ValueError(
                    f"{shorter} must not be longer than {longer} ({limit:g} days): what it keeps "
                    "hangs on that"
                )
        return self
