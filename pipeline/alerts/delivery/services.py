"""The services that apprise knows, one address each.

apprise makes its own connections: their destination is checked just before, not pinned, and the
services get no idempotency key but the one in the text.
"""

from __future__ import annotations

import logging
import re

import apprise
from apprise.attachment.memory import AttachMemory

from pipeline.alerts.channels_config import AppriseConfig
from pipeline.alerts.delivery.destination import allowed_addresses
from pipeline.alerts.delivery.message import Parcel
from pipeline.errors import SendFailed, SendRefused
from storage.desk.types import AlertSeverity

_STATUS = re.compile(r"\berror=(\d{3})\b")
_LEVEL = {
    AlertSeverity.INFO: apprise.NotifyType.INFO,
    AlertSeverity.WARNING: apprise.NotifyType.WARNING,
    AlertSeverity.CRITICAL: apprise.NotifyType.FAILURE,
}
_TALKATIVE = ("apprise", "urllib3")
"""Their lines hold addresses, which hold passwords."""


class Service:
    """Sends to one service."""

    def __init__(self, config: AppriseConfig, *, site: str) -> None:
        self._config = config
        for name in _TALKATIVE:
            logging.getLogger(name).propagate = False
        asset = apprise.AppriseAsset(
            app_id="Noctule", app_desc=site, http_redirects=False, secure_logging=True
        )
        self._asset = asset

    def send(self, parcel: Parcel, *, limit_s: float) -> str:
        """Hand it to the service.

        Raises:
            SendFailed: It did not take it.
            SendRefused: apprise knows no such service.
        """
        service = apprise.Apprise.instantiate(
            self._config.url.get_secret_value(), asset=self._asset
        )
        if service is None:
            raise SendRefused("apprise cannot read the address; see its list of services")
        self._refuse_inside(service)
        service.redirects = False  # whatever the address says
        service.socket_connect_timeout = service.socket_read_timeout = limit_s / 2
        sender = apprise.Apprise(asset=self._asset)
        sender.add(service)
        attached = None
        if parcel.picture is not None and service.attachment_support:
            attached = AttachMemory(content=parcel.picture, name="alert.jpg", mimetype="image/jpeg")
        said: list[str] = []
        done = sender.notify(
            body=parcel.text(),
            title=parcel.subject(),
            notify_type=_LEVEL[parcel.message.severity],
            body_format="text",
            attach=attached,
            log_callback=lambda entry, _: said.append(entry.message),
        )
        if not done:
            raise SendFailed(_why(said))
        return "taken by the service"

    def close(self) -> None:
        """Nothing stays open between two messages."""

    def _refuse_inside(self, service: apprise.NotifyBase) -> None:
        """Services with a host of the operator's choice must not lead inside."""
        tokens = type(service).template_tokens
        if service.host and "host" in tokens:
            allowed_addresses(
                service.host, service.port or 443, allow_private=self._config.allow_private
            )


def _why(said: list[str]) -> str:
    """The status that the service answered; its words, and apprise's, may hold secrets."""
    for line in said:
        found = _STATUS.search(line)
        if found:
            return f"the service answered with status {found[1]}"
    return "the service cannot be reached or refused the message"
