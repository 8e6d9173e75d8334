"""Scores of identities are those of other implementations and of plain loops."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import trackeval

from pipeline.evaluation.hota import score_hota
from pipeline.evaluation.identity import score_identities, shared_by_sightings
from pipeline.evaluation.mistakes import Mistake, mistakes
from pipeline.evaluation.pairs import score_pairs
from pipeline.evaluation.sequence import Step, Watched, shared_by_frames
from pipeline.evaluation.site import score_site
from pipeline.evaluation.types import Judged, Lights
from storage.types import IdentityId, SightingId
from streams.types import CameraId, Modality

CAMERAS = tuple(map(CameraId, ("gate", "plaza", "dock")))
DAY, NIGHT = Modality.VISIBLE, Modality.INFRARED


def judged(
    number: int,
    person: int | None,
    identity: int | None,
    *,
    camera: CameraId = CAMERAS[0],
    modality: Modality = DAY,
    weight: float = 1.0,
) -> Judged:
    return Judged(
        sighting=SightingId(number),
        camera=camera,
        modality=modality,
        person=person,
        identity=None if identity is None else IdentityId(identity),
        weight=weight,
    )


def random_judged(rng: np.random.Generator, n: int = 60) -> list[Judged]:
    return [
        judged(
            number,
            None if rng.random() < 0.1 else int(rng.integers(6)),
            None if rng.random() < 0.2 else int(rng.integers(8)),
            camera=CAMERAS[int(rng.integers(3))],
            modality=(DAY, NIGHT)[int(rng.integers(2))],
            weight=float(rng.uniform(1, 20)),
        )
        for number in range(n)
    ]


def random_steps(rng: np.random.Generator, n: int = 80) -> list[Step]:
    """Frames in which four people keep, lose and swap one of six names."""
    steps = []
    for _ in range(n):
        people = np.flatnonzero(rng.random(4) < 0.7).astype(np.int64)
        names = np.flatnonzero(rng.random(6) < 0.6).astype(np.int64)
        steps.append(
            Step(
                modality=(DAY, NIGHT)[int(rng.integers(2))],
                people=people,
                identities=names,
                similarity=np.where(
                    rng.random((len(people), len(names))) < 0.5,
                    rng.random((len(people), len(names))),
                    0.0,
                ),
            )
        )
    return steps


@pytest.mark.parametrize("seed", range(4))
def test_hota_and_idf1_are_those_of_trackeval(seed: int) -> None:
    steps = random_steps(np.random.default_rng(seed))

    hota = score_hota(steps)
    identity = score_identities(shared_by_frames(steps))[Lights.ALL]

    data = _for_trackeval(steps)
    theirs = trackeval.metrics.HOTA({"PRINT_CONFIG": False}).eval_sequence(data)
    ids = trackeval.metrics.Identity({"PRINT_CONFIG": False}).eval_sequence(data)
    assert hota is not None
    assert hota.hota == pytest.approx(np.mean(theirs["HOTA"]), abs=1e-9)
    assert hota.deta == pytest.approx(np.mean(theirs["DetA"]), abs=1e-9)
    assert hota.assa == pytest.approx(np.mean(theirs["AssA"]), abs=1e-9)
    assert identity.idf1 == pytest.approx(float(ids["IDF1"]), abs=1e-9)
    assert identity.precision == pytest.approx(float(ids["IDP"]), abs=1e-9)
    assert identity.recall == pytest.approx(float(ids["IDR"]), abs=1e-9)


def _for_trackeval(steps: list[Step]) -> dict[str, Any]:
    """As its datasets prepare a sequence: ids from 0 without holes."""
    people = np.unique(np.concatenate([s.people for s in steps]))
    names = np.unique(np.concatenate([s.identities for s in steps]))
    return {
        "num_timesteps": len(steps),
        "num_gt_ids": len(people),
        "num_tracker_ids": len(names),
        "num_gt_dets": sum(len(s.people) for s in steps),
        "num_tracker_dets": sum(len(s.identities) for s in steps),
        "gt_ids": [np.searchsorted(people, s.people) for s in steps],
        "tracker_ids": [np.searchsorted(names, s.identities) for s in steps],
        "similarity_scores": [s.similarity for s in steps],
    }


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_those_of_a_plain_loop(seed: int) -> None:
    found = random_judged(np.random.default_rng(seed))

    scores = score_pairs(found)

    wanted = {Lights.DAY_DAY: (DAY, DAY), Lights.NIGHT_NIGHT: (NIGHT, NIGHT)}
    wanted[Lights.DAY_NIGHT] = (DAY, NIGHT)
    for lights, (a, b) in wanted.items():
        pairs = [
            (x.person is not None and x.person == y.person,
             x.identity is not None and x.identity == y.identity)
            for x, y in combinations(found, 2)
            if x.camera != y.camera and sorted((x.modality, y.modality)) == sorted((a, b))
        ]  # fmt: skip
        one = scores[lights]
        assert one.n_true == sum(true for true, _ in pairs)
        assert one.n_claimed == sum(claimed for _, claimed in pairs)
        assert one.n_right == sum(true and claimed for true, claimed in pairs)
    assert scores[Lights.ALL].n_right == sum(scores[each].n_right for each in wanted)


def test_everybody_under_one_name_of_their_own_is_perfect_in_every_light() -> None:
    found = [
        judged(number, person, person + 10, camera=camera, modality=light, weight=2 + number)
        for number, (person, camera, light) in enumerate(
            (p, c, light) for p in range(3) for c in CAMERAS for light in Modality
        )
    ]

    identities = score_identities(shared_by_sightings(found))
    pairs = score_pairs(found)

    assert {scores.idf1 for scores in identities.values()} == {1.0}
    assert {scores.f1 for scores in pairs.values()} == {1.0}


def test_a_new_name_every_night_is_right_within_each_light_and_worth_nothing_across() -> None:
    found = [
        judged(2 * person + (light is NIGHT), person, 2 * person + (light is NIGHT), modality=light)
        for person in range(3)
        for light in Modality
    ]

    scores = score_identities(shared_by_sightings(found))

    assert scores[Lights.DAY_DAY].idf1 == 1.0
    assert scores[Lights.NIGHT_NIGHT].idf1 == 1.0
    assert scores[Lights.DAY_NIGHT].idf1 == 0.0
    assert scores[Lights.ALL].idf1 == 0.5


def test_the_unsure_are_missed_and_never_one_person() -> None:
    sure = [judged(0, 1, 1), judged(1, 1, 1, camera=CAMERAS[1])]
    unsure = [judged(n, n, None, camera=CAMERAS[n % 3]) for n in range(2, 8)]

    scores = score_identities(shared_by_sightings([*sure, *unsure]))[Lights.ALL]
    pairs = score_pairs([*sure, *unsure])[Lights.ALL]

    assert (scores.right, scores.true, scores.claimed) == (2, 8, 2)
    assert (pairs.n_claimed, pairs.precision) == (1, 1.0)


def test_nothing_at_all_scores_nothing() -> None:
    scores = score_site(Watched(steps=(), judged=()))

    assert scores.hota is None
    assert scores.identities[Lights.ALL].idf1 is None
    assert scores.pairs[Lights.ALL].f1 is None


def test_a_wrong_name_and_a_second_name_are_named() -> None:
    found = [
        judged(1, 1, 1, weight=9),
        judged(2, 2, 1, weight=3),
        judged(3, 1, 2, weight=2),
        judged(4, 2, 3),
        judged(5, 2, None),
    ]

    named = mistakes(found)

    assert [(each.mistake, each.person, each.owner) for each in named] == [
        (Mistake.WRONG_PERSON, 2, 1),
        (Mistake.SECOND_NAME, 1, 1),
        (Mistake.UNSURE, 2, None),
    ]
    assert named[0].rightful == 3
