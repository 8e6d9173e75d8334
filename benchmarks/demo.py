"""The main job on the embedded day/night footage, scored against its truth.

    python -m benchmarks.demo --out benchmarks/results/demo.json

Reported: wall and CPU seconds, frames per CPU second, how the decisions fell, and precision and
recall of linked pairs of sightings for visible-visible, infrared-infrared and visible-infrared.
The people of the demo footage took no part in training or calibration.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import SecretStr

from benchmarks.links import (
    PairScores,
    across_cameras,
    guesses_right,
    score_pairs,
    true_person,
)
from benchmarks.record import record
from pipeline.config import SiteConfig, load_config
from pipeline.run.watch import Progress, watch
from storage.config import StorageConfig
from storage.database import Database, open_database
from storage.sightings import sightings, trail_of
from storage.types import Sighting, SightingId, person_name
from streams.types import Modality

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
        result = {
            "n_frames": done.n_frames,
            "n_frames_without_motion": done.n_still,
            "wall_s": round(wall_s, 1),
            "cpu_s": round(cpu_s, 1),
            "frames_per_cpu_s": round(done.n_frames / cpu_s, 1),
            **_scored(site, done),
        }
    record(given.out, result)
    print(json.dumps(result, indent=2))


def into_folder(site: SiteConfig, folder: Path) -> SiteConfig:
    """The same site, remembering into another folder."""
    storage = StorageConfig(
        database=SecretStr(f"sqlite:///{folder / 'noctule.db'}"),
        evidence=folder / "evidence",
        reserve_mb=0,
    )
    return site.model_copy(update={"storage": storage})


def true_people(
    database: Database, found: list[Sighting], site: SiteConfig
) -> dict[SightingId, int | None]:
    """Who each sighting shows, by the truth file beside its camera's video."""
    who: dict[SightingId, int | None] = {}
    for camera in site.cameras:
        video = Path(camera.source.get_secret_value())
        truth = np.loadtxt(video.with_suffix(".gt.txt"), delimiter=",")
        head = json.loads(video.with_suffix(".truth.json").read_text(encoding="utf-8"))
        for sighting in found:
            if sighting.camera == camera.name:
                who[sighting.id] = true_person(
                    trail_of(database, sighting.id),
                    truth,
                    start_us=head["starts_at_us"],
                    fps=head["fps"],
                )
    return who


def pair_scores(found: list[Sighting], who: dict[SightingId, int | None]) -> dict[str, PairScores]:
    """Scores across cameras, for the whole and per pair of modalities."""

    def of(a: Modality, b: Modality) -> PairScores:
        return score_pairs(
            found,
            who,
            where=lambda x, y: across_cameras(x, y) and {x.modality, y.modality} == {a, b},
        )

    day, night = Modality.VISIBLE, Modality.INFRARED
    return {
        "all": score_pairs(found, who, where=across_cameras),
        "visible_visible": of(day, day),
        "infrared_infrared": of(night, night),
        "visible_infrared": of(day, night),
    }


def _scored(site: SiteConfig, done: Progress) -> dict[str, object]:
    with open_database(site.storage.database.get_secret_value()) as database:
        found = sightings(database, limit=None)
        who = true_people(database, found, site)
    people_of: dict[str, Counter[str]] = {}
    for sighting in found:
        name = "nobody" if sighting.identity is None else person_name(sighting.identity)
        people_of.setdefault(str(who[sighting.id]), Counter())[name] += 1
    return {
        "n_sightings": len(found),
        "n_true_people": len(set(who.values()) - {None}),
        "n_identities": len({s.identity for s in found} - {None}),
        "decisions": {decision.value: n for decision, n in sorted(done.decisions.items())},
        **guesses_right(found, who),
        "identities_of_each_true_person": {
            person: dict(names) for person, names in sorted(people_of.items())
        },
        "across_cameras": {
            name: scores.to_json() for name, scores in pair_scores(found, who).items()
        },
    }


def _cpu_s() -> float:
    """CPU seconds of this process and the children it has waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    main()
