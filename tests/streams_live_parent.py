"""A watcher in small, for tests that kill it: `python -m tests.streams_live_parent < address`.

Prints one line with its capture processes' ids once frames arrive, and goes on taking frames.
"""

from __future__ import annotations

import sys

from pydantic import SecretStr

from streams.config import CameraConfig
from streams.live import LiveFeeds
from streams.types import Frame
from tests.processes import children_of_this_process


def main() -> None:
    """Take frames until killed."""
    camera = CameraConfig(name="gate", source=SecretStr(sys.stdin.readline().strip()))
    has_told = False
    with LiveFeeds([camera]) as feeds:
        while True:
            taken = feeds.take(1.0)
            if not has_told and any(isinstance(each, Frame) for each in taken):
                sys.stdout.write(" ".join(map(str, children_of_this_process())) + "\n")
                sys.stdout.flush()
                has_told = True


if __name__ == "__main__":
    main()
