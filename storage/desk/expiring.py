"""What the front desk keeps no longer: alerts, deliveries, sessions, names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, or_, select

from storage.desk.interest import delete_interests, ended_interests
from storage.desk.types import DeliveryState
from storage.holds import held_alerts, held_sightings
from storage.retention_config import RetentionConfig
from storage.schema import (
    AlertCameraRow,
    AlertEventRow,
    AlertRow,
    AlertSightingRow,
    ApiTokenRow,
    DeliveryRow,
    IdentityNameRow,
    LinkEventRow,
    SessionRow,
    SightingRow,
)


def old_alerts(connection: Connection, before_us: int) -> Select[int]:
    """Alerts that ended before, oldest first, without held ones. Served by ix_alert_of_span."""
    query = (
        select(AlertRow.id)
        .where(
            AlertRow.began_us < before_us,
            or_(AlertRow.ended_us.is_(None), AlertRow.ended_us < before_us),
        )
        .order_by(AlertRow.began_us, AlertRow.id)
    )
    held = held_alerts(connection)
    return query if held is None else query.where(AlertRow.id.not_in(held))


def old_deliveries(_connection: Connection, before_us: int) -> Select[int]:
    """What was queued before and does not wait any more."""
    return (
        select(DeliveryRow.id)
        .where(DeliveryRow.state != DeliveryState.WAITING, DeliveryRow.created_at_us < before_us)
        .order_by(DeliveryRow.id)
    )


def old_sessions(_connection: Connection, before_us: int) -> Select[int]:
    """Sessions that ended before."""
    return select(SessionRow.id).where(SessionRow.expires_at_us < before_us).order_by(SessionRow.id)


def old_tokens(_connection: Connection, before_us: int) -> Select[int]:
    """Tokens that ended or were taken back before."""
    ended = or_(ApiTokenRow.expires_at_us < before_us, ApiTokenRow.revoked_at_us < before_us)
    return select(ApiTokenRow.id).where(ended).order_by(ApiTokenRow.id)


def old_names(connection: Connection, before_us: int) -> Select[int]:
    """Names given before to persons who have no sightings, held ones left out."""
    query = (
        select(IdentityNameRow.id)
        .where(
            IdentityNameRow.made_at_us < before_us,
            ~exists().where(SightingRow.identity_id == IdentityNameRow.identity_id),
        )
        .order_by(IdentityNameRow.id)
    )
    held = held_sightings(connection)
    if held is None:
        return query
    said = select(LinkEventRow.identity_id).where(
        LinkEventRow.sighting_id.in_(held), LinkEventRow.identity_id.is_not(None)
    )
    return query.where(IdentityNameRow.identity_id.not_in(said))


def delete_alerts(connection: Connection, alerts: Sequence[int]) -> set[str]:
    """Delete them with all that hangs on them; the pictures that they referred to."""
    pictures: set[str] = set()
    owned: tuple[tuple[Any, Any], ...] = (
        (AlertRow.picture, AlertRow.id),
        (DeliveryRow.picture, DeliveryRow.alert_id),
    )
    for column, owner in owned:
        query = select(column).where(owner.in_(alerts), column.is_not(None))
        pictures |= set(connection.execute(query).scalars())
    hang_on: tuple[Any, ...] = (DeliveryRow, AlertEventRow, AlertSightingRow, AlertCameraRow)
    for table in hang_on:
        connection.execute(delete(table).where(table.alert_id.in_(alerts)))
    connection.execute(delete(AlertRow).where(AlertRow.id.in_(alerts)))
    return pictures


def delete_deliveries(connection: Connection, deliveries: Sequence[int]) -> set[str]:
    """Delete them; the pictures that they referred to."""
    of_these = DeliveryRow.id.in_(deliveries)
    query = select(DeliveryRow.picture).where(of_these, DeliveryRow.picture.is_not(None))
    pictures = {str(sha256) for sha256 in connection.execute(query).scalars()}
    connection.execute(delete(DeliveryRow).where(of_these))
    return pictures


def _rows_of(table: Any) -> Callable[[Connection, Sequence[int]], set[str]]:
    """Deletes rows that refer to no picture."""

    def delete_rows(connection: Connection, numbers: Sequence[int]) -> set[str]:
        connection.execute(delete(table).where(table.id.in_(numbers)))
        return set()

    return delete_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of thing that expires.

    Attributes:
        counted: What its number is called in `Expired`.
        days: How long it is kept; None: for ever.
        old: Numbers of what is older than a time, oldest first.
        delete: Deletes what has these numbers; the pictures that it referred to.
    """

    counted: str
    days: Callable[[RetentionConfig], float | None]
    old: Callable[[Connection, int], Select[int]]
    delete: Callable[[Connection, Sequence[int]], set[str]]


STEPS = (
    Step(
        counted="n_alerts",
        days=lambda config: config.alerts_days,
        old=old_alerts,
        delete=delete_alerts,
    ),
    Step(
        counted="n_deliveries",
        days=lambda config: config.deliveries_days,
        old=old_deliveries,
        delete=delete_deliveries,
    ),
    Step(
        counted="n_interests",
        days=lambda config: config.interests_days,
        old=ended_interests,
        delete=delete_interests,
    ),
    Step(
        counted="n_sessions",
        days=lambda config: config.sessions_days,
        old=old_sessions,
        delete=_rows_of(SessionRow),
    ),
    Step(
        counted="n_sessions",
        days=lambda config: config.sessions_days,
        old=old_tokens,
        delete=_rows_of(ApiTokenRow),
    ),
    Step(
        counted="n_names",
        days=lambda config: config.sightings_days,
        old=old_names,
        delete=_rows_of(IdentityNameRow),
    ),
)
