"""What it costs to film and to render crops on this machine.

    python -m benchmarks.simulator_speed [--frames 40] [--identities 9]

Filming: five people walk over the demo's plaza, 640x360, in each band: pose, picture, truth and
sensor; the encoder is a process of its own and not counted. Crops: 40 of 384x192 for a few
identities, from which the time of 500 is extrapolated.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from benchmarks.record import record
from simulator.cropping.crops import write_crops
from simulator.figures.body import load_body_model
from simulator.figures.cast import demo_cast
from simulator.figures.people import Person, Posed, dress
from simulator.filming.film import true_people
from simulator.optics.bands import Band
from simulator.optics.illumination import Daylight, Illuminator, Light, Warmth
from simulator.optics.render import Renderer
from simulator.optics.sensors import InfraredSensor, ThermalSensor, VisibleSensor
from simulator.world import demo

RESULT = Path(__file__).parent / "results" / "simulator_speed.json"
LIGHTS: Mapping[Band, tuple[Light, VisibleSensor | InfraredSensor | ThermalSensor]] = {
    Band.VISIBLE: (Daylight(), VisibleSensor()),
    Band.NEAR_INFRARED: (Illuminator(), InfraredSensor()),
    Band.THERMAL: (Warmth(), ThermalSensor()),
}
N_PEOPLE = 5
N_WARM_UP = 3
FPS = 10
CROP_HW = (384, 192)
N_CROPS = (20, 20)
"""Visible and near-infrared crops of each identity."""
N_IDENTITIES = 500
SEED = 11
Stamp = tuple[float, float]
"""Seconds of the wall clock, and of CPU that this process used with all its threads."""


def main() -> None:
    """Measures, prints and writes the figures; with `--table` only prints what was written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=40, help="frames per band")
    parser.add_argument("--identities", type=int, default=9, help="at least 9 who are cropped")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    given = parser.parse_args()
    if not given.table:
        if given.identities < 9:
            parser.error(f"--identities: expected 9 or more, got {given.identities}")
        model = load_body_model()
        people = [dress(model, identity, demo_cast()[identity]) for identity in range(1, 6)]
        load = os.getloadavg()[0]
        films = {band.value: film(people, band, given.frames) for band in LIGHTS}
        n_jobs = sorted({1, os.cpu_count() or 1})
        record(
            given.out,
            {
                "renderer": renderer_name(),
                "moderngl": version("moderngl"),
                "load_before": round(load, 1),
                "film": films,
                "crops": {str(jobs): crops(given.identities, jobs=jobs) for jobs in n_jobs},
            },
        )
    print(table(json.loads(given.out.read_text(encoding="utf-8"))["result"]))


def film(people: list[Person], band: Band, n_frames: int) -> dict[str, float]:
    """Seconds per frame of `n_frames` in one band, after a few to warm up."""
    place = demo.plaza()
    view = place.cameras[0].view
    light, sensor = LIGHTS[band]
    rng = np.random.default_rng(SEED)
    with Renderer(size_px=view.size_px, band=band, place=place.mesh) as renderer:
        for person in people:
            renderer.add(person)

        def shoot(k: int) -> None:
            poses = {person.identity: walking(person, k) for person in people}
            rendering = renderer.draw(poses, view, light)
            true_people(rendering, poses, renderer.count_alone_px(poses, view), view)
            sensor.expose(rendering.light, rng)

        for k in range(N_WARM_UP):
            shoot(k)
        started = now()
        for k in range(N_WARM_UP, N_WARM_UP + n_frames):
            shoot(k)
        wall_s, cpu_s = since(started)
    return {
        "n_frames": n_frames,
        "wall_s_per_frame": round(wall_s / n_frames, 4),
        "cpu_s_per_frame": round(cpu_s / n_frames, 4),
        "frames_per_s": round(n_frames / wall_s, 2),
    }


def crops(n_identities: int, *, jobs: int) -> dict[str, float]:
    """Hours for `N_IDENTITIES`, from those after the first of each process."""
    stamps: list[Stamp] = []
    with tempfile.TemporaryDirectory() as folder:
        started = now()
        write_crops(
            Path(folder),
            identities=range(1, n_identities * jobs + 1),
            visible=N_CROPS[0],
            infrared=N_CROPS[1],
            size_hw=CROP_HW,
            seed=SEED,
            jobs=jobs,
            report=lambda *_: stamps.append(now()),
        )
    n_after = len(stamps) - jobs
    start_s = stamps[jobs - 1][0] - started[0]
    wall_s, cpu_s = (
        (last - first) / n_after for first, last in zip(stamps[jobs - 1], stamps[-1], strict=True)
    )
    figures = {
        "n_measured": n_after,
        "start_s": round(start_s, 1),
        "wall_s_per_identity": round(wall_s, 3),
        "hours_for_500": round((start_s + wall_s * N_IDENTITIES) / 3600, 3),
    }
    # Processes of their own tell their CPU time only when they end.
    return figures | ({"cpu_s_per_identity": round(cpu_s, 3)} if jobs == 1 else {})


def walking(person: Person, k: int) -> Posed:
    """The pose of one of five who walk side by side in frame `k`."""
    walked_m = k / FPS * person.speed_mps
    spot = (-2.4 + 0.8 * person.identity, 9.0 - 0.3 * person.identity - walked_m % 3)
    return person.pose(walked_m / person.cycle.stride_m, spot, -np.pi / 2)


def now() -> Stamp:
    """What clock and CPU show."""
    return time.perf_counter(), time.process_time()


def since(started: Stamp) -> Stamp:
    """Seconds of both since then."""
    return time.perf_counter() - started[0], time.process_time() - started[1]


def renderer_name() -> str:
    """What draws: a graphics card or Mesa's software renderer."""
    create_context: Any = moderngl.create_context
    context = create_context(standalone=True, backend="egl")
    name = str(context.info["GL_RENDERER"])
    context.release()
    return name


def table(result: Mapping[str, Any]) -> str:
    """The figures as two tables in Markdown."""
    lines = [
        f"Load before the start: {result['load_before']} (above 0.5, the clock shows waiting too).",
        "",
        "| light | frames a second | s a frame | CPU s a frame |",
        "|---|---|---|---|",
    ]
    for band, figures in result["film"].items():
        lines.append(
            f"| {band} | {figures['frames_per_s']:.1f} | {figures['wall_s_per_frame']:.3f} "
            f"| {figures['cpu_s_per_frame']:.3f} |"
        )
    lines += [
        "",
        "| processes | s an identity | CPU s an identity | measured on | 500, extrapolated |",
        "|---|---|---|---|---|",
    ]
    for jobs, figures in result["crops"].items():
        lines.append(
            f"| {jobs} | {figures['wall_s_per_identity']:.2f} "
            f"| {figures.get('cpu_s_per_identity', 'not told')} "
            f"| {figures['n_measured']:.0f} identities | {figures['hours_for_500']:.2f} h |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
