"""What a simulated site states about itself is what happens there."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import load_config
from simulator.filming.folder import write_config
from simulator.filming.job import Job, Order, prepare
from simulator.filming.plan import Casting
from simulator.filming.take import Settings, Take
from simulator.world.sight import sees
from simulator.world.walks import Way
from streams.config import CameraConfig


@pytest.fixture(scope="module")
def job() -> Job:
    order = Order(
        scenario="town", seed=2, minutes=5, settings=Settings(), casting=Casting(), n_people=16
    )
    return prepare(order)


def views(take: Take) -> dict[int, list[tuple[float, float]]]:
    """First and last second that each walk is seen, by identity."""
    found = defaultdict(list)
    for walk in take.walks:
        way = Way(walk.waypoints)
        walked_m = np.arange(0, way.length_m, 1.0)
        chests = np.column_stack([way.positions(walked_m), np.ones(len(walked_m))])
        seen_m = walked_m[sees(take.camera.view, chests, take.place.floor_plan.things)]
        if len(seen_m):
            seen_s = walk.starts_at_s + seen_m[[0, -1]] / (walk.pace_mps or 1)
            found[walk.identity].append((float(seen_s[0]), float(seen_s[1])))
    return found


def test_most_people_take_as_long_between_places_as_is_stated(job: Job, tmp_path: Path) -> None:
    path = write_config(job.takes, tmp_path, transit=job.plan.scenario.transit)
    stated = {}
    for way in load_config(path).linking.transits:
        stated[way.from_camera, way.to_camera] = (way.least_s, way.most_s)
        stated[way.to_camera, way.from_camera] = (way.least_s, way.most_s)
    journeys: dict[tuple[int, str], list[tuple[float, float, Take]]] = defaultdict(list)
    for take in job.takes:
        for identity, spans in views(take).items():
            journeys[identity, take.period.hour] += [(*span, take) for span in spans]
    is_within = []
    for journey in journeys.values():
        for before, after in pairwise(sorted(journey, key=lambda view: view[:2])):
            pair = before[2].video, after[2].video
            if pair in stated:
                least_s, most_s = stated[pair]
                is_within.append(least_s <= after[0] - before[1] <= most_s)

    assert len(is_within) > 20
    assert np.mean(is_within) > 0.7  # who waits for a free way takes longer


def test_every_camera_knows_its_ground(job: Job, tmp_path: Path) -> None:
    path = write_config(job.takes, tmp_path, transit=job.plan.scenario.transit)

    cameras: dict[str, CameraConfig] = {c.name: c for c in load_config(path).cameras}

    assert all(cameras[take.video].ground is not None for take in job.takes)
