"""All recorded cameras as one: their frames merged by time, none lost, the same every time."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Self

from streams.config import CameraConfig
from streams.errors import ConfigInvalid, NoctuleError, SourceUnreadable
from streams.source import FrameSource, open_source
from streams.types import CameraId, Frame

logger = logging.getLogger(__name__)

AHEAD = 2
"""Frames decoded ahead per camera: enough to overlap decoding with thinking."""


class Replay:
    """Frames of all recorded cameras in order of time; ties in the order of configuration.

    A camera that cannot be opened, or breaks, does not end the others: see `failures`, which names
    those that cannot be opened as soon as the block is entered.

    Raises:
        ConfigInvalid: Two cameras share a name, or one of them is live.
    """

    def __init__(self, cameras: Sequence[CameraConfig]) -> None:
        names = [camera.name for camera in cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigInvalid(f"camera name {twice[0]} is used twice; every camera needs its own")
        live = [camera.name for camera in cameras if camera.is_live]
        if live:
            raise ConfigInvalid(f"camera {live[0]} is live and cannot be replayed; name a file")
        self._cameras = tuple(cameras)
        self._readers: list[_Reader] = []
        self.failures: dict[CameraId, NoctuleError] = {}
        self.n_frames: int | None = None

    def __enter__(self) -> Self:
        self._readers = [_Reader(camera) for camera in self._cameras]
        counts = []
        for index, reader in enumerate(self._readers):
            reader.opened.wait()
            if reader.is_open:
                counts.append(reader.n_frames)
            else:
                self._advance(index, {})
        known = [count for count in counts if count is not None]
        self.n_frames = sum(known) if len(known) == len(counts) else None
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.stop()
        for reader in self._readers:
            reader.join()
        self._readers = []

    def __iter__(self) -> Iterator[Frame]:
        heads: dict[int, Frame] = {}
        for index in range(len(self._readers)):
            self._advance(index, heads)
        while heads:
            index = min(heads, key=lambda each: (heads[each].captured_at_us, each))
            frame = heads.pop(index)
            yield frame
            self._advance(index, heads)

    def _advance(self, index: int, heads: dict[int, Frame]) -> None:
        """Put the camera's next frame among the heads, unless it has ended or failed."""
        item = self._readers[index].take()
        if isinstance(item, Frame):
            heads[index] = item
        elif item is not None:
            camera = CameraId(self._cameras[index].name)
            logger.warning("camera %s cannot be read (on): %s", camera, item)
            self.failures[camera] = item


class _Reader:
    """Decodes one camera ahead in its own thread, which alone opens, reads and closes it."""

    def __init__(self, camera: CameraConfig) -> None:
        self._camera = camera
        self._queue: queue.Queue[Frame | NoctuleError | None] = queue.Queue(AHEAD)
        self._stopping = threading.Event()
        self.opened = threading.Event()
        self.is_open = False
        self.n_frames: int | None = None
        self._ended = False
        self._thread = threading.Thread(
            target=self._read, name=f"replay {camera.name}", daemon=True
        )
        self._thread.start()

    def take(self) -> Frame | NoctuleError | None:
        """The next frame; the error that ended this camera, once; None at and after the end."""
        if self._ended:
            return None
        item = self._queue.get()
        self._ended = not isinstance(item, Frame)
        return item

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        self._thread.join()

    def _read(self) -> None:
        ending: NoctuleError | None = SourceUnreadable(
            f"camera {self._camera.name}: reading broke off; the log says why"
        )
        try:
            with open_source(self._camera) as source:
                self._announce(source)
                for frame in source.frames():
                    if not self._put(frame):
                        return
            ending = None
        except NoctuleError as error:
            ending = error
        finally:
            self.opened.set()
            self._put(ending)

    def _announce(self, source: FrameSource) -> None:
        self.n_frames = source.n_frames
        self.is_open = True
        self.opened.set()

    def _put(self, item: Frame | NoctuleError | None) -> bool:
        """Wait for room; False when asked to stop meanwhile."""
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
