"""Fragments of recorded files that are played one after the other, as one stream of media.

Each file counts its time from its own beginning. Players that join files want times that go on:
those built on FFmpeg leave out pictures whose time goes back (libavformat/mov.c, `mov_read_trun`).
So the times of decoding are moved on the way out; pictures stay as they are (ISO/IEC 14496-12,
8.8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from streams.errors import SourceUnreadable
from streams.recording.boxes import Box, read_boxes

_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_CHUNK = 1 << 20
_BASE, _DESCRIPTION, _DURATION = 0x1, 0x2, 0x8
"""Of `tfhd`: which fields come before the usual duration of a picture, and that it is there."""
_OFFSET, _FIRST_FLAGS, _DURATIONS = 0x1, 0x4, 0x100
_PER_PICTURE = (0x100, 0x200, 0x400, 0x800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """What a player is told of a file.

    Attributes:
        head: What comes before the fragments, without the words that name the file: files of one
            camera have the same, as long as it sends the same format.
        ticks_per_s: Of its clock.
        from_ticks: Time of decoding of the first picture.
        to_ticks: Where the last one ends.
    """

    head: bytes
    ticks_per_s: int
    from_ticks: int
    to_ticks: int


def read_fragments(path: Path) -> Fragments:
    """Look at a file's first and last fragment.

    Raises:
        SourceUnreadable: It has none, or is torn.
    """
    try:
        boxes = [box for box in read_boxes(path) if box.name in (b"ftyp", b"moov", b"moof")]
        with path.open("rb") as file:
            parts = {box.name: _content(file, box) for box in boxes[:2]}
            moofs = [box for box in boxes if box.name == b"moof"]
            first, last = (_content(file, box) for box in (moofs[0], moofs[-1]))
        moov = _without(parts[b"moov"], b"udta")
        return Fragments(
            head=parts[b"ftyp"] + moov,
            ticks_per_s=_ticks_per_s(moov),
            from_ticks=_time(first)[1],
            to_ticks=_end(last),
        )
    except (OSError, IndexError, KeyError, struct.error) as error:
        raise SourceUnreadable(
            f"{path.name} is no file of ours that can be joined to others; play it by itself"
        ) from error


def moved(path: Path, by_ticks: int) -> tuple[int, Iterator[bytes]]:
    """All fragments of a file, later by some ticks: how many bytes that is, and these in parts.

    Raises:
        OSError: It cannot be read.
    """
    boxes = [box for box in read_boxes(path) if box.name in (b"moof", b"mdat")]
    return sum(box.end - box.start for box in boxes), _parts(path, boxes, by_ticks)


def _parts(path: Path, boxes: list[Box], by_ticks: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        for box in boxes:
            if box.name == b"moof":
                content = bytearray(_content(file, box))
                place, time = _time(content)
                _U64.pack_into(content, place, time + by_ticks)
                yield bytes(content)
                continue
            file.seek(box.start)
            rest = box.end - box.start
            while rest > 0 and (some := file.read(min(rest, _CHUNK))):
                rest -= len(some)
                yield some


def _content(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.start)
    return file.read(box.end - box.start)


def _children(content: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of the boxes between two places; a box begins with its header."""
    while start + _HEADER.size <= end:
        size, name = _HEADER.unpack_from(content, start)
        if size < _HEADER.size:
            return
        yield name, start, start + size
        start += size


def _child(content: bytes | bytearray, *names: bytes) -> tuple[int, int]:
    """Where the payload of a box of boxes is, by the names on the way to it.

    Raises:
        KeyError: There is none.
    """
    start, end = _HEADER.size, len(content)
    for name in names:
        found = next((each for each in _children(content, start, end) if each[0] == name), None)
        if found is None:
            raise KeyError(name)
        start, end = found[1] + _HEADER.size, found[2]
    return start, end


def _without(content: bytes, name: bytes) -> bytes:
    """A box without its children of a name."""
    kept = b"".join(
        content[start:end]
        for each, start, end in _children(content, _HEADER.size, len(content))
        if each != name
    )
    return _HEADER.pack(_HEADER.size + len(kept), content[4:8]) + kept


def _ticks_per_s(moov: bytes) -> int:
    start, _ = _child(moov, b"trak", b"mdia", b"mdhd")
    return int(_U32.unpack_from(moov, start + (20 if moov[start] == 1 else 12))[0])


def _time(moof: bytes | bytearray) -> tuple[int, int]:
    """Where the fragment's time of decoding is written, and the time."""
    start, _ = _child(moof, b"traf", b"tfdt")
    if moof[start] != 1:
        raise KeyError("a time of 64 bits")
    return start + 4, int(_U64.unpack_from(moof, start + 4)[0])


def _end(moof: bytes) -> int:
    """The fragment's time of decoding, and the lengths of its pictures."""
    usual = _usual_ticks(moof)
    total = _time(moof)[1]
    for name, start, _ in _children(moof, *_child(moof, b"traf")):
        if name == b"trun":
            total += _run_ticks(moof, start + _HEADER.size, usual)
    return total


def _usual_ticks(moof: bytes) -> int:
    start, _ = _child(moof, b"traf", b"tfhd")
    flags = _U32.unpack_from(moof, start)[0] & 0xFFFFFF
    place = start + 8 + 8 * bool(flags & _BASE) + 4 * bool(flags & _DESCRIPTION)
    return int(_U32.unpack_from(moof, place)[0]) if flags & _DURATION else 0


def _run_ticks(moof: bytes, start: int, usual: int) -> int:
    flags = _U32.unpack_from(moof, start)[0] & 0xFFFFFF
    n = int(_U32.unpack_from(moof, start + 4)[0])
    if not flags & _DURATIONS:
        return n * usual
    place = start + 8 + 4 * bool(flags & _OFFSET) + 4 * bool(flags & _FIRST_FLAGS)
    step = 4 * sum(bool(flags & each) for each in _PER_PICTURE)
    return sum(int(_U32.unpack_from(moof, place + step * k)[0]) for k in range(n))
