"""One live RTSP feed, read in this thread. `live` puts it in a process of its own."""

from __future__ import annotations

import errno
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TypeAlias

import av
import av.container
import av.error
import av.video

from streams.address import shown
from streams.clock import Clock, SystemClock
from streams.config import CameraConfig
from streams.container import ContainerSource
from streams.errors import AccessDenied, ConnectFailed, NoctuleError, StreamLost, StreamStalled
from streams.files import to_rgb
from streams.imaging import Imager
from streams.recording.recorder import PacketTap
from streams.timeline import US, LiveTimeline
from streams.types import Frame

VideoPacket: TypeAlias = "av.Packet[av.video.stream.VideoStream]"

REMEMBERED_TIMES = 256
"""Sender times kept while a decoder reorders pictures; decoders hold back at most 16."""

CLOCK_STEP_US = US // 2
"""Our own clock moved by this much against its monotonic sister: it was set, not slewed."""


def connect(camera: CameraConfig) -> av.container.InputContainer:
    """Open a live camera's stream of pictures; sound is not asked for.

    Raises:
        AccessDenied: The camera refuses user or password.
        ConnectFailed: It cannot be reached, or has no pictures at this address.
    """
    timeouts_s = (camera.open_timeout_s, camera.stall_after_s)
    failure: NoctuleError
    try:
        container = av.open(
            camera.source.get_secret_value(),
            format="rtsp",
            options={
                "rtsp_transport": camera.transport,
                "allowed_media_types": "video",
                "protocol_whitelist": "rtsp,rtp,udp,tcp,tls,crypto",
                "analyzeduration": "100000",
                "fpsprobesize": "0",
                "buffer_size": "1048576",
            },
            timeout=timeouts_s,
        )
    except (av.error.FFmpegError, OSError) as error:
        failure = _why_not_open(camera, error)
    else:
        if container.streams.video:
            return container
        container.close()
        failure = ConnectFailed(f"{_place(camera)} offers no pictures; is it a sound-only path?")
    # Outside of the handler: FFmpeg's own error holds the address with its password.
    raise failure


def sender_clock_us(packet: VideoPacket) -> int | None:
    """When a packet's picture was taken by the camera's clock (RTCP sender reports), if it says."""
    if not packet.has_sidedata("prft"):
        return None
    data = bytes(packet.get_sidedata("prft"))
    return int(struct.unpack_from("<q", data)[0]) or None


class RtspSource(ContainerSource):
    """A live camera. Leaving its `with` block says goodbye to the camera.

    Args:
        run: Number of this run, for its frames.
        heard: Called on every packet, also on those that make no picture.
        tap: Is given every packet, to keep it.
    """

    def __init__(
        self,
        camera: CameraConfig,
        *,
        clock: Clock | None = None,
        run: int = 0,
        heard: Callable[[], None] = lambda: None,
        tap: PacketTap | None = None,
    ) -> None:
        super().__init__(lambda: connect(camera))
        self._camera = camera
        self._clock = SystemClock() if clock is None else clock
        self._run = run
        self._heard = heard
        self._tap = tap

    @property
    def n_frames(self) -> int | None:
        return None

    def frames(self) -> Iterator[Frame]:
        """Every frame as it arrives.

        Raises:
            StreamLost: The camera ended its stream, or our clock was set and time must start anew.
            StreamStalled: It sends nothing any more.
        """
        stream = self._stream
        stream.thread_type = "NONE"
        timeline = LiveTimeline(stream.time_base or Fraction(1, 90_000))
        imager = Imager(self._camera)
        sent_us: OrderedDict[int, int] = OrderedDict()
        skew_us = self._skew_us()
        n_decoded = sequence = 0
        if self._tap is not None:
            self._tap.begin(stream)
        for packet in self._packets(stream):
            self._heard()
            now_skew_us = self._skew_us()
            if abs(now_skew_us - skew_us) > CLOCK_STEP_US:
                raise StreamLost(f"camera {self._camera.name}: this machine's clock was set anew")
            skew_us = now_skew_us
            _remember_time(packet, sent_us)
            taken: list[tuple[av.VideoFrame, int]] = []
            for picture in _decoded(packet):
                n_decoded += 1
                if n_decoded == 1 and picture.pts is None:
                    continue  # FFmpeg does not know an RTSP stream's first time stamp
                captured_at_us = timeline.captured_at_us(
                    picture.pts,
                    arrived_us=self._clock.now_us(),
                    sent_us=None if picture.pts is None else sent_us.pop(picture.pts, None),
                )
                taken.append((picture, captured_at_us))
                if self._tap is not None and picture.pts is not None:
                    self._tap.pictured(picture.pts, captured_at_us)
            if self._tap is not None:
                self._tap.take(packet, stream)
            for picture, captured_at_us in taken:
                yield imager.frame(
                    to_rgb(picture),
                    captured_at_us=captured_at_us,
                    run=self._run,
                    sequence=sequence,
                )
                sequence += 1

    def _packets(self, stream: av.video.stream.VideoStream) -> Iterator[VideoPacket]:
        """Packets until the stream ends, which it always tells by an error."""
        if self._container is None:
            return
        packets = self._container.demux(stream)
        while True:
            failure: NoctuleError | None = None
            packet = None
            try:
                packet = next(packets, None)
            except (av.error.ExitError, av.error.TimeoutError):
                failure = StreamStalled(
                    f"{_place(self._camera)} has sent nothing for {self._camera.stall_after_s:g} s"
                )
            except (av.error.FFmpegError, OSError) as error:
                failure = StreamLost(f"{_place(self._camera)} broke off ({_kind(error)})")
            if failure is not None:
                raise failure
            if packet is None or packet.size == 0:
                raise StreamLost(f"{_place(self._camera)} ended its stream")
            yield packet

    def _skew_us(self) -> int:
        return self._clock.now_us() - round(self._clock.monotonic_s() * US)


def _decoded(packet: VideoPacket) -> list[av.VideoFrame]:
    """Pictures that a packet completes; none when it is damaged, as after a lost packet."""
    try:
        return [each for each in packet.decode() if isinstance(each, av.VideoFrame)]
    except (av.error.FFmpegError, ValueError):
        return []


def _remember_time(packet: VideoPacket, sent_us: OrderedDict[int, int]) -> None:
    at_us = sender_clock_us(packet)
    if at_us is None or packet.pts is None:
        return
    sent_us[packet.pts] = at_us
    if len(sent_us) > REMEMBERED_TIMES:
        sent_us.popitem(last=False)


def _why_not_open(camera: CameraConfig, error: av.error.FFmpegError | OSError) -> NoctuleError:
    """Our own words for FFmpeg's error, whose text holds the password."""
    place = _place(camera)
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return AccessDenied(
            f"{place} refuses user or password; check them in the source (special characters "
            "percent-encoded), and that the user may watch"
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return ConnectFailed(f"{place} answers but does not know this path; check the source")
    if isinstance(error, av.error.ConnectionRefusedError):
        return ConnectFailed(f"{place} refuses connections; is RTSP on, and the port right?")
    silent = (av.error.ExitError, av.error.TimeoutError, av.error.InvalidDataError)
    if isinstance(error, silent):  # invalid data: what FFmpeg makes of an answer that never ended
        return ConnectFailed(
            f"{place} did not answer RTSP within {camera.open_timeout_s:g} s; is it a camera, and "
            "is it up?"
        )
    if error.errno == errno.EPROTONOSUPPORT:
        other = "udp" if camera.transport == "tcp" else "tcp"
        return ConnectFailed(f"{place} does not send over {camera.transport}; try {other}")
    if error.errno == errno.EIO:
        return ConnectFailed(f"{place} cannot be found; check the host's name and the network")
    return ConnectFailed(
        f"{place} cannot be opened ({_kind(error)}); check host, port and path, and that the "
        f"camera sends over {camera.transport}"
    )


def _place(camera: CameraConfig) -> str:
    return f"camera {camera.name} at {shown(camera.source.get_secret_value())}"


def _kind(error: Exception) -> str:
    """FFmpeg's general words for an error, which never hold the address."""
    return getattr(error, "strerror", None) or type(error).__name__
