"""Small real footage for tests of seeing, encoded on the spot."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

Pixels = npt.NDArray[np.uint8]

SHARED_FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "assets" / "footage"
DEMO_FOOTAGE = Path(__file__).resolve().parents[1] / "simulator" / "footage" / "demo"


def picture(index: int, *, width: int = 160, height: int = 96, infrared: bool = False) -> Pixels:
    """(H, W, 3) uint8: a textured scene with a bright block that moves 4 px per picture."""
    y, x = np.mgrid[0:height, 0:width]
    base = 60 + 40 * np.sin(x / 9) + 30 * np.cos(y / 7)
    pixels = np.stack([base + 30, base, 160 - base], axis=2)
    at = (4 * index) % max(1, width - 20)
    pixels[height // 3 : height // 3 + 30, at : at + 16] = (230, 200, 40)
    if infrared:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    return pixels.clip(0, 255).astype(np.uint8)


def write_video(
    path: Path,
    pictures: Iterable[Pixels],
    *,
    fps: int = 10,
    codec: str = "libx264",
    gop: int = 10,
    tags: dict[str, str] | None = None,
    b_frames: int = 0,
) -> Path:
    """Encode pictures of one size to `path`; the container follows from its suffix."""
    params = f"sliced-threads=0:threads=1:bframes={b_frames}:b-adapt=0"
    x264 = {"preset": "ultrafast", "x264-params": params}
    iterator = iter(pictures)
    first = next(iterator)
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=fps, options=x264 if codec == "libx264" else {})
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{codec} is not a video codec")
        stream.height, stream.width = first.shape[:2]
        stream.gop_size = gop
        stream.pix_fmt = pixel_format(codec)
        for index, pixels in enumerate(itertools.chain([first], iterator)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = index
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pixel_format(codec: str) -> str:
    """The usual pixel format of an encoder."""
    return {"mjpeg": "yuvj420p", "png": "rgb24", "ffv1": "bgr0"}.get(codec, "yuv420p")


def film(path: Path, *, n: int = 40, fps: int = 10, infrared: bool = False) -> Path:
    """A short H.264 film of the moving block."""
    return write_video(path, (picture(i, infrared=infrared) for i in range(n)), fps=fps)


def cut_video(whole: Path, clip: Path, *, seconds: float) -> None:
    """The first seconds of a video, as they are encoded."""
    with av.open(whole) as source, av.open(clip, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None or float(packet.dts * packet.time_base) >= seconds:
                break
            packet.stream = stream
            target.mux(packet)
