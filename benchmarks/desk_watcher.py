"""`noctule run` with a stopwatch beside it, for `benchmarks.desk_load`.

    python -m benchmarks.desk_watcher stopwatch.jsonl --config config.yaml

It is the command itself; after each batch of frames one line is written: when it was done, when
each frame was taken, and how many of them were not searched, for nothing moved.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from pipeline.cli.app import app
from pipeline.run import watch
from pipeline.run.perceive import Perception
from pipeline.types import Tracklet
from streams.types import Frame


def main() -> None:
    with Path(sys.argv[1]).open("w", buffering=1, encoding="utf-8") as out:

        class Timed(Perception):
            """Writes down when frames are done."""

            def perceive(self, frames: Sequence[Frame]) -> list[Tracklet]:
                n_still = self.n_still
                found = super().perceive(frames)
                said = {
                    "done_us": time.time_ns() // 1000,
                    "n_still": self.n_still - n_still,
                    "taken_us": {frame.camera: frame.captured_at_us for frame in frames},
                }
                out.write(json.dumps(said) + "\n")
                return found

        with patch.object(watch, "Perception", Timed):
            app(["run", *sys.argv[2:]], prog_name="noctule")


if __name__ == "__main__":
    main()
