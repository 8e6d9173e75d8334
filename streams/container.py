"""What a video file and a camera share: one PyAV container, open while the `with` block lasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import av.container
import av.video.stream

from streams.source import SourceInfo


class ContainerSource:
    """A container and its first video stream; only the thread that opened it may close it.

    Args:
        open_container: Called on entering; raises what cannot be opened.
    """

    def __init__(self, open_container: Callable[[], av.container.InputContainer]) -> None:
        self._open_container = open_container
        self._container: av.container.InputContainer | None = None

    def __enter__(self) -> Self:
        self._container = self._open_container()
        return self

    def __exit__(self, *_: object) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None

    @property
    def _stream(self) -> av.video.stream.VideoStream:
        if self._container is None:
            raise ValueError("enter the source before reading it: with open_source(camera) as ...")
        return self._container.streams.video[0]

    @property
    def info(self) -> SourceInfo:
        """What the stream says about itself."""
        stream = self._stream
        return SourceInfo(
            width_px=stream.codec_context.width,
            height_px=stream.codec_context.height,
            fps=float(stream.average_rate) if stream.average_rate else None,
            codec=stream.codec_context.codec.canonical_name,
        )
