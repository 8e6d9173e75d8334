"""How well k views of a person tell people apart: averaged pair by pair, and pooled to one mean.

    python -m benchmarks.pooled_views held/lobby --work work --out FILE

Takes sites that `benchmarks.link_sites` has watched into `--work`. For every pair of lights, k
sightings of one person are compared with k others, of the same person and of somebody else, drawn
at random; within one light the two sides come from different cameras. The figure is the area under
the ROC curve: the chance that one person's similarity is above two persons'. It is measured for
looks as they are and around what the site's people have in common (`pipeline.linking.centre`, each
person known by the truth).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from benchmarks.record import record
from benchmarks.sites import into_folder, judged, true_videos
from models.reid.calibration import load_calibration
from models.reid.embedder import load_embedder
from pipeline.config import SiteConfig, load_config
from pipeline.linking.centre import Centre
from pipeline.linking.evidence import OnSite, means_around_centre
from pipeline.linking.gallery import means_by_light, trust_of, unit
from storage.database import open_database
from storage.exemplars import stored_exemplars
from storage.types import IdentityId
from streams.types import Modality

VIEWS = (1, 2, 3, 5)
_DRAWS_SAME, _DRAWS_DIFFERENT = 60, 10
_LIGHTS = (
    (Modality.VISIBLE, Modality.VISIBLE),
    (Modality.INFRARED, Modality.INFRARED),
    (Modality.VISIBLE, Modality.INFRARED),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """A person in one light during one sighting; `mean` is (D,), of unit length."""

    person: int
    camera: str
    light: Modality
    mean: npt.NDArray[np.float32]
    trust: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sites", type=Path, nargs="+", help="folders of `noctule simulate`")
    parser.add_argument("--work", type=Path, required=True, help="where link_sites watched them")
    parser.add_argument("--out", type=Path, help="write the JSON with commit and machine")
    given = parser.parse_args()
    found = {}
    for folder in given.sites:
        site = into_folder(load_config(folder / "config.yaml"), given.work / folder.name)
        shown = shown_by(site)
        found[folder.name] = {
            "as they are": measured(shown),
            "around the centre": measured(around_centre(shown, site)),
        }
    if given.out:
        record(given.out, {"area_under_roc": found})
    print(json.dumps(found, indent=2))


def shown_by(site: SiteConfig) -> list[Shown]:
    """Every light of every sighting that shows somebody of the truth."""
    with open_database(site.storage.database.get_secret_value()) as database:
        seen = judged(database, true_videos(site)).judged
        exemplars = stored_exemplars(database, [each.sighting for each in seen])
    return [
        Shown(
            person=each.person,
            camera=each.camera,
            light=light,
            mean=mean,
            trust=trust_of([one.quality for one in crops if one.modality is light]),
        )
        for each in seen
        if each.person is not None and (crops := exemplars.get(each.sighting, ()))
        for light, mean in means_by_light(
            np.array([one.vector for one in crops]), [one.modality for one in crops]
        ).items()
    ]


def around_centre(shown: Sequence[Shown], site: SiteConfig) -> list[Shown]:
    """The same looks less what the people of the site have in common."""
    model = load_embedder(site.embedder).model
    centre = Centre()
    for each in shown:
        centre.add(IdentityId(each.person), {each.light: each.mean})
    here = OnSite(load_calibration(site.embedder, model=model), centre)
    return [
        replace(each, mean=means_around_centre({each.light: each.mean}, here)[each.light])
        for each in shown
    ]


def measured(shown: Sequence[Shown]) -> dict[str, dict[str, dict[str, float]]]:
    """By lights and number of views, the area of both ways."""
    rng = np.random.default_rng(0)
    return {
        f"{a}-{b}": {str(k): areas for k in VIEWS if (areas := _areas(shown, a, b, k, rng))}
        for a, b in _LIGHTS
    }


def _areas(
    shown: Sequence[Shown], a: Modality, b: Modality, k: int, rng: np.random.Generator
) -> dict[str, float]:
    scores: dict[str, tuple[list[float], list[float]]] = {
        "averaged": ([], []),
        "pooled": ([], []),
    }
    people = sorted({each.person for each in shown})
    for one in people:
        for other in people:
            for _ in range(_DRAWS_SAME if one == other else _DRAWS_DIFFERENT):
                mine = _drawn([s for s in shown if s.person == one and s.light is a], k, rng)
                cameras = {s.camera for s in mine} if a is b else set()
                rest = [
                    s
                    for s in shown
                    if s.person == other and s.light is b and s.camera not in cameras
                ]
                theirs = _drawn(rest, k, rng)
                if not mine or not theirs:
                    continue
                x, y = (np.array([s.mean for s in side]) for side in (mine, theirs))
                scores["averaged"][one != other].append(float((x @ y.T).mean()))
                scores["pooled"][one != other].append(float(_pooled(mine) @ _pooled(theirs)))
    return {
        way: round(_area(*both), 4) for way, both in scores.items() if min(map(len, both)) >= 20
    }


def _drawn(from_: Sequence[Shown], k: int, rng: np.random.Generator) -> list[Shown]:
    """`k` of them, none if there are fewer."""
    if len(from_) < k:
        return []
    return [from_[i] for i in rng.choice(len(from_), k, replace=False)]


def _pooled(side: Sequence[Shown]) -> npt.NDArray[np.float32]:
    return unit(np.sum([max(s.trust, 0.01) * s.mean for s in side], axis=0))


def _area(same: Sequence[float], different: Sequence[float]) -> float:
    ranks = rankdata([*same, *different])[: len(same)]
    n = len(same)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * len(different)))


if __name__ == "__main__":
    main()
