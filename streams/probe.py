"""What a camera or recording really delivers, and what would better be changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import av
import av.container
import av.error

from streams.clock import Clock, SystemClock
from streams.config import CameraConfig
from streams.errors import SourceUnreadable, StreamLost
from streams.files import open_recording, open_video, to_rgb
from streams.imaging import Imager
from streams.rtsp import connect, sender_clock_us
from streams.timeline import TRUSTED_AGE_US
from streams.types import Modality

PATIENCE_S = 12.0
"""Look at a live camera for at most this long."""

ENOUGH_S = 4.0
"""Stop after this long when everything has been seen."""

RECORDED_FRAMES = 100

LONGEST_KEYFRAME_INTERVAL_S = 4.0
LOWEST_HEIGHT_PX = 360
FEWEST_FPS = 5.0
SLOWEST_FIRST_FRAME_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was seen in a short look at a source.

    Attributes:
        codec: As FFmpeg names it; "images" for a folder.
        width_px: Of the whole picture, before a region is cut out.
        fps: Measured pictures per second, by the source's own time; None from a single picture.
        keyframe_interval_s: Between pictures that stand alone; None when fewer than two were seen.
        modality: Light of the last picture.
        first_frame_s: From the attempt to connect to the first picture.
        has_sender_clock: Whether the camera tells the time of its pictures (RTCP sender reports).
        clock_off_s: How far its clock is behind ours, transport included; None without one.
        advice: Sentences for the operator; empty when there is nothing to change.
    """

    camera: str
    codec: str
    width_px: int
    height_px: int
    fps: float | None
    keyframe_interval_s: float | None
    modality: Modality
    first_frame_s: float
    has_sender_clock: bool
    clock_off_s: float | None
    advice: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What has been noted so far; times of pictures in seconds of the source's own time."""

    codec: str = ""
    width_px: int = 0
    height_px: int = 0
    modality: Modality = Modality.VISIBLE
    first_frame_s: float | None = None
    pictures_s: list[float] = field(default_factory=list)
    keys_s: list[float] = field(default_factory=list)
    clock_off_s: float | None = None


def probe(camera: CameraConfig, *, clock: Clock | None = None) -> Probe:
    """Look at a source for a few seconds.

    Raises:
        AccessDenied: The camera refuses user or password.
        ConnectFailed: It cannot be reached.
        StreamLost: It answered and then sent no picture.
        SourceUnreadable: The file or folder cannot be used.
    """
    used = SystemClock() if clock is None else clock
    start_s = used.monotonic_s()
    path = Path(camera.source.get_secret_value()).expanduser()
    if not camera.is_live and path.is_dir():
        return _probe_images(camera, used)
    container = connect(camera) if camera.is_live else open_video(path)
    try:
        seen = _look(camera, container, used, start_s)
    finally:
        container.close()
    if seen.first_frame_s is None:
        if camera.is_live:
            raise StreamLost(
                f"camera {camera.name} answers but sent no picture within {PATIENCE_S:g} s; is "
                "another client using its last session, or the codec not supported?"
            )
        raise SourceUnreadable(f"{path}: none of its pictures can be decoded ({seen.codec})")
    return _conclude(camera, seen, seen.first_frame_s)


def _look(
    camera: CameraConfig, container: av.container.InputContainer, clock: Clock, start_s: float
) -> _Seen:
    """Read packets and pictures until enough has been seen."""
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    seen = _Seen(codec=stream.codec_context.codec.canonical_name)
    imager = Imager(camera)
    packets = container.demux(stream)
    while not _is_enough(camera, seen, clock.monotonic_s() - start_s):
        try:
            packet = next(packets)
            pictures = packet.decode()
        except (av.error.InvalidDataError, ValueError):
            continue
        except (StopIteration, av.error.FFmpegError, OSError):
            break
        if packet.is_keyframe and packet.pts is not None and packet.time_base is not None:
            seen.keys_s.append(float(packet.pts * packet.time_base))
        sent_us = sender_clock_us(packet)
        if sent_us is not None:
            seen.clock_off_s = (clock.now_us() - sent_us) / 1e6
        for picture in pictures:
            if seen.first_frame_s is None:
                seen.first_frame_s = clock.monotonic_s() - start_s
            seen.width_px, seen.height_px = picture.width, picture.height
            at_s = picture.time if picture.time is not None else float(len(seen.pictures_s))
            frame = imager.frame(
                to_rgb(picture), captured_at_us=round(at_s * 1e6), run=0, sequence=0
            )
            seen.modality = frame.modality
            seen.pictures_s.append(at_s)
    return seen


def _is_enough(camera: CameraConfig, seen: _Seen, passed_s: float) -> bool:
    if not camera.is_live:
        return len(seen.pictures_s) >= RECORDED_FRAMES and len(seen.keys_s) >= 3
    everything = len(seen.keys_s) >= 3 and seen.clock_off_s is not None
    return passed_s > (ENOUGH_S if everything else PATIENCE_S)


def _conclude(camera: CameraConfig, seen: _Seen, first_frame_s: float) -> Probe:
    intervals_s = [b - a for a, b in itertools.pairwise(sorted(seen.keys_s)) if b > a]
    times_s = sorted(seen.pictures_s)
    span_s = times_s[-1] - times_s[0]
    found = Probe(
        camera=camera.name,
        codec=seen.codec,
        width_px=seen.width_px,
        height_px=seen.height_px,
        fps=(len(times_s) - 1) / span_s if span_s > 0 else None,
        keyframe_interval_s=median(intervals_s) if intervals_s else None,
        modality=seen.modality,
        first_frame_s=first_frame_s,
        has_sender_clock=seen.clock_off_s is not None,
        clock_off_s=seen.clock_off_s,
        advice=(),
    )
    return replace(found, advice=tuple(_advice(camera, found)))


def _probe_images(camera: CameraConfig, clock: Clock) -> Probe:
    start_s = clock.monotonic_s()
    with open_recording(camera) as source:
        info = source.info
        frame = next(source.frames())
    found = Probe(
        camera=camera.name,
        codec=info.codec,
        width_px=info.width_px,
        height_px=info.height_px,
        fps=camera.fps,
        keyframe_interval_s=None,
        modality=frame.modality,
        first_frame_s=clock.monotonic_s() - start_s,
        has_sender_clock=False,
        clock_off_s=None,
        advice=(),
    )
    return replace(found, advice=tuple(_advice(camera, found)))


def _advice(camera: CameraConfig, found: Probe) -> Iterator[str]:
    """What to change, most important first."""
    if found.height_px < LOWEST_HEIGHT_PX:
        yield (
            f"The picture is {found.width_px} x {found.height_px}: people far away are too small "
            f"to tell apart; use a stream of at least {LOWEST_HEIGHT_PX} lines."
        )
    if found.fps is not None and found.fps < FEWEST_FPS:
        yield (
            f"Only {found.fps:.1f} pictures a second: people are lost between them; set the camera "
            f"to {FEWEST_FPS:g} or more."
        )
    if not camera.is_live:
        return
    interval_s = found.keyframe_interval_s
    if interval_s is None:
        yield (
            f"Fewer than two keyframes came in {PATIENCE_S:g} s: after a fault the camera stays "
            "blind until the next one; set the keyframe (I-frame) interval to 2 s and switch off "
            "'smart codec'."
        )
    elif interval_s > LONGEST_KEYFRAME_INTERVAL_S:
        yield (
            f"A keyframe every {interval_s:.1f} s: after a fault the camera stays blind for that "
            "long; set the keyframe (I-frame) interval to 2 s."
        )
    if found.first_frame_s > SLOWEST_FIRST_FRAME_S:
        yield f"The first picture took {found.first_frame_s:.1f} s; every reconnect will, too."
    if found.codec == "hevc":
        yield "H.265 does not play in most browsers; choose H.264 to watch this camera live."
    low_us, high_us = TRUSTED_AGE_US
    if found.clock_off_s is None:
        yield (
            "The camera does not tell when its pictures were taken (no RTCP sender reports): times "
            "are those of arrival."
        )
    elif not low_us <= found.clock_off_s * 1e6 <= high_us:
        yield (
            f"The camera's clock is {abs(found.clock_off_s):.1f} s "
            f"{'behind' if found.clock_off_s > 0 else 'ahead'}: times are those of arrival; give "
            "the camera an NTP server."
        )
