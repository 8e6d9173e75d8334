"""The main job on the embedded day/night footage, scored against its truth.

    python -m benchmarks.demo --out benchmarks/results/demo.json

Reported: wall and CPU seconds, frames per CPU second, how the decisions fell, and every measure of
docs/linking-measures.md. The people of the demo footage took no part in training or calibration.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.record import record
from benchmarks.sites import figures, into_folder, true_videos
from pipeline.config import load_config
from pipeline.run.watch import watch
from storage.database import open_database

PROJECT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=PROJECT / "config.yaml")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        site = into_folder(load_config(given.config), Path(folder))
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        done = watch(site, stop=threading.Event(), report=lambda _: None)
        cpu_s, wall_s = _cpu_s() - cpu_s, time.perf_counter() - wall_s
        with open_database(site.storage.database.get_secret_value()) as database:
            scores = figures(database, true_videos(site))
    result = {
        "n_frames": done.n_frames,
        "n_frames_without_motion": done.n_still,
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "frames_per_cpu_s": round(done.n_frames / cpu_s, 1),
        **scores,
    }
    record(given.out, result)
    print(json.dumps(result, indent=2))


def _cpu_s() -> float:
    """CPU seconds of this process and the children it has waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    main()
