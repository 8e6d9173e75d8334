"""The test button: one message to one channel, now, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.alerts.channels_config import ChannelConfig
from pipeline.alerts.delivery.channel import open_channel
from pipeline.alerts.delivery.message import Message, Parcel
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.queueing import deliveries_for
from pipeline.alerts.delivery.within import Within
from pipeline.alerts.delivery.worker import GRACE_S
from pipeline.errors import SendFailed, SendRefused
from storage.desk.deliveries import mark_dead, mark_sent, queue
from storage.desk.types import AlertSeverity, DeliveryId, Purpose
from streams.pictures import to_jpeg

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came of a test.

    Attributes:
        answer: The other side's answer, or what failed; without secrets.
    """

    delivery: DeliveryId
    channel: str
    is_delivered: bool
    answer: str
    took_s: float


def send_test(post: Post, config: ChannelConfig, *, made_by: str) -> Tested:
    """Send a test with a picture to one channel at once, beside whoever delivers.

    It is in the list of deliveries like any other, but is never tried again.

    Args:
        made_by: Operator's name, which the receiver is told.
    """
    clock = post.clock
    now_us, began_s = clock.now_us(), clock.monotonic_s()
    message = Message(
        purpose=Purpose.TEST,
        site=post.site,
        sentence=f"This is a test of channel {config.name} by {made_by}; nothing has happened.",
        severity=AlertSeverity.INFO,
        began_us=now_us,
    )
    (new,) = deliveries_for(message, about=f"test/{now_us}", channels=[config.name])
    ours = replace(new, not_before_us=now_us + HOUR_US)  # the deliverer leaves it to us
    number = queue(post.database, ours, now_us=now_us)
    parcel = Parcel(
        key=new.key,
        at_us=now_us,
        message=message,
        picture=_picture(post.site) if config.picture else None,
    )
    try:
        answer = Within[str](f"test {config.name}").call(
            lambda: _send(config, parcel, post), limit_s=config.timeout_s + GRACE_S
        )
        is_delivered = True
        mark_sent(post.database, number, answer=answer, now_us=clock.now_us())
    except (SendFailed, SendRefused) as error:
        answer, is_delivered = str(error), False
        mark_dead(post.database, number, answer=answer)
    return Tested(
        delivery=number,
        channel=config.name,
        is_delivered=is_delivered,
        answer=answer,
        took_s=clock.monotonic_s() - began_s,
    )


def _send(config: ChannelConfig, parcel: Parcel, post: Post) -> str:
    channel = open_channel(config, site=post.site, clock=post.clock, is_guest=True)
    try:
        return channel.send(parcel, limit_s=config.timeout_s)
    finally:
        channel.close()


def _picture(site: str) -> bytes:
    """A JPEG that nobody takes for a camera's."""
    pixels = np.full((180, 320, 3), 40, np.uint8)
    name = site.encode("ascii", "replace").decode()
    for line, words in enumerate(("Noctule", "test picture", name)):
        place = (16, 60 + 36 * line)
        cv2.putText(pixels, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (230, 230, 230), 1)
    return to_jpeg(pixels)
