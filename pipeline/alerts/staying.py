"""Who is in a zone, and since when; a person on its border does not flicker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from shapely import Polygon

from pipeline.alerts.geometry import are_inside
from pipeline.alerts.types import Scene
from pipeline.types import TrackKey
from streams.types import CameraId, Gap


class Change(Enum):
    """What became of somebody's stay."""

    ENTERED = "entered"
    LEFT = "left"
    LOST = "lost"


@dataclass(slots=True)
class Stay:
    """Somebody in the zone, or on the way in or out.

    Attributes:
        since_us: When the feet were first in the zone without leaving since.
        inside_us: When they were last in it.
        is_settled: They were in it for `settle_s`.
        outside_us: Since when they are out again; None while they are in.
    """

    camera: CameraId
    track: TrackKey
    since_us: int
    inside_us: int
    is_settled: bool = False
    outside_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A change of one stay; lost: the view of the person ended within the zone."""

    what: Change
    stay: Stay


class Staying:
    """Follows who is in a zone, over all cameras that see it.

    Args:
        zones: By camera; None stands for the whole picture.
        settle_us: How long somebody must be in, or out, before it counts.
    """

    def __init__(self, zones: Mapping[CameraId, Polygon | None], *, settle_us: int) -> None:
        self._zones = zones
        self._settle_us = settle_us
        self._stays: dict[CameraId, dict[TrackKey, Stay]] = {camera: {} for camera in zones}

    def inside(self, camera: CameraId) -> list[Stay]:
        """Those who are settled in the zone of a camera, in order of arrival."""
        return [stay for stay in self._stays.get(camera, {}).values() if stay.is_settled]

    def see(self, event: Scene | Gap) -> list[Changed]:
        """What changed with a picture, or with the loss of a camera."""
        stays = self._stays.get(event.camera)
        if stays is None:
            return []
        if isinstance(event, Gap):
            lost = [stay for stay in stays.values() if stay.is_settled]
            stays.clear()
            return [Changed(what=Change.LOST, stay=stay) for stay in lost]
        zone = self._zones[event.camera]
        present = {person.track for person in event.people}
        found = [self._lose(stays, track) for track in list(stays) if track not in present]
        within = [True] * len(event.people) if zone is None else are_inside(zone, event.people)
        for person, is_in in zip(event.people, within, strict=True):
            found.append(self._follow(stays, person.track, event, is_in=bool(is_in)))
        return [change for change in found if change is not None]

    def _lose(self, stays: dict[TrackKey, Stay], track: TrackKey) -> Changed | None:
        stay = stays.pop(track)
        return Changed(what=Change.LOST, stay=stay) if stay.is_settled else None

    def _follow(
        self, stays: dict[TrackKey, Stay], track: TrackKey, scene: Scene, *, is_in: bool
    ) -> Changed | None:
        stay = stays.get(track)
        now_us = scene.at_us
        if is_in:
            if stay is None:
                stay = stays[track] = Stay(scene.camera, track, now_us, now_us)
            stay.inside_us, stay.outside_us = now_us, None
            if not stay.is_settled and now_us - stay.since_us >= self._settle_us:
                stay.is_settled = True
                return Changed(what=Change.ENTERED, stay=stay)
        elif stay is not None and not stay.is_settled:
            del stays[track]
        elif stay is not None:
            stay.outside_us = now_us if stay.outside_us is None else stay.outside_us
            if now_us - stay.outside_us >= self._settle_us:
                del stays[track]
                return Changed(what=Change.LEFT, stay=stay)
        return None
