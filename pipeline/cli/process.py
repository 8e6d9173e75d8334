"""What verbs have in common that run until they are stopped."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.logging import RichHandler

from pipeline.cli.output import progress_console


def start_logging(level: str) -> None:
    """Lines of the night shift on stderr, from `level` on."""
    handler = RichHandler(console=progress_console, show_path=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=level.upper(), handlers=[handler], format="%(message)s", force=True)
    for chatty in ("alembic", "faiss", "matplotlib", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


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
