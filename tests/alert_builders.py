"""Small inputs of alerting: a site with one camera's dock and door, people who stand and walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.alerts.engine import Watchmen
from pipeline.alerts.kinds import AnyRule, parse_rule
from pipeline.alerts.schedule import Calendar
from pipeline.alerts.settings import Drawn, Site
from pipeline.alerts.types import Event, InView, Scene, Visit
from pipeline.alerts.visits import Told, Visits
from pipeline.linking.gallery import Vector
from pipeline.types import TrackKey
from storage.desk.types import ShapeKind
from storage.types import Decision, IdentityId
from streams.types import CameraId, Modality

GATE, YARD = CameraId("gate"), CameraId("yard")
NOON_US = 1_781_524_800_000_000
"""2026-06-15 12:00 UTC, a Monday."""
DOCK = Drawn(
    camera=GATE, kind=ShapeKind.ZONE, name="dock", points=((0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1))
)
DOOR = Drawn(camera=GATE, kind=ShapeKind.LINE, name="door", points=((0.5, 1.0), (0.5, 0.0)))
SITE = Site(cameras=(GATE, YARD), shapes=(DOCK, DOOR), model="net")


def s(seconds: float) -> int:
    """A time so many seconds after noon."""
    return NOON_US + round(seconds * 1e6)


def standing(spot: tuple[float, float], track: str = "gate/1") -> InView:
    """Somebody with the feet at a spot."""
    x, y = spot
    return InView(track=TrackKey(track), box=(x - 0.02, y - 0.2, x + 0.02, y))


def scene(seconds: float, *people: InView, camera: CameraId = GATE) -> Scene:
    return Scene(camera=camera, at_us=s(seconds), people=people)


def walk(
    spots: Sequence[tuple[float, float]],
    *,
    track: str = "gate/1",
    start: float = 0,
    step: float = 1,
) -> list[Scene]:
    """One person, one spot every `step` seconds, then nobody."""
    scenes = [scene(start + step * i, standing(spot, track)) for i, spot in enumerate(spots)]
    return [*scenes, scene(start + step * len(spots))]


def visit(
    seconds: float,
    *,
    track: str = "gate/1",
    camera: CameraId = GATE,
    identity: int | None = None,
    lasts: float = 5,
    **more: Any,
) -> Visit:
    """A recorded visit that began at that second."""
    who = None if identity is None else IdentityId(identity)
    values: dict[str, Any] = {
        "camera": camera,
        "track": TrackKey(track),
        "part": 0,
        "sighting": f"{track}/0",
        "first_seen_us": s(seconds),
        "last_seen_us": s(seconds + lasts),
        "modality": Modality.VISIBLE,
        "decision": Decision.UNSURE if who is None else Decision.LINK,
        "identity": who,
        "candidate": who,
        "probability": None if who is None else 0.95,
        "means": {},
        "trust": 1.0,
        "model": "net",
        "evidence": ("ab" * 32,),
        "is_last": True,
    }
    return Visit(**(values | more))


def rule(kind: str, name: str = "rule", **settings: Any) -> AnyRule:
    return parse_rule(name, kind, settings)


class Engine:
    """Rules and grouping on one thread, as the watcher has them on two."""

    def __init__(self, watchmen: Watchmen, visits: Visits) -> None:
        self._watchmen = watchmen
        self._visits = visits

    def see(self, event: Event) -> list[Told]:
        """Alerts that the event raises or extends, in the order of rules."""
        told = self._visits.visited(event) if isinstance(event, Visit) else []
        for finding, rule in self._watchmen.see(event):
            told += self._visits.found(finding, rule)
        return told


def engine(
    *rules: AnyRule,
    site: Site = SITE,
    zone: str = "UTC",
    holidays: Iterable[date] = (),
    group_s: float = 300,
    cooldown_s: float = 60,
) -> Engine:
    calendar = Calendar(ZoneInfo(zone), list(holidays))
    watchmen = Watchmen(rules, site, calendar)
    assert not watchmen.broken
    return Engine(watchmen, Visits(group_s=group_s, cooldown_s=cooldown_s))


def told(machine: Engine, events: Iterable[Event]) -> list[Told]:
    return [each for event in events for each in machine.see(event)]


def raised(machine: Engine, events: Iterable[Event]) -> list[Told]:
    """Only alerts that are new."""
    return [each for each in told(machine, events) if each.is_new]


def look(*numbers: float) -> Mapping[Modality, Vector]:
    """How somebody looks by day, as a unit vector."""
    vector = np.array(numbers, dtype=np.float32)
    return {Modality.VISIBLE: vector / np.linalg.norm(vector)}
