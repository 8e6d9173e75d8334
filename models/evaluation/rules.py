"""The rules of the protocols, one function each, with where each comes from.

Rules see who is on each picture, by which camera and in which light, never the pictures. Arrays
follow the order of file names within one person and camera, for the galleries count in it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.errors import SourceUnreadable

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SYSU_INFRARED_CAMERAS = (3, 6)
SYSU_ALL_SEARCH_CAMERAS = (1, 2, 4, 5)
SYSU_INDOOR_SEARCH_CAMERAS = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """What is known of N pictures.

    Attributes:
        person: (N,) int64, at least 0.
        camera: (N,) int64; the number that the data set gives it.
        infrared: (N,) bool; thermal counts as infrared.
    """

    person: npt.NDArray[np.int64]
    camera: npt.NDArray[np.int64]
    infrared: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.person)
        if self.camera.shape != (n,) or self.infrared.shape != (n,) or self.person.shape != (n,):
            raise ValueError(
                f"labels: expected three arrays ({n},), got {self.person.shape}, "
                f"{self.camera.shape}, {self.infrared.shape}"
            )

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Permutations:
    """Which pictures of each test person and camera the ten trials of SYSU-MM01 draw.

    Attributes:
        numbers: By (camera, person): (10, N) int64, a permutation of 1..N in each row, N pictures.
    """

    numbers: Mapping[tuple[int, int], npt.NDArray[np.int64]]


def pictures_by(labels: Labels, cameras: Collection[int], *, infrared: bool) -> Indices:
    """All pictures of some cameras in one light, in the order of the labels.

    SYSU-MM01 asks with every picture of cameras 3 and 6 and searches those of 1, 2, 4, 5 (all
    search) or 1, 2 (indoor search): wuancong/SYSU-MM01, `evaluation/demo.m`.
    """
    of_camera = np.isin(labels.camera, list(cameras))
    return np.flatnonzero(of_camera & (labels.infrared == infrared))


def pictures_in(labels: Labels, *, infrared: bool) -> Indices:
    """All pictures of one light: RegDB and LLCM ask with every picture of one modality.

    mangye16/Cross-Modal-Re-ID-baseline, `data_manager.py`; ZYK100/LLCM, `data_manager.py`.
    """
    return np.flatnonzero(labels.infrared == infrared)


def draw_by_permutation(
    labels: Labels, candidates: Indices, permutations: Permutations, *, trial: int, shots: int
) -> Indices:
    """The gallery of SYSU-MM01: the first `shots` numbers of the trial, per person and camera.

    `rand_perm_cam{camera}{person}(trial, 1:shots)`, wuancong/SYSU-MM01, `evaluation/*.m`. A person
    with fewer pictures at a camera is there with all of them.

    Args:
        trial: 0-9.

    Raises:
        SourceUnreadable: The permutations are of other pictures than these.
    """
    drawn: list[int] = []
    for (person, camera), places in _by_person_and_camera(labels, candidates):
        numbers = permutations.numbers.get((camera, person))
        if numbers is None or numbers.shape[1] != len(places):
            known = 0 if numbers is None else numbers.shape[1]
            raise SourceUnreadable(
                f"person {person}, camera {camera}: {len(places)} pictures, but the permutation "
                f"file knows {known}; use the one that belongs to this copy of the data"
            )
        drawn += [places[number - 1] for number in numbers[trial, :shots]]
    return np.array(drawn, np.int64)


def draw_by_seed(labels: Labels, candidates: Indices, *, trial: int, shots: int) -> Indices:
    """A gallery of `shots` pictures per person and camera, by Python's generator seeded with trial.

    With one shot this is `random.seed(trial)` and one `random.choice` per person and camera in
    ascending order: LLCM's gallery (ZYK100/LLCM, `process_gallery_llcm`), and what much published
    code uses for SYSU-MM01 instead of the official file (mangye16/Cross-Modal-Re-ID-baseline,
    `process_gallery_sysu`). More shots are drawn without return by `random.sample`, which no
    published protocol defines.
    """
    rng = random.Random(trial)
    drawn: list[int] = []
    for _, places in _by_person_and_camera(labels, candidates):
        if shots == 1:
            drawn.append(rng.choice(places))
        else:
            drawn += rng.sample(places, min(shots, len(places)))
    return np.array(drawn, np.int64)


def draw_people(labels: Labels, *, n_people: int, trial: int) -> Labels:
    """Labels of a random `n_people` people; the others' person is -1. Our own rule.

    Galleries of equal size make figures of data sets of unequal size comparable.
    """
    people = np.unique(labels.person)
    kept = random.Random(trial).sample(people.tolist(), min(n_people, len(people)))
    person = np.where(np.isin(labels.person, kept), labels.person, -1)
    return Labels(person=person, camera=labels.camera, infrared=labels.infrared)


def drop_camera_two_for_camera_three(labels: Labels, query: Indices, gallery: Indices) -> Mask:
    """Cameras 2 and 3 of SYSU-MM01 look at one place: what 3 asks is not searched in 2.

    Whoever is on it. `location` map [1 2 2 4 5 6] in wuancong/SYSU-MM01, `evaluation/*.m`.
    """
    asks = labels.camera[query] == 3
    return np.asarray(asks[:, None] & (labels.camera[gallery] == 2)[None])


def drop_same_person_same_camera(labels: Labels, query: Indices, gallery: Indices) -> Mask:
    """LLCM: pictures of the person who is asked for do not count if the same camera took them.

    ZYK100/LLCM, `eval_llcm`; the rule of Market-1501, which strangers of that camera survive.
    """
    same_person = labels.person[query][:, None] == labels.person[gallery][None]
    return np.asarray(same_person & drop_same_camera(labels, query, gallery))


def drop_same_camera(labels: Labels, query: Indices, gallery: Indices) -> Mask:
    """Pictures of the camera that asks do not count, whoever is on them. Our own rule for folders.

    They share a background, which helps with the person and hurts with strangers.
    """
    return np.asarray(labels.camera[query][:, None] == labels.camera[gallery][None])


def _by_person_and_camera(
    labels: Labels, candidates: Indices
) -> Sequence[tuple[tuple[int, int], list[int]]]:
    """Places of the candidates by (person, camera), ascending; in the given order within one."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place in candidates.tolist():
        key = int(labels.person[place]), int(labels.camera[place])
        groups.setdefault(key, []).append(place)
    return sorted(groups.items())
