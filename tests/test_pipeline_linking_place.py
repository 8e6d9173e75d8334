"""Time and place: ways, overlapping views, clocks, and nobody in two places."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.linking.topology import Transits
from storage.types import Decision, IdentityId
from tests.linking_builders import (
    ANNA,
    KnownWay,
    decide,
    direction,
    gallery_of,
    look,
    standing,
    tracklet,
)


def test_one_body_is_not_in_two_places_at_once() -> None:
    gallery = gallery_of(look(direction(0), camera="gate", at_s=101))

    found = decide(gallery, direction(0), of=tracklet(camera="plaza", at_s=100))

    assert found.decision is Decision.NEW
    assert "P-0001 ruled out, in another view at that moment" in found.reason


def test_overlapping_views_may_show_one_person_twice() -> None:
    gallery = gallery_of(look(direction(0), camera="gate", at_s=101))
    config = LinkingConfig(overlapping=(("plaza", "gate"),))

    found = decide(gallery, direction(0), of=tracklet(camera="plaza", at_s=100), config=config)

    assert (found.decision, found.identity) == (Decision.LINK, ANNA)


def test_clocks_that_disagree_a_little_rule_nobody_out() -> None:
    gallery = gallery_of(look(direction(0), camera="gate", at_s=104.8))

    found = decide(gallery, direction(0), of=tracklet(camera="plaza", at_s=100))

    assert found.identity == ANNA


def test_whoever_just_left_a_neighbouring_camera_is_likelier_and_the_reason_says_so() -> None:
    vector = direction(0, towards=5, cosine=0.55)
    gallery = gallery_of(look(direction(0), at_s=83), look(direction(1), camera="yard"))

    without, with_way = (decide(gallery, vector, transits=way) for way in (None, KnownWay()))

    assert (without.decision, with_way.decision) == (Decision.UNSURE, Decision.LINK)
    assert "12 s after gate, usual 9 to 15 s" in with_way.reason
    assert with_way.grounds["transit_log_ratio"] == 3.0
    assert with_way.grounds["appearance_probability"] == pytest.approx(
        without.probability, abs=0.01
    )


def test_an_unusual_way_speaks_against_somebody() -> None:
    gallery = gallery_of(look(direction(0), at_s=93), look(direction(1)))
    vector = direction(0, towards=5, cosine=0.65)

    without, with_way = (decide(gallery, vector, transits=way) for way in (None, KnownWay()))

    assert (without.decision, with_way.decision) == (Decision.LINK, Decision.UNSURE)


def test_somebody_seen_elsewhere_meanwhile_did_not_come_from_the_older_place() -> None:
    gallery = gallery_of(look(direction(0), at_s=83), look(direction(1)))
    gallery.add(ANNA, look(direction(0), camera="yard", at_s=90))

    found = decide(gallery, direction(0), transits=KnownWay())

    assert found.grounds["transit_from"] == "yard"
    assert found.grounds["transit_log_ratio"] == 0.0


def test_people_are_proposed_by_their_way_where_many_look_more_alike() -> None:
    crowd = [look(direction(0, towards=k, cosine=0.9), camera="yard") for k in range(2, 9)]
    gallery = gallery_of(look(direction(0, towards=1, cosine=0.7), at_s=83), *crowd)

    found = rank_of(ANNA, gallery, direction(0), transits=KnownWay())

    assert found is not None


def rank_of(
    identity: IdentityId, gallery: Gallery, vector: npt.NDArray[np.float32], *, transits: Transits
) -> str | None:
    """The name as it stands in the reason, of two candidates by looks and those by transit."""
    config = LinkingConfig(candidates=2)
    found = decide(gallery, vector, config=config, transits=transits)
    return str(identity) if identity in (found.candidate, found.runner_up) else None


def test_feet_on_one_spot_of_overlapping_views_are_one_person() -> None:
    config = LinkingConfig(overlapping=(("plaza", "gate"),))
    here, there = standing(0.0, at_s=100), standing(9.0, at_s=100)
    gallery = gallery_of(
        look(direction(0), at_s=100, path=here), look(direction(0), at_s=100, path=there)
    )

    found = decide(gallery, direction(0), config=config, path=standing(0.4, at_s=100))

    assert (found.decision, found.identity) == (Decision.LINK, ANNA)
    assert found.grounds["ground_m"] == pytest.approx(0.4)
    assert "feet 0.4 m apart" in found.reason
    assert "P-0002 ruled out, 9 m away at that moment" in found.reason


def test_nobody_is_faster_than_the_fastest_runner() -> None:
    far = look(direction(0), camera="gate", at_s=90, path=standing(300.0, at_s=90))
    gallery = gallery_of(far)

    found = decide(gallery, direction(0), path=standing(0.0, at_s=100))

    assert found.decision is Decision.NEW
    assert "P-0001 ruled out, 300 m away 5 s before or after" in found.reason


def test_clocks_known_to_differ_by_half_a_minute_rule_nobody_out_and_the_reason_says_so() -> None:
    gallery = gallery_of(look(direction(0), at_s=98), look(direction(1)))

    strict = decide(gallery, direction(0))
    lenient = decide(gallery, direction(0), config=LinkingConfig(clock_skew_s=30))

    assert strict.decision is not Decision.LINK
    assert (lenient.decision, lenient.identity) == (Decision.LINK, ANNA)
    assert "in another view for 3 s of this, but clocks may differ by 30 s" in lenient.reason
    assert lenient.grounds["overlap_s"] == 3.0
