"""Alerts as they stand, and what happened to them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, or_, select

from storage.database import Database
from storage.desk.pages import LONGEST_PAGE, PAGE, Page, read_page
from storage.desk.types import AlertEventKind, AlertId, AlertSeverity, AlertState
from storage.errors import NotFound
from storage.schema import (
    AlertCameraRow,
    AlertEventRow,
    AlertRow,
    AlertSightingRow,
    CameraRow,
    SightingRow,
)
from storage.types import ALWAYS, IdentityId, Span
from streams.types import CameraId

STATES = {
    AlertEventKind.ACKNOWLEDGED: AlertState.ACKNOWLEDGED,
    AlertEventKind.RESOLVED: AlertState.RESOLVED,
    AlertEventKind.FALSE_ALARM: AlertState.FALSE_ALARM,
}
"""What an event makes of an alert; other events leave it as it is, `undone` takes one back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """Something that a rule found.

    Attributes:
        key: Rule and visit group; raising the same key again extends the alert that is there.
        rule: Name of the rule.
        kind: Of the rule, such as `zone entered`.
        identity: Who, as far as is known; None: nobody, or unsure.
        candidate: Best identity compared, also when unsure.
        probability: That it is the candidate or the person of interest, [0, 1]; None: unknown.
        ended_us: None while it lasts.
        sentence: What happened, for the operator.
        grounds: What the rule measured, by name; what JSON can hold.
        picture: sha256 of a picture that is in the evidence store already, or None.
        picture_camera: Who took it; None if there is none.
        cameras: That it is about; () for disks and the like.
        sightings: Keys of the visits that it is about, recorded already or later.
    """

    key: str
    rule: str
    kind: str
    severity: AlertSeverity
    began_us: int
    sentence: str
    ended_us: int | None = None
    identity: IdentityId | None = None
    candidate: IdentityId | None = None
    probability: float | None = None
    grounds: Mapping[str, object] = field(default_factory=dict)
    picture: str | None = None
    picture_camera: CameraId | None = None
    cameras: tuple[CameraId, ...] = ()
    sightings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.picture is None) != (self.picture_camera is None):
            raise ValueError("picture_camera: expected with a picture, and only with one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it stands.

    Attributes:
        identity: Who it was said to be when it was raised or last extended.
        persons: Who its recorded visits are now, after links and verdicts; ascending.
        picture: sha256; None: none, it expired, or it was erased with a person.
        cameras: By name.
        sightings: Keys of visits.
    """

    id: AlertId
    key: str
    rule: str
    kind: str
    severity: AlertSeverity
    identity: IdentityId | None
    candidate: IdentityId | None
    probability: float | None
    persons: tuple[IdentityId, ...]
    began_us: int
    ended_us: int | None
    sentence: str
    grounds: Mapping[str, object]
    picture: str | None
    picture_camera: CameraId | None
    cameras: tuple[CameraId, ...]
    sightings: tuple[str, ...]
    state: AlertState
    raised_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """Something that happened to an alert.

    Attributes:
        made_by: Operator's name, or `watcher`.
        reason: In the operator's words; may be empty.
    """

    id: int
    alert: AlertId
    kind: AlertEventKind
    made_by: str
    reason: str
    made_at_us: int


def alert_name(alert: AlertId) -> str:
    """The short stable name of an alert that operators see.

    >>> alert_name(AlertId(12))
    'A12'
    """
    return f"A{alert}"


def state_after(events: Iterable[AlertEventKind]) -> AlertState:
    """What an alert's events, oldest first, make of it.

    >>> kinds = AlertEventKind
    >>> state_after([kinds.RAISED, kinds.ACKNOWLEDGED, kinds.NOTE, kinds.RESOLVED, kinds.UNDONE])
    <AlertState.ACKNOWLEDGED: 'acknowledged'>
    >>> state_after([])
    <AlertState.NEW: 'new'>
    """
    states = [AlertState.NEW]
    for event in events:
        if event in STATES:
            states.append(STATES[event])
        elif event is AlertEventKind.UNDONE and len(states) > 1:
            states.pop()
    return states[-1]


def alerts(
    db: Database,
    *,
    state: AlertState | None = None,
    cameras: Collection[CameraId] | None = None,
    rule: str | None = None,
    identity: IdentityId | None = None,
    span: Span = ALWAYS,
    scope: Collection[CameraId] | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Alert]:
    """Alerts, newest first.

    Args:
        cameras: Only about one of these; None for all, also those about no camera.
        identity: Only about this person: as raised, or because a visit is theirs now.
        span: Only such that overlap it.
        scope: Cameras that whoever asks may see; None: all. An alert that others saw, too, is
            taken to be when it was raised, as `span` would find out when they saw it.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    query = _select().where(*_about(cameras))
    if state is not None:
        query = query.where(AlertRow.state == state)
    if rule is not None:
        query = query.where(AlertRow.rule_name == rule)
    if identity is not None:
        theirs = (
            select(AlertSightingRow.alert_id)
            .join(SightingRow, SightingRow.key == AlertSightingRow.sighting_key)
            .where(SightingRow.identity_id == identity)
        )
        query = query.where(or_(AlertRow.identity_id == identity, AlertRow.id.in_(theirs)))
    began_us, ended_us = _times(scope)
    if span.from_us is not None:
        query = query.where(or_(AlertRow.ended_us.is_(None), ended_us >= span.from_us))
    if span.to_us is not None:
        query = query.where(began_us < span.to_us)
    with db.read() as connection:
        return read_page(
            connection,
            query,
            AlertRow.__table__.c.id,
            lambda rows: _to_alerts(connection, rows),
            cursor=cursor,
            limit=limit,
        )


def alert(db: Database, number: AlertId) -> Alert:
    """The alert of this number.

    Raises:
        NotFound: There is none.
    """
    with db.read() as connection:
        return read_alert(connection, number)


def read_alert(connection: Connection, number: AlertId) -> Alert:
    """As `alert`, within the caller's transaction."""
    rows = connection.execute(_select().where(AlertRow.id == number)).all()
    if not rows:
        raise NotFound(f"no alert is called {alert_name(number)}; it may have expired")
    return _to_alerts(connection, rows)[0]


def alert_events(db: Database, number: AlertId) -> list[AlertEvent]:
    """What happened to the alert, oldest first; [] if there is none."""
    query = _select_events().where(AlertEventRow.alert_id == number)
    with db.read() as connection:
        rows = connection.execute(query.order_by(AlertEventRow.id)).all()
    return [_to_event(row) for row in rows]


def alert_events_since(db: Database, after: int, *, limit: int = LONGEST_PAGE) -> list[AlertEvent]:
    """What happened to any alert after event number `after`, oldest first: for live updates."""
    query = _select_events().where(AlertEventRow.id > after).order_by(AlertEventRow.id)
    with db.read() as connection:
        return [_to_event(row) for row in connection.execute(query.limit(limit))]


def newest_alert_event(db: Database) -> int:
    """Number of the newest event, 0 if there is none: where live updates begin."""
    with db.read() as connection:
        return connection.execute(select(func.max(AlertEventRow.id))).scalar() or 0


def unacknowledged(db: Database, *, older_than_us: int, limit: int = PAGE) -> list[Alert]:
    """New alerts raised at or before, never escalated yet, oldest first."""
    escalated = select(AlertEventRow.alert_id).where(
        AlertEventRow.kind == AlertEventKind.ESCALATED, AlertEventRow.alert_id == AlertRow.id
    )
    query = (
        _select()
        .where(
            AlertRow.state == AlertState.NEW,
            AlertRow.raised_at_us <= older_than_us,
            ~escalated.exists(),
        )
        .order_by(AlertRow.id)
        .limit(limit)
    )
    with db.read() as connection:
        return _to_alerts(connection, connection.execute(query).all())


def n_new(db: Database, *, cameras: Collection[CameraId] | None = None) -> int:
    """How many alerts nobody has dealt with; `cameras` as in `alerts`."""
    query = select(func.count()).where(AlertRow.state == AlertState.NEW, *_about(cameras))
    with db.read() as connection:
        return connection.execute(query).scalar_one()


def _about(cameras: Collection[CameraId] | None) -> list[Any]:
    if cameras is None:
        return []
    of_these = (
        select(AlertCameraRow.alert_id)
        .join(CameraRow, CameraRow.id == AlertCameraRow.camera_id)
        .where(CameraRow.name.in_(sorted(cameras)))
    )
    return [AlertRow.id.in_(of_these)]


def _times(scope: Collection[CameraId] | None) -> tuple[ColumnElement[int], ColumnElement[Any]]:
    """When alerts began and ended, as far as who sees these cameras may know."""
    if scope is None:
        return AlertRow.began_us.expression, AlertRow.ended_us.expression
    hidden = (
        select(AlertCameraRow.alert_id)
        .join(CameraRow, CameraRow.id == AlertCameraRow.camera_id)
        .where(CameraRow.name.not_in(sorted(scope)))
    )
    is_part = AlertRow.id.in_(hidden)
    return (
        case((is_part, AlertRow.raised_at_us), else_=AlertRow.began_us),
        case((is_part, AlertRow.raised_at_us), else_=AlertRow.ended_us),
    )


def _select() -> Select[*tuple[Any, ...]]:
    return select(*AlertRow.__table__.columns, CameraRow.name.label("picture_camera")).outerjoin(
        CameraRow, CameraRow.id == AlertRow.picture_camera_id
    )


def _select_events() -> Select[*tuple[Any, ...]]:
    return select(*AlertEventRow.__table__.columns)


def _to_event(row: Row[*tuple[Any, ...]]) -> AlertEvent:
    return AlertEvent(
        id=row.id,
        alert=AlertId(row.alert_id),
        kind=AlertEventKind(row.kind),
        made_by=row.made_by,
        reason=row.reason,
        made_at_us=row.made_at_us,
    )


def _to_alerts(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Alert]:
    numbers = [row.id for row in rows]
    cameras: defaultdict[int, list[CameraId]] = defaultdict(list)
    named = (
        select(AlertCameraRow.alert_id, CameraRow.name)
        .join(CameraRow, CameraRow.id == AlertCameraRow.camera_id)
        .where(AlertCameraRow.alert_id.in_(numbers))
        .order_by(AlertCameraRow.alert_id, CameraRow.name)
    )
    for number, name in connection.execute(named):
        cameras[number].append(CameraId(name))
    visits: defaultdict[int, list[str]] = defaultdict(list)
    persons: defaultdict[int, set[IdentityId]] = defaultdict(set)
    seen = (
        select(AlertSightingRow.alert_id, AlertSightingRow.sighting_key, SightingRow.identity_id)
        .outerjoin(SightingRow, SightingRow.key == AlertSightingRow.sighting_key)
        .where(AlertSightingRow.alert_id.in_(numbers))
        .order_by(AlertSightingRow.alert_id, AlertSightingRow.sighting_key)
    )
    for number, key, who in connection.execute(seen):
        visits[number].append(key)
        if who is not None:
            persons[number].add(IdentityId(who))
    return [_to_alert(row, cameras[row.id], visits[row.id], persons[row.id]) for row in rows]


def _to_alert(
    row: Row[*tuple[Any, ...]],
    cameras: Sequence[CameraId],
    visits: Sequence[str],
    persons: Collection[IdentityId],
) -> Alert:
    return Alert(
        id=AlertId(row.id),
        key=row.key,
        rule=row.rule_name,
        kind=row.kind,
        severity=AlertSeverity(row.severity),
        identity=row.identity_id,
        candidate=row.candidate_id,
        probability=row.probability,
        persons=tuple(sorted(persons)),
        began_us=row.began_us,
        ended_us=row.ended_us,
        sentence=row.sentence,
        grounds=json.loads(row.grounds),
        picture=row.picture,
        picture_camera=row.picture_camera,
        cameras=tuple(cameras),
        sightings=tuple(visits),
        state=AlertState(row.state),
        raised_at_us=row.raised_at_us,
    )
