"""Writing alerts down: once per visit, together with what is to be sent about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from storage.audit import canonical_json, storable
from storage.cameras import ensure_camera
from storage.database import Database
from storage.desk.alerts import NewAlert, read_alert
from storage.desk.deliveries import NewDelivery, queue_all
from storage.desk.types import AlertEventKind, AlertId, AlertState
from storage.errors import NotFound
from storage.exemplars import refer_to_evidence
from storage.schema import (
    WORDS_ERASED,
    AlertCameraRow,
    AlertEventRow,
    AlertRow,
    AlertSightingRow,
    IdentityRow,
)
from storage.tombstones import erased_of
from storage.types import IdentityId, person_name

WATCHER = "watcher"
INSERT_ALERT = insert(AlertRow).returning(AlertRow.id)
INSERT_CAMERA = insert(AlertCameraRow)
INSERT_SIGHTING = insert(AlertSightingRow)
INSERT_EVENT = insert(AlertEventRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What raising an alert did.

    Attributes:
        is_new: False if the key was there: then it was at most extended, and nothing is sent.
        is_extended: Cameras, visits or the person were added to one that was there.
    """

    alert: AlertId
    is_new: bool
    is_extended: bool


def raise_alert(
    db: Database, new: NewAlert, *, deliveries: Sequence[NewDelivery], now_us: int
) -> Raised:
    """Write an alert and what is to be sent about it, all or nothing.

    A key that is there already sends nothing again: its end moves on, and cameras, visits and
    the person that are new to it are added with an event `extended`. Raising the same twice
    changes nothing. One whose person was erased is not extended.

    Raises:
        NotFound: It names an identity that there is none of.
    """
    with db.write() as connection:
        identity, candidate = _living(connection, new)
        known = connection.execute(
            select(*AlertRow.__table__.columns).where(AlertRow.key == new.key)
        ).first()
        if known is not None:
            extended = _extend(connection, known, new, identity, candidate, now_us=now_us)
            return Raised(alert=AlertId(known.id), is_new=False, is_extended=extended)
        number = _insert(connection, new, identity, candidate, now_us=now_us)
        _add_places(connection, number, new)
        append_event(connection, number, AlertEventKind.RAISED, made_by=WATCHER, now_us=now_us)
        queue_all(connection, deliveries, now_us=now_us, alert=number)
    return Raised(alert=number, is_new=True, is_extended=False)


def escalate(
    db: Database, alert: AlertId, *, deliveries: Sequence[NewDelivery], now_us: int
) -> bool:
    """Append `escalated` and queue what is to be sent, once and only while nobody dealt with it.

    Returns:
        Whether it was; False if it is not new any more or was escalated before.

    Raises:
        NotFound: There is no such alert.
    """
    with db.write() as connection:
        if read_alert(connection, alert).state is not AlertState.NEW:
            return False
        before = select(AlertEventRow.id).where(
            AlertEventRow.alert_id == alert, AlertEventRow.kind == AlertEventKind.ESCALATED
        )
        if connection.execute(before).first() is not None:
            return False
        append_event(connection, alert, AlertEventKind.ESCALATED, made_by=WATCHER, now_us=now_us)
        queue_all(connection, deliveries, now_us=now_us, alert=alert)
    return True


def append_event(
    connection: Connection,
    alert: AlertId,
    kind: AlertEventKind,
    *,
    made_by: str,
    reason: str = "",
    now_us: int,
) -> None:
    """Write down what happened to an alert; the caller lets its state follow."""
    values = {
        "alert_id": alert,
        "kind": kind.value,
        "made_by": storable(made_by),
        "reason": storable(reason),
        "made_at_us": now_us,
    }
    connection.execute(INSERT_EVENT, values)


def _insert(
    connection: Connection,
    new: NewAlert,
    identity: IdentityId | None,
    candidate: IdentityId | None,
    *,
    now_us: int,
) -> AlertId:
    values = {
        "key": new.key,
        "rule_name": new.rule,
        "kind": new.kind,
        "severity": new.severity.value,
        "identity_id": identity,
        "candidate_id": candidate,
        "probability": None if new.probability is None else float(new.probability),
        "began_us": int(new.began_us),
        "ended_us": None if new.ended_us is None else int(new.ended_us),
        "sentence": storable(new.sentence),
        "grounds": canonical_json(dict(new.grounds)),
        **_picture_values(connection, new, now_us),
        "state": AlertState.NEW.value,
        "raised_at_us": now_us,
    }
    return AlertId(connection.execute(INSERT_ALERT, values).scalar_one())


def _picture_values(connection: Connection, new: NewAlert, now_us: int) -> dict[str, Any]:
    if new.picture is None or new.picture_camera is None:
        return {"picture": None, "picture_camera_id": None}
    refer_to_evidence(connection, [new.picture], now_us)
    camera = ensure_camera(connection, new.picture_camera)
    return {"picture": new.picture, "picture_camera_id": camera}


def _add_places(connection: Connection, alert: AlertId, new: NewAlert) -> bool:
    """Add cameras and visits that the alert does not name yet; whether there were any."""
    of_alert = AlertCameraRow.alert_id == alert
    known = set(connection.execute(select(AlertCameraRow.camera_id).where(of_alert)).scalars())
    cameras = {ensure_camera(connection, camera) for camera in new.cameras} - known
    for camera in sorted(cameras):
        connection.execute(INSERT_CAMERA, {"alert_id": alert, "camera_id": camera})
    listed = select(AlertSightingRow.sighting_key).where(AlertSightingRow.alert_id == alert)
    visits = set(new.sightings) - set(connection.execute(listed).scalars())
    for key in sorted(visits):
        connection.execute(INSERT_SIGHTING, {"alert_id": alert, "sighting_key": key})
    return bool(cameras or visits)


def _extend(
    connection: Connection,
    known: Row[*tuple[Any, ...]],
    new: NewAlert,
    identity: IdentityId | None,
    candidate: IdentityId | None,
    *,
    now_us: int,
) -> bool:
    if known.sentence == WORDS_ERASED:
        return False
    values: dict[str, Any] = {}
    if new.ended_us is not None and new.ended_us > (known.ended_us or known.began_us - 1):
        values["ended_us"] = int(new.ended_us)
    is_extended = _add_places(connection, AlertId(known.id), new)
    who = {"identity_id": identity, "candidate_id": candidate, "probability": new.probability}
    is_surer = identity is not None or (known.identity_id is None and candidate is not None)
    if is_surer and (identity, candidate) != (known.identity_id, known.candidate_id):
        values |= who
        is_extended = True
    if known.picture is None and new.picture is not None:
        values |= _picture_values(connection, new, now_us)
    if values:
        connection.execute(update(AlertRow).where(AlertRow.id == known.id).values(values))
    if is_extended:
        append_event(
            connection,
            AlertId(known.id),
            AlertEventKind.EXTENDED,
            made_by=WATCHER,
            now_us=now_us,
        )
    return is_extended


def _living(connection: Connection, new: NewAlert) -> tuple[IdentityId | None, IdentityId | None]:
    """Identity and candidate, without those who were erased meanwhile."""
    named = {who for who in (new.identity, new.candidate) if who is not None}
    erased = erased_of(connection, named)
    for who in sorted(named - erased):
        known = select(IdentityRow.id).where(IdentityRow.id == who)
        if connection.execute(known).first() is None:
            raise NotFound(f"nobody is called {person_name(who)}; the alert was not raised")
    return (
        None if new.identity in erased else new.identity,
        None if new.candidate in erased else new.candidate,
    )
