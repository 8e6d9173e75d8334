"""Alerts: an inbox to work through; nothing vanishes, everything can be undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from pipeline.api.answers import Answer, Page, Told
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent
from pipeline.api.headers import OF_VISITOR
from pipeline.api.paging import LimitQuery, TextCursorQuery
from pipeline.api.routes.sightings import JPEG, PersonQuery
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery, iso_or_none
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import AlertPath, CameraQuery, Needed, Words, to_alert, to_person
from storage.browsing import Named, sightings_named
from storage.desk.alerts import (
    Alert,
    AlertEvent,
    alert,
    alert_events,
    alert_name,
    alerts,
    n_new,
)
from storage.desk.handling import acknowledge, false_alarm, note, resolve, undo
from storage.desk.types import AlertEventKind, AlertId, AlertSeverity, AlertState, Role
from storage.scope import people_within
from storage.types import IdentityId, person_name, sighting_name
from streams.moments import iso_time
from streams.types import CameraId

routes = Routes("alerts")
Handle = Callable[..., Alert]
_KEPT_S = 3600


class AlertVisit(Answer):
    """A visit that an alert is about."""

    sighting: str
    camera: str
    identity: str | None


class AlertAnswer(Answer):
    """Something that a rule found, once per visit."""

    alert: str = Field(examples=["A12"])
    rule: str = Field(examples=["dock at night"])
    kind: str = Field(examples=["nobody allowed"])
    severity: AlertSeverity
    state: AlertState
    sentence: str = Field(
        description="What happened.",
        examples=["somebody stayed 94 s in 'loading dock' outside 07:00-19:00"],
    )
    began: str
    began_us: int
    ended: str | None = Field(description="Null: it lasts.")
    ended_us: int | None
    raised_at: str
    raised_at_us: int
    identity: str | None = Field(description="Who, when it was raised.")
    candidate: str | None
    probability: float | None
    persons: list[str] = Field(description="Who its visits are now.")
    names: dict[str, str] = Field(description="What operators call these persons.")
    cameras: list[str]
    sightings: list[AlertVisit] = Field(description="Recorded so far.")
    picture: str | None = Field(description="sha256; see /alerts/{alert}/picture.")
    picture_camera: str | None
    grounds: dict[str, object] = Field(description="What the rule measured.")


class AlertEventAnswer(Answer):
    """Something that happened to an alert."""

    kind: AlertEventKind
    made_by: str
    reason: str
    made_at: str
    made_at_us: int


class AlertHistory(AlertAnswer):
    """An alert with its history."""

    events: list[AlertEventAnswer]


class Count(Answer):
    """How many alerts nobody has dealt with."""

    new: int


class Reason(Answer):
    """Why."""

    reason: Words = ""


class Note(Answer):
    """Words for whoever reads its history."""

    reason: Needed


@routes.get("/alerts", least=Role.VIEWER)
def list_alerts(
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: TextCursorQuery = None,
    state: AlertState | None = None,
    camera: CameraQuery = None,
    rule: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f]*$")] = None,
    identity: PersonQuery = None,
    limit: LimitQuery = 50,
) -> Page[AlertAnswer]:
    """Alerts, newest first."""
    whom = None if identity is None else to_person(identity)
    desk.viewings.write_down(
        visitor, "view alerts", "" if whom is None else person_name(whom), cursor=cursor
    )
    if whom is not None and not people_within(desk.database, [whom], scope=visitor.cameras):
        return Page(items=[], next=None)  # which alerts are about them would tell of who is hidden
    found = alerts(
        desk.database,
        state=state,
        cameras=_scope(desk, visitor, camera),
        rule=rule or None,
        identity=whom,
        span=span,
        scope=visitor.cameras,
        cursor=cursor,
        limit=limit,
    )
    return Page(items=_to_answers(desk, visitor, found.items), next=found.next)


@routes.get("/alerts/count", least=Role.VIEWER)
def count_alerts(visitor: VisitorOf, desk: DeskOf) -> Count:
    """How many alerts nobody has dealt with."""
    return Count(new=n_new(desk.database, cameras=visitor.cameras))


@routes.get("/alerts/{name}", least=Role.VIEWER)
def show_alert(name: AlertPath, visitor: VisitorOf, desk: DeskOf) -> AlertHistory:
    """One alert with its history."""
    found = _visible(desk, visitor, name)
    desk.viewings.write_down(visitor, "view alert", alert_name(found.id))
    return _with_history(desk, visitor, found)


@routes.get(
    "/alerts/{name}/picture",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "What was seen."}},
)
def show_alert_picture(name: AlertPath, visitor: VisitorOf, desk: DeskOf) -> Response:
    """What was seen, if the camera that took it may be seen."""
    found = _visible(desk, visitor, name)
    if found.picture is None or not visitor.sees(found.picture_camera or ""):
        raise Absent(f"{alert_name(found.id)} has no picture; it may have expired")
    desk.viewings.write_down(visitor, "view alert", alert_name(found.id))
    return Response(
        desk.evidence.get(found.picture),
        media_type=JPEG,
        headers={"Cache-Control": f"private, max-age={_KEPT_S}", **OF_VISITOR},
    )


@routes.post("/alerts/{name}/acknowledge", least=Role.OPERATOR)
def acknowledge_alert(
    name: AlertPath, asked: Reason, visitor: VisitorOf, desk: DeskOf
) -> AlertHistory:
    """Somebody saw it."""
    return _handle(desk, visitor, name, acknowledge, asked.reason)


@routes.post("/alerts/{name}/resolve", least=Role.OPERATOR)
def resolve_alert(name: AlertPath, asked: Reason, visitor: VisitorOf, desk: DeskOf) -> AlertHistory:
    """It is dealt with."""
    return _handle(desk, visitor, name, resolve, asked.reason)


@routes.post("/alerts/{name}/false-alarm", least=Role.OPERATOR)
def call_false(name: AlertPath, asked: Reason, visitor: VisitorOf, desk: DeskOf) -> AlertHistory:
    """It should not have been raised."""
    return _handle(desk, visitor, name, false_alarm, asked.reason)


@routes.post("/alerts/{name}/undo", least=Role.OPERATOR)
def undo_alert(name: AlertPath, asked: Reason, visitor: VisitorOf, desk: DeskOf) -> AlertHistory:
    """Back to the state before the last change."""
    return _handle(desk, visitor, name, undo, asked.reason)


@routes.post("/alerts/{name}/note", least=Role.OPERATOR)
def note_alert(name: AlertPath, asked: Note, visitor: VisitorOf, desk: DeskOf) -> AlertHistory:
    """Words for whoever reads its history."""
    return _handle(desk, visitor, name, note, asked.reason)


def _handle(desk: Desk, visitor: Visitor, name: str, handle: Handle, reason: str) -> AlertHistory:
    found = _visible(desk, visitor, name)
    changed = handle(
        desk.database,
        found.id,
        made_by=visitor.name,
        reason=reason,
        now_us=desk.clock.now_us(),
    )
    return _with_history(desk, visitor, changed)


def _scope(desk: Desk, visitor: Visitor, camera: str | None) -> Collection[CameraId] | None:
    return visitor.cameras if camera is None else [desk.require_camera(visitor, camera)]


def _visible(desk: Desk, visitor: Visitor, name: str) -> Alert:
    number = to_alert(name)
    found = alert(desk.database, number)
    if visitor.cameras is not None and not set(found.cameras) & visitor.cameras:
        raise no_alert(number)
    return found


def no_alert(number: AlertId) -> Absent:
    """The same words whether there is none or it may not be seen."""
    return Absent(f"no alert is called {alert_name(number)}; it may have expired")


def _with_history(desk: Desk, visitor: Visitor, found: Alert) -> AlertHistory:
    (answer,) = _to_answers(desk, visitor, [found])
    events = alert_events(desk.database, found.id)
    told = desk.told_words(visitor, [event.reason for event in events])
    return AlertHistory(**dict(answer), events=[_to_event(event, told) for event in events])


def _to_answers(desk: Desk, visitor: Visitor, found: Collection[Alert]) -> list[AlertAnswer]:
    keys = [key for each in found for key in each.sightings]
    visits = sightings_named(desk.database, keys, scope=visitor.cameras)
    people = {
        who
        for each in found
        for who in (each.identity, each.candidate, *each.persons)
        if who is not None
    }
    known = people_within(desk.database, people, scope=visitor.cameras)
    names = desk.names(visitor, known)
    told = desk.told_words(
        visitor, [words for each in found for words in (each.rule, each.sentence)]
    )
    return [_to_answer(each, visitor, visits, known, names, told) for each in found]


def _to_answer(
    found: Alert,
    visitor: Visitor,
    visits: Mapping[str, Named],
    known: Collection[IdentityId],
    names: Mapping[IdentityId, str],
    told: Told,
) -> AlertAnswer:
    """The alert, without what it says of cameras that may not be seen."""
    cameras: list[str] = [camera for camera in found.cameras if visitor.sees(camera)]
    about = {found.identity, found.candidate, *found.persons} - {None}
    sees_all = len(cameras) == len(found.cameras)
    is_whole = sees_all and about <= set(known) and not told.is_hidden(found.sentence)
    seen = [visits[key] for key in found.sightings if key in visits]
    began_us, ended_us = _times(found, seen, sees_all=sees_all)
    people = [who for who in about if who in known and who is not None]
    return AlertAnswer(
        alert=alert_name(found.id),
        rule=told.words(found.rule),
        kind=found.kind,
        severity=found.severity,
        state=found.state,
        sentence=found.sentence
        if is_whole
        else f"{found.kind}; a part of it was seen by cameras that you may not see",
        began=iso_time(began_us),
        began_us=began_us,
        ended=iso_or_none(ended_us),
        ended_us=ended_us,
        raised_at=iso_time(found.raised_at_us),
        raised_at_us=found.raised_at_us,
        identity=_person(found.identity, known),
        candidate=_person(found.candidate, known),
        probability=found.probability if is_whole else None,
        persons=[person_name(who) for who in found.persons if who in known],
        names={person_name(who): names[who] for who in sorted(people) if who in names},
        cameras=cameras,
        sightings=[
            AlertVisit(
                sighting=sighting_name(visit.id),
                camera=visit.camera,
                identity=_person(visit.identity, known),
            )
            for visit in seen
        ],
        picture=found.picture if visitor.sees(found.picture_camera or "") else None,
        picture_camera=found.picture_camera if visitor.sees(found.picture_camera or "") else None,
        grounds=dict(found.grounds) if is_whole else {},
    )


def _times(found: Alert, seen: Sequence[Named], *, sees_all: bool) -> tuple[int, int | None]:
    """When it began and ended; for who sees a part when they saw it, else when it was raised."""
    if sees_all:
        return found.began_us, found.ended_us
    began_us = min((visit.first_seen_us for visit in seen), default=found.raised_at_us)
    ended_us = max((visit.last_seen_us for visit in seen), default=found.raised_at_us)
    return began_us, None if found.ended_us is None else ended_us


def _person(who: IdentityId | None, known: Collection[IdentityId]) -> str | None:
    return None if who is None or who not in known else person_name(who)


def _to_event(event: AlertEvent, told: Told) -> AlertEventAnswer:
    return AlertEventAnswer(
        kind=event.kind,
        made_by=event.made_by,
        reason=told.words(event.reason),
        made_at=iso_time(event.made_at_us),
        made_at_us=event.made_at_us,
    )
