"""By which names the front desk may be asked.

A page of somebody else can point its own name at our address (DNS rebinding); to the browser we are
then that page's server. So a browser must ask by an address, by a name of this machine, or by the
name in `front_desk.public_url`. Who shows a token is no such page.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.api.config import FrontDeskConfig
from pipeline.api.errors import answer_error
from pipeline.api.routing import PREFIX

_OPEN = {f"{PREFIX}/health", f"{PREFIX}/ready"}
"""Asked by machines, under whatever name they have for us."""


class KnownHosts:
    """Answers 421 to questions under a name that is not ours."""

    def __init__(self, app: ASGIApp, *, config: FrontDeskConfig) -> None:
        self._app = app
        self._names = {"localhost", config.host.lower(), socket.gethostname().lower()}
        if config.public_url is not None:
            self._names.add(str(urlsplit(config.public_url).hostname))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(scope):
            refusal = answer_error(
                421,
                "unknown_host",
                "the front desk is not known under this name",
                "ask by its address, or set front_desk.public_url to the name that browsers use",
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        if scope["path"] in _OPEN or b"authorization" in headers:
            return True
        asked = headers.get(b"host", b"").decode("latin-1")
        try:
            name = urlsplit(f"//{asked}").hostname or ""
        except ValueError:
            return False
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
