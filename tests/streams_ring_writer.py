"""A capture process in small: fills a ring as fast as it can with frames of one grey level each.

`python -m tests.streams_ring_writer RING N_FRAMES`, with the ring's file descriptor inherited.
"""

from __future__ import annotations

import sys

import numpy as np

from streams.ring import RingWriter
from streams.types import CameraId, Frame, Modality


def main() -> None:
    """Publish frames whose every pixel is their number modulo 256."""
    writer = RingWriter(int(sys.argv[1]))
    for number in range(1, int(sys.argv[2]) + 1):
        size = 40 + number % 50
        frame = Frame(
            camera=CameraId("gate"),
            modality=Modality.INFRARED,
            captured_at_us=number,
            run=0,
            sequence=number,
            pixels=np.full((size, 300, 3), number % 256, np.uint8),
        )
        writer.publish(frame)


if __name__ == "__main__":
    main()
