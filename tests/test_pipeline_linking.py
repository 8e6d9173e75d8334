"""Who is this? Link, unsure or new, with reasons, from vectors made up for the purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import MOST_LOOKS, Gallery, Look, Path, fill, mean_look, unit
from pipeline.linking.linker import link, rank
from pipeline.linking.topology import Transits
from pipeline.types import TrackKey, Tracklet
from storage.types import Decision, GalleryRow, IdentityId, NewLink, SightingId
from streams.types import CameraId, Modality

D = 16
SECOND = 1_000_000
VIS, IR = Modality.VISIBLE, Modality.INFRARED
ANNA, BEN = IdentityId(1), IdentityId(2)


class Steep:
    """Similarity 0.5 says nothing; each 0.1 above it makes "same" ten times likelier."""

    name = "steep"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        weight = 10.0 if a is b else 5.0
        return math.pow(10.0, weight * (similarity - 0.5))


def direction(
    axis: int, *, towards: int | None = None, cosine: float = 1.0
) -> npt.NDArray[np.float32]:
    vector = np.zeros(D, np.float32)
    vector[axis] = cosine
    if towards is not None:
        vector[towards] = math.sqrt(1 - cosine**2)
    return vector


class KnownWay:
    """People need 9 to 15 s from the gate to the plaza; of other ways nothing is known."""

    def log_ratio(self, a: CameraId, b: CameraId, gap_s: float) -> float:
        if (a, b) != ("gate", "plaza"):
            return 0.0
        return 3.0 if 9 <= gap_s <= 15 else -3.0

    def describe(self, a: CameraId, b: CameraId, gap_s: float) -> str | None:
        return f"{gap_s:.0f} s after {a}, usual 9 to 15 s" if (a, b) == ("gate", "plaza") else None


def look(
    vector: npt.NDArray[np.float32],
    *,
    camera: str = "gate",
    at_s: float = 0,
    light: Modality = VIS,
    sighting: int | None = None,
    track: str | None = None,
    is_open: bool = False,
    path: Path | None = None,
) -> Look:
    return Look(
        camera=CameraId(camera),
        first_seen_us=int(at_s * SECOND),
        last_seen_us=int((at_s + 5) * SECOND),
        means={light: vector},
        sighting=None if sighting is None else SightingId(sighting),
        track=None if track is None else TrackKey(track),
        is_open=is_open,
        path=path,
    )


def standing(x_m: float, *, at_s: float, lasts_s: float = 5) -> Path:
    """Somebody on one spot of the ground, told twice a second."""
    times = np.arange(at_s, at_s + lasts_s + 0.1, 0.5) * SECOND
    return np.column_stack([times, np.full(len(times), x_m), np.zeros(len(times))])


def tracklet(
    *, camera: str = "plaza", at_s: float = 100, light: Modality = VIS, quality: float = 1.0
) -> Tracklet:
    times = np.array([at_s * SECOND, (at_s + 5) * SECOND], np.int64)
    return Tracklet(
        camera=CameraId(camera),
        track=TrackKey(f"{camera}/{int(at_s)}/1"),
        part=0,
        times_us=times,
        boxes=np.tile(np.array([0, 0, 10, 30], np.float32), (2, 1)),
        scores=np.ones(2, np.float32),
        modality=light,
        crops=(
            Crop(
                camera=CameraId(camera),
                modality=light,
                captured_at_us=int(times[0]),
                box=(0, 0, 10, 30),
                pixels=np.zeros((30, 10, 3), np.uint8),
                quality=quality,
            ),
        ),
    )


def seen_as(vector: npt.NDArray[np.float32], light: Modality = VIS) -> Embeddings:
    return Embeddings(vectors=vector[None].copy(), modality=(light,), model=ModelId("test@0"))


def gallery_of(*people: Look) -> Gallery:
    """Anna, Ben, Carl, ... in this order."""
    gallery = Gallery(D)
    for number, person in enumerate(people, start=1):
        gallery.add(IdentityId(number), person)
    return gallery


def decide(
    gallery: Gallery,
    vector: npt.NDArray[np.float32],
    *,
    of: Tracklet | None = None,
    light: Modality = VIS,
    config: LinkingConfig | None = None,
    transits: Transits | None = None,
    path: Path | None = None,
) -> NewLink:
    return link(
        of or tracklet(light=light),
        seen_as(vector, light),
        gallery=gallery,
        calibration=Steep(),
        config=config or LinkingConfig(),
        qualities=[crop.quality for crop in of.crops] if of else [1.0],
        transits=transits,
        path=path,
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


def test_looks_older_than_the_horizon_are_forgotten() -> None:
    gallery = gallery_of(look(direction(0), at_s=0), look(direction(1), at_s=1000))

    gallery.forget_before(500 * SECOND)

    assert list(gallery) == [BEN]
    assert gallery.near({VIS: direction(0)}, 10) == [BEN]


def test_a_rebuilt_gallery_gives_the_same_looks_as_a_grown_one() -> None:
    vectors = [direction(0, towards=k, cosine=0.9) for k in (1, 2, 3)]
    rows = [
        GalleryRow(
            exemplar_id=n,
            identity=ANNA,
            sighting=SightingId(7),
            camera=CameraId("gate"),
            modality=VIS,
            first_seen_us=0,
            last_seen_us=5 * SECOND,
            vector=vector,
        )
        for n, vector in enumerate(vectors)
    ]
    grown = mean_look(
        Embeddings(vectors=np.stack(vectors), modality=(VIS, VIS, VIS), model=ModelId("test@0"))
    )

    gallery = Gallery(D)
    fill(gallery, rows)

    (rebuilt,) = gallery.looks(ANNA)
    np.testing.assert_array_equal(rebuilt.means[VIS], grown[VIS])


def test_vectors_that_cancel_out_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no direction"):
        unit(np.zeros(D, np.float32))


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
    gallery = gallery_of(look(direction(0)), look(direction(1)))

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
        pytest.param(LinkingConfig(), 0.9, 2 / 3, id="precision is the default"),
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
    vector = direction(0, towards=5, cosine=0.55)

    careful, bold = (
        decide(gallery, vector, config=LinkingConfig(favour=favour))
        for favour in ("precision", "recall")
    )

    assert (careful.decision, bold.decision) == (Decision.UNSURE, Decision.LINK)


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


def test_twins_in_one_uniform_stay_unsure_whoever_was_seen_more_often() -> None:
    gallery = gallery_of(look(direction(0)), look(direction(0), at_s=10))
    for visit in range(20):
        gallery.add(ANNA, look(direction(0), camera="yard", at_s=-100 * visit))

    found = decide(gallery, direction(0))

    assert found.decision is Decision.UNSURE
    assert {found.candidate, found.runner_up} == {ANNA, BEN}


def test_a_long_visit_that_goes_on_rules_its_person_out_elsewhere() -> None:
    still_here = look(direction(0), at_s=60, track="gate/60/1", is_open=True)
    gallery = gallery_of(still_here, look(direction(1)))

    while_open = decide(gallery, direction(0))
    gallery.add(ANNA, look(direction(0), at_s=66, track="gate/60/1"))
    after_it_ended = decide(gallery, direction(0))

    assert while_open.decision is Decision.NEW
    assert "P-0001 ruled out, in another view at that moment" in while_open.reason
    assert after_it_ended.identity == ANNA


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


def test_somebody_of_yesterday_is_named_but_never_linked_by_clothes() -> None:
    day_s = 24 * 3600
    gallery = gallery_of(look(direction(0), at_s=0))
    gallery.forget_before(day_s * SECOND, past_us=-6 * day_s * SECOND)

    found = decide(gallery, direction(0), of=tracklet(at_s=26 * 3600))

    assert found.decision is Decision.NEW
    assert "looks like P-0001 of 26 hours ago" in found.reason
    assert "noctule verdict same" in found.reason
    assert found.grounds["suggested"] == "P-0001"


def test_who_an_operator_confirmed_is_compared_beyond_the_horizon() -> None:
    gallery = Gallery(D)
    gallery.add(ANNA, replace(look(direction(0)), is_confirmed=True))

    gallery.forget_before(1000 * SECOND, past_us=0)

    assert gallery.near({VIS: direction(0)}, 5) == [ANNA]


def test_a_visit_moved_to_somebody_else_takes_its_look_along() -> None:
    gallery = gallery_of(look(direction(0), sighting=1), look(direction(1), sighting=2))

    was_there = gallery.move(SightingId(1), BEN)
    is_missing = gallery.move(SightingId(9), BEN)
    gallery.move(SightingId(2), None)

    assert (was_there, is_missing) == (True, False)
    assert list(gallery) == [BEN]
    assert [each.sighting for each in gallery.looks(BEN)] == [1]


def test_a_dropped_person_is_found_neither_now_nor_in_the_past() -> None:
    gallery = gallery_of(look(direction(0), at_s=0))
    gallery.add(ANNA, look(direction(0), at_s=100))
    gallery.forget_before(50 * SECOND, past_us=0)

    gallery.drop(ANNA)

    assert len(gallery) == 0
    assert len(gallery.past) == 0
    assert gallery.near({VIS: direction(0)}, 5) == []
    assert gallery.seen_since(0) == []


def test_the_gallery_of_thirty_cameras_stays_bounded_over_days() -> None:
    hour_us, rng = 3600 * SECOND, np.random.default_rng(3)
    gallery, most = Gallery(D), 0
    for number in range(3000):  # 30 cameras over 60 hours, 50 visits an hour
        now_us = number * hour_us // 50
        gallery.forget_before(now_us - 24 * hour_us, past_us=now_us - 30 * hour_us)
        seen = look(
            unit(rng.normal(size=D).astype(np.float32)),
            camera=f"c{number % 30}",
            at_s=now_us / SECOND,
        )
        gallery.add(IdentityId(1 + number // 2), seen)
        most = max(most, gallery.n_looks)

    assert most <= 24 * 50 + 1
    assert len(gallery) <= 24 * 50 / 2 + 1
    assert len(gallery.past) <= 6 * 50 / 2 + 1
    assert len(gallery.near({VIS: direction(0)}, 10**6)) == len(gallery)


def test_somebody_who_stays_all_day_has_a_bounded_number_of_looks() -> None:
    gallery = Gallery(D)
    for part in range(500):
        gallery.add(ANNA, look(direction(0), at_s=30 * part, track="gate/0/1", is_open=True))

    assert len(gallery.looks(ANNA)) == MOST_LOOKS
    assert [each.is_open for each in gallery.looks(ANNA)] == [False] * (MOST_LOOKS - 1) + [True]


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
