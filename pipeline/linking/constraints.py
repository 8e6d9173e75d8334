"""What cannot be: one body in two places at once, twice in one picture, or faster than anybody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.linking.circumstances import FAR_SIGMAS, Presence, feet_apart_m, sigma_m
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Look
from storage.types import IdentityId
from streams.types import CameraId

STILL_OPEN_US = 600_000_000
"""A view that was never heard of again for so long is taken as ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Why an identity cannot be meant.

    Attributes:
        words: As they follow "ruled out, ".
    """

    identity: IdentityId
    words: str


def exclusion_of(
    identity: IdentityId, looks: Sequence[Look], presence: Presence, config: LinkingConfig
) -> Exclusion | None:
    """What rules the identity out, if anything does."""
    for look in looks:
        words = _why_not(look, presence, config)
        if words is not None:
            return Exclusion(identity=identity, words=words)
    return None


def tolerated_s(looks: Sequence[Look], presence: Presence, config: LinkingConfig) -> float:
    """Longest time for which the clocks have the identity in two places at once, seconds.

    More than 0 for somebody who is not ruled out only because clocks may disagree.
    """
    longest_us = 0
    for look in looks:
        if not _may_share(look, presence, config):
            end_us = min(_until_us(look, presence), presence.last_seen_us)
            start_us = max(look.first_seen_us, presence.first_seen_us)
            longest_us = max(longest_us, end_us - start_us)
    return longest_us / 1e6


def see_the_same(a: CameraId, b: CameraId, config: LinkingConfig) -> bool:
    """Whether two cameras are listed as seeing the same ground."""
    return (a, b) in config.overlapping or (b, a) in config.overlapping


def _why_not(look: Look, presence: Presence, config: LinkingConfig) -> str | None:
    if _may_share(look, presence, config):
        return _too_far_apart(look, presence, config)
    skew_us = 0 if look.camera == presence.camera else int(config.clock_skew_s * 1e6)
    if (
        look.first_seen_us + skew_us < presence.last_seen_us
        and presence.first_seen_us + skew_us < _until_us(look, presence)
    ):
        return "in another view at that moment"
    return _too_fast(look, presence, config)


def _may_share(look: Look, presence: Presence, config: LinkingConfig) -> bool:
    return look.camera != presence.camera and see_the_same(look.camera, presence.camera, config)


def _until_us(look: Look, presence: Presence) -> int:
    """When the view ended; one that goes on lasts beyond the visit in question."""
    is_fresh = presence.last_seen_us - look.last_seen_us <= STILL_OPEN_US
    if look.is_open and is_fresh:
        return max(look.last_seen_us, presence.last_seen_us + int(1e12))
    return look.last_seen_us


def _too_far_apart(look: Look, presence: Presence, config: LinkingConfig) -> str | None:
    """Two feet on one floor, metres apart at one moment."""
    if look.path is None or presence.path is None:
        return None
    distance_m = feet_apart_m(presence.path, look.path, slack_us=0)
    if distance_m is None or distance_m <= FAR_SIGMAS * sigma_m(config):
        return None
    return f"{distance_m:.0f} m away at that moment"


def _too_fast(look: Look, presence: Presence, config: LinkingConfig) -> str | None:
    """Farther away than legs could carry anybody in the time between."""
    if look.path is None or presence.path is None or look.camera == presence.camera:
        return None
    one, other = look.path, presence.path
    if one[0, 0] > other[0, 0]:
        one, other = other, one
    gap_s = max((other[0, 0] - one[-1, 0]) / 1e6, 0.0) + config.clock_skew_s
    apart_m = math.hypot(other[0, 1] - one[-1, 1], other[0, 2] - one[-1, 2])
    at_least_m = apart_m - FAR_SIGMAS * sigma_m(config)
    if at_least_m <= config.max_speed_mps * max(gap_s, 1e-3):
        return None
    return f"{apart_m:.0f} m away {max(gap_s - config.clock_skew_s, 0):.0f} s before or after"
