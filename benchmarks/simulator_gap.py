"""How much harder it is to know rendered people again by night: a network that knows day only.

    python -m benchmarks.simulator_gap CROPS [--network person-reidentification-retail-0277.xml]

CROPS is what `noctule simulate crops` wrote. The network never saw infrared, so the fall from
visible-visible to visible-infrared is the gap that training has to close. On real crops it is
known for eleven people; here many draws of eleven are made from all that were rendered, and
everybody at once beside them. A gallery holds all crops of its people; within one light, crops of
the query's own camera do not count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.record import record
from benchmarks.reid_retrieval import PAIRS, Labelled, Vectors, peer, simulated
from models.evaluation.retrieval import Retrieval, measure_retrieval

ASSETS = Path(__file__).resolve().parents[2] / "shared" / "assets"
NETWORK = ASSETS / "weights" / "person-reidentification-retail-0277.xml"
RESULT = Path(__file__).parent / "results" / "simulator_gap.json"
N_PEOPLE = 11
N_DRAWS = 200
SEED = 11
REAL = {
    "visible-visible": (1.0, 0.994),
    "visible-infrared": (0.609, 0.558),
    "infrared-visible": (0.545, 0.478),
}
"""Rank-1 and mAP of retail-0277 on real crops of eleven people, held back from all training;
measured once with the sketch of this simulator. Infrared with infrared was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One pair of lights: similarities and who and which camera stands for each row and column."""

    similarity: Vectors
    query_person: npt.NDArray[np.int64]
    gallery_person: npt.NDArray[np.int64]
    same_camera: npt.NDArray[np.bool_] | None

    def among(self, people: npt.NDArray[np.int64]) -> Retrieval:
        """Retrieval when nobody but `people` exists."""
        rows = np.flatnonzero(np.isin(self.query_person, people))
        columns = np.flatnonzero(np.isin(self.gallery_person, people))
        part = np.ix_(rows, columns)
        return measure_retrieval(
            self.similarity[part],
            self.query_person[rows],
            self.gallery_person[columns],
            left_out=None if self.same_camera is None else self.same_camera[part],
        )


def main() -> None:
    """Measures, prints and writes the figures; with `--table` only prints what was written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crops", type=Path, nargs="?", help="folder of crops")
    parser.add_argument("--network", type=Path, default=NETWORK, help="OpenVINO .xml")
    parser.add_argument("--draws", type=int, default=N_DRAWS, help="random draws of eleven people")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    given = parser.parse_args()
    if not given.table:
        if given.crops is None:
            parser.error("CROPS: expected a folder that `noctule simulate crops` wrote")
        if not given.network.is_file():
            parser.error(f"--network: {given.network} is no file; name the .xml of retail-0277")
        labelled = simulated(given.crops)
        vectors = peer(given.network)(labelled.crops)
        record(
            given.out,
            {
                "network": given.network.stem,
                "n_people": len(set(labelled.people)),
                "n_crops": len(labelled.crops),
                "n_draws": given.draws,
                "n_people_per_draw": N_PEOPLE,
                "pairs": measure(vectors, labelled, n_draws=given.draws),
            },
        )
    print(table(json.loads(given.out.read_text(encoding="utf-8"))["result"]))


def measure(
    vectors: Vectors, labelled: Labelled, *, n_draws: int, seed: int = SEED
) -> dict[str, dict[str, float]]:
    """For each pair of lights, elevens (mean and standard deviation over draws) and everybody.

    Args:
        vectors: (N, D) float32 unit rows, in the order of `labelled`.
    """
    rng = np.random.default_rng(seed)
    everybody = np.unique(np.array(labelled.people))
    n = min(N_PEOPLE, len(everybody))
    draws = [rng.choice(everybody, n, replace=False) for _ in range(n_draws)]
    figures = {}
    for pair, side in sides(vectors, labelled):
        elevens = [side.among(people) for people in draws]
        rank1, mean_ap = (
            np.array([getattr(each, name) for each in elevens]) for name in ("rank1", "mean_ap")
        )
        total = side.among(everybody)
        figures[pair] = {
            "rank1": _round(rank1.mean()),
            "rank1_spread": _round(rank1.std()),
            "mean_ap": _round(mean_ap.mean()),
            "mean_ap_spread": _round(mean_ap.std()),
            "all_rank1": _round(total.rank1),
            "all_mean_ap": _round(total.mean_ap),
        }
    return figures


def sides(vectors: Vectors, labelled: Labelled) -> Iterator[tuple[str, Side]]:
    """Each pair of lights that the crops show, with its name."""
    people, cameras = np.array(labelled.people), np.array(labelled.cameras)
    light = np.array([crop.modality for crop in labelled.crops])
    for pair, (asked, searched) in PAIRS.items():
        query, gallery = (np.flatnonzero(light == each) for each in (asked, searched))
        if len(query) and len(gallery):
            same = cameras[query][:, None] == cameras[gallery][None]
            yield (
                pair,
                Side(
                    similarity=vectors[query] @ vectors[gallery].T,
                    query_person=people[query],
                    gallery_person=people[gallery],
                    same_camera=same if asked is searched else None,
                ),
            )


def table(result: Mapping[str, object]) -> str:
    """The figures as a table in Markdown, rank-1 / mAP in percent, beside those of real crops."""
    pairs = result["pairs"]
    if not isinstance(pairs, dict):
        raise ValueError(f"pairs: expected figures by pair of lights, got {type(pairs).__name__}")
    n_people, n_draws = result["n_people"], result["n_draws"]
    rows: list[Sequence[str]] = [
        (
            "query – gallery",
            f"eleven of them ({n_draws} draws, ± one deviation)",
            f"all {n_people}",
            "real crops, eleven people",
        ),
        ("---",) * 4,
    ]
    for pair, figures in pairs.items():
        eleven = " / ".join(
            f"{100 * figures[name]:.1f} ± {100 * figures[f'{name}_spread']:.1f}"
            for name in ("rank1", "mean_ap")
        )
        everybody = f"{100 * figures['all_rank1']:.1f} / {100 * figures['all_mean_ap']:.1f}"
        real = " / ".join(f"{100 * value:.1f}" for value in REAL.get(pair, ())) or "not measured"
        rows.append((pair.replace("-", " – "), eleven, everybody, real))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _round(value: float) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    main()
