"""Who is this? Link, unsure or new, with reasons, from vectors made up for the purpose."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery, Look, fill, mean_look, unit
from pipeline.linking.linker import link, rank
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


def look(
    vector: npt.NDArray[np.float32], *, camera: str = "gate", at_s: float = 0, light: Modality = VIS
) -> Look:
    return Look(
        camera=CameraId(camera),
        first_seen_us=int(at_s * SECOND),
        last_seen_us=int((at_s + 5) * SECOND),
        means={light: vector},
    )


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
) -> NewLink:
    return link(
        of or tracklet(light=light),
        seen_as(vector, light),
        gallery=gallery,
        calibration=Steep(),
        config=config or LinkingConfig(),
        qualities=[crop.quality for crop in of.crops] if of else [1.0],
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
    assert found.candidate == ANNA
    assert found.probability == pytest.approx(0.5, abs=0.01)
    assert found.runner_up_probability == pytest.approx(0.5, abs=0.01)


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
    similarities = [c.similarity for c in found]
    assert np.all(np.diff(similarities) <= 1e-6)  # equal but for rounding


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
