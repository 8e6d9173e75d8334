"""Too many people: more than so many at once in a zone, or in view of a camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from shapely import Polygon

from pipeline.alerts.lasting import Lasting, Turn
from pipeline.alerts.settings import US, RuleSettings, Site, ZoneText
from pipeline.alerts.staying import Staying
from pipeline.alerts.types import Event, Finding, Scene
from streams.types import CameraId, Gap

_SETTLE_US = 500_000


class TooManyPeople(RuleSettings):
    """More people than that are in a zone at once; counted camera by camera."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["too many people"], Field(description="Kind of the rule.")]
    zone: Annotated[
        ZoneText | None, Field(description="Name of the zone. Default: the whole picture.")
    ] = None
    more_than: Annotated[int, Field(ge=0, le=1000, description="People who may be there at once.")]
    for_s: Annotated[
        float, Field(ge=0, le=3600, description="Seconds for which there must be more.")
    ] = 5.0

    def make(self, site: Site) -> _Crowd:
        return _Crowd(self, self.zones(site, self.zone))


class _Crowd:
    """Counts, and tells when it became too many and when no more."""

    def __init__(self, settings: TooManyPeople, zones: Mapping[CameraId, Polygon | None]) -> None:
        self._settings = settings
        self._zones = zones
        self._staying = Staying(zones, settle_us=_SETTLE_US)
        self._lasting = Lasting(int(settings.for_s * US))
        self._most: dict[CameraId, int] = {}

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Scene | Gap) or event.camera not in self._zones:
            return
        at_us = event.at_us if isinstance(event, Scene) else event.from_us
        self._staying.see(event)
        n_people = len(self._staying.inside(event.camera))
        is_more = n_people > self._settings.more_than and is_open
        since_us = self._lasting.since_us(event.camera)
        if is_more:
            self._most[event.camera] = max(n_people, self._most.get(event.camera, 0))
        turn = self._lasting.see(event.camera, at_us, holds=is_more)
        if turn is not None:
            began_us = since_us if since_us is not None else at_us
            is_over = turn is Turn.ENDED
            yield self._finding(event.camera, began_us, at_us, is_over=is_over)
        if not is_more:
            self._most.pop(event.camera, None)

    def _finding(self, camera: CameraId, began_us: int, at_us: int, *, is_over: bool) -> Finding:
        settings = self._settings
        where = f"in '{settings.zone}'" if settings.zone else f"in view of {camera}"
        return Finding(
            rule=settings.name,
            episode=f"{camera}@{began_us}",
            subject=f"camera {camera}",
            cameras=(camera,),
            began_us=began_us,
            at_us=at_us,
            ended_us=at_us if is_over else None,
            sentence=f"more than {settings.more_than} "
            f"{'person' if settings.more_than == 1 else 'people'} {where}{settings.when}",
            grounds={"n_people": self._most.get(camera, 0), "more_than": settings.more_than},
        )
