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
_I32 = struct.Struct(">i")
_U64 = struct.Struct(">Q")
_CHUNK = 1 << 20
_BASE, _DESCRIPTION, _DURATION = 0x1, 0x2, 0x8
"""Of `tfhd`: which fields come before the usual duration of a picture, and that it is there."""
_OFFSET, _FIRST_FLAGS, _DURATIONS, _SHOWN_LATER = 0x1, 0x4, 0x100, 0x800
_PER_PICTURE = (_DURATIONS, 0x200, 0x400, _SHOWN_LATER)
"""Of `trun`: which fields come before those of the pictures, and which each picture has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """What a player is told of a file.

    Attributes:
        head: What comes before the fragments, without the words that name the file: files of one
            camera have the same, as long as it sends the same format.
        ticks_per_s: Of its clock.
        from_ticks: Time of decoding of the first picture.
        to_ticks: Where the next file's first picture is to be decoded: none of this one is decoded
            or, as far as the first is shown after its decoding, shown any more.
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
            to_ticks=_end(first, last),
        )
    except (OSError, IndexError, KeyError, struct.error) as error:
        raise SourceUnreadable(
            f"{path.name} is no file of ours that can be joined to others; play it by itself"
        ) from error


def moved(path: Path, by_ticks: int) -> tuple[int, Iterator[bytes]]:
    """All fragments of a file, later by some ticks: how many bytes that is, and these in parts.

    The file is open from now on, and closed after the last part.

    Raises:
        SourceUnreadable: It cannot be read.
    """
    try:
        boxes = [box for box in read_boxes(path) if box.name in (b"moof", b"mdat")]
        file = path.open("rb")
    except OSError as error:
        raise SourceUnreadable(
            f"{path.name} cannot be read; it may have gone since: ask for the playlist again"
        ) from error
    return sum(box.end - box.start for box in boxes), _parts(file, boxes, by_ticks)


def _parts(file: BinaryIO, boxes: list[Box], by_ticks: int) -> Iterator[bytes]:
    with file:
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


def _end(first: bytes, last: bytes) -> int:
    """Where the last fragment's pictures are decoded and shown.

    Showing counts from the first picture of the first one: what it is shown after its decoding, the
    next file's pictures are, too.
    """
    _, waited = next(_pictures(first), (0, 0))
    at = end = _time(last)[1]
    for ticks, shown_later in _pictures(last):
        end = max(end, at + ticks, at + ticks + shown_later - waited)
        at += ticks
    return end


def _pictures(moof: bytes) -> Iterator[tuple[int, int]]:
    """How long each picture is, and how long after its decoding it is shown."""
    usual = _usual_ticks(moof)
    for name, start, _ in _children(moof, *_child(moof, b"traf")):
        if name == b"trun":
            yield from _run(moof, start + _HEADER.size, usual)


def _usual_ticks(moof: bytes) -> int:
    start, _ = _child(moof, b"traf", b"tfhd")
    flags = _U32.unpack_from(moof, start)[0] & 0xFFFFFF
    place = start + 8 + 8 * bool(flags & _BASE) + 4 * bool(flags & _DESCRIPTION)
    return int(_U32.unpack_from(moof, place)[0]) if flags & _DURATION else 0


def _run(moof: bytes, start: int, usual: int) -> Iterator[tuple[int, int]]:
    flags = _U32.unpack_from(moof, start)[0] & 0xFFFFFF
    later = _I32 if moof[start] else _U32
    n = int(_U32.unpack_from(moof, start + 4)[0])
    place = start + 8 + 4 * bool(flags & _OFFSET) + 4 * bool(flags & _FIRST_FLAGS)
    step = 4 * sum(bool(flags & each) for each in _PER_PICTURE)
    for _ in range(n):
        ticks = int(_U32.unpack_from(moof, place)[0]) if flags & _DURATIONS else usual
        place += step
        yield ticks, int(later.unpack_from(moof, place - 4)[0]) if flags & _SHOWN_LATER else 0
