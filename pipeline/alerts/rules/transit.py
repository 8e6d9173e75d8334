"""Impossible transit: one person in two places, or faster between them than anybody goes."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.settings import US, RuleSettings, Site
from pipeline.alerts.types import Event, Finding, Visit
from pipeline.linking.topology import words
from storage.types import IdentityId
from streams.types import CameraId

_REMEMBERED_US = 3_600 * US
_MOST_PEOPLE, _MOST_VISITS = 10_000, 8


class ImpossibleTransit(RuleSettings):
    """One person turns up elsewhere sooner than anybody could: two people alike, or a wrong link.

    How long a way takes at least is what the installer stated (`linking.transits`), or half of the
    shortest that was learned; see `noctule topology`.
    """

    sees: ClassVar[tuple[type, ...]] = (Visit,)
    kind: Annotated[Literal["impossible transit"], Field(description="Kind of the rule.")]
    share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Share of the least time of a way below which it counts as impossible.",
        ),
    ] = 1.0

    def make(self, site: Site) -> _Ways:
        return _Ways(self, site)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    camera: CameraId
    first_us: int
    last_us: int
    sighting: str


class _Ways:
    """Remembers everybody's last visits for an hour."""

    def __init__(self, settings: ImpossibleTransit, site: Site) -> None:
        self._settings = settings
        self._cameras = settings.watched(site)
        self._site = site
        self._stops: OrderedDict[IdentityId, deque[_Stop]] = OrderedDict()

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Visit) or event.identity is None:
            return
        stop = _Stop(
            camera=event.camera,
            first_us=event.first_seen_us,
            last_us=event.last_seen_us,
            sighting=event.sighting,
        )
        stops = self._stops.setdefault(event.identity, deque(maxlen=_MOST_VISITS))
        self._stops.move_to_end(event.identity)
        if is_open and event.camera in self._cameras:
            for other in stops:
                found = self._compare(other, stop, event)
                if found is not None:
                    yield found
                    break
        stops.append(stop)
        while len(self._stops) > _MOST_PEOPLE:
            self._stops.popitem(last=False)

    def _compare(self, other: _Stop, stop: _Stop, visit: Visit) -> Finding | None:
        """What is impossible about two stops of one person; None if nothing is."""
        if other.camera == stop.camera or other.last_us < stop.first_us - _REMEMBERED_US:
            return None
        if frozenset((other.camera, stop.camera)) in self._site.overlapping:
            return None
        early, late = sorted((other, stop), key=lambda each: (each.first_us, each.camera))
        gap_s = (late.first_us - early.last_us) / US
        least_s = self._site.least_s.get((early.camera, late.camera), 0.0) * self._settings.share
        if gap_s >= least_s - self._site.skew_s:
            return None
        if gap_s < -self._site.skew_s:
            what = f"was at {early.camera} and at {late.camera} at the same time"
        else:
            what = (
                f"went from {early.camera} to {late.camera} in {words(max(gap_s, 0.0))}, which "
                f"takes at least {words(least_s)}"
            )
        return Finding(
            rule=self._settings.name,
            episode=f"{early.sighting}>{late.sighting}",
            track=visit.track,
            cameras=(early.camera, late.camera),
            began_us=min(early.last_us, late.first_us),
            at_us=visit.last_seen_us,
            ended_us=late.last_us,
            sentence=f"{what}{self._settings.when}",
            grounds={
                "from": early.camera,
                "to": late.camera,
                "gap_s": round(gap_s, 2),
                "least_s": round(least_s, 2),
            },
            identity=visit.identity,
            probability=visit.probability,
            sightings=(early.sighting, late.sighting),
            picture=visit.evidence[0] if visit.evidence else None,
        )
