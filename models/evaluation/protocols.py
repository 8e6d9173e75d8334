"""Who asks whom: the protocols of SYSU-MM01, RegDB, LLCM and of any folder of known people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.evaluation import rules
from models.evaluation.permutations import N_TRIALS
from models.evaluation.rules import Indices, Labels, Mask, Permutations

ProtocolName = Literal[
    "sysu-all", "sysu-indoor", "regdb-v2t", "regdb-t2v", "llcm-v2i", "llcm-i2v", "folder"
]

Rule = Callable[[Labels, Indices, Indices], Mask]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One draw: which pictures ask, and which are searched.

    Attributes:
        query: (Q,) places in the labels.
        gallery: (G,) places in the labels.
    """

    query: Indices
    gallery: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """One direction of a protocol.

    Attributes:
        name: For instance "infrared -> visible".
        trials: Figures are averaged over these.
        rule: Which pairs do not count; None leaves none out.
    """

    name: str
    trials: tuple[Trial, ...]
    rule: Rule | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Protocol:
    """What is measured, and in which words it is reported.

    Attributes:
        count_people: Whether CMC counts people, each at their best picture, rather than pictures.
        shots: Gallery pictures per person and camera; None for all there are.
        gallery_source: How the gallery was drawn.
        remark: What one must know to compare the figures with others'; may be empty.
    """

    name: ProtocolName
    searches: tuple[Search, ...]
    count_people: bool
    shots: int | None
    gallery_source: str
    remark: str = ""


def sysu(
    labels: Labels,
    *,
    mode: Literal["all", "indoor"],
    shots: int,
    permutations: Permutations | None,
) -> Protocol:
    """SYSU-MM01: infrared asks visible, ten trials.

    Args:
        labels: All pictures of the 96 test people.
        shots: 1 or 10.
        permutations: The official draw; None draws by seed, as much published code does.
    """
    cameras = {"all": rules.SYSU_ALL_SEARCH_CAMERAS, "indoor": rules.SYSU_INDOOR_SEARCH_CAMERAS}
    query = rules.pictures_by(labels, rules.SYSU_INFRARED_CAMERAS, infrared=True)
    candidates = rules.pictures_by(labels, cameras[mode], infrared=False)

    def draw(trial: int) -> Indices:
        if permutations is None:
            return rules.draw_by_seed(labels, candidates, trial=trial, shots=shots)
        return rules.draw_by_permutation(labels, candidates, permutations, trial=trial, shots=shots)

    return Protocol(
        name="sysu-all" if mode == "all" else "sysu-indoor",
        searches=(
            Search(
                name="infrared -> visible",
                trials=tuple(Trial(query=query, gallery=draw(n)) for n in range(N_TRIALS)),
                rule=rules.drop_camera_two_for_camera_three,
            ),
        ),
        count_people=True,
        shots=shots,
        gallery_source="official file rand_perm_cam.mat"
        if permutations is not None
        else _SEEDED + "; not the official draw (figures differ by about 0.1)",
    )


def regdb(labels: Labels, *, direction: Literal["v2t", "t2v"], split: int) -> Protocol:
    """RegDB: every test picture of one modality asks all of the other.

    Args:
        labels: The test pictures of one split.
        split: 1-10; weights must come from training on the same one.
    """
    visible = rules.pictures_in(labels, infrared=False)
    thermal = rules.pictures_in(labels, infrared=True)
    asks_visible = direction == "v2t"
    trial = Trial(
        query=visible if asks_visible else thermal, gallery=thermal if asks_visible else visible
    )
    name = "visible -> thermal" if asks_visible else "thermal -> visible"
    return Protocol(
        name="regdb-v2t" if asks_visible else "regdb-t2v",
        searches=(Search(name=name, trials=(trial,), rule=None),),
        count_people=False,
        shots=None,
        gallery_source=f"split {split}, all of its test pictures",
        remark="published figures are means over ten splits, each with a network of its own that "
        "was trained on the other half of the same split",
    )


def llcm(labels: Labels, *, direction: Literal["v2i", "i2v"], shots: int) -> Protocol:
    """LLCM: every test picture of one modality asks a drawn gallery of the other, ten trials."""
    asks_visible = direction == "v2i"
    query = rules.pictures_in(labels, infrared=not asks_visible)
    candidates = rules.pictures_in(labels, infrared=asks_visible)
    trials = tuple(
        Trial(
            query=query,
            gallery=rules.draw_by_seed(labels, candidates, trial=trial, shots=shots),
        )
        for trial in range(N_TRIALS)
    )
    name = "visible -> infrared" if asks_visible else "infrared -> visible"
    return Protocol(
        name="llcm-v2i" if asks_visible else "llcm-i2v",
        searches=(Search(name=name, trials=trials, rule=rules.drop_same_person_same_camera),),
        count_people=True,
        shots=shots,
        gallery_source=_SEEDED,
        remark="figures with the full gallery, or with the data set as its authors changed it "
        "later, are not comparable",
    )


def folder(labels: Labels, *, shots: int | None, n_people: int | None) -> Protocol:
    """Any pictures of known people: within each light across cameras, and across light.

    Args:
        labels: Cameras of the two lights are different cameras, whatever their numbers.
        shots: Gallery pictures per person and camera, drawn; None searches all.
        n_people: Size of the crowd, drawn anew for each trial; everybody where there are fewer, or
            for None.
    """
    if n_people is not None and n_people >= len(np.unique(labels.person)):
        n_people = None
    n_trials = 1 if shots is None and n_people is None else N_TRIALS
    searches = tuple(
        Search(
            name=f"{_LIGHT[asking]} -> {_LIGHT[asked]}",
            trials=tuple(
                _folder_trial(labels, asking, asked, shots=shots, n_people=n_people, trial=trial)
                for trial in range(n_trials)
            ),
            rule=rules.drop_same_camera if asking == asked else None,
        )
        for asking, asked in ((False, False), (True, True), (False, True), (True, False))
    )
    crowd = "all people" if n_people is None else f"{n_people} people drawn anew for each trial"
    return Protocol(
        name="folder",
        searches=searches,
        count_people=False,
        shots=shots,
        gallery_source=f"{crowd}; " + ("all their pictures" if shots is None else _SEEDED),
        remark="within one light, pictures of the asking camera do not count",
    )


_SEEDED = "drawn per person and camera by Python's random, seeded with the trial"
_LIGHT = {False: "visible", True: "infrared"}


def _folder_trial(
    labels: Labels,
    asking: bool,
    asked: bool,
    *,
    shots: int | None,
    n_people: int | None,
    trial: int,
) -> Trial:
    if n_people is not None:
        labels = rules.draw_people(labels, n_people=n_people, trial=trial)
    of_crowd = labels.person >= 0
    query = np.flatnonzero(of_crowd & (labels.infrared == asking))
    gallery = np.flatnonzero(of_crowd & (labels.infrared == asked))
    if shots is not None:
        gallery = rules.draw_by_seed(labels, gallery, trial=trial, shots=shots)
    return Trial(query=query, gallery=gallery)
