"""What time and place say about who somebody is: transits, and feet on one floor.

Where two cameras see the same ground, one person's feet are at one place. Their distance d between
the two cameras' answers is a Rayleigh variable of scale s for one person; for two people it is
spread over the shared view, of area A, with the density 2 pi d / A. So

    L(d) = (d / s^2) exp(-d^2 / 2 s^2) / (2 pi d / A) = A / (2 pi s^2) exp(-d^2 / 2 s^2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Look, Path
from pipeline.linking.topology import Transits
from streams.types import CameraId

SHARED_AREA_M2 = 25.0
"""Of the ground that two cameras both see. Smaller than most: people who walk together are nearer
than chance would have them, so that being near must not prove too much."""
WALKING_MPS = 1.4
FAR_SIGMAS = 6.0
"""Feet farther apart than this many standard deviations are two people's."""
_LEAST_MOMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Presence:
    """The visit in question, where and when.

    Attributes:
        path: (M, 3) float64 rows of time in microseconds UTC and feet in metres; None if the
            camera has no ground.
    """

    camera: CameraId
    first_seen_us: int
    last_seen_us: int
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """The way from an identity's latest earlier view.

    Attributes:
        gap_s: From its end to the beginning of the visit in question; negative: still in view.
        log_ratio: Natural logarithm of how much likelier this is for the identity than for anybody.
        words: The same for the operator; None if nothing is known.
    """

    camera: CameraId
    gap_s: float
    log_ratio: float
    words: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feet:
    """Two cameras' answers to where one person stood.

    Attributes:
        distance_m: Median over the moments in which both saw somebody.
    """

    distance_m: float
    log_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What time and place say for one identity; None where they say nothing."""

    transit: Transit | None = None
    feet: Feet | None = None

    @property
    def is_known(self) -> bool:
        """Whether they say anything."""
        return self.log_ratio != 0

    @property
    def log_ratio(self) -> float:
        """Of both. Where feet were compared, they stand for the overlap of the views."""
        if self.feet is not None:
            return self.feet.log_ratio
        return self.transit.log_ratio if self.transit is not None else 0.0


NOTHING = Circumstances()


def circumstances_of(
    presence: Presence, looks: Sequence[Look], *, transits: Transits | None, config: LinkingConfig
) -> Circumstances:
    """What is known of how the person of `looks` came to be here."""
    before = latest_before(looks, presence)
    if before is None:
        return Circumstances(feet=_nearest_feet(presence, looks, config))
    feet = _nearest_feet(presence, looks, config)
    if transits is None:
        return Circumstances(feet=feet)
    gap_s = gap_of(before, presence)
    transit = Transit(
        camera=before.camera,
        gap_s=gap_s,
        log_ratio=transits.log_ratio(before.camera, presence.camera, gap_s),
        words=transits.describe(before.camera, presence.camera, gap_s),
    )
    return Circumstances(transit=transit, feet=feet)


def latest_before(looks: Sequence[Look], presence: Presence) -> Look | None:
    """Of the looks that had begun before, the one that ended last: there the person came from."""
    earlier = [look for look in looks if look.first_seen_us < presence.first_seen_us]
    return max(earlier, key=lambda look: _end_us(look, presence), default=None)


def gap_of(before: Look, presence: Presence) -> float:
    """Seconds between two views; negative while the earlier one goes on."""
    return (presence.first_seen_us - _end_us(before, presence)) / 1e6


def feet_apart_m(a: Path, b: Path, *, slack_us: int) -> float | None:
    """Median distance, metres, over the moments of `a` within `b`; None if these are too few.

    Args:
        slack_us: `b` may begin later or end earlier by this; its first and last place are held.
    """
    inside = a[(a[:, 0] >= b[0, 0] - slack_us) & (a[:, 0] <= b[-1, 0] + slack_us)]
    if len(inside) < _LEAST_MOMENTS:
        return None
    x, y = (np.interp(inside[:, 0], b[:, 0], b[:, column]) for column in (1, 2))
    return float(np.median(np.hypot(inside[:, 1] - x, inside[:, 2] - y)))


def sigma_m(config: LinkingConfig) -> float:
    """Of the distance of one person's feet: people walk on while clocks disagree."""
    return math.hypot(config.ground_sigma_m, WALKING_MPS * config.clock_skew_s / 2)


def feet_log_ratio(distance_m: float, sigma: float) -> float:
    """Natural logarithm of L(d); see the top of this file.

    >>> round(math.exp(feet_log_ratio(0.0, 0.5)), 1), feet_log_ratio(3.0, 0.5) < -10
    (15.9, True)
    """
    return math.log(SHARED_AREA_M2 / (2 * math.pi * sigma**2)) - distance_m**2 / (2 * sigma**2)


def _nearest_feet(presence: Presence, looks: Sequence[Look], config: LinkingConfig) -> Feet | None:
    """Of the views at the same time by other cameras, the one that says least for the identity."""
    sigma = sigma_m(config)
    apart = [
        distance
        for look in looks
        if look.camera != presence.camera and look.path is not None and presence.path is not None
        if (distance := feet_apart_m(presence.path, look.path, slack_us=0)) is not None
    ]
    if not apart:
        return None
    return Feet(distance_m=max(apart), log_ratio=feet_log_ratio(max(apart), sigma))


def _end_us(look: Look, presence: Presence) -> int:
    """When a view ended; one that goes on lasts at least as long as the visit in question."""
    return max(look.last_seen_us, presence.last_seen_us) if look.is_open else look.last_seen_us
