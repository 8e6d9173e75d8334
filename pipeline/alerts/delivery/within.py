"""A call that may hang, waited for only so long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.errors import SendFailed
from streams.errors import NoctuleError

T = TypeVar("T")


class Within(Generic[T]):
    """Makes one call at a time, each on a thread of its own, and stops waiting at a limit.

    A name server, a library or a server that drips can hang beyond its own limits. The call goes
    on alone then; until it has ended no other is made.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: Future[T] | None = None

    def call(self, work: Callable[[], T], *, limit_s: float) -> T:
        """What `work` returns.

        Raises:
            SendFailed: It took too long, the one before still does, or it failed by a fault.
            NoctuleError: What it raised.
        """
        if self._last is not None and not self._last.done():
            raise SendFailed("an earlier try still hangs; this one was not made")
        future: Future[T] = Future()
        self._last = future

        def run() -> None:
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 - a library's fault must not end the channel
                future.set_exception(error)

        threading.Thread(target=run, name=self._name, daemon=True).start()
        try:
            error = future.exception(timeout=limit_s)
        except TimeoutError:
            raise SendFailed(f"no answer within {limit_s:.0f} s") from None
        if error is None or isinstance(error, NoctuleError):
            return future.result()
        raise SendFailed(_fault(error)) from None


def _fault(error: BaseException) -> str:
    """Where a library failed; what it says itself may hold an address or a password."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"a fault in sending ({type(error).__name__}{place}); please report it"
