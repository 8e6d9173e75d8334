"""From one message to what the outbox holds for each channel."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.alerts.delivery.message import Message, delivery_key
from storage.desk.deliveries import NewDelivery


def deliveries_for(
    message: Message, *, about: str, channels: Iterable[str], picture: str | None = None
) -> list[NewDelivery]:
    """One delivery per channel, for `raise_alert`, `escalate` or `queue`.

    Args:
        about: Key of the alert, or of whatever else is told; with the purpose and the channel it
            makes the idempotency key, so the same is queued once.
        picture: sha256 of a picture in the evidence store, or None.
    """
    return [
        NewDelivery(
            key=delivery_key(about, message.purpose.value, channel),
            purpose=message.purpose,
            channel=channel,
            payload=message.to_payload(),
            picture=picture,
        )
        for channel in dict.fromkeys(channels)
    ]
