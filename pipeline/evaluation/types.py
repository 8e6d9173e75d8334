"""Nouns of measuring: a sighting beside its truth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.types import IdentityId, SightingId
from streams.types import CameraId, Modality


class Lights(StrEnum):
    """The lights of the two sides of a claim that two sightings show one person."""

    ALL = "all"
    DAY_DAY = "visible-visible"
    NIGHT_NIGHT = "infrared-infrared"
    DAY_NIGHT = "visible-infrared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sighting beside what is true of it.

    Attributes:
        person: Who truly is in it; None where truth has nobody: any claim about it is wrong.
        identity: Whom it was said to show; None while unsure.
        weight: What it counts in identity scores: its seconds, or its frames; above 0.
    """

    sighting: SightingId
    camera: CameraId
    modality: Modality
    person: int | None
    identity: IdentityId | None
    weight: float
