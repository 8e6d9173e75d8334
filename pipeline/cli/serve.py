"""noctule serve: pages and API of a site."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from pipeline.api.config import FrontDeskConfig
from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, read_config
from pipeline.cli.output import print_line
from pipeline.cli.process import start_logging, stopped_by_signals
from pipeline.cli.watcher_process import WatcherProcess
from pipeline.config import SiteConfig
from storage.database import open_database
from streams.clock import SystemClock

logger = logging.getLogger(__name__)


def serve(
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Also watch the cameras, in a process of its own."),
    ] = False,
    host: Annotated[str | None, typer.Option("--host", help="Instead of front_desk.host.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Instead of front_desk.port; 0: a free one."),
    ] = None,
    warm: Annotated[
        bool,
        typer.Option(
            help="Load what searching by picture needs right after the start: a gigabyte of memory."
        ),
    ] = True,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Serve pages and API, until Ctrl-C. The first start prints a one-time password.

    Example: noctule serve --watch --port 8420
    """
    site = read_config(config)
    given = {"host": host, "port": port}
    desk = site.front_desk.model_copy(update={n: v for n, v in given.items() if v is not None})
    start_logging(site.log_level, form=site.log_format)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    _serve(site.model_copy(update={"front_desk": desk}), config, watch=watch, warm=warm)


def _serve(site: SiteConfig, file: Path, *, watch: bool, warm: bool) -> None:
    from pipeline.api.app import make_app  # the web takes its time: not for --help
    from pipeline.api.server import FIRST_NAME, Server, first_password, listen
    from pipeline.run.delivering import Delivering

    storage = site.storage
    with ExitStack() as stack:
        # uvicorn stops at a signal and then sends it again: else SIGTERM would end us right there.
        stack.enter_context(stopped_by_signals(threading.Event()))
        listening = listen(site.front_desk)
        stack.callback(listening.close)
        database = stack.enter_context(
            open_database(
                storage.database.get_secret_value(), create=True, connections=storage.connections
            )
        )
        app = make_app(site, database, SystemClock(), has_watcher=watch)
        password = first_password(app.state.desk)

        def say(port: int) -> None:
            print_line(f"Open {address(site.front_desk, port)}")
            if password is not None:
                print_line(f"Sign in as {FIRST_NAME} with the one-time password {password}")
            _warn(site.front_desk)
            if warm:
                app.state.desk.searcher.warm_up()

        stack.enter_context(Delivering(site, database, clock=SystemClock()))
        if watch:
            is_quiet = site.log_format == "json"
            stack.enter_context(WatcherProcess(file, files=[site.cameras_file], is_quiet=is_quiet))
        Server(app, site.front_desk, on_ready=say).run(sockets=[listening])


def address(config: FrontDeskConfig, port: int) -> str:
    """Where a browser finds it.

    >>> address(FrontDeskConfig(host="0.0.0.0"), 80)
    'http://localhost:80'
    """
    if config.public_url is not None:
        return config.public_url
    host = "localhost" if config.host in ("0.0.0.0", "::", "127.0.0.1", "::1") else config.host
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if config.has_tls else 'http'}://{host}:{port}"


def _warn(config: FrontDeskConfig) -> None:
    if config.has_tls or config.trusted_proxies or _is_local(config.host):
        return
    logger.warning(
        "passwords travel readable over the network: set front_desk.tls_certificate and tls_key, "
        "or listen on 127.0.0.1 behind a proxy that speaks TLS"
    )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
