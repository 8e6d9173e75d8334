"""The outbox: what is to be sent, tried again, given up.

Rows are written in the transaction of what they tell of. Sending is at least once: whoever sends
calls `due`, sends, and says how it went; a crash between the two sends again under the same key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from storage.audit import canonical_json, storable
from storage.database import Database
from storage.desk.pages import PAGE, Page, read_page
from storage.desk.types import AlertId, DeliveryId, DeliveryState, Purpose
from storage.exemplars import refer_to_evidence
from storage.schema import DeliveryRow

LONGEST_ANSWER = 2000
"""Characters of a receiver's answer that are kept."""
INSERT_DELIVERY = insert(DeliveryRow).returning(DeliveryRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """Something to be sent.

    Attributes:
        key: The receiver may tell by it that it has this already; queued once.
        channel: Name in the configuration.
        payload: What JSON can hold.
        picture: sha256 of a picture in the evidence store, or None.
        alert: What it is about; `raise_alert` and `escalate` fill it in.
        not_before_us: None for at once.
    """

    key: str
    purpose: Purpose
    channel: str
    payload: Mapping[str, object] = field(default_factory=dict)
    picture: str | None = None
    alert: AlertId | None = None
    not_before_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that was, is or was not to be sent.

    Attributes:
        next_try_us: Not before; of a sent or dead one, when it was last due.
        answer: The receiver's last answer or what failed; None: not tried yet.
    """

    id: DeliveryId
    key: str
    alert: AlertId | None
    purpose: Purpose
    channel: str
    payload: Mapping[str, object]
    picture: str | None
    state: DeliveryState
    n_tries: int
    next_try_us: int
    created_at_us: int
    sent_at_us: int | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """How far sending is.

    Attributes:
        oldest_waiting_us: When the oldest that waits was queued; None if none waits.
        next_try_us: When something is due next; None if nothing waits.
    """

    n_waiting: int
    n_dead: int
    oldest_waiting_us: int | None
    next_try_us: int | None


def queue(db: Database, new: NewDelivery, *, now_us: int) -> DeliveryId:
    """Put something into the outbox; a key that is there already changes nothing.

    Returns:
        Its number, or that of the one with this key.
    """
    with db.write() as connection:
        queue_all(connection, [new], now_us=now_us)
        query = select(DeliveryRow.id).where(DeliveryRow.key == new.key)
        return DeliveryId(connection.execute(query).scalar_one())


def queue_all(
    connection: Connection,
    new: Sequence[NewDelivery],
    *,
    now_us: int,
    alert: AlertId | None = None,
) -> int:
    """`queue` within the caller's transaction; how many keys were new.

    Args:
        alert: What they are about, for those that do not say so themselves.
    """
    n_new = 0
    for each in new:
        known = select(DeliveryRow.id).where(DeliveryRow.key == each.key)
        if connection.execute(known).first() is not None:
            continue
        if each.picture is not None:
            refer_to_evidence(connection, [each.picture], now_us)
        values = {
            "key": each.key,
            "alert_id": each.alert if each.alert is not None else alert,
            "purpose": each.purpose.value,
            "channel": each.channel,
            "payload": canonical_json(dict(each.payload)),
            "picture": each.picture,
            "state": DeliveryState.WAITING.value,
            "n_tries": 0,
            "next_try_us": now_us if each.not_before_us is None else each.not_before_us,
            "created_at_us": now_us,
            "sent_at_us": None,
            "answer": None,
        }
        connection.execute(INSERT_DELIVERY, values)
        n_new += 1
    return n_new


def mark_sent(db: Database, delivery: DeliveryId, *, answer: str, now_us: int) -> bool:
    """The receiver has it; False if it does not wait any more, or is gone with a person."""
    return _mark(db, delivery, answer, state=DeliveryState.SENT.value, sent_at_us=now_us)


def mark_failed(db: Database, delivery: DeliveryId, *, next_try_us: int, answer: str) -> bool:
    """It is to be tried again at `next_try_us`; False as `mark_sent`."""
    return _mark(db, delivery, answer, next_try_us=next_try_us)


def mark_dead(db: Database, delivery: DeliveryId, *, answer: str) -> bool:
    """It is given up, and shown so, until `retry_dead`; False as `mark_sent`."""
    return _mark(db, delivery, answer, state=DeliveryState.DEAD.value)


def retry_dead(
    db: Database,
    *,
    delivery: DeliveryId | None = None,
    channel: str | None = None,
    now_us: int,
) -> int:
    """Try what was given up again, from the first try on; how many.

    Args:
        delivery: Only this one; None for all.
        channel: Only of this channel; None for all.
    """
    again = update(DeliveryRow).where(DeliveryRow.state == DeliveryState.DEAD)
    if delivery is not None:
        again = again.where(DeliveryRow.id == delivery)
    if channel is not None:
        again = again.where(DeliveryRow.channel == channel)
    values = {"state": DeliveryState.WAITING.value, "n_tries": 0, "next_try_us": now_us}
    with db.write() as connection:
        return connection.execute(again.values(values)).rowcount


def deliveries(
    db: Database,
    *,
    state: DeliveryState | None = None,
    channel: str | None = None,
    purpose: Purpose | None = None,
    alert: AlertId | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Delivery]:
    """What was queued, newest first.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    query = select_deliveries()
    if state is not None:
        query = query.where(DeliveryRow.state == state)
    if channel is not None:
        query = query.where(DeliveryRow.channel == channel)
    if purpose is not None:
        query = query.where(DeliveryRow.purpose == purpose)
    if alert is not None:
        query = query.where(DeliveryRow.alert_id == alert)
    with db.read() as connection:
        return read_page(
            connection,
            query,
            DeliveryRow.__table__.c.id,
            lambda rows: [to_delivery(row) for row in rows],
            cursor=cursor,
            limit=limit,
        )


def outbox(db: Database) -> Outbox:
    """How much waits, since when, and how much was given up."""
    query = (
        select(
            DeliveryRow.state,
            func.count().label("n"),
            func.min(DeliveryRow.created_at_us).label("oldest_us"),
            func.min(DeliveryRow.next_try_us).label("next_us"),
        )
        .where(DeliveryRow.state.in_((DeliveryState.WAITING, DeliveryState.DEAD)))
        .group_by(DeliveryRow.state)
    )
    with db.read() as connection:
        found = {row.state: row for row in connection.execute(query)}
    waiting, dead = found.get(DeliveryState.WAITING), found.get(DeliveryState.DEAD)
    return Outbox(
        n_waiting=0 if waiting is None else waiting.n,
        n_dead=0 if dead is None else dead.n,
        oldest_waiting_us=None if waiting is None else waiting.oldest_us,
        next_try_us=None if waiting is None else waiting.next_us,
    )


def _mark(db: Database, delivery: DeliveryId, answer: str, **values: object) -> bool:
    tried = (
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery, DeliveryRow.state == DeliveryState.WAITING)
        .values(n_tries=DeliveryRow.n_tries + 1, answer=storable(answer)[:LONGEST_ANSWER], **values)
    )
    with db.write() as connection:
        return connection.execute(tried).rowcount == 1


def select_deliveries() -> Select[*tuple[Any, ...]]:
    return select(*DeliveryRow.__table__.columns)


def to_delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        key=row.key,
        alert=row.alert_id,
        purpose=Purpose(row.purpose),
        channel=row.channel,
        payload=json.loads(row.payload),
        picture=row.picture,
        state=DeliveryState(row.state),
        n_tries=row.n_tries,
        next_try_us=row.next_try_us,
        created_at_us=row.created_at_us,
        sent_at_us=row.sent_at_us,
        answer=row.answer,
    )
