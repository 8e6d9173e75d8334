"""The boxes that an MP4 file is made of (ISO/IEC 14496-12, 4.2), as far as we need them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct(">I4s")
_LONG = struct.Struct(">Q")
_NAMES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"free"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box on the top level of a file: `[start, end)` in bytes."""

    name: bytes
    start: int
    end: int


def read_boxes(path: Path) -> Iterator[Box]:
    """The complete boxes of a file in order, up to the first that is torn or none of MP4.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = 0
        while start + _HEADER.size <= size:
            file.seek(start)
            n_bytes, name = _HEADER.unpack(file.read(_HEADER.size))
            if n_bytes == 1:
                long = file.read(_LONG.size)
                n_bytes = _LONG.unpack(long)[0] if len(long) == _LONG.size else 0
            if name not in _NAMES or n_bytes < _HEADER.size or start + n_bytes > size:
                return
            yield Box(name=name, start=start, end=start + n_bytes)
            start += n_bytes


def head_bytes(path: Path) -> int:
    """How many bytes precede the first fragment: what a player needs before any of them.

    0 if the file is not fragmented.
    """
    for box in read_boxes(path):
        if box.name == b"moof":
            return box.start
    return 0


def whole_bytes(path: Path) -> int:
    """How many bytes of a fragmented file are whole fragments; 0 if not one of them is."""
    end = 0
    fragment = False
    for box in read_boxes(path):
        if box.name == b"moof":
            fragment = True
        elif box.name == b"mdat" and fragment:
            end = box.end
            fragment = False
    return end
