"""What is remembered of people, for how long, and whom it rules out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.types import Embeddings, ModelId
from pipeline.linking.gallery import MOST_LOOKS, Gallery, fill, mean_look, unit
from storage.types import Decision, GalleryRow, IdentityId, SightingId
from streams.types import CameraId
from tests.linking_builders import (
    ANNA,
    BEN,
    SECOND,
    VIS,
    D,
    decide,
    direction,
    gallery_of,
    look,
    tracklet,
)


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
            quality=0.9,
            is_confirmed=True,
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
    assert rebuilt.is_confirmed


def test_vectors_that_cancel_out_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no direction"):
        unit(np.zeros(D, np.float32))


def test_a_long_visit_that_goes_on_rules_its_person_out_elsewhere() -> None:
    still_here = look(direction(0), at_s=60, track="gate/60/1", is_open=True)
    gallery = gallery_of(still_here, look(direction(1)))

    while_open = decide(gallery, direction(0))
    gallery.add(ANNA, look(direction(0), at_s=66, track="gate/60/1"))
    after_it_ended = decide(gallery, direction(0))

    assert while_open.decision is Decision.NEW
    assert "P-0001 ruled out, in another view at that moment" in while_open.reason
    assert after_it_ended.identity == ANNA


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


def test_who_a_verdict_moved_is_confirmed_until_a_machine_may_move_them_again() -> None:
    gallery = gallery_of(look(direction(0), sighting=1))

    gallery.move(SightingId(1), BEN, is_confirmed=True)
    gallery.forget_before(1000 * SECOND, past_us=0)
    stayed = list(gallery)
    gallery.move(SightingId(1), ANNA)
    gallery.forget_before(1000 * SECOND, past_us=0)

    assert stayed == [BEN]
    assert list(gallery) == []


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
