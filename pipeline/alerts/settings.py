"""What every rule has: a name, hours, a severity; and what it may know of the site."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar, Protocol, Self, get_args

from pydantic import AfterValidator, Field, model_validator
from shapely import Polygon

from pipeline.alerts.geometry import Line, Spot, zone_of
from pipeline.alerts.schedule import Calendar, Hours, HoursText, parse_hours
from pipeline.alerts.types import Event, Finding, Wanted
from pipeline.errors import RuleUnusable
from pipeline.linking.evidence import Calibrated
from storage.desk.types import AlertSeverity, ShapeKind
from streams.config import Section
from streams.naming import plain_name
from streams.types import CameraId

US = 1_000_000
CameraName = Annotated[str, Field(json_schema_extra={"format": "camera"})]
ZoneText = Annotated[
    str,
    Field(min_length=1, max_length=64, json_schema_extra={"format": "zone"}),
    AfterValidator(plain_name),
]
LineText = Annotated[
    str,
    Field(min_length=1, max_length=64, json_schema_extra={"format": "line"}),
    AfterValidator(plain_name),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A zone or line on a camera's picture, in fractions of it."""

    camera: CameraId
    kind: ShapeKind
    name: str
    points: tuple[Spot, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """What rules may know of the place, apart from what happens there.

    Attributes:
        shapes: Zones and lines; one name may stand on several cameras.
        wanted: Persons of interest that stand now.
        model: The network in use; None if there is none.
        least_s: By way, the seconds that nobody goes it in less of.
        overlapping: Pairs of cameras that see the same ground.
        skew_s: How far cameras' clocks may disagree.
    """

    cameras: tuple[CameraId, ...]
    shapes: tuple[Drawn, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    model: str | None = None
    calibration: Calibrated | None = None
    least_s: Mapping[tuple[CameraId, CameraId], float] = field(default_factory=dict)
    overlapping: frozenset[frozenset[CameraId]] = frozenset()
    skew_s: float = 0.5


class Rule(Protocol):
    """Watches what happens and says what it was made to find. Pure; used by one thread."""

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """What the event, later than those before it, gives rise to.

        Args:
            is_open: Whether the rule's hours count at the event's time; outside of them nothing
                begins, but what began may end.
        """
        ...


class RuleSettings(Section):
    """Settings that rules of every kind have."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=80,
            pattern=r"^[^\x00-\x1f\x7f/]+$",
            description="Unique name of the rule, as operators see it; no slash.",
        ),
        AfterValidator(plain_name),
    ]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.WARNING
    )
    cameras: Annotated[
        tuple[CameraName, ...],
        Field(description="Only these cameras. Default: all, or all that have the zone or line."),
    ] = ()
    during: Annotated[
        HoursText | None,
        Field(
            description="Counts only in these hours of the site's clock, such as `22:00-06:00` or "
            "`mon-fri 19:00-07:00, sat+sun 00:00-24:00, holidays 00:00-24:00`. Default: always."
        ),
    ] = None
    outside: Annotated[
        HoursText | None,
        Field(description="Counts except in these hours, written as `during`; only one of both."),
    ] = None
    group_s: Annotated[
        float | None,
        Field(ge=0, description="Instead of alerts.group_s, for this rule, seconds."),
    ] = None
    cooldown_s: Annotated[
        float | None,
        Field(ge=0, description="Instead of alerts.cooldown_s, for this rule, seconds."),
    ] = None
    escalate_after_s: Annotated[
        float | None,
        Field(ge=0, description="Instead of alerts.escalate_after_s, for this rule; 0: never."),
    ] = None
    channels: Annotated[
        tuple[str, ...],
        Field(description="Names of the channels that are told. Default: all channels."),
    ] = ()

    @model_validator(mode="after")
    def _hours_once(self) -> Self:
        if self.during is not None and self.outside is not None:
            raise ValueError("expected `during` or `outside`, got both; keep one of them")
        return self

    sees: ClassVar[tuple[type, ...]] = ()
    """Kinds of events that it looks at."""

    @abstractmethod
    def make(self, site: Site) -> Rule:
        """The rule, which has seen nothing yet.

        Raises:
            RuleUnusable: It names something that the site does not have.
        """
        raise NotImplementedError

    @cached_property
    def _hours(self) -> Hours | None:
        text = self.during or self.outside
        return None if text is None else parse_hours(text)

    def is_open(self, calendar: Calendar, at_us: int) -> bool:
        """Whether the rule counts at this time."""
        if self._hours is None:
            return True
        return calendar.is_open(self._hours, at_us) != (self.outside is not None)

    @property
    def when(self) -> str:
        """The hours for a sentence, with a space before; empty if it always counts."""
        if self.during is not None:
            return f" during {self.during}"
        return "" if self.outside is None else f" outside {self.outside}"

    def watched(self, site: Site) -> frozenset[CameraId]:
        """The cameras that count.

        Raises:
            RuleUnusable: One of them does not exist.
        """
        unknown = sorted(set(self.cameras) - set(site.cameras))
        if unknown:
            raise RuleUnusable(
                f"the rule {self.name!r} names the camera {unknown[0]!r}, which there is not; "
                f"there are: {', '.join(site.cameras) or 'none'}"
            )
        return frozenset(CameraId(name) for name in self.cameras) or frozenset(site.cameras)

    def zones(self, site: Site, zone: str | None) -> Mapping[CameraId, Polygon | None]:
        """On each camera that counts, the zone; None stands for the whole picture.

        Raises:
            RuleUnusable: No camera that counts has a zone of that name.
        """
        watched = self.watched(site)
        if zone is None:
            return dict.fromkeys(sorted(watched))
        return {
            drawn.camera: zone_of(drawn.points, name=zone)
            for drawn in self._find(site, ShapeKind.ZONE, zone, watched)
        }

    def lines(self, site: Site, line: str) -> Mapping[CameraId, Line]:
        """On each camera that counts, the line.

        Raises:
            RuleUnusable: No camera that counts has a line of that name.
        """
        watched = self.watched(site)
        return {
            drawn.camera: Line(drawn.points, name=line)
            for drawn in self._find(site, ShapeKind.LINE, line, watched)
        }

    def basis(self, site: Site) -> object:
        """What the rule needs to know of the site; while it is equal, the rule need not be made
        anew."""
        names = {getattr(self, "zone", None), getattr(self, "line", None)}
        return site.cameras, tuple(drawn for drawn in site.shapes if drawn.name in names)

    def _find(
        self, site: Site, kind: ShapeKind, name: str, watched: Collection[CameraId]
    ) -> list[Drawn]:
        known = [drawn for drawn in site.shapes if drawn.kind is kind]
        found = [drawn for drawn in known if drawn.name == name and drawn.camera in watched]
        if not found:
            names = sorted({drawn.name for drawn in known})
            where = f" on {', '.join(self.cameras)}" if self.cameras else ""
            raise RuleUnusable(
                f"the rule {self.name!r} names the {kind} {name!r}, which is not drawn{where}; "
                f"there are: {', '.join(names) or 'none'}. Draw it on the camera's page, or under "
                f"`{kind}s:` of the camera in config.yaml"
            )
        return found


def kind_of(rule: RuleSettings) -> str:
    """Name of a rule's kind, such as `zone entered`."""
    return kind_named(type(rule))


def kind_named(settings: type[RuleSettings]) -> str:
    """Name of the kind of which these are the settings."""
    return str(get_args(settings.model_fields["kind"].annotation)[0])
