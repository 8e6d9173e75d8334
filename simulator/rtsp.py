"""Video files as RTSP cameras: `with RtspServer({"gate": film}) as server: server.url("gate")`."""

from __future__ import annotations

import contextlib
import functools
import json
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

from streams.errors import Permanent

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0 gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-rtsp python3-gi"
)
"""What Debian and Ubuntu call the parts that the server is made of."""
_STARTS_WITHIN_S = 60
_ENDS_WITHIN_S = 5


class ServerUnavailable(Permanent):
    """No RTSP server can be started here, or not at this address."""


@functools.cache
def why_no_server() -> str | None:
    """Why no RTSP server can be started on this machine and what to do, or None if one can."""
    needed = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); "
        "gi.require_version('GstPbutils', '1.0'); "
        "from gi.repository import GstPbutils, GstRtspServer, Gst; Gst.init(None); "
        "assert all(Gst.ElementFactory.find(e) for e in ('qtdemux', 'h264parse', 'rtph264pay'))"
    )
    try:
        done = subprocess.run(
            [SYSTEM_PYTHON, "-c", needed], capture_output=True, timeout=60, check=False
        )
    except OSError:
        return f"{SYSTEM_PYTHON} is missing; run: apt-get install python3 {PACKAGES}"
    if done.returncode == 0:
        return None
    return f"gst-rtsp-server is not installed; run: apt-get install {PACKAGES}"


class RtspServer:
    """A server in a process of its own; each feed plays a video file in a loop.

    Args:
        feeds: Path on the server -> MP4 file with H.264, H.265 or MJPEG.
        host: Address to listen at.
        port: 0 takes any free one.
        user: Asked for when given, with `password`, by digest or basic authentication.
        protocols: Any of "tcp" and "udp".
        in_step: All films run from the start of the server and whoever comes later joins them
            midway, as with cameras; else each begins when its first watcher comes.
    """

    def __init__(
        self,
        feeds: Mapping[str, Path],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "",
        password: str = "",
        digest: bool = True,
        protocols: Sequence[str] = ("tcp", "udp"),
        in_step: bool = False,
    ) -> None:
        self._settings: dict[str, object] = {
            "feeds": {name: str(path) for name, path in feeds.items()},
            "host": host,
            "user": user,
            "password": password,
            "digest": digest,
            "protocols": list(protocols),
            "in_step": in_step,
        }
        self._userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        self._process: subprocess.Popen[str] | None = None
        self.host = host
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, feed: str, *, host: str | None = None) -> str:
        """The address of a feed, with user and password percent-encoded.

        Args:
            host: What watchers call this machine, where that is not the address listened at.
        """
        name = host or self.host
        name = f"[{name}]" if ":" in name else name
        return f"rtsp://{self._userinfo}{name}:{self.port}/{feed}"

    def start(self) -> None:
        """Serve; after a `kill` at the same port as before.

        Raises:
            ServerUnavailable: A part is missing, or the address is not free.
        """
        missing = why_no_server()
        if missing:
            raise ServerUnavailable(missing)
        # A session of its own: Ctrl-C reaches us alone, and we end it.
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise ServerUnavailable("the RTSP server has no pipes")
        self._process.stdin.write(json.dumps({**self._settings, "port": self.port}) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _STARTS_WITHIN_S)
        line = self._process.stdout.readline() if ready else f"nothing within {_STARTS_WITHIN_S} s"
        if not line.startswith("READY "):
            self.kill()
            raise ServerUnavailable(
                f"the RTSP server did not come up at {self.host}:{self.port} ({line.strip()!r}); "
                "see its message above, and whether another server has this port"
            )
        self.port = int(line.split()[1])

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the server, by force where it does not end by itself."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDS_WITHIN_S)
        self.kill()

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
