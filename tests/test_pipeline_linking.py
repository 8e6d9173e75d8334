"""Who is this? Link, unsure or new, with reasons, from vectors made up for the purpose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.linking.linker import rank
from storage.types import Decision, IdentityId
from tests.linking_builders import (
    ANNA,
    BEN,
    IR,
    SECOND,
    VIS,
    D,
    KnownWay,
    Steep,
    decide,
    direction,
    gallery_of,
    look,
    tracklet,
)


def test_the_first_person_ever_is_new() -> None:
    found = decide(Gallery(D), direction(0))

    assert found.decision is Decision.NEW
    assert found.candidate is None
    assert found.probability is None
    assert found.reason == "nobody known to compare with"


def test_a_clear_match_is_linked_and_names_the_runner_up() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(1)))

    found = decide(gallery, direction(0, towards=1, cosine=0.95))

    assert (found.decision, found.identity) == (Decision.LINK, ANNA)
    assert found.runner_up == BEN
    assert found.probability is not None
    assert found.probability >= 0.9
    assert "P-0001" in found.reason
    assert "both visible" in found.reason


def test_a_look_alike_makes_the_answer_unsure_instead_of_a_coin_toss() -> None:
    uniform = look(direction(0, towards=1, cosine=0.99))
    gallery = gallery_of(uniform, look(direction(0, towards=2, cosine=0.99)))

    found = decide(gallery, direction(0))

    assert found.decision is Decision.UNSURE
    assert found.identity is None
    assert {found.candidate, found.runner_up} == {ANNA, BEN}
    assert found.probability is not None
    assert found.probability < 0.7


def test_nobody_alike_is_a_new_person() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(1)))

    found = decide(gallery, direction(5))

    assert found.decision is Decision.NEW
    assert found.identity is None
    assert found.reason.startswith("nobody known looks like this")


def test_evidence_in_the_same_light_outweighs_evidence_across() -> None:
    gallery = Gallery(D)
    gallery.add(ANNA, look(direction(0), light=VIS))
    gallery.add(ANNA, look(direction(3), light=IR, at_s=50))

    found = decide(gallery, direction(0), light=IR)

    assert found.decision is Decision.NEW  # by night Anna looked different: direction 3


def test_across_modalities_the_reason_says_so() -> None:
    gallery = gallery_of(look(direction(0), light=VIS))

    found = decide(gallery, direction(0), light=IR)

    assert found.decision is Decision.LINK
    assert "infrared and visible" in found.reason


@settings(max_examples=50, deadline=None)
@given(
    cosines=st.lists(st.floats(-0.9, 0.99), min_size=1, max_size=6),
    returning=st.floats(0.05, 0.95),
)
def test_probabilities_of_all_hypotheses_sum_to_one_and_follow_similarity(
    cosines: list[float], returning: float
) -> None:
    people = [look(direction(0, towards=k + 1, cosine=c)) for k, c in enumerate(cosines)]
    config = LinkingConfig(returning=returning)

    found = rank(
        {VIS: direction(0)}, gallery=gallery_of(*people), calibration=Steep(), config=config
    )

    assert len(found) == len(cosines)
    assert 0 < sum(c.probability for c in found) < 1
    by_likeness = sorted(found, key=lambda c: c.similarity)
    probabilities = [c.probability for c in by_likeness]
    assert np.all(np.diff(probabilities) >= -1e-4)  # equal but for rounding


def test_more_people_to_confuse_with_need_more_evidence() -> None:
    vector = direction(0, towards=15, cosine=0.65)
    few = gallery_of(look(direction(0)))
    many = gallery_of(look(direction(0)), *(look(direction(k)) for k in range(1, 12)))

    sure, unsure = decide(few, vector), decide(many, vector)

    assert sure.decision is Decision.LINK
    assert unsure.decision is Decision.UNSURE


def test_somebody_seen_very_often_does_not_crowd_a_look_alike_out() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(0, towards=1, cosine=0.999)))
    for visit in range(60):
        gallery.add(ANNA, look(direction(0), at_s=-10 * visit))

    found = decide(gallery, direction(0), config=LinkingConfig(candidates=2))

    assert found.decision is Decision.UNSURE
    assert found.runner_up == BEN


def test_poor_pictures_say_less() -> None:
    gallery = gallery_of(look(direction(0, towards=2, cosine=0.65)), look(direction(1)))

    good = decide(gallery, direction(0), of=tracklet(quality=0.8))
    poor = decide(gallery, direction(0), of=tracklet(quality=0.1))

    assert good.decision is Decision.LINK
    assert poor.decision is Decision.UNSURE
    assert poor.candidate == ANNA


def test_thresholds_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="both linked and new"):
        LinkingConfig(link_at=0.6, new_at=0.3)


@pytest.mark.parametrize(
    ("config", "links_from", "new_from"),
    [
        pytest.param(LinkingConfig(), 0.8, 2 / 3, id="precision is the default"),
        pytest.param(LinkingConfig(favour="recall"), 2 / 3, 0.75, id="recall"),
        pytest.param(LinkingConfig(favour="recall", link_at=0.8), 0.8, 0.75, id="own number wins"),
    ],
)
def test_thresholds_follow_from_what_mistakes_cost(
    config: LinkingConfig, links_from: float, new_from: float
) -> None:
    assert config.links_from == pytest.approx(links_from)
    assert config.new_from == pytest.approx(new_from)


def test_favouring_recall_links_what_precision_leaves_open() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(1)))
    vector = direction(0, towards=5, cosine=0.54)

    careful, bold = (
        decide(gallery, vector, config=LinkingConfig(favour=favour))
        for favour in ("precision", "recall")
    )

    assert (careful.decision, bold.decision) == (Decision.UNSURE, Decision.LINK)


def test_twins_in_one_uniform_stay_unsure_whoever_was_seen_more_often() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(0), at_s=10))
    for visit in range(20):
        gallery.add(ANNA, look(direction(0), camera="yard", at_s=-100 * visit))

    found = decide(gallery, direction(0))

    assert found.decision is Decision.UNSURE
    assert {found.candidate, found.runner_up} == {ANNA, BEN}


@settings(max_examples=50, deadline=None)
@given(
    data=st.lists(
        st.tuples(
            st.integers(0, D - 1), st.sampled_from(["gate", "plaza", "yard"]), st.integers(0, 200)
        ),
        min_size=1,
        max_size=8,
    ),
    axis=st.integers(0, D - 1),
)
def test_whoever_cannot_be_meant_is_never_linked_and_the_answer_is_the_same_twice(
    data: list[tuple[int, str, int]], axis: int
) -> None:
    people = [look(direction(a), camera=camera, at_s=at_s) for a, camera, at_s in data]

    found, again = (
        decide(gallery_of(*people), direction(axis), transits=KnownWay()) for _ in range(2)
    )

    assert found == again
    for number, person in enumerate(people, start=1):
        if person.first_seen_us + SECOND < 105 * SECOND and person.last_seen_us > 101 * SECOND:
            assert IdentityId(number) not in (found.candidate, found.runner_up)


@settings(max_examples=50, deadline=None)
@given(low=st.floats(-0.5, 0.99), high=st.floats(-0.5, 0.99), others=st.lists(st.floats(-0.5, 0.9)))
def test_more_similar_is_never_less_probable(low: float, high: float, others: list[float]) -> None:
    low, high = sorted((low, high))
    strangers = [look(direction(0, towards=2, cosine=c), camera="yard") for c in others[:5]]

    less, more = (
        rank(
            {VIS: direction(0)},
            gallery=gallery_of(look(direction(0, towards=1, cosine=c)), *strangers),
            calibration=Steep(),
            config=LinkingConfig(),
        )
        for c in (low, high)
    )

    (p_less,), (p_more,) = (
        [c.probability for c in found if c.identity == ANNA] for found in (less, more)
    )
    assert p_more >= p_less - 1e-9
