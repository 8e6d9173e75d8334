"""Proof of the evaluation without a picture, and re-ranking where the truth is known.

    python -m benchmarks.reid_protocols --protocols ../shared/assets/protocols --out FILE

- Random vectors on the official test layout of SYSU-MM01, ten trials, all four settings, beside a
  plain implementation that shares no code with ours.
- Gaussian features on the same layout: a person, a person's looks in one modality, a picture's
  noise, and optionally a camera's share. Re-ranking is measured on the first trial. Such features
  show how the methods behave, not how much they bring on pictures; and centring is right for them
  by construction.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmarks.record import record
from models.evaluation.measure import Vectors, measure
from models.evaluation.permutations import layout, read_people, read_permutations
from models.evaluation.protocols import Protocol, sysu
from models.evaluation.rules import Labels, Permutations
from models.reid.rerank.load import RerankingName

SETTINGS: tuple[tuple[Literal["all", "indoor"], int], ...] = (
    ("all", 1),
    ("all", 10),
    ("indoor", 1),
    ("indoor", 10),
)
RERANKINGS: tuple[RerankingName, ...] = ("aim", "k-reciprocal", "sim", "sim-few")
MODALITY_SHARE, NOISE_SHARE, CAMERA_SHARE = 0.8, 1.65, 1.0
"""Chosen so that plain figures come near those of a network of 2020."""


def plain_sysu(
    similarity: npt.NDArray[np.float32],
    query: Sequence[tuple[int, int]],
    gallery: Sequence[tuple[int, int]],
) -> tuple[float, float, list[float], int]:
    """mAP, mINP, CMC to rank 20 and valid queries, one query and one picture after the other.

    The steps of the official MATLAB code in plain Python: skip camera 2 for camera 3, then count.

    Args:
        similarity: (Q, G).
        query: (person, camera) of each.
        gallery: (person, camera) of each.
    """
    precisions, inps, ranks = [], [], []
    for row, (person, camera) in zip(similarity.tolist(), query, strict=True):
        place = 0
        people: dict[int, None] = {}
        hits: list[int] = []
        for at in sorted(range(len(gallery)), key=lambda g: -row[g]):
            found, from_camera = gallery[at]
            if camera == 3 and from_camera == 2:
                continue
            place += 1
            people[found] = None
            if found == person:
                hits.append(place)
                if len(hits) == 1:
                    ranks.append(len(people))
        if hits:
            precisions.append(sum(n / hit for n, hit in enumerate(hits, start=1)) / len(hits))
            inps.append(len(hits) / hits[-1])
    n = len(precisions)
    cmc = [sum(rank <= k for rank in ranks) / n for k in range(1, 21)]
    return sum(precisions) / n, sum(inps) / n, cmc, n


def random_vectors(n: int, dimension: int, *, seed: int) -> Vectors:
    """(N, D) unit rows that know nothing."""
    return _unit(np.random.default_rng(seed).normal(size=(n, dimension)))


def gaussian_features(labels: Labels, *, camera_share: float, seed: int) -> Vectors:
    """(N, 64) unit rows: person + looks in one modality + noise + camera."""
    rng = np.random.default_rng(seed)
    people, person = np.unique(labels.person, return_inverse=True)
    looks = rng.normal(size=(len(people), 64))[person]
    in_light = rng.normal(size=(2, len(people), 64))[labels.infrared.astype(int), person]
    camera = rng.normal(size=(7, 64))[labels.camera]
    noise = rng.normal(size=looks.shape)
    shares = MODALITY_SHARE * in_light + NOISE_SHARE * noise + camera_share * camera
    return _unit(looks + shares)


def prove(labels: Labels, permutations: Permutations) -> dict[str, object]:
    """Ten trials of each setting by our code, each trial also by the plain implementation."""
    vectors = random_vectors(len(labels), 64, seed=1)
    pairs = list(zip(labels.person.tolist(), labels.camera.tolist(), strict=True))
    proven: dict[str, object] = {}
    for mode, shots in SETTINGS:
        protocol = sysu(labels, mode=mode, shots=shots, permutations=permutations)
        (ours,) = measure(vectors, labels, protocol)
        plain = [
            plain_sysu(
                vectors[trial.query] @ vectors[trial.gallery].T,
                [pairs[q] for q in trial.query],
                [pairs[g] for g in trial.gallery],
            )
            for trial in protocol.searches[0].trials
        ]
        assert ours.plain is not None
        mean_ap, mean_inp = (float(np.mean([each[at] for each in plain])) for at in (0, 1))
        cmc = np.mean([each[2] for each in plain], axis=0)
        difference = max(
            abs(ours.plain.mean_ap.mean - mean_ap),
            abs(ours.plain.mean_inp.mean - mean_inp),
            abs(ours.plain.rank1.mean - cmc[0]),
            abs(ours.plain.rank20.mean - cmc[19]),
        )
        print(
            f"{mode} {shots}-shot: {ours.n_queries:.0f} queries, {ours.n_valid_queries:.0f} valid, "
            f"{ours.n_gallery:.0f} gallery, R1 {ours.plain.rank1.mean:.4f} "
            f"mAP {ours.plain.mean_ap.mean:.4f}, largest difference {difference:.1e}",
            flush=True,
        )
        proven[f"{mode}, {shots}-shot"] = {
            "figures": asdict(ours),
            "largest_difference_from_plain": difference,
        }
    return proven


def compare_rerankings(labels: Labels, permutations: Permutations) -> dict[str, object]:
    """Each re-ranking on the first trial, with and without cameras' shares and centring."""
    compared: dict[str, object] = {}
    for shots in (1, 10):
        protocol = _first_trial(sysu(labels, mode="all", shots=shots, permutations=permutations))
        for camera_share, centred in ((0.0, False), (CAMERA_SHARE, False), (CAMERA_SHARE, True)):
            vectors = gaussian_features(labels, camera_share=camera_share, seed=1)
            cameras = "camera bias" if camera_share else "no camera bias"
            name = f"{shots}-shot, {cameras}{', centred' if centred else ''}"
            compared[name] = _rerank(vectors, labels, protocol, name, centred=centred)
    return compared


def _rerank(
    vectors: Vectors, labels: Labels, protocol: Protocol, name: str, *, centred: bool
) -> dict[str, object]:
    rows: dict[str, object] = {}
    for method in RERANKINGS:
        start = time.perf_counter()
        (found,) = measure(vectors, labels, protocol, rerank=method, centred=centred)
        seconds = time.perf_counter() - start
        assert found.plain is not None
        assert found.reranked is not None
        for order, ranking in (("cosine", found.plain), (method, found.reranked)):
            if order not in rows:
                rows[order] = {"rank1": ranking.rank1.mean, "mean_ap": ranking.mean_ap.mean}
                figures = f"R1 {100 * ranking.rank1.mean:.1f} mAP {100 * ranking.mean_ap.mean:.1f}"
                print(f"{name:32} {order:13} {figures} ({seconds:.1f} s)", flush=True)
    return rows


def _first_trial(protocol: Protocol) -> Protocol:
    (search,) = protocol.searches
    return replace(protocol, searches=(replace(search, trials=search.trials[:1]),))


def _unit(vectors: npt.NDArray[np.float64]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Measures and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocols", type=Path, required=True, help="SYSU-MM01_official is in it")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    folder = arguments.protocols / "SYSU-MM01_official"
    permutations = read_permutations(folder / "rand_perm_cam.mat")
    labels = layout(permutations, read_people(folder / "test_id.mat"))
    result = {
        "random vectors": prove(labels, permutations),
        "gaussian features": compare_rerankings(labels, permutations),
    }
    record(arguments.out, result)


if __name__ == "__main__":
    main()
