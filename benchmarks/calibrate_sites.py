"""Fits the calibration that ships to what the watcher saw at sites whose truth is known.

    python -m benchmarks.calibrate_sites held/lobby held/carpark --work work --out site.json

Takes sites that `benchmarks.link_sites` has watched into `--work`. Scores are those the linker
meets: of every two sightings of a site, the similarity of their mean looks around what its people
have in common. Two sightings at once by one camera are left out, since the linker never asks about
them. The reliability is that of a fit to every second person on the others; its diagram goes beside
the calibration. Sites of a report are never used here.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.link_sites import named
from benchmarks.sites import into_folder, judged, true_videos
from models.evaluation.calibration import Scores, fit, halves
from models.evaluation.reliability import draw, measure_reliability, reliability_fields
from models.reid.calibration import Pair, pair_of, write_calibration
from models.types import ModelId
from pipeline.config import load_config
from pipeline.linking.centre import Centre
from pipeline.linking.gallery import means_by_light
from storage.database import open_database
from storage.exemplars import stored_exemplars
from storage.sightings import sightings
from storage.types import IdentityId, Sighting
from streams.types import Modality

Floats = npt.NDArray[np.float64]
AS_FITTED = dict.fromkeys(Pair, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A person in one light during one sighting; `mean` is (D,), of unit length."""

    person: str
    number: IdentityId
    sighting: Sighting
    light: Modality
    mean: npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sites", type=Path, nargs="+", help="folders of `noctule simulate`")
    parser.add_argument("--work", type=Path, required=True, help="where link_sites watched them")
    parser.add_argument("--out", type=Path, required=True, help="calibration to write, .json")
    given = parser.parse_args()
    sources = dict(map(named, given.sites))
    sites = [views_of(config, given.work / name) for name, config in sources.items()]
    model = ModelId(sites[0][0].sighting.model)
    people = sorted({view.person for views in sites for view in views})
    name = f"watched {', '.join(sources)}: {len(people)} people, {model}"
    start = common(sites)
    calibration = fit(
        scores_of(sites, people, start), model, name=name, widening=AS_FITTED, means=start
    )
    some, others = halves(people)
    half = fit(scores_of(sites, some, start), model, name="half", widening=AS_FITTED, means=start)
    held_out = scores_of(sites, others, start)
    reliability = {pair: measure_reliability(held_out[pair], half, pair) for pair in Pair}
    write_calibration(given.out, calibration, reliability=reliability_fields(reliability))
    draw(given.out.with_suffix(".png"), reliability, title=name)
    for pair in Pair:
        curve = calibration.curve(pair)
        print(
            f"{pair}: slope {curve.slope:.1f}, even odds at {-curve.offset / curve.slope:.3f}, "
            f"expected error {reliability[pair].expected_error:.3f}"
        )


def views_of(config: Path, work: Path) -> list[View]:
    """Every light of every sighting that shows somebody of the truth."""
    site = into_folder(load_config(config), work)
    with open_database(site.storage.database.get_secret_value()) as database:
        seen = judged(database, true_videos(site)).judged
        by_id = {each.id: each for each in sightings(database)}
        exemplars = stored_exemplars(database, list(by_id))
    return [
        View(
            person=f"{work.name}/{each.person}",
            number=IdentityId(each.person),
            sighting=by_id[each.sighting],
            light=light,
            mean=mean,
        )
        for each in seen
        if each.person is not None and (crops := exemplars.get(each.sighting, ()))
        for light, mean in means_by_light(
            np.array([one.vector for one in crops]), [one.modality for one in crops]
        ).items()
    ]


def common(sites: Sequence[Sequence[View]]) -> dict[Modality, npt.NDArray[np.float32]]:
    """Per light, the (D,) mean over the people of all sites."""
    found = {}
    for light in Modality:
        looks: dict[str, list[npt.NDArray[np.float32]]] = {}
        for view in (view for views in sites for view in views if view.light is light):
            looks.setdefault(view.person, []).append(view.mean)
        found[light] = np.mean([np.mean(mine, axis=0) for mine in looks.values()], axis=0)
    return found


def scores_of(
    sites: Sequence[Sequence[View]],
    people: Collection[str],
    start: Mapping[Modality, npt.NDArray[np.float32]],
) -> dict[Pair, Scores]:
    """Similarities around each site's centre, of pairs within a site."""
    same: dict[Pair, list[float]] = {pair: [] for pair in Pair}
    different: dict[Pair, list[float]] = {pair: [] for pair in Pair}
    for views in sites:
        chosen = [view for view in views if view.person in people]
        means = _around(views, chosen, start)
        for i, j in combinations(range(len(chosen)), 2):
            a, b = chosen[i], chosen[j]
            if a.sighting.id == b.sighting.id or _at_once(a.sighting, b.sighting):
                continue
            found = same if a.person == b.person else different
            found[pair_of(a.light, b.light)].append(float(means[i] @ means[j]))
    return {
        pair: Scores(
            same=np.array(same[pair], np.float32), different=np.array(different[pair], np.float32)
        )
        for pair in Pair
    }


def _around(
    views: Sequence[View], chosen: Sequence[View], start: Mapping[Modality, npt.NDArray[np.float32]]
) -> list[Floats]:
    centre = Centre()
    for view in views:
        centre.add(view.number, view.light, view.mean)
    found = []
    for view in chosen:
        less = view.mean - centre.around(start[view.light].astype(np.float64), view.light)
        found.append(less / np.linalg.norm(less))
    return found


def _at_once(a: Sighting, b: Sighting) -> bool:
    return (
        a.camera == b.camera
        and a.first_seen_us < b.last_seen_us
        and b.first_seen_us < a.last_seen_us
    )


if __name__ == "__main__":
    main()
