"""Real RTSP cameras for tests: `with RtspServer({"gate": film}) as server: server.url("gate")`."""

from __future__ import annotations

import signal
from typing import Self

import pytest

from simulator import rtsp
from simulator.rtsp import why_no_server

__all__ = ["RtspServer", "why_no_server"]


class RtspServer(rtsp.RtspServer):
    """The simulator's server, with the faults that cameras have.

    Skips the test where gst-rtsp-server is not installed.
    """

    def __enter__(self) -> Self:
        missing = why_no_server()
        if missing:
            pytest.skip(missing)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def freeze(self) -> None:
        """Keep connections open and send nothing, as a hung camera does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
