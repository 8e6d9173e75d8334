"""What one crop costs in each library, and how near its vectors are to torch's.

    OMP_NUM_THREADS=1 python benchmarks/embedder_speed.py --out FILE

One thread, real crops of both lights (those of the parity test), batches of 1, 8 and 32 of one
light. All contestants take turns within a round; the median over rounds is reported, and the least,
for other work on the machine only adds. CPU seconds are those of this process, so they hold on a
busy machine too; what is on the wall there does not.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from models.device import limit_threads
from models.reid.checkpoint import Checkpoint, read_checkpoint
from models.runtime.engines import TorchEngine, format_of, open_graphs, ways_here
from models.runtime.export import export
from models.runtime.load import TORCH
from models.runtime.parity import Probe, lowest_cosine, make_probe
from models.runtime.types import Engine, GraphFormat, Way
from models.weights import obtain

BATCHES = (1, 8, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one crop costs in a batch of a size.

    Attributes:
        cpu_ms: Median over rounds, milliseconds of CPU per crop.
        least_cpu_ms: The best round.
        wall_ms: Median over rounds, on the wall.
        crops_per_s: From the median of the CPU time, one thread.
    """

    batch: int
    cpu_ms: float
    least_cpu_ms: float
    wall_ms: float
    crops_per_s: float


def engines(checkpoint: Checkpoint, folder: Path) -> tuple[dict[Way, Engine], dict[str, float]]:
    """Every way that this machine offers, and the seconds of CPU that each export took."""
    opened: dict[Way, Engine] = {}
    exported_s: dict[GraphFormat, float] = {}
    for way in ways_here(on_gpu=False, allow_half=True):
        if way == TORCH:
            opened[way] = TorchEngine(checkpoint.network, torch.device("cpu"))
            continue
        graph_format = format_of(way.runtime)
        if graph_format not in exported_s:
            started_s = time.process_time()
            export(checkpoint.network, checkpoint.model, graph_format, folder / graph_format)
            exported_s[graph_format] = time.process_time() - started_s
        opened[way] = open_graphs(way, folder / graph_format, threads=1)
    return opened, {str(graph_format): s for graph_format, s in exported_s.items()}


def measure(opened: Mapping[Way, Engine], probe: Probe, batch: int, rounds: int) -> dict[Way, Cost]:
    """Costs of contestants that take turns, light by light."""
    cpu_ms: dict[Way, list[float]] = {way: [] for way in opened}
    wall_ms: dict[Way, list[float]] = {way: [] for way in opened}
    for number in range(-1, rounds):  # the first round only warms up
        is_infrared = np.full(batch, number % 2 == 1)
        of_light = np.flatnonzero(probe.is_infrared == is_infrared[0])
        pixels = probe.pixels[of_light[(np.arange(batch) + number) % len(of_light)]]
        for way, engine in opened.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            engine.run(pixels, is_infrared)
            cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
            if number >= 0:
                cpu_ms[way].append(1000 * cpu_s / batch)
                wall_ms[way].append(1000 * wall_s / batch)
    return {
        way: Cost(
            batch=batch,
            cpu_ms=statistics.median(cpu_ms[way]),
            least_cpu_ms=min(cpu_ms[way]),
            wall_ms=statistics.median(wall_ms[way]),
            crops_per_s=1000 / statistics.median(cpu_ms[way]),
        )
        for way in opened
    }


def main() -> None:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="edge", help="name or path of our embedder")
    parser.add_argument("--rounds", type=int, default=30, help="of batches of one; fewer of larger")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    limit_threads(1)
    checkpoint = read_checkpoint(obtain(arguments.weights))
    probe = make_probe(checkpoint.network)
    with TemporaryDirectory() as folder:
        opened, exported_s = engines(checkpoint, Path(folder))
        cosines = {str(way): lowest_cosine(engine, probe) for way, engine in opened.items()}
        costs: dict[str, list[Cost]] = {str(way): [] for way in opened}
        for batch in BATCHES:
            rounds = max(6, arguments.rounds // batch)
            for way, cost in measure(opened, probe, batch, rounds).items():
                costs[str(way)].append(cost)
                print(
                    f"{way!s:22} batch {batch:2}: {cost.cpu_ms:5.1f} ms CPU per crop "
                    f"(least {cost.least_cpu_ms:5.1f}), {cost.wall_ms:5.1f} ms on the wall, "
                    f"{cost.crops_per_s:5.1f} crops/s, lowest cosine {cosines[str(way)]:.6f}"
                )
    report = {
        "model": checkpoint.model,
        "machine": platform.processor() or platform.machine(),
        "export_cpu_s": exported_s,
        "lowest_cosine": cosines,
        "per_crop": {way: [asdict(cost) for cost in each] for way, each in costs.items()},
    }
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
