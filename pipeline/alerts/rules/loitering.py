"""Loitering, and somebody where nobody should be: people who are in a zone for some time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from shapely import Polygon

from pipeline.alerts.settings import US, RuleSettings, Site, ZoneText
from pipeline.alerts.staying import Change, Stay, Staying
from pipeline.alerts.types import Event, Finding, Scene
from pipeline.linking.topology import words
from pipeline.types import TrackKey
from storage.desk.types import AlertSeverity
from streams.types import CameraId, Gap

_SETTLE_US = 500_000


class Loitering(RuleSettings):
    """Somebody stays longer than that in a zone, or in view."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["loitering"], Field(description="Kind of the rule.")]
    zone: Annotated[
        ZoneText | None, Field(description="Name of the zone. Default: the whole picture.")
    ] = None
    longer_than_s: Annotated[
        float, Field(gt=0, description="Seconds that somebody may stay; only the hours count.")
    ] = 60.0

    def make(self, site: Site) -> _Stays:
        return _Stays(self, self.zones(site, self.zone), longer_than_s=self.longer_than_s)


class NobodyAllowed(RuleSettings):
    """Somebody is where nobody should be, at least in these hours."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["nobody allowed"], Field(description="Kind of the rule.")]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.CRITICAL
    )
    zone: Annotated[
        ZoneText | None, Field(description="Name of the zone. Default: the whole picture.")
    ] = None
    for_s: Annotated[
        float,
        Field(ge=0, le=3600, description="Seconds that somebody must be there: boxes err briefly."),
    ] = 1.0

    def make(self, site: Site) -> _Stays:
        return _Stays(self, self.zones(site, self.zone), longer_than_s=self.for_s)


class _Stays:
    """Tells of whoever stayed too long, once, and again when they are gone."""

    def __init__(
        self,
        settings: Loitering | NobodyAllowed,
        zones: Mapping[CameraId, Polygon | None],
        *,
        longer_than_s: float,
    ) -> None:
        self._settings = settings
        self._limit_us = int(longer_than_s * US)
        self._staying = Staying(zones, settle_us=min(_SETTLE_US, self._limit_us))
        self._told: dict[TrackKey, int] = {}
        self._is_open = True
        self._opened_us = 0

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Scene | Gap):
            return
        at_us = event.at_us if isinstance(event, Scene) else event.from_us
        if is_open and not self._is_open:
            self._opened_us = at_us
        self._is_open = is_open
        for change in self._staying.see(event):
            if change.what is not Change.ENTERED and change.stay.track in self._told:
                began_us = self._told.pop(change.stay.track)
                yield self._finding(change.stay, began_us, at_us, ended_us=change.stay.inside_us)
        if not is_open or isinstance(event, Gap):
            return
        for stay in self._staying.inside(event.camera):
            began_us = max(stay.since_us, self._opened_us)
            if stay.track not in self._told and stay.inside_us - began_us >= self._limit_us:
                self._told[stay.track] = began_us
                yield self._finding(stay, began_us, at_us, ended_us=None)

    def _finding(self, stay: Stay, began_us: int, at_us: int, *, ended_us: int | None) -> Finding:
        settings = self._settings
        place = f"in '{settings.zone}'" if settings.zone else f"in view of {stay.camera}"
        if isinstance(settings, Loitering):
            sentence = f"stayed longer than {words(settings.longer_than_s)} {place}{settings.when}"
        else:
            sentence = f"is {place}, where nobody should be{settings.when}"
        grounds: dict[str, float | int | str] = {
            "stayed_s": round((stay.inside_us - began_us) / US, 1),
            "limit_s": self._limit_us / US,
        }
        if settings.zone:
            grounds["zone"] = settings.zone
        return Finding(
            rule=settings.name,
            episode=f"{stay.track}@{began_us}",
            track=stay.track,
            cameras=(stay.camera,),
            began_us=began_us,
            at_us=at_us,
            ended_us=ended_us,
            sentence=sentence,
            grounds=grounds,
        )
