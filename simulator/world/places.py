"""A place: ground and things, the cameras above them, and the ways people take between its doors.

x points east, y north, z up; metres. Each place has its own origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, InfraredSensor, VisibleSensor
from simulator.world.meshes import Mesh, Vector, merge
from simulator.world.things import LAMP, Thing
from simulator.world.walks import Point
from streams.types import CameraId

SIZE_PX = (640, 360)


class CameraKind(StrEnum):
    """What a camera does when it gets dark."""

    COLOUR = "colour"
    DAY_NIGHT = "day-night"
    THERMAL = "thermal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A mounted camera with its lens, its lamp and the character of its sensors.

    Attributes:
        kind: COLOUR stays in colour by night, DAY_NIGHT takes its IR-cut filter away and lights
            its infrared lamp, THERMAL sees warmth at any hour.
        daylight: The light by day where it differs from the place's.
    """

    name: CameraId
    view: View
    kind: CameraKind = CameraKind.DAY_NIGHT
    visible: VisibleSensor = field(default_factory=VisibleSensor)
    infrared: InfraredSensor = field(default_factory=InfraredSensor)
    lamp: Illuminator = field(default_factory=Illuminator)
    daylight: Daylight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way from one door to another, walked in both directions.

    Attributes:
        through: Points between the two doors.
    """

    start: str
    end: str
    through: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloorPlan:
    """A place seen from above.

    Attributes:
        x, y: Range that the plan shows (metres).
    """

    x: tuple[float, float]
    y: tuple[float, float]
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Somewhere that cameras watch.

    Attributes:
        doors: Where people come from and go to, out of every camera's sight.
        ways: Between the doors.
        lamps: Heads of the street lamps.
    """

    name: str
    mesh: Mesh
    cameras: tuple[Camera, ...]
    doors: Mapping[str, Point]
    ways: tuple[Route, ...]
    is_indoor: bool
    floor_plan: FloorPlan
    lamps: tuple[Vector, ...] = ()

    def camera(self, name: str) -> Camera:
        """The camera called `name`."""
        return next(camera for camera in self.cameras if camera.name == name)

    def waypoints(self, route: Route) -> tuple[Point, ...]:
        """From door to door."""
        return (self.doors[route.start], *route.through, self.doors[route.end])


def build(
    name: str,
    *,
    grounds: Sequence[Mesh],
    things: Sequence[Thing],
    plan: tuple[tuple[float, float], tuple[float, float]],
    cameras: Sequence[Camera],
    doors: Mapping[str, Point] | None = None,
    ways: Sequence[Route] = (),
    is_indoor: bool = False,
) -> Place:
    """A place of flat `grounds` and standing `things`.

    Args:
        plan: Ranges of x and of y that the floor plan shows.
    """
    return Place(
        name=name,
        mesh=merge([*grounds, *(thing.mesh for thing in things)]),
        cameras=tuple(cameras),
        doors=dict(doors or {}),
        ways=tuple(ways),
        is_indoor=is_indoor,
        floor_plan=FloorPlan(x=plan[0], y=plan[1], things=tuple(things)),
        lamps=tuple(_head(thing) for thing in things if thing.kind == LAMP),
    )


def _head(lamp: Thing) -> Vector:
    n = len(lamp.footprint)
    x, y = (sum(corner[axis] for corner in lamp.footprint) / n for axis in (0, 1))
    return x, y, lamp.top_m - 0.1
