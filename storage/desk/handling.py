"""What operators do with an alert: deal with it, or take that back. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select, update

from storage.database import Database
from storage.desk.alerts import Alert, alert_name, read_alert, state_after
from storage.desk.raising import append_event
from storage.desk.types import AlertEventKind, AlertId, AlertState
from storage.errors import DeskRefused
from storage.schema import AlertEventRow, AlertRow

ALLOWED_FROM: Mapping[AlertEventKind, Collection[AlertState]] = {
    AlertEventKind.ACKNOWLEDGED: {AlertState.NEW},
    AlertEventKind.RESOLVED: {AlertState.NEW, AlertState.ACKNOWLEDGED},
    AlertEventKind.FALSE_ALARM: {AlertState.NEW, AlertState.ACKNOWLEDGED, AlertState.RESOLVED},
    AlertEventKind.UNDONE: set(AlertState) - {AlertState.NEW},
    AlertEventKind.NOTE: set(AlertState),
}


def acknowledge(
    db: Database, number: AlertId, *, made_by: str, reason: str = "", now_us: int
) -> Alert:
    """Somebody saw it.

    Raises:
        NotFound: There is no such alert.
        DeskRefused: Somebody dealt with it before.
    """
    return _append(db, number, AlertEventKind.ACKNOWLEDGED, made_by, reason, now_us)


def resolve(db: Database, number: AlertId, *, made_by: str, reason: str = "", now_us: int) -> Alert:
    """It is dealt with. Raises as `acknowledge`."""
    return _append(db, number, AlertEventKind.RESOLVED, made_by, reason, now_us)


def false_alarm(
    db: Database, number: AlertId, *, made_by: str, reason: str = "", now_us: int
) -> Alert:
    """It should not have been raised. Raises as `acknowledge`."""
    return _append(db, number, AlertEventKind.FALSE_ALARM, made_by, reason, now_us)


def undo(db: Database, number: AlertId, *, made_by: str, reason: str = "", now_us: int) -> Alert:
    """Back to the state before the last change. Raises as `acknowledge`."""
    return _append(db, number, AlertEventKind.UNDONE, made_by, reason, now_us)


def note(db: Database, number: AlertId, *, made_by: str, reason: str, now_us: int) -> Alert:
    """Words for whoever reads its history.

    Raises:
        NotFound: There is no such alert.
    """
    if not reason:
        raise ValueError("reason: expected words, got none")
    return _append(db, number, AlertEventKind.NOTE, made_by, reason, now_us)


def _append(
    db: Database, number: AlertId, kind: AlertEventKind, made_by: str, reason: str, now_us: int
) -> Alert:
    if not made_by:
        raise ValueError("made_by: expected an operator's name, got none")
    events = select(AlertEventRow.kind).where(AlertEventRow.alert_id == number)
    with db.write() as connection:
        found = read_alert(connection, number)
        if found.state not in ALLOWED_FROM[kind]:
            raise DeskRefused(_refusal(found, kind))
        append_event(connection, number, kind, made_by=made_by, reason=reason, now_us=now_us)
        kinds = connection.execute(events.order_by(AlertEventRow.id)).scalars()
        state = state_after(map(AlertEventKind, kinds))
        connection.execute(update(AlertRow).where(AlertRow.id == number).values(state=state.value))
        return read_alert(connection, number)


def _refusal(found: Alert, kind: AlertEventKind) -> str:
    name = alert_name(found.id)
    if kind is AlertEventKind.UNDONE:
        return f"{name} is new: there is nothing to undo"
    return f"{name} is {found.state} already, so it cannot become {kind}; undo that first"
