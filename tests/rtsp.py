"""Real RTSP cameras for tests: `with RtspServer({"gate": film}) as server: server.url("gate")`."""

from __future__ import annotations

import functools
import json
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")


@functools.cache
def why_no_server() -> str | None:
    """Why no RTSP server can be started on this machine, or None if one can."""
    needed = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import GstRtspServer, Gst; Gst.init(None); "
        "assert all(Gst.ElementFactory.find(e) for e in ('qtdemux', 'h264parse', 'rtph264pay'))"
    )
    try:
        done = subprocess.run(
            [SYSTEM_PYTHON, "-c", needed], capture_output=True, timeout=60, check=False
        )
    except OSError:
        return f"{SYSTEM_PYTHON} is missing"
    return None if done.returncode == 0 else "gst-rtsp-server is not installed (see the Makefile)"


class RtspServer:
    """A server in a process of its own; each feed plays a video file in a loop.

    Skips the test where gst-rtsp-server is not installed.

    Args:
        feeds: Path on the server -> MP4 file with H.264, H.265 or MJPEG.
        user: Asked for when given, with `password`, by digest or basic authentication.
        protocols: Any of "tcp" and "udp".
    """

    def __init__(
        self,
        feeds: Mapping[str, Path],
        *,
        user: str = "",
        password: str = "",
        digest: bool = True,
        protocols: Sequence[str] = ("tcp", "udp"),
    ) -> None:
        self._settings: dict[str, object] = {
            "feeds": {name: str(path) for name, path in feeds.items()},
            "user": user,
            "password": password,
            "digest": digest,
            "protocols": list(protocols),
        }
        self._userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        missing = why_no_server()
        if missing:
            pytest.skip(missing)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def url(self, feed: str) -> str:
        """The address of a feed, with user and password percent-encoded."""
        return f"rtsp://{self._userinfo}127.0.0.1:{self.port}/{feed}"

    def start(self) -> None:
        """Serve; after a `kill` at the same port as before."""
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("the RTSP server has no pipes")
        self._process.stdin.write(json.dumps({**self._settings, "port": self.port}) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline() if ready else "(nothing within 60 s)"
        if not line.startswith("READY "):
            self.kill()
            raise OSError(f"the RTSP server did not come up: {line!r}")
        self.port = int(line.split()[1])

    def kill(self) -> None:
        """End the server without a goodbye, as when a camera loses power."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None

    def freeze(self) -> None:
        """Keep connections open and send nothing, as a hung camera does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
