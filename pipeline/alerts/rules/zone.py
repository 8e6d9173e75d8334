"""Zone entered, zone left: somebody's feet came into a zone, or went out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from shapely import Polygon

from pipeline.alerts.settings import US, RuleSettings, Site, ZoneText
from pipeline.alerts.staying import Change, Changed, Staying
from pipeline.alerts.types import Event, Finding, Scene
from streams.types import CameraId, Gap

SettleS = Annotated[
    float,
    Field(
        ge=0,
        le=60,
        description="Seconds that somebody must be in or out before it counts: boxes tremble.",
    ),
]


class ZoneEntered(RuleSettings):
    """Somebody comes into a zone, or appears in it."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["zone entered"], Field(description="Kind of the rule.")]
    zone: Annotated[ZoneText, Field(description="Name of the zone, on one camera or several.")]
    settle_s: SettleS = 0.5

    def make(self, site: Site) -> _Border:
        return _Border(self, self.zones(site, self.zone), Change.ENTERED)


class ZoneLeft(RuleSettings):
    """Somebody goes out of a zone; where the view ends within it, nobody knows."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["zone left"], Field(description="Kind of the rule.")]
    zone: Annotated[ZoneText, Field(description="Name of the zone, on one camera or several.")]
    settle_s: SettleS = 0.5

    def make(self, site: Site) -> _Border:
        return _Border(self, self.zones(site, self.zone), Change.LEFT)


class _Border:
    """Tells of one kind of change."""

    def __init__(
        self,
        settings: ZoneEntered | ZoneLeft,
        zones: Mapping[CameraId, Polygon | None],
        what: Change,
    ) -> None:
        self._settings = settings
        self._what = what
        self._staying = Staying(zones, settle_us=int(settings.settle_s * US))

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if isinstance(event, Scene | Gap):
            for change in self._staying.see(event):
                if is_open and change.what is self._what and isinstance(event, Scene):
                    yield self._finding(change, event)

    def _finding(self, change: Changed, scene: Scene) -> Finding:
        stay = change.stay
        is_entry = self._what is Change.ENTERED
        began_us = stay.since_us if is_entry else stay.outside_us or scene.at_us
        grounds: dict[str, float | int | str] = {"zone": self._settings.zone}
        if not is_entry:
            grounds["stayed_s"] = round((began_us - stay.since_us) / US, 1)
        verb = "entered" if is_entry else "left"
        return Finding(
            rule=self._settings.name,
            episode=f"{stay.track}@{began_us}",
            track=stay.track,
            cameras=(stay.camera,),
            began_us=began_us,
            at_us=scene.at_us,
            ended_us=scene.at_us,
            sentence=f"{verb} '{self._settings.zone}'{self._settings.when}",
            grounds=grounds,
        )
