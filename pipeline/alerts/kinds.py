"""The one table of kinds of rules: what they are called, what can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.alerts.rules.camera import CameraCovered, CameraDegraded, CameraDown
from pipeline.alerts.rules.crowd import TooManyPeople
from pipeline.alerts.rules.interest import PersonOfInterest
from pipeline.alerts.rules.line import LineCrossed
from pipeline.alerts.rules.loitering import Loitering, NobodyAllowed
from pipeline.alerts.rules.machine import AnalyticsBehind, DiskLow
from pipeline.alerts.rules.transit import ImpossibleTransit
from pipeline.alerts.rules.unknown import UnknownPerson
from pipeline.alerts.rules.zone import ZoneEntered, ZoneLeft
from pipeline.alerts.settings import RuleSettings, kind_named
from pipeline.errors import RuleUnusable

AnyRule: TypeAlias = Annotated[
    ZoneEntered
    | ZoneLeft
    | LineCrossed
    | Loitering
    | NobodyAllowed
    | TooManyPeople
    | PersonOfInterest
    | UnknownPerson
    | ImpossibleTransit
    | CameraDown
    | CameraCovered
    | CameraDegraded
    | DiskLow
    | AnalyticsBehind,
    Field(discriminator="kind"),
]
"""Settings of a rule of any kind."""

_KINDS: tuple[type[RuleSettings], ...] = (
    ZoneEntered,
    ZoneLeft,
    LineCrossed,
    Loitering,
    NobodyAllowed,
    TooManyPeople,
    PersonOfInterest,
    UnknownPerson,
    ImpossibleTransit,
    CameraDown,
    CameraCovered,
    CameraDegraded,
    DiskLow,
    AnalyticsBehind,
)
_ADAPTER: TypeAdapter[AnyRule] = TypeAdapter(AnyRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of rule.

    Attributes:
        name: As in `kind:`.
        words: What it tells of, in a sentence.
        schema: JSON schema of its settings, each with description, unit and default. `format` says
            what to choose from: `camera`, `zone`, `line`, `hours`, `interest`.
    """

    name: str
    words: str
    schema: Mapping[str, Any]


def kinds() -> list[Kind]:
    """All kinds of rules, as pages list them."""
    return [
        Kind(
            name=kind_named(settings),
            words=(settings.__doc__ or "").split("\n\n")[0].replace("\n    ", " ").strip(),
            schema=settings.model_json_schema(),
        )
        for settings in _KINDS
    ]


def parse_rule(name: str, kind: str, settings: Mapping[str, Any]) -> AnyRule:
    """The rule that was written down as kind and settings.

    Raises:
        RuleUnusable: With the words of the first mistake.
    """
    try:
        return _ADAPTER.validate_python({**settings, "name": name, "kind": kind})
    except ValidationError as error:
        mistake = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in mistake["loc"][1:]) or "kind"
        words = mistake["msg"].removeprefix("Value error, ")
        raise RuleUnusable(f"the rule {name!r} cannot be read: {place}: {words}") from None


def settings_of(rule: AnyRule) -> dict[str, Any]:
    """What `parse_rule` reads back: everything but name and kind, as JSON; no defaults."""
    return rule.model_dump(mode="json", exclude={"name", "kind"}, exclude_defaults=True)
