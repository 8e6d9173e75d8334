"""What was sent to channels, what was not, and the test button."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.testing import send_test
from pipeline.api.answers import Answer, Page
from pipeline.api.desk import DeskOf
from pipeline.api.errors import Absent, Conflicting
from pipeline.api.paging import LimitQuery, TextCursorQuery
from pipeline.api.routing import Routes
from pipeline.api.times import iso_or_none
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import NumberPath
from storage.desk.alerts import alert_name
from storage.desk.deliveries import Delivery, deliveries, outbox, retry_dead
from storage.desk.types import DeliveryId, DeliveryState, Purpose, Role
from streams.moments import iso_time

routes = Routes("deliveries")
ChannelQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
ChannelPath = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f/]+$")]


class DeliveryAnswer(Answer):
    """Something that was to be sent."""

    delivery: int
    key: str = Field(description="The same key is the same news.")
    channel: str
    purpose: Purpose
    alert: str | None
    state: DeliveryState = Field(description="dead: given up, until it is tried again.")
    n_tries: int
    queued_at: str
    queued_at_us: int
    next_try: str
    next_try_us: int
    sent_at: str | None
    sent_at_us: int | None
    answer: str | None = Field(description="The receiver's last answer, or what failed.")


class ChannelAnswer(Answer):
    """Where alerts are sent to; addresses and secrets are not told."""

    channel: str
    kind: str = Field(examples=["webhook"])


class ChannelsAnswer(Answer):
    """All channels, and what waits for them."""

    items: list[ChannelAnswer]
    n_waiting: int
    n_dead: int
    oldest_waiting: str | None
    oldest_waiting_us: int | None


class TestedAnswer(Answer):
    """What came of a test."""

    channel: str
    is_delivered: bool
    answer: str
    took_s: float


class Retried(Answer):
    """How many are tried again."""

    n_retried: int


@routes.get("/channels", least=Role.ADMIN, needs_all=True)
def list_channels(desk: DeskOf) -> ChannelsAnswer:
    """All channels of the configuration, and what waits for them."""
    box = outbox(desk.database)
    return ChannelsAnswer(
        items=[
            ChannelAnswer(channel=channel.name, kind=str(channel.kind))
            for channel in desk.config.alerts.channels
        ],
        n_waiting=box.n_waiting,
        n_dead=box.n_dead,
        oldest_waiting=iso_or_none(box.oldest_waiting_us),
        oldest_waiting_us=box.oldest_waiting_us,
    )


@routes.post("/channels/{channel}/test", least=Role.ADMIN, needs_all=True)
def test_channel(channel: ChannelPath, visitor: VisitorOf, desk: DeskOf) -> TestedAnswer:
    """Send a test to a channel now, and say what came of it."""
    chosen = next((each for each in desk.config.alerts.channels if each.name == channel), None)
    if chosen is None:
        raise Absent(f"no channel is called {channel!r}; /api/v1/channels lists all")
    desk.viewings.write_down(visitor, "channel test", channel, at_us=desk.clock.now_us())
    post = Post(
        database=desk.database,
        evidence=desk.evidence,
        site=desk.config.site,
        clock=desk.clock,
        public_url=desk.config.front_desk.public_url,
    )
    tested = send_test(post, chosen, made_by=visitor.name)
    return TestedAnswer(
        channel=tested.channel,
        is_delivered=tested.is_delivered,
        answer=tested.answer,
        took_s=tested.took_s,
    )


@routes.get("/deliveries", least=Role.ADMIN, needs_all=True)
def list_deliveries(
    desk: DeskOf,
    state: DeliveryState | None = None,
    channel: ChannelQuery = None,
    purpose: Purpose | None = None,
    cursor: TextCursorQuery = None,
    limit: LimitQuery = 50,
) -> Page[DeliveryAnswer]:
    """What was to be sent, newest first; `state=dead` is what was given up."""
    found = deliveries(
        desk.database,
        state=state,
        channel=channel or None,
        purpose=purpose,
        cursor=cursor,
        limit=limit,
    )
    return Page(items=[_to_delivery(each) for each in found.items], next=found.next)


@routes.post("/deliveries/{delivery}/retry", least=Role.ADMIN, needs_all=True)
def retry_one(delivery: NumberPath, visitor: VisitorOf, desk: DeskOf) -> Retried:
    """Try again what was given up."""
    now_us = desk.clock.now_us()
    desk.viewings.write_down(visitor, "delivery retry", str(delivery), at_us=now_us)
    n_retried = retry_dead(desk.database, delivery=DeliveryId(delivery), now_us=now_us)
    if not n_retried:
        raise Conflicting(f"delivery {delivery} is not dead; /api/v1/deliveries tells more")
    return Retried(n_retried=n_retried)


@routes.post("/channels/{channel}/retry", least=Role.ADMIN, needs_all=True)
def retry_channel(channel: ChannelPath, visitor: VisitorOf, desk: DeskOf) -> Retried:
    """Try again all that was given up for a channel."""
    now_us = desk.clock.now_us()
    desk.viewings.write_down(visitor, "delivery retry", channel, at_us=now_us)
    return Retried(n_retried=retry_dead(desk.database, channel=channel, now_us=now_us))


def _to_delivery(found: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(
        delivery=found.id,
        key=found.key,
        channel=found.channel,
        purpose=found.purpose,
        alert=None if found.alert is None else alert_name(found.alert),
        state=found.state,
        n_tries=found.n_tries,
        queued_at=iso_time(found.created_at_us),
        queued_at_us=found.created_at_us,
        next_try=iso_time(found.next_try_us),
        next_try_us=found.next_try_us,
        sent_at=iso_or_none(found.sent_at_us),
        sent_at_us=found.sent_at_us,
        answer=found.answer,
    )
