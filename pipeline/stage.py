"""One thread, one bounded queue: the building block of the watcher."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

_POLL_S = 0.2


class Waiting(Protocol[T]):
    """Where items wait; `queue.Queue` with a limit is one, `pipeline.run.spool` has another."""

    def put(self, item: T, *, timeout: float) -> None:
        """Raises `queue.Full` if there is no room in time."""

    def get(self, *, timeout: float) -> T:
        """Raises `queue.Empty` if nothing comes in time."""

    def qsize(self) -> int:
        """How many wait."""


class Stage(Generic[T]):
    """Calls `work` on every item put, in order, on a thread of its own.

    When there is no room to wait, `put` waits: nothing is dropped here. A failure of `work` stops
    the stage; `put` and `close` then raise it where the owner can act.

    Args:
        name: Of the thread, for logs.
        work: Owns its state; called on this stage's thread only.
        capacity: Items waiting at most.
        waiting: Where they wait, if not in a queue of `capacity`.
        closing: Is set once nothing more will be put.
        idle: Called, on this stage's thread too, each time that nothing came for a moment.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[T], None],
        *,
        capacity: int = 1,
        waiting: Waiting[T] | None = None,
        closing: threading.Event | None = None,
        idle: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._queue: Waiting[T] = queue.Queue(maxsize=capacity) if waiting is None else waiting
        self._closing = closing or threading.Event()
        self._idle = idle
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        if kind is None:
            self._raise_failure()

    @property
    def n_waiting(self) -> int:
        """Items that wait for their turn."""
        return self._queue.qsize()

    def put(self, item: T) -> None:
        """Hand over an item; waits while the queue is full.

        Raises:
            BaseException: What stopped the stage, if it has stopped.
        """
        while True:
            self._raise_failure()
            try:
                return self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _loop(self) -> None:
        try:
            self._work_off()
        except Exception as error:
            logger.debug("stage %s stopped", self._name, exc_info=True)
            self._failure = error

    def _work_off(self) -> None:
        while True:
            was_closing = self._closing.is_set()  # before looking: nothing is put after closing
            try:
                item = self._queue.get(timeout=_POLL_S)
            except queue.Empty:
                if was_closing:
                    return
                if self._idle is not None:
                    self._idle()
                continue
            self._work(item)
