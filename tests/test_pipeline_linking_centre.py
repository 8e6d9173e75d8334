"""What people of a site have in common tells nobody apart, so it is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.centre import FEWEST, HALF_BELIEVED, Centre
from pipeline.linking.evidence import OnSite, means_around_centre, weigh
from pipeline.linking.gallery import Gallery, Look, Vector, unit
from pipeline.linking.refine.evidence import Reading, sums_of
from pipeline.linking.refine.views import View
from storage.types import IdentityId
from streams.types import CameraId, Modality
from tests.linking_builders import Steep

D = 64
VIS = Modality.VISIBLE
RNG = np.random.default_rng(3)
COMMON = unit(RNG.normal(0, 1, D).astype(np.float32))
START = np.zeros(D)


@dataclass
class AroundZero(Steep):
    """Knows nothing of the people before they are seen."""

    start: Mapping[Modality, npt.NDArray[np.float64]] = field(
        default_factory=lambda: dict.fromkeys(Modality, START)
    )

    def centre(self, light: Modality) -> npt.NDArray[np.float64] | None:
        return self.start[light]


def people(n: int) -> list[Vector]:
    """Half of each look is what all have in common."""
    own = RNG.normal(0, 1 / np.sqrt(D), (n, D))
    return [unit((COMMON + each).astype(np.float32)) for each in own]


def look(vector: Vector) -> Look:
    return Look(camera=CameraId("gate"), first_seen_us=0, last_seen_us=1, means={VIS: vector})


def crowd(vectors: list[Vector]) -> Gallery:
    """Each seen as often as it takes to count."""
    gallery = Gallery(D)
    for number, vector in enumerate(vectors, start=1):
        for _ in range(FEWEST):
            gallery.add(IdentityId(number), look(vector))
    return gallery


def test_strangers_who_are_alike_as_all_are_alike_are_strangers() -> None:
    stranger, *known = people(200)
    site = OnSite(AroundZero(), crowd(known).centre)

    seen = means_around_centre({VIS: stranger}, site)
    said = [weigh(seen, [look(each)], site) for each in known[:20]]
    naive = [weigh({VIS: stranger}, [look(each)], Steep()) for each in known[:20]]

    assert np.mean([each.similarity for each in naive if each]) > 0.4
    assert abs(np.mean([each.similarity for each in said if each])) < 0.1


def test_one_person_stays_alike_around_the_centre() -> None:
    seen, *others = people(200)
    again = unit(seen + RNG.normal(0, 0.02, D).astype(np.float32))
    site = OnSite(AroundZero(), crowd([seen, *others]).centre)

    evidence = weigh(means_around_centre({VIS: again}, site), [look(seen)], site)

    assert evidence is not None
    assert evidence.similarity > 0.9


def test_before_anybody_was_seen_the_calibration_says_what_is_common() -> None:
    start = COMMON.astype(np.float64)
    site = OnSite(AroundZero({VIS: start}), Centre())

    assert site.centre(VIS) is start


def test_a_calibration_of_vectors_as_they_are_leaves_them_as_they_are() -> None:
    known = people(50)

    assert OnSite(Steep(), crowd(known).centre).centre(VIS) is None
    assert means_around_centre({VIS: known[0]}, Steep())[VIS] is known[0]


def test_who_is_there_all_day_is_not_what_all_have_in_common() -> None:
    often, seldom = people(2)
    centre = Centre()
    for _ in range(1000):
        centre.add(IdentityId(1), {VIS: often})
    for _ in range(FEWEST):
        centre.add(IdentityId(2), {VIS: seldom})

    expected = (often.astype(np.float64) + seldom) / (2 + HALF_BELIEVED)
    assert centre.around(START, VIS) == pytest.approx(expected)


def test_one_person_who_is_not_known_again_is_not_what_all_have_in_common() -> None:
    centre = Centre()
    for number, vector in enumerate(people(1) * 50):
        centre.add(IdentityId(number), {VIS: vector})

    assert centre.around(START, VIS) is START


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 7), st.booleans()), max_size=30))
def test_looks_taken_back_leave_no_trace(said: list[tuple[int, int, bool]]) -> None:
    looks = people(8)
    whole, kept = Centre(), Centre()
    for person, which, _ in said:
        whole.add(IdentityId(person), {VIS: looks[which]})
    for person, which, stays in said:
        if stays:
            kept.add(IdentityId(person), {VIS: looks[which]})
        else:
            whole.remove(IdentityId(person), {VIS: looks[which]})

    assert whole.around(START, VIS) == pytest.approx(kept.around(START, VIS), abs=1e-9)


def test_a_gallery_forgets_what_its_people_had_in_common_with_them() -> None:
    gallery = crowd(people(20))
    for number in range(1, 21):
        gallery.drop(IdentityId(number))

    assert gallery.centre.around(START, VIS) is START


def test_second_thoughts_compare_around_the_same_centre() -> None:
    known = people(40)
    site = OnSite(AroundZero(), crowd(known).centre)
    views = [_view(vector) for vector in known[:2]]

    table = Reading(site).log_ratios(sums_of(views, site).means(), sums_of(views, site).means())
    linker = weigh(means_around_centre({VIS: known[0]}, site), [look(known[1])], site)

    assert linker is not None
    assert table[0, 1] == pytest.approx(linker.log_ratio, rel=1e-3)


def _view(vector: Vector) -> View:
    return View(
        camera=CameraId("gate"),
        first_seen_us=0,
        last_seen_us=1,
        parts=(),
        means={VIS: vector},
        quality=1.0,
        identity=None,
        confidence=0.0,
        is_pinned=False,
        is_fixed=False,
    )
