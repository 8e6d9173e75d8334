"""Few at a time, some wait, the rest are sent away: who waits holds one of the server's threads.

All who answer share about forty threads, so what takes long must never be waited for by all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.api.errors import Busy


class Turns:
    """A queue of bounded length; threads may share it.

    Args:
        at_once: How many are served at a time.
        waiting: How many may wait beside them.
        wait_s: How long they wait at most.
        words: What is told to who is sent away, with advice.
    """

    def __init__(self, *, at_once: int, waiting: int, wait_s: float, words: str) -> None:
        self._turn = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._wait_s = wait_s
        self._words = words

    @contextmanager
    def take(self) -> Iterator[None]:
        """Be served.

        Raises:
            Busy: Too many wait, or it took too long.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(self._words)
        try:
            if not self._turn.acquire(timeout=self._wait_s):
                raise Busy(self._words)
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()
