"""Frames from a capture process to its parent through shared memory: the newest wins.

The memory is a file without a name, so it is gone when the last process that holds it is, however
that process ends. A slot is locked while it is written or read; the kernel drops the locks of a
process that dies.
"""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
from dataclasses import dataclass

import numpy as np

from streams.types import CameraId, Frame, Modality

N_SLOTS = 3
"""One that is newest, one that is being read, one to write into."""

SLOT_BYTES = 1 << 30
"""Address space of a slot. Memory is used for what is written only; 8000 x 8000 fits 5 times."""

_HEADER = struct.Struct("<QqIQIIB")
_HEADER_BYTES = 64
_MODALITIES = (Modality.VISIBLE, Modality.INFRARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What a slot holds. Number 0: nothing, or half-written by a process that died."""

    number: int
    captured_at_us: int
    run: int
    sequence: int
    height_px: int
    width_px: int
    modality: Modality


def create_ring() -> int:
    """A file descriptor of a new, empty ring; close it when done."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("noctule-ring")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class RingWriter:
    """The capture process's end. Numbers continue where an earlier process stopped."""

    def __init__(self, ring: int) -> None:
        self._ring = ring
        headers = [_read_header(ring, slot) for slot in range(N_SLOTS)]
        self._newest = max(range(N_SLOTS), key=lambda slot: headers[slot].number)
        self._number = headers[self._newest].number

    def publish(self, frame: Frame) -> int:
        """Make `frame` the newest; its number, 1 at first.

        Raises:
            ValueError: The picture is larger than a slot.
        """
        if frame.pixels.nbytes > SLOT_BYTES:
            raise ValueError(f"picture of {frame.pixels.nbytes} bytes; at most {SLOT_BYTES}")
        slot = self._lock_free_slot()
        try:
            os.pwrite(self._ring, bytes(_HEADER_BYTES), slot * _HEADER_BYTES)
            _write(self._ring, np.ascontiguousarray(frame.pixels), _pixels_at(slot))
            height, width = frame.pixels.shape[:2]
            header = _HEADER.pack(
                self._number + 1,
                frame.captured_at_us,
                frame.run,
                frame.sequence,
                height,
                width,
                _MODALITIES.index(frame.modality),
            )
            os.pwrite(self._ring, header, slot * _HEADER_BYTES)
        finally:
            fcntl.lockf(self._ring, fcntl.LOCK_UN, 1, slot)
        self._number += 1
        self._newest = slot
        return self._number

    def _lock_free_slot(self) -> int:
        """A slot that is neither newest nor being read; with one reader there always is one."""
        others = [slot for slot in range(N_SLOTS) if slot != self._newest]
        for slot in others:
            try:
                fcntl.lockf(self._ring, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
            except OSError:
                continue
            return slot
        fcntl.lockf(self._ring, fcntl.LOCK_EX, 1, others[0])
        return others[0]


class RingReader:
    """The parent's end, used by one thread at a time."""

    def __init__(self, ring: int) -> None:
        self._ring = ring

    def newest(self, camera: CameraId, *, after: int) -> tuple[int, Frame] | None:
        """Number and copy of the newest frame, or None if there is none after number `after`."""
        for _ in range(N_SLOTS):
            headers = [_read_header(self._ring, slot) for slot in range(N_SLOTS)]
            slot = max(range(N_SLOTS), key=lambda each: headers[each].number)
            if headers[slot].number <= after:
                return None
            frame = self._copy(camera, slot, headers[slot])
            if frame is not None:
                return headers[slot].number, frame
        return None

    def _copy(self, camera: CameraId, slot: int, expected: _Header) -> Frame | None:
        """The frame in a slot, or None if the writer has taken the slot meanwhile."""
        try:
            fcntl.lockf(self._ring, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, slot)
        except OSError:
            return None
        try:
            if _read_header(self._ring, slot) != expected:
                return None
            pixels = np.empty((expected.height_px, expected.width_px, 3), np.uint8)
            if not _read(self._ring, pixels, _pixels_at(slot)):
                return None
        finally:
            fcntl.lockf(self._ring, fcntl.LOCK_UN, 1, slot)
        return Frame(
            camera=camera,
            modality=expected.modality,
            captured_at_us=expected.captured_at_us,
            run=expected.run,
            sequence=expected.sequence,
            pixels=pixels,
        )


def _pixels_at(slot: int) -> int:
    return 4096 + slot * SLOT_BYTES


def _read_header(ring: int, slot: int) -> _Header:
    data = os.pread(ring, _HEADER.size, slot * _HEADER_BYTES).ljust(_HEADER.size, b"\0")
    number, captured_at_us, run, sequence, height_px, width_px, modality = _HEADER.unpack(data)
    return _Header(
        number=number,
        captured_at_us=captured_at_us,
        run=run,
        sequence=sequence,
        height_px=height_px,
        width_px=width_px,
        modality=_MODALITIES[modality],
    )


def _write(ring: int, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], at: int) -> None:
    view = pixels.data.cast("B")
    done = 0
    while done < len(view):
        done += os.pwrite(ring, view[done:], at + done)


def _read(ring: int, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], at: int) -> bool:
    """Fill `pixels`; False if the ring ends before."""
    view = pixels.data.cast("B")
    done = 0
    while done < len(view):
        n_bytes = os.preadv(ring, [view[done:]], at + done)
        if n_bytes == 0:
            return False
        done += n_bytes
    return True
