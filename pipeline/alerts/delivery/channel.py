"""What a channel is to whoever sends."""

from __future__ import annotations

import logging
from typing import Protocol

from pipeline.alerts.channels_config import (
    AppriseConfig,
    ChannelConfig,
    EmailConfig,
    MqttConfig,
    WebhookConfig,
)
from pipeline.alerts.delivery.message import Parcel
from pipeline.errors import SendFailed
from streams.clock import Clock

TALKATIVE = ("httpcore", "urllib3")
"""Libraries whose lines hold addresses and headers, which hold passwords."""


class Channel(Protocol):
    """One way out. Used by one thread at a time."""

    def send(self, parcel: Parcel, *, limit_s: float) -> str:
        """Returns when the other side has taken it; the answer in words without secrets.

        Raises:
            SendFailed: Not taken, as far as we know; another try may be.
            SendRefused: Will never be taken.
        """

    def greet(self, *, limit_s: float) -> None:
        """Be seen as there, where the other side shows it; asked for while nothing is to be sent.

        Raises:
            SendFailed: The other side is away.
        """

    def close(self) -> None:
        """Leave in good order; sends nothing any more."""


def open_channel(
    config: ChannelConfig, *, site: str, clock: Clock, is_guest: bool = False
) -> Channel:
    """The channel that `config` describes; nothing is connected yet.

    Args:
        is_guest: For one message beside the one who delivers.

    Raises:
        SendFailed: A file that the configuration names cannot be read.
    """
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        match config:
            case WebhookConfig():
                from pipeline.alerts.delivery.webhook import Webhook

                return Webhook(config, clock=clock)
            case MqttConfig():
                from pipeline.alerts.delivery.mqtt import Mqtt

                return Mqtt(config, site=site, is_guest=is_guest)
            case EmailConfig():
                from pipeline.alerts.delivery.mail import Mail

                return Mail(config)
            case AppriseConfig():
                from pipeline.alerts.delivery.services import Service

                return Service(config, site=site)
    except OSError as error:  # of ca_file; ssl's are OSErrors, too
        raise SendFailed(f"ca_file cannot be read ({type(error).__name__})") from None
