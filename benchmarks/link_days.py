"""Days of a made-up site through the real linker, in seconds: no video, no detector, no tracker.

    noctule simulate crops --out crops --identities 60 --first 9001 --seed 977
    python -m benchmarks.link_days crops --people tune
    python -m benchmarks.link_days crops --people report --out benchmarks/results/link_days.json

Rendered people walk through eight cameras by a seeded schedule (`benchmarks.link_schedule`), by day
in visible and by night in infrared light. Every visit becomes a tracklet with one to four crops of
the right person, light and lens, no crop twice; some are brief, far away or torn in two. The
watcher's own `Memory` embeds them (from vectors kept beside the crops), links and records them in
a real SQLite database, in the order in which the tracker would hand them on.
docs/linking-measures.md says what the figures mean. Settings of the linker are tuned on
`--people tune` only.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from benchmarks.link_pictures import (
    PEER,
    KeptEmbedder,
    Shelf,
    embedder_and_calibration,
    kept_vectors,
    shelves,
)
from benchmarks.link_schedule import DOORS, LENS, OVERLAPPING, Habits, Visit, schedule
from benchmarks.record import record
from benchmarks.relink import Without, relinked
from models.datasets.folder import find_crops
from models.reid.calibration import Calibration
from models.types import Crop
from pipeline.evaluation.identity import (
    IdentityScores,
    owners,
    score_identities,
    shared_by_sightings,
)
from pipeline.evaluation.pairs import PairScores, score_pairs
from pipeline.evaluation.types import Judged, Lights
from pipeline.linking.config import LinkingConfig
from pipeline.types import TrackKey, Tracklet
from storage.database import open_database
from storage.sightings import sightings
from storage.types import Sighting
from streams.types import CameraId, Modality

TUNE, REPORT = range(9001, 9030), range(9030, 9061)
PATIENCE_US = 2_000_000
"""After so long without a detection the tracker hands a tracklet on."""
WIDTH_PX, HEIGHT_PX = 640, 360
_STEP_US = 200_000
_N_CROPS, _N_CROPS_SHARE = (1, 2, 3, 4), (0.1, 0.3, 0.3, 0.3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A tracklet and who truly is in it."""

    tracklet: Tracklet
    person: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("crops", type=Path, help="folder of `noctule simulate crops`")
    parser.add_argument("--people", choices=("tune", "report"), default="tune")
    parser.add_argument("--seeds", type=int, default=5, help="how many sites")
    parser.add_argument("--per-hour", type=float, default=Habits().per_hour, help="people")
    parser.add_argument("--embedder", default="edge", help=f"name, file or {PEER}")
    parser.add_argument("--peer", type=Path, help=f"weights (.xml) of {PEER}")
    parser.add_argument("--no-transit", action="store_true", help="ways between cameras unknown")
    parser.add_argument("--no-constraints", action="store_true", help="one body, many places")
    parser.add_argument("--no-refine", action="store_true", help="no second thoughts")
    parser.add_argument("--stated", action="store_true", help="the installer stated all ways")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of linking")
    parser.add_argument("--out", type=Path, help="write the JSON with commit and machine")
    given = parser.parse_args()
    numbers = TUNE if given.people == "tune" else REPORT
    images = find_crops(given.crops)
    embedder, calibration = embedder_and_calibration(
        given.embedder,
        peer_xml=given.peer,
        fit_to=[image for image in images if int(image.person) in TUNE],
    )
    pictures = shelves(given.crops)
    kept = kept_vectors(given.crops, [c for crops in pictures.values() for c in crops], embedder)
    people = sorted({s.person for s in pictures if int(s.person) in numbers})
    habits = replace(Habits(), per_hour=given.per_hour)
    without = Without(
        transit=given.no_transit, constraints=given.no_constraints, refine=given.no_refine
    )
    config = settings(given.set, without, stated=given.stated)
    started_s = time.perf_counter()
    days = [
        live(
            made_tracklets(schedule(people, seed=seed, habits=habits), pictures, seed, habits),
            kept,
            calibration,
            config,
        )
        for seed in range(given.seeds)
    ]
    result = {
        "people": given.people,
        "n_people": len(people),
        "n_sites": given.seeds,
        "per_hour": given.per_hour,
        "embedder": str(embedder.model),
        "calibration": calibration.name,
        "settings": config.model_dump(mode="json"),
        "wall_s": round(time.perf_counter() - started_s, 1),
        **figures(days),
    }
    if given.out:
        record(given.out, result)
    print(json.dumps(result, indent=2))


def settings(changes: Sequence[str], without: Without, *, stated: bool) -> LinkingConfig:
    """The default settings of linking on this site, changed."""
    values = {key: json.loads(value) for key, _, value in (e.partition("=") for e in changes)}
    ways = [
        {"from": a, "to": b, "least_s": 0.6 * median_s, "most_s": 1.7 * median_s, "both_ways": True}
        for (a, b), median_s in DOORS.items()
        if stated and median_s > 0
    ]
    site = {"overlapping": OVERLAPPING, "transits": ways}
    return without.settings(LinkingConfig.model_validate(site | values), LENS)


def made_tracklets(
    visits: Sequence[Visit], pictures: Mapping[Shelf, Sequence[Crop]], seed: int, habits: Habits
) -> list[Made]:
    """Tracklets in the order in which a tracker hands them on; visits without a crop left are not.

    A crop is dealt out once per site, near or far.
    """
    rng = np.random.default_rng([seed, 3])
    left: dict[tuple[str, Modality, int], list[int]] = {}
    made: list[Made] = []
    for visit in visits:
        shelf = Shelf(
            person=visit.person,
            modality=visit.modality,
            lens=LENS[visit.camera],
            is_far=visit.is_far,
        )
        stack = left.setdefault(
            (visit.person, visit.modality, shelf.lens),
            list(rng.permutation(len(pictures.get(shelf, ())))),
        )
        wanted = 1 if visit.is_brief else int(rng.choice(_N_CROPS, p=_N_CROPS_SHARE))
        crops = [pictures[shelf][stack.pop()] for _ in range(min(wanted, len(stack)))]
        if not crops:
            continue
        halves = [(visit.first_us, visit.last_us, crops)]
        if len(crops) > 1 and rng.random() < habits.broken:
            middle_us = (visit.first_us + visit.last_us) // 2
            halves = [
                (visit.first_us, middle_us - 500_000, crops[:1]),
                (middle_us + 500_000, visit.last_us, crops[1:]),
            ]
        for first_us, last_us, shown in halves:
            made.append(
                Made(
                    tracklet=_tracklet(visit, first_us, last_us, shown, rng),
                    person=int(visit.person),
                )
            )
    return sorted(made, key=lambda each: (each.tracklet.last_seen_us, each.tracklet.track))


def _tracklet(
    visit: Visit, first_us: int, last_us: int, crops: Sequence[Crop], rng: np.random.Generator
) -> Tracklet:
    """A straight walk from one door of the picture to another."""
    times_us = np.append(np.arange(first_us, max(last_us, first_us + 1), _STEP_US), last_us)
    times_us = np.unique(times_us)
    tall = crops[0].pixels.shape[0]
    way = (times_us - visit.first_us) / max(visit.last_us - visit.first_us, 1)
    x = (1 - way) * _door_px(visit.camera, visit.enters) + way * _door_px(
        visit.camera, visit.leaves
    )
    y = np.full(len(x), HEIGHT_PX - tall - 20.0)
    boxes = np.column_stack([x, y, x + tall / 2, y + tall]).astype(np.float32)
    places = np.linspace(0, len(times_us) - 1, len(crops) + 2)[1:-1].round().astype(int)
    return Tracklet(
        camera=visit.camera,
        track=TrackKey(f"{visit.camera}/{first_us}/{int(rng.integers(1_000_000))}"),
        part=0,
        times_us=times_us.astype(np.int64),
        boxes=boxes,
        scores=np.full(len(x), 0.8, np.float32),
        modality=visit.modality,
        crops=tuple(
            sorted(
                (
                    replace(
                        crop,
                        camera=visit.camera,
                        captured_at_us=int(times_us[place]),
                        box=_box(boxes[place]),
                    )
                    for crop, place in zip(crops, places, strict=True)
                ),
                key=lambda crop: -crop.quality,
            )
        ),
    )


def _box(row: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = map(float, row)
    return x0, y0, x1, y1


def _door_px(camera: CameraId, beside: str | None) -> float:
    """Where in the picture people come from or go to that neighbour; 20 px wide places."""
    doors = [None, *sorted(LENS)]
    return 20.0 + (doors.index(beside) * 7 + list(LENS).index(camera) * 3) % 26 * 20.0


def live(
    made: Sequence[Made], embedder: KeptEmbedder, calibration: Calibration, config: LinkingConfig
) -> list[tuple[Judged, Sighting]]:
    """Link and record a site's days in a new database; every sighting beside its truth."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        url = relinked(
            [each.tracklet for each in made],
            Path(name),
            embedder=embedder,
            calibration=calibration,
            linking=config,
        )
        with open_database(url) as database:
            found = sightings(database)
    person_of = {f"{each.tracklet.track}/0": each.person for each in made}
    return [
        (
            Judged(
                sighting=sighting.id,
                camera=sighting.camera,
                modality=sighting.modality,
                person=person_of[sighting.key],
                identity=sighting.identity,
                weight=max(sighting.last_seen_us - sighting.first_seen_us, 1) / 1e6,
            ),
            sighting,
        )
        for sighting in found
    ]


def figures(days: Sequence[Sequence[tuple[Judged, Sighting]]]) -> dict[str, object]:
    """Scores over all sites together: their counts and seconds added."""
    judged = [[one for one, _ in day] for day in days]
    pairs = [score_pairs(day) for day in judged]
    identities = [score_identities(shared_by_sightings(day)) for day in judged]
    decisions = Counter(sighting.link.decision.value for day in days for _, sighting in day)
    n_people = [len({one.person for one in day}) for day in judged]
    n_claimed = [len({one.identity for one in day} - {None}) for day in judged]
    return {
        "n_sightings": sum(map(len, judged)),
        "decisions": dict(sorted(decisions.items())),
        "n_true_people": sum(n_people),
        "n_identities": sum(n_claimed),
        "n_people_never_identified": sum(
            len({one.person for one in day} - set(owners(day).values())) for day in judged
        ),
        "idf1_of_each_site": [_rounded(each[Lights.ALL].idf1) for each in identities],
        "lights": {
            lights.value: {
                **_of_pairs(reduce(add, (each[lights] for each in pairs))),
                **_of_identities(reduce(add, (each[lights] for each in identities))),
            }
            for lights in Lights
        },
    }


def _of_pairs(scores: PairScores) -> dict[str, object]:
    return {
        "pairs_true": scores.n_true,
        "pairs_claimed": scores.n_claimed,
        "precision": _rounded(scores.precision),
        "recall": _rounded(scores.recall),
        "f1": _rounded(scores.f1),
    }


def _of_identities(scores: IdentityScores) -> dict[str, object]:
    return {
        "idf1": _rounded(scores.idf1),
        "idp": _rounded(scores.precision),
        "idr": _rounded(scores.recall),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
