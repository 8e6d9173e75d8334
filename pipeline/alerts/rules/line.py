"""Line crossed: somebody's feet went over a drawn line, in one direction or in either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.geometry import Line, Spot
from pipeline.alerts.settings import LineText, RuleSettings, Site
from pipeline.alerts.types import Event, Finding, Scene
from pipeline.types import TrackKey
from streams.types import CameraId, Gap

Towards = Literal["right", "left", "either"]


class LineCrossed(RuleSettings):
    """Somebody crosses a line in the stated direction."""

    sees: ClassVar[tuple[type, ...]] = (Scene, Gap)
    kind: Annotated[Literal["line crossed"], Field(description="Kind of the rule.")]
    line: Annotated[LineText, Field(description="Name of the line, on one camera or several.")]
    towards: Annotated[
        Towards,
        Field(
            description="Side on which somebody arrives, seen from the first point of the line to "
            "its last: right, left or either."
        ),
    ] = "either"
    margin: Annotated[
        float,
        Field(
            ge=0,
            le=0.2,
            description="How far beyond the line somebody must get, as a fraction of the picture; "
            "less is trembling of the box.",
        ),
    ] = 0.01

    def make(self, site: Site) -> _Crossings:
        return _Crossings(self, self.lines(site, self.line))


@dataclass(slots=True)
class _Walk:
    """Where somebody is, and what they crossed since they were clear of the line."""

    at: Spot
    net: int = 0


class _Crossings:
    """Counts crossings to and fro until the person is clear of the line, then tells the sum."""

    def __init__(self, settings: LineCrossed, lines: Mapping[CameraId, Line]) -> None:
        self._settings = settings
        self._lines = lines
        self._walks: dict[CameraId, dict[TrackKey, _Walk]] = {camera: {} for camera in lines}

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Scene | Gap) or event.camera not in self._lines:
            return
        walks = self._walks[event.camera]
        if isinstance(event, Gap):
            walks.clear()
            return
        line = self._lines[event.camera]
        present = {person.track for person in event.people}
        for track in [track for track in walks if track not in present]:
            del walks[track]
        for person in event.people:
            walk = walks.setdefault(person.track, _Walk(person.foot))
            if walk.at == person.foot:
                continue
            walk.net += line.crossings(walk.at, person.foot)
            walk.at = person.foot
            if walk.net == 0 or line.distance(walk.at) < self._settings.margin:
                continue
            towards = "right" if walk.net > 0 else "left"
            walk.net = 0
            if is_open and self._settings.towards in ("either", towards):
                yield self._finding(event, person.track, towards)

    def _finding(self, scene: Scene, track: TrackKey, towards: str) -> Finding:
        return Finding(
            rule=self._settings.name,
            episode=f"{track}@{scene.at_us}",
            track=track,
            cameras=(scene.camera,),
            began_us=scene.at_us,
            at_us=scene.at_us,
            ended_us=scene.at_us,
            sentence=f"crossed '{self._settings.line}' to the {towards}{self._settings.when}",
            grounds={"line": self._settings.line, "towards": towards},
        )
