"""Serving the application over HTTP, until somebody says stop."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from pipeline.api.config import FrontDeskConfig
from pipeline.api.desk import Desk
from pipeline.api.passwords import one_time_password
from pipeline.errors import UsageInvalid
from storage.desk.accounts import create_first_account

FIRST_NAME = "admin"
_MADE_BY = "noctule serve"
_GRACE_S = 3
_KEEP_ALIVE_S = 30
_WAITING = 512


class Server(uvicorn.Server):
    """Serves; live pictures and events end as soon as it is told to stop.

    Args:
        app: Of `make_app`.
        on_ready: Called once it listens, with the port.
    """

    def __init__(
        self, app: FastAPI, config: FrontDeskConfig, *, on_ready: Callable[[int], None]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=config.host,
                port=config.port,
                ssl_certfile=config.tls_certificate,
                ssl_keyfile=config.tls_key,
                proxy_headers=False,  # believed by `make_app`, from trusted proxies only
                server_header=False,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_GRACE_S,
                timeout_keep_alive=_KEEP_ALIVE_S,
                ws="none",
            )
        )
        self._desk: Desk = app.state.desk
        self._on_ready = on_ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT and SIGTERM; SIGINT twice ends it at once."""
        self._desk.is_closing.set()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """End soon; from any thread."""
        self._desk.is_closing.set()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready(sockets[0].getsockname()[1] if sockets else self.config.port)


def listen(config: FrontDeskConfig) -> socket.socket:
    """A socket that listens where the configuration says.

    Raises:
        UsageInvalid: Somebody else listens there, or the address is not ours, or a file of TLS
            cannot be read.
    """
    _refuse_bad_tls(config)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        raise UsageInvalid(
            f"front_desk: cannot listen on {config.host}:{config.port} ({error.strerror}); free "
            "the port, or set front_desk.port"
        ) from error
    return listening


def _refuse_bad_tls(config: FrontDeskConfig) -> None:
    """Say what is wrong with the files of TLS, before anything else is begun."""
    if config.tls_certificate is None or config.tls_key is None:
        return
    for file, what in ((config.tls_certificate, "tls_certificate"), (config.tls_key, "tls_key")):
        if not file.is_file():
            raise UsageInvalid(f"front_desk.{what}: {file} is no file; expected one of PEM")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:  # nobody is asked for a passphrase: no terminal may be there
        context.load_cert_chain(config.tls_certificate, config.tls_key, password=lambda: "")
    except OSError as error:
        why = str(getattr(error, "reason", None) or error.strerror or error)
        raise UsageInvalid(
            f"front_desk: {config.tls_certificate} and {config.tls_key} cannot be used together "
            f"({why.replace('_', ' ').lower()}); expected PEM of a certificate with its chain, and "
            "of its own key without a passphrase"
        ) from None


def first_password(desk: Desk) -> str | None:
    """Make the account `admin` where there is none at all yet; its one-time password."""
    password = one_time_password()
    made = create_first_account(
        desk.database,
        FIRST_NAME,
        password_hash=desk.passwords.hash(password),
        by=_MADE_BY,
        now_us=desk.clock.now_us(),
    )
    return None if made is None else password
