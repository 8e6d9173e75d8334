"""What lies beside the videos: the index `truth.json` and a `config.yaml` that watches them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from simulator.filming.install import ground_of, stated_transits
from simulator.filming.plan import Plan
from simulator.filming.scenario import Transit
from simulator.filming.take import Take
from simulator.filming.truth import SCHEMA, SUFFIX
from simulator.world.places import Place
from simulator.world.sight import intrinsics, overlapping, world_to_camera

INDEX = "truth.json"
CONFIG = "config.yaml"
_DIGITS = 9


def write_index(plan: Plan, takes: Sequence[Take], out: Path) -> Path:
    """Write who takes part, which videos there are and what every place looks like from above."""
    index = {
        "schema": SCHEMA,
        "scenario": plan.scenario.name,
        "seed": plan.seed,
        "minutes": plan.minutes,
        "people": [
            {
                "identity": identity,
                "group": character.group,
                "changes_clothes": character.looks_by_night is not None,
                "walks_with": [i for i in party if i != identity],
            }
            for party in plan.parties
            for identity in party
            for character in [plan.people[identity]]
        ],
        "videos": [_video(take) for take in takes],
        "floor_plans": {place.name: _floor_plan(place) for place in _places(takes)},
        "transit": [
            {
                "from": {"place": a[0], "door": a[1]},
                "to": {"place": b[0], "door": b[1]},
                "median_s": transit.median_s,
                "spread": transit.spread,
            }
            for transit in plan.scenario.transit
            for a, b in [transit.ends]
        ],
    }
    path = out / INDEX
    path.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return path


def write_config(takes: Sequence[Take], out: Path, *, transit: Sequence[Transit] = ()) -> Path:
    """Write a configuration for `noctule run` that watches all videos of the folder.

    Args:
        transit: Ways between places; what they mean for cameras is stated.
    """
    names = {(take.camera.name, take.period): take.video for take in takes}
    pairs = [
        [names[a, take.period], names[b, take.period]]
        for take in {(take.place.name, take.period): take for take in takes}.values()
        for a, b in overlapping(take.place)
        if (a, take.period) in names and (b, take.period) in names
    ]
    config = {
        "site": f"simulated {takes[0].scenario}",
        "cameras": [
            {
                "name": take.video,
                "source": f"{take.video}.mp4",
                "starts_at": take.period.starts_at.isoformat(),
                "ground": ground_of(take.camera.view),
            }
            for take in takes
        ],
        "linking": {"overlapping": pairs, "transits": stated_transits(takes, transit)},
        "storage": {"database": "sqlite:///site/noctule.db", "evidence": "site/evidence"},
    }
    path = out / CONFIG
    words = (
        "# Watches the videos of this folder: noctule run --config config.yaml\n"
        "# Written by `noctule simulate`; who is really there stands in truth.json.\n"
    )
    path.write_text(
        words + yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100),
        encoding="utf-8",
    )
    return path


def _places(takes: Sequence[Take]) -> list[Place]:
    return list({take.place.name: take.place for take in takes}.values())


def _video(take: Take) -> dict[str, Any]:
    return {
        "video": f"{take.video}.mp4",
        "truth": f"{take.video}{SUFFIX}",
        "camera": take.camera.name,
        "place": take.place.name,
        "period": take.period.hour.value,
        "starts_at": take.period.starts_at.isoformat(),
        "n_frames": take.n_frames,
        "fps": take.fps,
    }


def _floor_plan(place: Place) -> dict[str, Any]:
    """Metres; outlines are convex, corners in order."""
    plan = place.floor_plan
    return {
        "x_m": plan.x,
        "y_m": plan.y,
        "is_indoor": place.is_indoor,
        "things": [
            {
                "kind": thing.kind,
                "outline_m": [_rounded(corner) for corner in thing.footprint],
                "bottom_m": thing.bottom_m,
                "top_m": round(thing.top_m, 3),
            }
            for thing in plan.things
        ],
        "doors": {name: list(point) for name, point in place.doors.items()},
        "cameras": [
            {
                "camera": camera.name,
                "kind": camera.kind.value,
                "eye_m": list(camera.view.eye),
                "target_m": list(camera.view.target),
                "field_deg": camera.view.field_deg,
                "size_px": list(camera.view.size_px),
                "intrinsics": intrinsics(camera.view).round(_DIGITS).tolist(),
                "world_to_camera": world_to_camera(camera.view).round(_DIGITS).tolist(),
            }
            for camera in place.cameras
        ],
        "overlapping": [list(pair) for pair in overlapping(place)],
    }


def _rounded(point: tuple[float, float]) -> list[float]:
    return [round(value, 3) for value in point]
