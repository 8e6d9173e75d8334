"""The outbox as a sender sees it: a channel at a time, so that a slow one holds up no other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, update

from storage.database import Database
from storage.desk.deliveries import Delivery, select_deliveries, to_delivery
from storage.desk.types import DeliveryState, Purpose
from storage.schema import DeliveryRow

WAITING = DeliveryRow.state == DeliveryState.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelBox:
    """What the outbox holds for one channel.

    Attributes:
        oldest_waiting_us: When the oldest that waits was queued; None if none waits.
        last_sent_us: When it last took something; None if it never did.
        last_proof_us: When it last took a heartbeat; None if it never did.
        last_answer: What came of the newest that was tried; None if none was.
    """

    channel: str
    n_waiting: int
    n_dead: int
    oldest_waiting_us: int | None
    last_sent_us: int | None
    last_proof_us: int | None
    last_answer: str | None


def due_for(db: Database, channel: str, *, now_us: int, limit: int = 1) -> list[Delivery]:
    """What is to be sent to this channel now, longest due first. Served by ix_delivery_due."""
    query = (
        select_deliveries()
        .where(WAITING, DeliveryRow.next_try_us <= now_us, DeliveryRow.channel == channel)
        .order_by(DeliveryRow.next_try_us, DeliveryRow.id)
        .limit(limit)
    )
    with db.read() as connection:
        return [to_delivery(row) for row in connection.execute(query)]


def strays(db: Database, channels: Collection[str], *, limit: int = 50) -> list[Delivery]:
    """What waits for channels that are not among `channels`, so for nobody."""
    query = (
        select_deliveries()
        .where(WAITING, DeliveryRow.channel.not_in(sorted(channels)))
        .order_by(DeliveryRow.id)
        .limit(limit)
    )
    with db.read() as connection:
        return [to_delivery(row) for row in connection.execute(query)]


def hasten(db: Database, channel: str, *, now_us: int) -> int:
    """Whatever failed before and waits for this channel is due now; how many."""
    sooner = update(DeliveryRow).where(
        WAITING,
        DeliveryRow.channel == channel,
        DeliveryRow.n_tries > 0,
        DeliveryRow.next_try_us > now_us,
    )
    with db.write() as connection:
        return connection.execute(sooner.values(next_try_us=now_us)).rowcount


def n_waiting_of(db: Database, channel: str, purpose: Purpose) -> int:
    """How many of this purpose wait for the channel."""
    query = select(func.count()).where(
        WAITING, DeliveryRow.channel == channel, DeliveryRow.purpose == purpose
    )
    with db.read() as connection:
        return connection.execute(query).scalar_one()


def channel_box(db: Database, channel: str) -> ChannelBox:
    """What the outbox holds for this channel."""
    mine = DeliveryRow.channel == channel
    counts = (
        select(DeliveryRow.state, func.count(), func.min(DeliveryRow.created_at_us))
        .where(mine, DeliveryRow.state != DeliveryState.SENT)
        .group_by(DeliveryRow.state)
    )
    sent = select(DeliveryRow.sent_at_us).where(mine, DeliveryRow.state == DeliveryState.SENT)
    sent = sent.order_by(DeliveryRow.id.desc()).limit(1)
    proof = sent.where(DeliveryRow.purpose == Purpose.HEARTBEAT)
    tried = select(DeliveryRow.answer).where(mine, DeliveryRow.answer.is_not(None))
    with db.read() as connection:
        found = {state: (n, oldest_us) for state, n, oldest_us in connection.execute(counts)}
        n_waiting, oldest_us = found.get(DeliveryState.WAITING, (0, None))
        return ChannelBox(
            channel=channel,
            n_waiting=n_waiting,
            n_dead=found.get(DeliveryState.DEAD, (0, None))[0],
            oldest_waiting_us=oldest_us,
            last_sent_us=connection.execute(sent).scalar(),
            last_proof_us=connection.execute(proof).scalar(),
            last_answer=connection.execute(tried.order_by(DeliveryRow.id.desc()).limit(1)).scalar(),
        )
