"""The three bands of light that our cameras see in."""

from __future__ import annotations

from enum import StrEnum

from streams.types import Modality


class Band(StrEnum):
    """Wavelengths that a sensor is sensitive to.

    VISIBLE is 0.4 to 0.7 um, reflected from sun, sky and lamps. NEAR_INFRARED is around 0.85 um,
    reflected from the camera's own lamp. THERMAL is 8 to 14 um, emitted by everything that is
    warm (long-wave infrared).

    >>> Band.THERMAL.modality is Modality.INFRARED
    True
    """

    VISIBLE = "visible"
    NEAR_INFRARED = "near-infrared"
    THERMAL = "thermal"

    @property
    def modality(self) -> Modality:
        """What the product calls pictures of this band; it tells colour from the rest."""
        return Modality.VISIBLE if self is Band.VISIBLE else Modality.INFRARED
