"""Frames through shared memory, between real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from streams.ring import RingReader, RingWriter, create_ring
from streams.types import CameraId, Frame, Modality

GATE = CameraId("gate")


@pytest.fixture
def ring() -> Iterator[int]:
    descriptor = create_ring()
    yield descriptor
    os.close(descriptor)


def frame(number: int, *, height: int = 4, width: int = 6) -> Frame:
    return Frame(
        camera=GATE,
        modality=Modality.VISIBLE,
        captured_at_us=1_700_000_000_000_000 + number,
        run=2,
        sequence=number,
        pixels=np.full((height, width, 3), number % 256, np.uint8),
    )


def start_writer(ring: int, n_frames: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.streams_ring_writer", str(ring), str(n_frames)],
        pass_fds=(ring,),
        cwd=Path(__file__).resolve().parents[1],
    )


def test_an_empty_ring_has_no_newest_frame(ring: int) -> None:
    assert RingReader(ring).newest(GATE, after=0) is None


def test_the_newest_frame_arrives_whole_and_older_ones_are_forgotten(ring: int) -> None:
    writer = RingWriter(ring)
    for number in range(1, 8):
        writer.publish(frame(number))

    found = RingReader(ring).newest(GATE, after=0)

    assert found is not None
    number, newest = found
    assert number == 7
    assert (newest.sequence, newest.run, newest.modality) == (7, 2, Modality.VISIBLE)
    assert newest.captured_at_us == 1_700_000_000_000_007
    assert np.array_equal(newest.pixels, frame(7).pixels)
    assert RingReader(ring).newest(GATE, after=7) is None


def test_frames_of_every_size_share_a_ring(ring: int) -> None:
    writer = RingWriter(ring)
    sizes = [(1, 1), (8000, 8000), (2, 3)]

    read = []
    for number, (height, width) in enumerate(sizes, start=1):
        writer.publish(frame(number, height=height, width=width))
        found = RingReader(ring).newest(GATE, after=number - 1)
        assert found is not None
        read.append(found[1].pixels.shape[:2])

    assert read == sizes


def test_a_reader_never_sees_a_frame_that_is_being_overwritten(ring: int) -> None:
    reader = RingReader(ring)
    writer = start_writer(ring, 4000)
    last = 0
    n_read = 0

    while last < 4000 and (writer.poll() is None or n_read == 0 or last < 4000):
        found = reader.newest(GATE, after=last)
        if found is None:
            continue
        number, newest = found
        assert number > last
        assert newest.sequence == number
        assert newest.pixels.shape == (40 + number % 50, 300, 3)
        assert (newest.pixels == number % 256).all()
        last, n_read = number, n_read + 1

    assert writer.wait() == 0
    assert n_read > 10


def test_a_writer_that_is_killed_leaves_a_ring_that_the_next_one_continues(ring: int) -> None:
    reader = RingReader(ring)
    victim = start_writer(ring, 10_000_000)
    while reader.newest(GATE, after=50) is None:
        time.sleep(0.01)
    victim.kill()
    victim.wait()
    found = reader.newest(GATE, after=0)
    assert found is not None
    last, _ = found

    number = RingWriter(ring).publish(frame(9))

    assert number == last + 1
    following = reader.newest(GATE, after=last)
    assert following is not None
    assert following[1].sequence == 9


def test_a_ring_has_no_name_that_could_be_left_behind() -> None:
    before = set(Path("/dev/shm").iterdir()) if Path("/dev/shm").exists() else set()
    descriptor = create_ring()
    RingWriter(descriptor).publish(frame(1))
    named = (set(Path("/dev/shm").iterdir()) if Path("/dev/shm").exists() else set()) - before
    target = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    os.close(descriptor)

    assert not [path for path in named if "noctule" in path.name]
    assert target.endswith("(deleted)")
