"""Films the demo: `python -m simulator.filming.film --seed 1 --out simulator/footage/demo`.

Writes a video, a truth file and a MOTChallenge file per camera. The same seed gives the same
truth, and on one machine the same pixels. Needs the `ffmpeg` command with libx264.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from simulator.figures.body import BodyModel, load_body_model
from simulator.figures.cast import demo_cast
from simulator.figures.people import Person, Posed, dress
from simulator.filming.scenario import FPS, LASTS_S, Scene, demo_scenes
from simulator.filming.truth import Box, TrueFrame, TruePerson, Truth, to_motchallenge, write_truth
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import Picture
from simulator.optics.render import Renderer, Rendering
from simulator.world.places import Place
from simulator.world.walks import Way
from streams.types import Modality

logger = logging.getLogger(__name__)

_LEAST_PX = 40
_KEYFRAME_EVERY_S = 2
_QUALITY = {Modality.VISIBLE: 22, Modality.INFRARED: 28}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """One filmed frame and its truth."""

    picture: Picture
    truth: TrueFrame


def film(
    scene: Scene, people: Mapping[int, Person], rng: np.random.Generator, *, n_frames: int
) -> Iterator[Shot]:
    """The first `n_frames` of a scene.

    Args:
        people: By identity, everybody who walks in the scene.
        rng: For the sensor's noise and for the phase of each walk.
    """
    place = scene.place
    starts_at_us = round(scene.starts_at.timestamp() * 1_000_000)
    ways = [Way(walk.waypoints) for walk in scene.walks]
    phases = rng.random(len(ways))
    band = Band.VISIBLE if place.modality is Modality.VISIBLE else Band.NEAR_INFRARED
    with Renderer(size_px=place.view.size_px, band=band, place=place.mesh) as renderer:
        for identity in sorted({walk.identity for walk in scene.walks}):
            renderer.add(people[identity])
        for k in range(n_frames):
            poses: dict[int, Posed] = {}
            for walk, way, phase in zip(scene.walks, ways, phases, strict=True):
                person = people[walk.identity]
                stance = way.at((k / FPS - walk.starts_at_s) * person.speed_mps)
                if stance is None:
                    continue
                cycles = phase + stance.walked_m / person.cycle.stride_m
                poses[walk.identity] = person.pose(cycles, stance.xy_m, stance.heading_rad)
            rendering = renderer.draw(poses, place.view, place.light)
            truth = TrueFrame(
                frame=k,
                captured_at_us=starts_at_us + k * 1_000_000 // FPS,
                people=true_people(
                    rendering, poses, renderer.count_alone_px(poses, place.view), place.view
                ),
            )
            yield Shot(picture=place.sensor.expose(rendering.light, rng), truth=truth)


def true_people(
    rendering: Rendering, poses: Mapping[int, Posed], alone_px: Mapping[int, int], view: View
) -> tuple[TruePerson, ...]:
    """Who shows in a rendering, by rising identity; specks of a few pixels do not count.

    Args:
        alone_px: Pixels each would cover alone.
    """
    found = []
    for identity, posed in sorted(poses.items()):
        rows, columns = np.nonzero(rendering.identities == identity)
        if len(rows) < _LEAST_PX:
            continue
        box = (
            int(columns.min()),
            int(rows.min()),
            int(columns.max()) + 1,
            int(rows.max()) + 1,
        )
        found.append(
            TruePerson(
                identity=identity,
                box_px=box,
                full_box_px=_full_box(posed, view, box),
                visibility=round(min(len(rows) / max(alone_px[identity], 1), 1.0), 3),
            )
        )
    return tuple(found)


def film_scene(scene: Scene, model: BodyModel, out: Path, *, seed: int, n_frames: int) -> None:
    """Write the scene's video and truth files into the folder `out`."""
    place = scene.place
    rng = np.random.default_rng([seed, *place.camera.encode()])
    cast = demo_cast()
    walking = sorted({walk.identity for walk in scene.walks})
    people = {identity: dress(model, identity, cast[identity]) for identity in walking}
    frames: list[TrueFrame] = []
    encoder = _start_encoder(place, out / f"{place.camera}.mp4")
    pictures = _input_of(encoder)
    for shot in film(scene, people, rng, n_frames=n_frames):
        pictures.write(shot.picture.tobytes())
        frames.append(shot.truth)
        if len(frames) % 100 == 0:
            logger.info("%s: %d of %d frames", place.camera, len(frames), n_frames)
    pictures.close()
    if encoder.wait() != 0:
        raise RuntimeError(f"ffmpeg failed on {place.camera}; its message is above")
    truth = Truth(
        camera=place.camera,
        modality=place.modality,
        fps=FPS,
        size_px=place.view.size_px,
        starts_at_us=frames[0].captured_at_us,
        frames=tuple(frames),
    )
    write_truth(truth, out / f"{place.camera}.truth.json")
    (out / f"{place.camera}.gt.txt").write_text(to_motchallenge(truth), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when everything is written, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.filming.film", description="Film the demo footage with its truth."
    )
    names = [scene.place.camera for scene in demo_scenes()]
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=1, help="noise and phase of the walks")
    parser.add_argument("--camera", choices=names, action="append", help="only this (repeatable)")
    parser.add_argument("--seconds", type=float, default=LASTS_S, help="length of each video")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    model = load_body_model()
    for scene in demo_scenes():
        if options.camera is None or scene.place.camera in options.camera:
            n_frames = round(options.seconds * FPS)
            film_scene(scene, model, options.out, seed=options.seed, n_frames=n_frames)
    return 0


def _full_box(posed: Posed, view: View, seen: Box) -> Box:
    """The body's box cut at the frame; where part of it is behind the lens, what shows of it."""
    points = view.project(posed.vertices)
    if np.isnan(points).any():
        return seen
    width, height = view.size_px
    x0, y0 = np.floor(np.clip(points.min(axis=0), 0, [width, height])).astype(int)
    x1, y1 = np.ceil(np.clip(points.max(axis=0), 0, [width, height])).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _start_encoder(place: Place, path: Path) -> subprocess.Popen[bytes]:
    """H.264 that every player and every decoder test likes: no B frames, regular key frames."""
    width, height = place.view.size_px
    keyframe_every = str(_KEYFRAME_EVERY_S * FPS)
    quality = str(_QUALITY[place.modality])
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS)]
    codec = ["-c:v", "libx264", "-preset", "slow", "-crf", quality, "-pix_fmt", "yuv420p"]
    groups = ["-g", keyframe_every, "-keyint_min", keyframe_every, "-sc_threshold", "0", "-bf", "0"]
    same = ["-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact"]
    command = ["ffmpeg", "-y", "-loglevel", "error", *source, "-i", "-", *codec, *groups, *same]
    try:
        return subprocess.Popen(
            [*command, "-movflags", "+faststart", str(path)], stdin=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise RuntimeError("ffmpeg: command not found; install ffmpeg with libx264") from error


def _input_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise RuntimeError("ffmpeg was started without a pipe")
    return process.stdin


if __name__ == "__main__":
    sys.exit(main())
