"""Which crops meet in a batch."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import numpy as np
import pytest

from models.datasets.folder import find_crops
from models.datasets.types import LabelledImage
from models.training.sampler import Plan, Sampler, rng_of
from streams.errors import SourceUnreadable
from streams.types import Modality
from tests.labelled_crops import write_people


def image(person: str, camera: str, modality: Modality, n: int = 0) -> LabelledImage:
    path = Path(f"{person}/{modality}_{camera}/{n}.jpg")
    return LabelledImage(path=path, person=person, camera=camera, modality=modality)


def two_lights(n_people: int, *, per_light: int = 3) -> list[LabelledImage]:
    return [
        image(f"p{person}", f"c{n}", modality)
        for person, modality, n in itertools.product(range(n_people), Modality, range(per_light))
    ]


def in_visible_only(n_people: int) -> list[LabelledImage]:
    return [image(f"v{n}", f"c{c}", Modality.VISIBLE) for n in range(n_people) for c in range(3)]


def test_a_batch_holds_each_person_in_both_lights_from_different_cameras(tmp_path: Path) -> None:
    sampler = Sampler(find_crops(write_people(tmp_path, 4)), Plan(people=3, per_modality=2))

    for number in range(5):
        batch = sampler.batch(rng_of(0, number))
        people = {place.image.person for place in batch}
        assert len(people) == 3
        for person, light in itertools.product(people, Modality):
            theirs = [p for p in batch if p.image.person == person and p.modality is light]
            assert len({place.image.camera for place in theirs}) == 2


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    sampler = Sampler(two_lights(6), Plan(people=2, per_modality=1, pseudo_infrared_share=0.5))

    late_first = sampler.batch(rng_of(7, 9)), sampler.batch(rng_of(7, 3))
    in_order = sampler.batch(rng_of(7, 3)), sampler.batch(rng_of(7, 9))

    assert late_first == (in_order[1], in_order[0])
    assert sampler.batch(rng_of(8, 3)) != in_order[0]


def test_people_of_one_light_are_left_out_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    images = [*two_lights(2), *in_visible_only(3), image("n0", "c1", Modality.INFRARED)]

    with caplog.at_level(logging.WARNING):
        sampler = Sampler(images, Plan(people=2, per_modality=1))

    assert sampler.people == ["p0", "p1"]
    assert "3 people were seen in visible light only" in caplog.text
    assert "1 people were seen in infrared only" in caplog.text


def test_visible_only_people_come_at_their_share_with_infrared_places_from_visible_pictures() -> (
    None
):
    images = [*two_lights(8), *in_visible_only(8)]
    sampler = Sampler(images, Plan(people=6, per_modality=2, visible_only_share=0.25))

    batches = [sampler.batch(rng_of(0, number)) for number in range(400)]

    n_visible_only = sum(p.image.person.startswith("v") for batch in batches for p in batch)
    share = n_visible_only / sum(map(len, batches))
    assert share == pytest.approx(0.25, abs=0.02)  # 2400 people: one standard error is 0.004
    for batch in batches:
        assert len({place.image.person for place in batch}) == 6
        assert sum(place.modality is Modality.INFRARED for place in batch) == 12


def test_a_share_of_infrared_places_is_taken_by_visible_pictures_of_the_same_person() -> None:
    sampler = Sampler(two_lights(4), Plan(people=4, per_modality=3, pseudo_infrared_share=0.2))

    places = [
        place
        for number in range(300)
        for place in sampler.batch(rng_of(0, number))
        if place.modality is Modality.INFRARED
    ]

    turned = sum(place.image.modality is Modality.VISIBLE for place in places) / len(places)
    assert turned == pytest.approx(0.2, abs=0.03)


def test_someone_with_one_picture_is_repeated_and_counted_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    images = [
        *two_lights(1),
        image("q", "c1", Modality.VISIBLE),
        image("q", "c2", Modality.INFRARED),
    ]

    with caplog.at_level(logging.WARNING):
        sampler = Sampler(images, Plan(people=2, per_modality=2))

    assert "1 of 2 people have one picture only" in caplog.text
    theirs = [place for place in sampler.batch(rng_of(0, 0)) if place.image.person == "q"]
    assert [place.image.camera for place in theirs] == ["c1", "c1", "c2", "c2"]


def test_too_few_people_in_both_lights_are_named() -> None:
    with pytest.raises(SourceUnreadable, match="at least 3 people seen in both lights, found 2"):
        Sampler([*two_lights(2), *in_visible_only(9)], Plan(people=3, per_modality=1))


def test_an_epoch_shows_as_many_crops_as_the_light_with_more_of_them_has() -> None:
    images = [
        *two_lights(2, per_light=3),
        *(image("p0", f"d{n}", Modality.VISIBLE) for n in range(5)),
    ]

    sampler = Sampler(images, Plan(people=2, per_modality=2))

    assert sampler.batches_per_epoch == int(np.ceil((2 * 3 + 5) / 4))
