"""What can be filmed: places, the hours of the day, and how long people take between places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from simulator.figures.cast import demo_cast
from simulator.figures.company import Character
from simulator.filming.catalogue import SCENARIOS
from simulator.filming.script import DEMO_WALKS
from simulator.world import demo
from simulator.world.carpark import carpark
from simulator.world.lobby import lobby
from simulator.world.places import Camera, Place
from simulator.world.plaza import plaza
from simulator.world.walks import Walk
from streams.types import CameraId


class Hour(StrEnum):
    """Part of the day."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """An hour that is filmed.

    Attributes:
        starts_at: Time of the first frame of every camera.
        places: Names of the places that are filmed then.
    """

    hour: Hour
    starts_at: datetime
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """A way between doors of two places that no camera watches.

    The time it takes is log-normal: the median and the standard deviation of its logarithm.

    Attributes:
        ends: Place and door, twice.
    """

    ends: tuple[tuple[str, str], tuple[str, str]]
    median_s: float
    spread: float = 0.2

    def from_door(self, place: str, door: str) -> tuple[str, str] | None:
        """Where it leads from there, or None where it does not begin there."""
        if (place, door) not in self.ends:
            return None
        return self.ends[1] if self.ends[0] == (place, door) else self.ends[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What `noctule simulate NAME` films.

    Attributes:
        n_people, minutes: Unless the user says otherwise; minutes are those of one period.
        script: By place, the walks of a scenario where nothing is left to chance.
        cast: Its people; empty where they are drawn.
    """

    name: str
    places: tuple[Place, ...]
    periods: tuple[Period, ...]
    n_people: int
    minutes: float
    fps: int = 10
    transit: tuple[Transit, ...] = ()
    script: Mapping[str, tuple[Walk, ...]] = field(default_factory=dict)
    cast: tuple[Character, ...] = ()

    @property
    def summary(self) -> str:
        """One sentence for the help."""
        return SCENARIOS[self.name]

    def place(self, name: str) -> Place:
        """The place called `name`."""
        return next(place for place in self.places if place.name == name)

    def video(self, camera: Camera, place: Place, period: Period) -> CameraId:
        """Name of a camera's video; with the hour where it films at more than one."""
        n_periods = sum(place.name in other.places for other in self.periods)
        return CameraId(camera.name if n_periods == 1 else f"{camera.name}-{period.hour}")


def scenario(name: str) -> Scenario:
    """The scenario called `name`.

    Raises:
        KeyError: If there is none.
    """
    return {
        "demo": _demo,
        "plaza": lambda: _alone(plaza(), n_people=8),
        "lobby": lambda: _alone(lobby(), n_people=8),
        "carpark": lambda: _alone(carpark(), n_people=6),
        "town": _town,
    }[name]()


_STARTS = {
    Hour.DAY: datetime(2026, 6, 1, 14, 0, tzinfo=UTC),
    Hour.DUSK: datetime(2026, 6, 1, 20, 50, tzinfo=UTC),
    Hour.NIGHT: datetime(2026, 6, 1, 22, 40, tzinfo=UTC),
}


def _periods(*hours: Hour, places: tuple[Place, ...]) -> tuple[Period, ...]:
    names = tuple(place.name for place in places)
    return tuple(Period(hour=hour, starts_at=_STARTS[hour], places=names) for hour in hours)


def _alone(place: Place, *, n_people: int) -> Scenario:
    return Scenario(
        name=place.name,
        places=(place,),
        periods=_periods(*Hour, places=(place,)),
        n_people=n_people,
        minutes=2.0,
    )


def _town() -> Scenario:
    places = (plaza(), lobby(), carpark())
    return Scenario(
        name="town",
        places=places,
        periods=_periods(Hour.DAY, Hour.NIGHT, places=places),
        n_people=12,
        minutes=3.0,
        transit=(
            Transit(ends=(("plaza", "office"), ("lobby", "entrance")), median_s=6.0),
            Transit(
                ends=(("plaza", "street"), ("carpark", "footpath")), median_s=24.0, spread=0.25
            ),
            Transit(ends=(("plaza", "avenue"), ("carpark", "ramp")), median_s=32.0, spread=0.3),
            Transit(ends=(("lobby", "offices"), ("carpark", "stairs")), median_s=18.0),
        ),
    )


def _demo() -> Scenario:
    """Six people, four cameras, one afternoon minute and one night minute.

    By day everybody goes between `gate` and `plaza`, by night between `corridor` and `dock`; a
    change of camera takes some ten to twenty seconds, and nobody is in two places at once.
    """
    by_day, by_night = (demo.gate(), demo.plaza()), (demo.dock(), demo.corridor())
    cast = demo_cast()
    return Scenario(
        name="demo",
        places=(*by_day, *by_night),
        periods=(
            *_periods(Hour.DAY, places=by_day),
            *_periods(Hour.NIGHT, places=by_night),
        ),
        n_people=len(cast),
        minutes=1.0,
        script=DEMO_WALKS,
        cast=tuple(Character(looks=cast[identity]) for identity in sorted(cast)),
    )
