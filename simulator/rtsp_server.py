"""A real RTSP server that plays video files round and round, as cameras do.

Runs under the system's Python, which has GStreamer's bindings, in a process of its own;
`simulator.rtsp` starts it. Packages: `simulator.rtsp.PACKAGES`.

    /usr/bin/python3 simulator/rtsp_server.py < settings.json

Settings come as one line of JSON on standard input, so that no password is on a command line:
`feeds` {path: file}, `host`, `port` (0: any free one), `user`, `password`, `digest`, `protocols`,
`in_step`. It prints `READY <port>` when it serves, and ends when standard input closes.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstPbutils, GstRtsp, GstRtspServer  # noqa: E402


@dataclass(frozen=True)
class Codec:
    """How one codec is cut into pictures and put into RTP."""

    parser: str
    caps: str
    payloader: str


CODECS = {
    "video/x-h264": Codec(
        "h264parse config-interval=-1",
        "video/x-h264,stream-format=byte-stream,alignment=au",
        "rtph264pay config-interval=-1 aggregate-mode=zero-latency",
    ),
    "video/x-h265": Codec(
        "h265parse config-interval=-1",
        "video/x-h265,stream-format=byte-stream,alignment=au",
        "rtph265pay config-interval=-1 aggregate-mode=zero-latency",
    ),
    "image/jpeg": Codec("jpegparse", "image/jpeg", "rtpjpegpay"),
}


@dataclass(frozen=True)
class Picture:
    """One encoded picture; times in nanoseconds from the start of its file."""

    pts: int
    dts: int
    is_key: bool
    data: bytes


@dataclass(frozen=True)
class Film:
    """A file's pictures, ready to be sent without transcoding."""

    codec: Codec
    caps: str
    pictures: list[Picture]
    duration: int


def read_film(path: Path) -> Film:
    """Demux a whole MP4 file into memory."""
    discoverer = GstPbutils.Discoverer.new(10 * Gst.SECOND)
    stream = discoverer.discover_uri(path.absolute().as_uri()).get_video_streams()[0]
    codec = CODECS[stream.get_caps().get_structure(0).get_name()]
    pipeline = Gst.parse_launch(
        f"filesrc name=file ! qtdemux ! {codec.parser} ! {codec.caps} ! appsink name=out sync=false"
    )
    pipeline.get_by_name("file").set_property("location", str(path))
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    pictures: list[Picture] = []
    caps = ""
    while (sample := out.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        caps = sample.get_caps().to_string()
        dts = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else buffer.pts
        is_key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        data = buffer.extract_dup(0, buffer.get_size())
        pictures.append(Picture(buffer.pts, dts, is_key, data))
    pipeline.set_state(Gst.State.NULL)
    start = pictures[0].dts
    span = pictures[-1].dts - start
    step = span // max(1, len(pictures) - 1)
    moved = [Picture(p.pts - start, p.dts - start, p.is_key, p.data) for p in pictures]
    return Film(codec, caps, moved, span + step)


class Projector:
    """Plays one film into one media, for as long as somebody watches.

    Starts with the film's first picture; or, where it is told when all films of the server began
    (`began_ns` of the monotonic clock), with the first picture to come that can be decoded alone.
    """

    def __init__(self, film: Film, media: Any, began_ns: int | None) -> None:
        self._film = film
        self._began_ns = began_ns
        self._last_dts = -Gst.MSECOND
        self._source = media.get_element().get_by_name_recurse_up("src")
        self._source.set_property("caps", Gst.Caps.from_string(film.caps))
        self._stopped = threading.Event()
        media.connect("unprepared", lambda _: self._stopped.set())
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        n_before = self._next_key()
        begins = self._time_of(n_before)
        self._wait_for(begins)
        start: int | None = None
        n_sent = 0
        while not self._stopped.is_set():
            now = self._running_time()
            if now is None and n_sent >= 3:  # enough for preroll; the rest waits for the clock
                time.sleep(0.005)
                continue
            if start is None and now is not None:
                start = now - self._late_by(begins)
            picture = self._film.pictures[(n_before + n_sent) % len(self._film.pictures)]
            offset = (start or 0) + self._time_of(n_before + n_sent) - picture.dts - begins
            wait_s = 0.0 if now is None else (picture.dts + offset - now) / Gst.SECOND
            if wait_s > 0:
                time.sleep(min(wait_s, 0.2))
                continue
            if self._push(picture, offset):
                n_sent += 1

    def _time_of(self, number: int) -> int:
        """When a picture is due, counted over all rounds of the film; nanoseconds."""
        round_, index = divmod(number, len(self._film.pictures))
        return round_ * self._film.duration + self._film.pictures[index].dts

    def _next_key(self) -> int:
        """Number of the picture to begin with, counted over all rounds of the film."""
        if self._began_ns is None:
            return 0
        rounds, position = divmod(time.monotonic_ns() - self._began_ns, self._film.duration)
        keys = [k for k, p in enumerate(self._film.pictures) if p.is_key and p.dts >= position]
        n = len(self._film.pictures)
        return rounds * n + keys[0] if keys else (rounds + 1) * n

    def _wait_for(self, begins: int) -> None:
        while self._began_ns is not None and not self._stopped.is_set():
            wait_s = -self._late_by(begins) / Gst.SECOND
            if wait_s <= 0:
                return
            time.sleep(min(wait_s, 0.1))

    def _late_by(self, begins: int) -> int:
        """Nanoseconds since the first picture was due; 0 where nobody keeps step."""
        if self._began_ns is None:
            return 0
        return time.monotonic_ns() - self._began_ns - begins

    def _running_time(self) -> int | None:
        clock = self._source.get_clock()
        base = self._source.get_base_time()
        return clock.get_time() - base if clock is not None and base else None

    def _push(self, picture: Picture, offset: int) -> bool:
        dts = max(picture.dts + offset, self._last_dts + Gst.MSECOND)  # those that are late hurry
        buffer = Gst.Buffer.new_wrapped(picture.data)
        buffer.pts = dts + picture.pts - picture.dts
        buffer.dts = dts
        if not picture.is_key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        if self._source.emit("push-buffer", buffer) == Gst.FlowReturn.OK:
            self._last_dts = dts
            return True
        time.sleep(0.02)
        return False


def make_factory(film: Film, settings: dict[str, Any]) -> Any:
    """What answers for one path: one media, shared by all who watch it."""
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        "( appsrc name=src is-live=true format=time do-timestamp=false block=false ! "
        f"{film.codec.parser} ! {film.codec.payloader} name=pay0 pt=96 )"
    )
    factory.set_shared(True)
    factory.set_latency(0)
    factory.set_suspend_mode(GstRtspServer.RTSPSuspendMode.NONE)
    kinds = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
    transports = GstRtsp.RTSPLowerTrans(0)
    for protocol in settings["protocols"]:
        transports |= kinds[protocol]
    factory.set_protocols(transports)
    if settings["user"]:
        rights = "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        parsed = Gst.Structure.new_from_string(rights)
        factory.add_role_from_structure(parsed[0] if isinstance(parsed, tuple) else parsed)
    began_ns = settings["began_ns"]
    factory.connect("media-configure", lambda _, media: Projector(film, media, began_ns))
    return factory


def make_auth(user: str, password: str, *, digest: bool) -> Any:
    """One user who may see everything."""
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "user")
    if digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def main() -> None:
    """Serve until standard input closes."""
    settings = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address(settings["host"])
    server.set_service(str(settings["port"]))
    if settings["user"]:
        auth = make_auth(settings["user"], settings["password"], digest=settings["digest"])
        server.set_auth(auth)
    settings["began_ns"] = time.monotonic_ns() if settings["in_step"] else None
    films = {file: read_film(Path(file)) for file in set(settings["feeds"].values())}
    for path, file in settings["feeds"].items():
        server.get_mount_points().add_factory(f"/{path}", make_factory(films[file], settings))
    if server.attach(None) == 0:
        sys.exit(f"cannot serve at {settings['host']}:{settings['port']}")
    loop = GLib.MainLoop()

    def wait_for_end() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=wait_for_end, daemon=True).start()
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() >= 0)
    sys.stdout.write(f"READY {server.get_bound_port()}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
