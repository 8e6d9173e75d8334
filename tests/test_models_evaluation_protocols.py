"""The protocols: official counts, and figures of random vectors against a plain implementation."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.reid_protocols import plain_sysu
from models.evaluation import protocols, rules
from models.evaluation.measure import measure
from models.evaluation.permutations import layout, read_people, read_permutations
from models.evaluation.protocols import Protocol
from models.evaluation.retrieval import measure_retrieval
from models.evaluation.rules import Labels, Permutations
from models.reid.rerank.load import look_at
from streams.errors import SourceUnreadable

OFFICIAL = Path(__file__).parents[2] / "shared" / "assets" / "protocols"
SYSU_FILES = OFFICIAL / "SYSU-MM01_official"


def unit(n: int, dimension: int, seed: int) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def labels_of(rows: list[tuple[int, int, bool]]) -> Labels:
    person, camera, infrared = zip(*rows, strict=True)
    return Labels(
        person=np.array(person, np.int64),
        camera=np.array(camera, np.int64),
        infrared=np.array(infrared, np.bool_),
    )


@pytest.fixture(scope="module")
def permutations() -> Permutations:
    path = SYSU_FILES / "rand_perm_cam.mat"
    if not path.is_file():
        pytest.skip("needs ../shared/assets/protocols/SYSU-MM01_official")
    return read_permutations(path)


@pytest.fixture(scope="module")
def official(permutations: Permutations) -> Labels:
    return layout(permutations, read_people(SYSU_FILES / "test_id.mat"))


def sysu_pairs(
    labels: Labels, permutations: Permutations, cameras: tuple[int, ...], shots: int, trial: int
) -> list[int]:
    """The gallery of a trial, found by walking the labels once more in plain Python."""
    seen: dict[tuple[int, int], int] = {}
    chosen = []
    for at, (person, camera) in enumerate(zip(labels.person, labels.camera, strict=True)):
        key = int(camera), int(person)
        seen[key] = seen.get(key, 0) + 1
        if camera in cameras and seen[key] in permutations.numbers[key][trial, :shots]:
            chosen.append(at)
    return chosen


@pytest.mark.parametrize(
    ("mode", "shots", "n_gallery", "n_valid"),
    [
        pytest.param("all", 1, 301, 3803, id="all, single-shot"),
        pytest.param("all", 10, 3010, 3803, id="all, multi-shot"),
        pytest.param("indoor", 1, 112, 2208, id="indoor, single-shot"),
        pytest.param("indoor", 10, 1120, 2208, id="indoor, multi-shot"),
    ],
)
def test_sysu_has_the_official_counts_in_every_trial(
    official: Labels,
    permutations: Permutations,
    mode: str,
    shots: int,
    n_gallery: int,
    n_valid: int,
) -> None:
    protocol = protocols.sysu(
        official,
        mode="all" if mode == "all" else "indoor",
        shots=shots,
        permutations=permutations,
    )

    (search,) = protocol.searches

    assert len(search.trials) == 10
    for trial in search.trials:
        assert (len(trial.query), len(trial.gallery)) == (3803, n_gallery)
    query, gallery = search.trials[0].query, search.trials[0].gallery
    same = official.person[query][:, None] == official.person[gallery][None]
    counts = same & ~rules.drop_camera_two_for_camera_three(official, query, gallery)
    assert int(counts.any(axis=1).sum()) == n_valid


@pytest.mark.parametrize(
    ("mode", "shots"), [("all", 1), ("indoor", 1), ("indoor", 10)], ids=lambda v: str(v)
)
def test_random_vectors_on_the_official_layout_give_the_figures_of_a_plain_implementation(
    official: Labels, permutations: Permutations, mode: str, shots: int
) -> None:
    cameras = (1, 2, 4, 5) if mode == "all" else (1, 2)
    protocol = protocols.sysu(
        official,
        mode="all" if mode == "all" else "indoor",
        shots=shots,
        permutations=permutations,
    )
    second_trial = _only(protocol, 1)
    vectors = unit(len(official), 16, seed=3)

    (found,) = measure(vectors, official, second_trial)

    query = np.flatnonzero(np.isin(official.camera, (3, 6)))
    gallery = np.array(sysu_pairs(official, permutations, cameras, shots, 1))
    drawn = second_trial.searches[0].trials[0].gallery
    assert set(drawn.tolist()) == set(gallery.tolist())
    people = list(zip(official.person.tolist(), official.camera.tolist(), strict=True))
    similarity = vectors[query] @ vectors[gallery].T
    mean_ap, mean_inp, cmc, n_valid = plain_sysu(
        similarity, [people[q] for q in query], [people[g] for g in gallery]
    )
    assert found.plain is not None
    assert found.plain.mean_ap.mean == pytest.approx(mean_ap, abs=1e-9)
    assert found.plain.mean_inp.mean == pytest.approx(mean_inp, abs=1e-9)
    assert found.plain.rank1.mean == pytest.approx(cmc[0], abs=1e-9)
    assert found.plain.rank20.mean == pytest.approx(cmc[19], abs=1e-9)
    assert found.n_valid_queries == n_valid


def _only(protocol: Protocol, trial: int) -> Protocol:
    (search,) = protocol.searches
    return replace(protocol, searches=(replace(search, trials=(search.trials[trial],)),))


def _first_of(protocol: Protocol) -> Protocol:
    """The first trial of infrared -> visible alone."""
    search = protocol.searches[3]
    return replace(protocol, searches=(replace(search, trials=search.trials[:1]),))


def test_the_seeded_gallery_is_the_draw_of_published_code() -> None:
    labels = labels_of([(p, c, False) for p in (4, 9) for c in (1, 2) for _ in range(7)])

    drawn = rules.draw_by_seed(labels, np.arange(28), trial=3, shots=1)

    random.seed(3)  # the published code seeds the module's own generator
    expected = [random.choice(range(start, start + 7)) for start in (0, 7, 14, 21)]
    assert drawn.tolist() == expected


def test_a_draw_takes_the_numbers_that_the_permutation_names() -> None:
    labels = labels_of([(5, 1, False)] * 3 + [(8, 1, False)] * 2)
    permutations = Permutations(
        numbers={(1, 5): np.array([[3, 1, 2]] * 10), (1, 8): np.array([[2, 1]] * 10)}
    )

    drawn = rules.draw_by_permutation(labels, np.arange(5), permutations, trial=0, shots=2)

    assert drawn.tolist() == [2, 0, 4, 3]


def test_permutations_of_other_pictures_are_refused() -> None:
    labels = labels_of([(5, 1, False)] * 3)
    permutations = Permutations(numbers={(1, 5): np.array([[1, 2]] * 10)})

    with pytest.raises(SourceUnreadable, match=r"3 pictures.*knows 2"):
        rules.draw_by_permutation(labels, np.arange(3), permutations, trial=0, shots=1)


def test_camera_three_does_not_search_camera_two_whoever_is_on_it() -> None:
    labels = labels_of([(1, 3, True), (1, 6, True), (1, 2, False), (2, 2, False), (1, 1, False)])

    left_out = rules.drop_camera_two_for_camera_three(labels, np.array([0, 1]), np.array([2, 3, 4]))

    assert left_out.tolist() == [[True, True, False], [False, False, False]]


def test_llcm_leaves_out_the_asked_person_at_the_same_camera_but_keeps_strangers() -> None:
    labels = labels_of([(1, 4, True), (1, 4, False), (2, 4, False), (1, 5, False)])

    left_out = rules.drop_same_person_same_camera(labels, np.array([0]), np.array([1, 2, 3]))

    assert left_out.tolist() == [[True, False, False]]


def test_llcm_has_its_official_counts() -> None:
    rows = []
    for light in ("vis", "nir"):
        path = OFFICIAL / "LLCM_idx" / f"test_{light}.txt"
        if not path.is_file():
            pytest.skip("needs ../shared/assets/protocols/LLCM_idx")
        for line in path.read_text().split("\n"):
            if line:
                name = Path(line.split(" ")[0]).name
                rows.append((int(name[:4]), int(name[6:8]), light == "nir"))
    labels = labels_of(rows)

    (i2v,) = protocols.llcm(labels, direction="i2v", shots=1).searches
    (v2i,) = protocols.llcm(labels, direction="v2i", shots=1).searches

    assert (len(i2v.trials[0].query), len(v2i.trials[0].query)) == (7166, 8680)
    assert len(np.unique(labels.person)) == 351
    for search in (i2v, v2i):
        gallery = search.trials[9].gallery
        pairs = set(zip(labels.person[gallery], labels.camera[gallery], strict=True))
        asked = labels.infrared == labels.infrared[gallery[0]]
        everyone = set(zip(labels.person[asked], labels.camera[asked], strict=True))
        assert len(gallery) == len(pairs)
        assert pairs == everyone
    assert len(i2v.trials[0].gallery) == 484  # as the tensors of a published evaluation count it


@pytest.mark.parametrize("split", [1, 10])
def test_regdb_asks_with_all_of_one_modality_for_all_of_the_other(split: int) -> None:
    rows = []
    for light in ("visible", "thermal"):
        path = OFFICIAL / "RegDB_idx" / f"test_{light}_{split}.txt"
        if not path.is_file():
            pytest.skip("needs ../shared/assets/protocols/RegDB_idx")
        for line in path.read_text().splitlines():
            person = int(line.split(" ")[0].split("/")[1])
            rows.append((person, 1, light == "thermal"))
    labels = labels_of(rows)

    v2t = protocols.regdb(labels, direction="v2t", split=split).searches[0]
    t2v = protocols.regdb(labels, direction="t2v", split=split).searches[0]

    assert len(np.unique(labels.person)) == 206
    for search, asks_thermal in ((v2t, False), (t2v, True)):
        (trial,) = search.trials
        assert (len(trial.query), len(trial.gallery)) == (2060, 2060)
        assert bool(labels.infrared[trial.query].all()) is asks_thermal
        assert bool(labels.infrared[trial.gallery].any()) is not asks_thermal
        assert search.rule is None


def test_a_folder_is_searched_in_four_directions_across_cameras_within_one_light() -> None:
    labels = labels_of([(p, c, i) for p in range(3) for c in (1, 2) for i in (False, True)])
    vectors = np.eye(3, dtype=np.float32)[labels.person]

    found = measure(vectors, labels, protocols.folder(labels, shots=None, n_people=None))

    assert [each.name for each in found] == [
        "visible -> visible",
        "infrared -> infrared",
        "visible -> infrared",
        "infrared -> visible",
    ]
    for each in found:
        assert each.plain is not None
        assert each.plain.rank1.mean == each.plain.mean_ap.mean == 1.0
        assert each.n_valid_queries == each.n_queries == each.n_gallery == 6


def test_a_direction_with_nothing_to_find_has_no_figures() -> None:
    labels = labels_of([(p, 1, False) for p in range(3)] + [(p, 1, True) for p in range(3)])

    found = measure(unit(6, 4, 1), labels, protocols.folder(labels, shots=None, n_people=None))

    assert [each.plain is None for each in found] == [True, True, False, False]


def test_a_crowd_larger_than_all_people_is_all_people_and_the_report_says_so() -> None:
    labels = labels_of([(p, c, i) for p in range(3) for c in (1, 2) for i in (False, True)])

    protocol = protocols.folder(labels, shots=None, n_people=100)

    assert protocol.gallery_source.startswith("all people")


def test_a_drawn_crowd_is_as_large_as_asked_for_and_another_in_each_trial() -> None:
    labels = labels_of([(p, c, i) for p in range(30) for c in (1, 2) for i in (False, True)])

    protocol = protocols.folder(labels, shots=None, n_people=11)

    crowds = [
        frozenset(labels.person[trial.query].tolist()) for trial in protocol.searches[2].trials
    ]
    assert {len(crowd) for crowd in crowds} == {11}
    assert len(set(crowds)) == 10


def test_figures_over_trials_are_mean_and_spread_and_rerank_comes_beside_them() -> None:
    rng = np.random.default_rng(5)
    labels = labels_of(
        [(p, c, i) for p in range(12) for c in (1, 2, 3) for i in (False, True) for _ in range(4)]
    )
    looks = rng.normal(size=(12, 32))[labels.person]
    light = rng.normal(size=(2, 32))[labels.infrared.astype(int)]
    vectors = (looks + light + 0.8 * rng.normal(size=looks.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    protocol = protocols.folder(labels, shots=1, n_people=None)

    plain = measure(vectors, labels, protocol)[3]
    both = measure(vectors, labels, protocol, rerank="sim-few", centred=True)[3]

    assert plain.plain is not None
    assert plain.reranked is None
    assert (plain.n_trials, plain.n_gallery) == (10, 36)
    assert plain.plain.mean_ap.std > 0
    assert both.plain is not None
    assert both.reranked is not None
    assert both.plain.mean_ap != plain.plain.mean_ap  # centred
    trial = protocol.searches[3].trials[0]
    scores = look_at(vectors[trial.gallery], "sim-few").order_scores(vectors[trial.query])
    by_hand = measure_retrieval(scores, labels.person[trial.query], labels.person[trial.gallery])
    uncentred = measure(vectors, labels, _first_of(protocol), rerank="sim-few")[0].reranked
    assert uncentred is not None
    assert uncentred.mean_ap.mean == pytest.approx(by_hand.mean_ap)
    assert both.pairs is not None
    assert both.pairs.tar_at_far_1e3 is not None


@pytest.mark.parametrize("content", [None, b"", b"not a mat file"], ids=["missing", "empty", "bad"])
def test_a_permutation_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "rand_perm_cam.mat"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SourceUnreadable, match="rand_perm_cam"):
        read_permutations(path)
    with pytest.raises(SourceUnreadable, match="split's people"):
        read_people(tmp_path / "test_id.mat" if content is None else path)
