"""Settings of following people within one camera."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from streams.config import Section


class TrackingConfig(Section):
    """Following people within one camera."""

    min_start_score: Annotated[
        float,
        Field(ge=0, le=1, description="Confidence from which a detection starts a track, 0-1."),
    ] = 0.5
    min_firm_score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Confidence from which a detection is matched to tracks before weaker ones "
            "are, 0-1; at most min_start_score.",
        ),
    ] = 0.4
    min_continue_score: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Confidence from which a detection continues a track, 0-1; at most "
            "min_firm_score.",
        ),
    ] = 0.2
    lost_patience_s: Annotated[
        float,
        Field(
            gt=0, le=60, description="Seconds without a detection after which a track has ended."
        ),
    ] = 2.0
    still_patience_s: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds without any motion in the picture after which tracks end although "
            "nobody was seen leaving.",
        ),
    ] = 60.0
    min_visit_s: Annotated[
        float, Field(ge=0, description="Tracks shorter than this many seconds are noise.")
    ] = 0.5
    part_after_s: Annotated[
        float,
        Field(gt=0, description="Open tracks are handed on in parts of this many seconds."),
    ] = 30.0
    first_look_s: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds into a view after which the Live page says who it may be, while "
            "somebody looks; again after twice, four times, ... as long. It is decided, and "
            "recorded, later. 0: nothing is said before.",
        ),
    ] = 3.0
    crops_per_part: Annotated[
        int,
        Field(ge=0, le=64, description="Pictures kept of each part, per modality; 0 keeps none."),
    ] = 6
    crop_every_s: Annotated[
        float,
        Field(ge=0, description="Seconds between two pictures of a person that are considered."),
    ] = 0.2
    min_crop_score: Annotated[
        float,
        Field(ge=0, le=1, description="Confidence from which a detection's picture is kept, 0-1."),
    ] = 0.3

    @model_validator(mode="after")
    def _scores_are_in_order(self) -> Self:
        if not self.min_continue_score <= self.min_firm_score <= self.min_start_score:
            raise ValueError(
                "expected min_continue_score <= min_firm_score <= min_start_score, got "
                f"{self.min_continue_score}, {self.min_firm_score}, {self.min_start_score}"
            )
        return self
