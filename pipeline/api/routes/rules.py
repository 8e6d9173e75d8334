"""Rules of alerting, and the zones and lines that they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, JsonValue, model_validator

from pipeline.alerts.kinds import kinds, parse_rule, settings_of
from pipeline.api.answers import Answer, Page, Told
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid
from pipeline.api.paging import LimitQuery, TextCursorQuery, seen_page
from pipeline.api.routing import Routes
from pipeline.api.times import iso_or_none
from pipeline.api.visitors import Visitor, VisitorOf, no_camera
from pipeline.api.words import CameraPath, NumberPath, ShortName
from storage.desk import rules as book
from storage.desk import shapes as drawing
from storage.desk.pages import Page as Piece
from storage.desk.types import Role, RuleId, RuleOrigin, ShapeId, ShapeKind
from streams.moments import iso_time
from streams.types import CameraId

routes = Routes("rules")
_CAMERAS = "cameras"
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]
Points = Annotated[
    list[tuple[Fraction, Fraction]],
    Field(
        min_length=2,
        max_length=drawing.MOST_POINTS,
        description="x and y as fractions of the picture from its top left.",
        examples=[[[0.1, 0.5], [0.4, 0.5], [0.4, 1.0]]],
    ),
]


class KindAnswer(Answer):
    """A kind of rule."""

    kind: str = Field(examples=["zone entered"])
    words: str
    settings: dict[str, Any] = Field(description="JSON schema.")


class Kinds(Answer):
    """All kinds of rules."""

    items: list[KindAnswer]


class RuleAnswer(Answer):
    """A rule."""

    rule: int
    name: str
    kind: str
    settings: dict[str, Any]
    origin: RuleOrigin = Field(description="config: it is changed in config.yaml only.")
    is_on: bool
    made_by: str
    made_at: str
    made_at_us: int
    removed_at: str | None
    removed_at_us: int | None


class AskedRule(Answer):
    """A rule to be kept."""

    name: ShortName = Field(examples=["dock at night"])
    kind: str = Field(max_length=64, examples=["nobody allowed"])
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, examples=[{"zone": "loading dock", "outside": "07:00-19:00"}]
    )
    is_on: bool = True


class ShapeAnswer(Answer):
    """A zone or a line."""

    shape: int | None = Field(description="Null: it is written in config.yaml, and changed there.")
    camera: str
    kind: ShapeKind
    name: str
    points: list[tuple[float, float]]
    origin: Literal["config", "page"]


class Shapes(Answer):
    """What is drawn on a camera's picture."""

    items: list[ShapeAnswer]


class AskedShape(Answer):
    """A zone or line to be kept."""

    kind: ShapeKind
    name: ShortName = Field(examples=["loading dock"])
    points: Points

    @model_validator(mode="after")
    def _has_enough(self) -> AskedShape:
        drawing.refuse_points(self.kind, self.points)
        return self


@routes.get("/rules/kinds", least=Role.VIEWER)
def list_kinds() -> Kinds:
    """All kinds of rules with their settings."""
    return Kinds(
        items=[
            KindAnswer(kind=kind.name, words=kind.words, settings=dict(kind.schema))
            for kind in kinds()
        ]
    )


@routes.get("/rules", least=Role.OPERATOR)
def list_rules(
    visitor: VisitorOf,
    desk: DeskOf,
    cursor: TextCursorQuery = None,
    removed: bool = False,
    limit: LimitQuery = 200,
) -> Page[RuleAnswer]:
    """Rules, newest first; rules of cameras that one may not see are left out."""

    def read(place: str | None) -> Piece[book.Rule]:
        found = book.rules(desk.database, removed=removed, cursor=place, limit=limit)
        return replace(found, items=tuple(r for r in found.items if _concerns(visitor, r)))

    shown = seen_page(read, cursor=cursor, limit=limit)
    return Page(items=_to_rules(desk, visitor, shown.items), next=shown.next)


@routes.post("/rules", least=Role.ADMIN, status_code=201)
def add_rule(asked: AskedRule, visitor: VisitorOf, desk: DeskOf) -> RuleAnswer:
    """Keep a rule."""
    made = book.add_rule(
        desk.database,
        _checked(asked, visitor),
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return _to_rules(desk, visitor, [made])[0]


@routes.put("/rules/{rule}", least=Role.ADMIN)
def change_rule(rule: NumberPath, asked: AskedRule, visitor: VisitorOf, desk: DeskOf) -> RuleAnswer:
    """Put another rule in its place; it gets a new number, and the old one stays in the history."""
    _own(desk, visitor, rule)
    made = book.change_rule(
        desk.database,
        RuleId(rule),
        _checked(asked, visitor),
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return _to_rules(desk, visitor, [made])[0]


@routes.delete("/rules/{rule}", least=Role.ADMIN)
def remove_rule(rule: NumberPath, visitor: VisitorOf, desk: DeskOf) -> RuleAnswer:
    """End a rule; keeping the same again takes that back."""
    _own(desk, visitor, rule)
    gone = book.remove_rule(
        desk.database, RuleId(rule), removed_by=visitor.name, now_us=desk.clock.now_us()
    )
    return _to_rules(desk, visitor, [gone])[0]


@routes.get("/cameras/{camera}/shapes", least=Role.VIEWER)
def list_shapes(camera: CameraPath, visitor: VisitorOf, desk: DeskOf) -> Shapes:
    """Zones and lines of a camera; one that was drawn comes before one of config.yaml."""
    name = desk.require_camera(visitor, camera)
    drawn = drawing.standing_shapes(desk.database, camera=name)
    taken = {shape.name for shape in drawn}
    config = desk.cameras(visitor)[name]
    written = [
        ShapeAnswer(
            shape=None,
            camera=name,
            kind=kind,
            name=each.name,
            points=[(x, y) for x, y in each.points],
            origin="config",
        )
        for kind, shapes in (
            (ShapeKind.ZONE, () if config is None else config.zones),
            (ShapeKind.LINE, () if config is None else config.lines),
        )
        for each in shapes
        if each.name not in taken
    ]
    return Shapes(items=[*(_to_shape(shape) for shape in drawn), *written])


@routes.post("/cameras/{camera}/shapes", least=Role.ADMIN, status_code=201)
def add_shape(
    camera: CameraPath, asked: AskedShape, visitor: VisitorOf, desk: DeskOf
) -> ShapeAnswer:
    """Draw a zone or a line."""
    name = desk.require_camera(visitor, camera)
    made = drawing.add_shape(
        desk.database, _new(name, asked), made_by=visitor.name, now_us=desk.clock.now_us()
    )
    return _to_shape(made)


@routes.put("/shapes/{shape}", least=Role.ADMIN)
def change_shape(
    shape: NumberPath, asked: AskedShape, visitor: VisitorOf, desk: DeskOf
) -> ShapeAnswer:
    """Draw another one in its place."""
    camera = _shape(desk, visitor, shape).camera
    made = drawing.change_shape(
        desk.database,
        ShapeId(shape),
        _new(camera, asked),
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return _to_shape(made)


@routes.delete("/shapes/{shape}", least=Role.ADMIN)
def remove_shape(shape: NumberPath, visitor: VisitorOf, desk: DeskOf) -> ShapeAnswer:
    """Take a zone or line away; drawing the same again takes that back."""
    _shape(desk, visitor, shape)
    gone = drawing.remove_shape(
        desk.database, ShapeId(shape), removed_by=visitor.name, now_us=desk.clock.now_us()
    )
    return _to_shape(gone)


def _checked(asked: AskedRule, visitor: Visitor) -> book.NewRule:
    """The rule, if it makes sense and concerns only cameras that may be seen."""
    rule = parse_rule(asked.name, asked.kind, asked.settings)
    if visitor.cameras is not None and not rule.cameras:
        raise QuestionInvalid("cameras: name those that the rule is for; you may not see all")
    for camera in rule.cameras:
        if not visitor.sees(camera):
            raise no_camera(camera)
    return book.NewRule(
        name=rule.name, kind=asked.kind, settings=settings_of(rule), is_on=asked.is_on
    )


def _own(desk: Desk, visitor: Visitor, number: int) -> None:
    """Refuse to change a rule that concerns cameras that may not be seen."""
    rule = book.find_rule(desk.database, RuleId(number))
    named = rule.settings.get(_CAMERAS)
    if visitor.cameras is None:
        return
    if not _concerns(visitor, rule):
        raise Absent(f"there is no rule {number}")
    if not isinstance(named, list) or not named or not all(map(visitor.sees, named)):
        visitor.require_all()


def _concerns(visitor: Visitor, rule: book.Rule) -> bool:
    """Whether it is about a camera that may be seen: named, or all."""
    named = rule.settings.get(_CAMERAS)
    return not isinstance(named, list) or not named or any(map(visitor.sees, named))


def _shape(desk: Desk, visitor: Visitor, number: int) -> drawing.Shape:
    found = drawing.find_shape(desk.database, ShapeId(number))
    if not visitor.sees(found.camera):
        raise Absent(f"there is no shape {number}")
    return found


def _new(camera: CameraId, asked: AskedShape) -> drawing.NewShape:
    return drawing.NewShape(
        camera=camera, kind=asked.kind, name=asked.name, points=tuple(asked.points)
    )


def _to_rules(desk: Desk, visitor: Visitor, rules: Sequence[book.Rule]) -> list[RuleAnswer]:
    told = desk.told_words(visitor, [rule.name for rule in rules])
    return [_to_rule(rule, visitor, told) for rule in rules]


def _to_rule(rule: book.Rule, visitor: Visitor, told: Told) -> RuleAnswer:
    settings = dict(rule.settings)
    named = settings.get(_CAMERAS)
    if isinstance(named, list):
        settings[_CAMERAS] = [camera for camera in named if visitor.sees(camera)]
    return RuleAnswer(
        rule=rule.id,
        name=told.words(rule.name),
        kind=rule.kind,
        settings=settings,
        origin=rule.origin,
        is_on=rule.is_on,
        made_by=rule.made_by,
        made_at=iso_time(rule.made_at_us),
        made_at_us=rule.made_at_us,
        removed_at=iso_or_none(rule.removed_at_us),
        removed_at_us=rule.removed_at_us,
    )


def _to_shape(shape: drawing.Shape) -> ShapeAnswer:
    return ShapeAnswer(
        shape=shape.id,
        camera=shape.camera,
        kind=shape.kind,
        name=shape.name,
        points=list(shape.points),
        origin="page",
    )
