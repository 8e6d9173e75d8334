"""The services that apprise knows, one address each.

apprise makes its own connections: their destination is checked just before, not pinned, and the
services get no idempotency key but the one in the text.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

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


_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""Statuses that services answered; apprise's threads inherit it from ours."""


class _Hush(logging.Filter):
    """Keeps apprise's lines out of every log, and picks the status out of them.

    Its lines hold addresses, which hold passwords.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        found = _STATUS.search(record.getMessage())
        heard = _heard.get()
        if found and heard is not None:
            heard.append(found[1])
        return False


_HUSH = _Hush()


class Service:
    """Sends to one service."""

    def __init__(self, config: AppriseConfig, *, site: str) -> None:
        self._config = config
        self._asset = apprise.AppriseAsset(
            app_id="Noctule", app_desc=site, http_redirects=False, secure_logging=True
        )
        apprise.logger.addFilter(_HUSH)

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
            attached = AttachMemory(  # type: ignore[no-untyped-call]
                content=parcel.picture, name="alert.jpg", mimetype="image/jpeg"
            )
        statuses: list[str] = []
        _heard.set(statuses)
        done = sender.notify(
            body=parcel.text(),
            title=parcel.subject(),
            notify_type=_LEVEL[parcel.message.severity],
            body_format="text",
            attach=attached,
        )
        if not done:
            raise SendFailed(
                f"the service answered with status {statuses[-1]}"
                if statuses
                else "the service cannot be reached or refused the message"
            )
        return "taken by the service"

    def greet(self, *, limit_s: float) -> None:
        """Nobody shows whether we are there."""

    def close(self) -> None:
        """Nothing stays open between two messages."""

    def _refuse_inside(self, service: apprise.NotifyBase) -> None:
        """Services with a host of the operator's choice must not lead inside."""
        tokens = type(service).template_tokens
        if service.host and "host" in tokens:
            allowed_addresses(
                service.host, service.port or 443, allow_private=self._config.allow_private
            )
