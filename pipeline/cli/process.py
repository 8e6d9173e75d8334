"""What verbs have in common that run until they are stopped."""

from __future__ import annotations

import json
import logging
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from rich.logging import RichHandler

from pipeline.cli.output import progress_console

LogForm = Literal["text", "json"]
_USER = re.compile(r"(?<=://)[^\s/?#]*@")
"""`user:password@` of an address, in whatever words."""


class JsonLines(logging.Formatter):
    """One object per line: time, level, logger, message and, of a fault, its trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, ASCII only."""
        time = datetime.fromtimestamp(record.created, UTC)
        values = {
            "time": f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["trace"] = without_users(self.formatException(record.exc_info))
        return json.dumps(values)


def start_logging(level: str, *, form: LogForm = "text") -> None:
    """Lines of the night shift on stderr, from `level` on.

    Addresses in them lose user and password, whoever wrote the line.
    """
    handler: logging.Handler
    if form == "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
    else:
        handler = RichHandler(console=progress_console, show_path=False, log_time_format="%H:%M:%S")
        handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(_hide_users)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("alembic", "faiss", "matplotlib", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def without_users(text: str) -> str:
    """Words without `user:password@` in the addresses that they name.

    >>> without_users("cannot open rtsp://op:p%40ss@gate/1, but http://desk/ answers a@b")
    'cannot open rtsp://gate/1, but http://desk/ answers a@b'
    """
    return _USER.sub("", text)


def _hide_users(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    hidden = without_users(message)
    if hidden != message:
        record.msg, record.args = hidden, None
    return True


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`, so that the process ends in good order."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])  # asked again, it ends at once

    for number in numbers:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
