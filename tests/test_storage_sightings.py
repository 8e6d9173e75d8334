"""Visits are recorded once, linked and re-linked, and read back in the order of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.check import check
from storage.database import Database, open_database
from storage.errors import NotFound
from storage.exemplars import stored_exemplars
from storage.sightings import (
    last_sighting,
    record_sighting,
    relink,
    sightings,
    trail_of,
    trajectory,
)
from storage.types import Decision, IdentityId, NewLink, SightingId, Span
from storage.whereabouts import Whereabouts, whereabouts
from streams.types import CameraId, Modality
from tests.storage_builders import (
    MODEL,
    PICTURE,
    SECOND_US,
    TEN_O_CLOCK_US,
    exemplar,
    link_new,
    link_to,
    link_unsure,
    new_postgresql,
    sighting,
)

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US + 3600 * SECOND_US
FIRST = IdentityId(1)


def test_a_sighting_reads_back_as_it_was_recorded(database: Database) -> None:
    visit = sighting(3, exemplars=(exemplar(1, 0, 0, 0), exemplar(0, 1, 0, 0, evidence="b" * 64)))

    recorded = record_sighting(database, visit, now_us=NOW_US)

    (found,) = sightings(database)
    assert (found.id, found.identity) == (recorded.sighting, recorded.identity) == (1, 1)
    for name in ("key", "track", "part", "camera", "modality", "first_seen_us", "last_seen_us"):
        assert getattr(found, name) == getattr(visit, name)
    assert (found.n_frames, found.model) == (visit.n_frames, MODEL)
    assert found.evidence == (PICTURE, "b" * 64)
    assert (found.link.decision, found.link.made_at_us) == (Decision.NEW, NOW_US)
    np.testing.assert_array_equal(trail_of(database, found.id), visit.trail)


def test_exemplars_read_back_as_they_were_recorded(database: Database) -> None:
    visit = sighting(3, exemplars=(exemplar(1, 0, 0, 0), exemplar(0, 1, 0, 0, evidence=None)))
    record_sighting(database, sighting(0, exemplars=()), now_us=NOW_US)
    recorded = record_sighting(database, visit, now_us=NOW_US)

    found = stored_exemplars(database, [SightingId(1), recorded.sighting])

    assert list(found) == [recorded.sighting]
    for mine, theirs in zip(visit.exemplars, found[recorded.sighting], strict=True):
        np.testing.assert_array_equal(mine.vector, theirs.vector)
        for name in ("modality", "captured_at_us", "box", "quality", "evidence"):
            assert getattr(mine, name) == getattr(theirs, name)


def test_a_link_keeps_what_it_was_decided_on(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    record_sighting(database, sighting(1), now_us=NOW_US)
    decision = replace(link_to(2), runner_up=FIRST, runner_up_probability=0.25)

    record_sighting(database, sighting(2, link=decision), now_us=NOW_US)

    link = sightings(database)[2].link
    assert (link.candidate, link.probability, link.threshold) == (2, 0.875, 0.75)
    assert (link.runner_up, link.runner_up_probability) == (1, 0.25)
    assert (link.reason, link.calibration) == ("looks alike", "test")


def test_the_same_key_changes_nothing(database: Database) -> None:
    first = record_sighting(database, sighting(0), now_us=NOW_US)

    again = record_sighting(database, sighting(0, lasts_s=9), now_us=NOW_US + 1)

    assert again == replace(first, was_known=True)
    assert [s.last_seen_us - s.first_seen_us for s in sightings(database)] == [5 * SECOND_US]
    assert record_sighting(database, sighting(1), now_us=NOW_US).identity == 2


def test_an_unsure_sighting_belongs_to_nobody(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)

    recorded = record_sighting(database, sighting(1, link=link_unsure(candidate=1)), now_us=NOW_US)

    assert recorded.identity is None
    assert sightings(database)[1].link.candidate == FIRST
    assert [s.key for s in trajectory(database, FIRST)] == ["gate/0"]


def test_a_sighting_without_crops_is_recorded(database: Database) -> None:
    visit = sighting(0, exemplars=(), link=link_unsure())

    record_sighting(database, visit, now_us=NOW_US)

    assert [s.evidence for s in sightings(database)] == [()]
    record_sighting(database, sighting(1), now_us=NOW_US)  # now the model's dimension is learnt
    assert check(database, None) == []


def test_a_crop_that_could_not_be_kept_leaves_its_vector(database: Database) -> None:
    crops = (exemplar(1, 0, 0, 0, evidence=None), exemplar(0, 1, 0, 0))

    record_sighting(database, sighting(0, exemplars=crops), now_us=NOW_US)

    assert sightings(database)[0].evidence == (PICTURE,)
    assert check(database, None) == []


def test_a_link_to_nobody_we_know_is_refused_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(NotFound, match="P-0009"):
        record_sighting(database, sighting(0, link=link_to(9)), now_us=NOW_US)

    assert sightings(database) == []
    assert record_sighting(database, sighting(1), now_us=NOW_US).sighting == 1


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(replace(link_new(), identity=FIRST), id="new names an identity"),
        pytest.param(replace(link_to(1), identity=None), id="link names nobody"),
    ],
)
def test_a_contradictory_link_is_refused(database: Database, bad: NewLink) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)

    with pytest.raises(ValueError, match="link: decision"):
        record_sighting(database, sighting(1, link=bad), now_us=NOW_US)


def test_vectors_of_another_dimension_need_another_model_name(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    wider = (exemplar(1, 0, 0, 0, 0),)

    with pytest.raises(ValueError, match="expected 4 numbers, got 5"):
        record_sighting(database, sighting(1, exemplars=wider), now_us=NOW_US)

    record_sighting(database, sighting(1, exemplars=wider, model="other@1"), now_us=NOW_US)
    assert check(database, None) == []


@pytest.mark.parametrize("value", [0.0, 0.5, np.nan, np.inf], ids=str)
def test_a_vector_that_is_not_of_unit_length_is_refused(database: Database, value: float) -> None:
    vector = np.array([value, 0, 0, 0], dtype=np.float32)
    visit = sighting(0, exemplars=(replace(exemplar(), vector=vector),))

    with pytest.raises(ValueError, match="unit length"):
        record_sighting(database, visit, now_us=NOW_US)


def test_relinking_appends_and_the_newest_decision_holds(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    part = record_sighting(database, sighting(1, link=link_unsure()), now_us=NOW_US)

    identity = relink(database, part.sighting, link_to(1), made_by="linker", now_us=NOW_US + 5)

    assert identity == FIRST
    moved = trajectory(database, FIRST)[1]
    assert (moved.id, moved.link.decision, moved.link.made_at_us) == (2, Decision.LINK, NOW_US + 5)
    assert relink(database, part.sighting, link_new(), made_by="operator", now_us=NOW_US + 6) == 2
    assert check(database, None) == []


def test_relinking_a_sighting_that_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(NotFound, match="number 12"):
        relink(database, SightingId(12), link_new(), made_by="linker", now_us=NOW_US)
    with pytest.raises(NotFound, match="number 12"):
        trail_of(database, SightingId(12))


def test_sightings_are_filtered_by_camera_time_and_person(database: Database) -> None:
    record_sighting(database, sighting(2, camera="yard", link=link_new()), now_us=NOW_US)
    record_sighting(database, sighting(0, camera="gate", link=link_to(1)), now_us=NOW_US)
    record_sighting(database, sighting(1, camera="gate", link=link_new()), now_us=NOW_US)

    assert [s.key for s in sightings(database)] == ["gate/0", "gate/1", "yard/2"]
    assert [s.key for s in sightings(database, limit=2)] == ["gate/0", "gate/1"]
    assert [s.key for s in sightings(database, camera=CameraId("yard"))] == ["yard/2"]
    assert sightings(database, camera=CameraId("nowhere")) == []
    assert [s.key for s in trajectory(database, FIRST)] == ["gate/0", "yard/2"]
    assert [s.key for s in trajectory(database, FIRST, camera=CameraId("gate"))] == ["gate/0"]
    newest = last_sighting(database, FIRST)
    assert newest is not None
    assert newest.key == "yard/2"
    assert last_sighting(database, IdentityId(9)) is None


@pytest.mark.parametrize(
    ("from_s", "to_s", "expected"),
    [
        pytest.param(None, None, ["gate/0", "gate/1"], id="open"),
        pytest.param(0, 60, ["gate/0"], id="end is not part of the span"),
        pytest.param(0, 61, ["gate/0", "gate/1"], id="first frame of the second"),
        pytest.param(600, None, ["gate/0"], id="last frame of the long one"),
        pytest.param(601, None, [], id="after all"),
        pytest.param(30, 40, ["gate/0"], id="inside the long one"),
        pytest.param(66, 70, ["gate/0"], id="after the short one"),
    ],
)
def test_a_span_finds_the_visits_that_overlap_it(
    database: Database, from_s: int | None, to_s: int | None, expected: list[str]
) -> None:
    record_sighting(database, sighting(0, lasts_s=600), now_us=NOW_US)
    record_sighting(database, sighting(1, lasts_s=5), now_us=NOW_US)
    ends = [None if s is None else TEN_O_CLOCK_US + s * SECOND_US for s in (from_s, to_s)]

    found = sightings(database, span=Span(from_us=ends[0], to_us=ends[1]))

    assert [s.key for s in found] == expected


def test_a_limit_below_one_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="limit"):
        sightings(database, limit=0)


def test_the_same_calls_give_the_same_rows(sqlite_database: Database, server: str) -> None:
    def tell(db: Database) -> list[tuple[object, ...]]:
        for number in range(4):
            visit = sighting(number, modality=Modality.INFRARED)
            record_sighting(db, visit, now_us=NOW_US)
            record_sighting(db, visit, now_us=NOW_US)
        relink(db, SightingId(4), link_to(2), made_by="linker", now_us=NOW_US)
        return [(s.id, s.key, s.identity, s.link) for s in sightings(db)]

    with open_database(new_postgresql(server), create=True) as other:
        assert tell(sqlite_database) == tell(other)


Step = tuple[int, str, int]


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["new", "link", "unsure"]), st.integers(0, 5)),
        max_size=12,
    ),
    salt=st.uuids(),
)
def test_whatever_is_decided_the_sighting_shows_the_newest_decision(
    database: Database, steps: list[Step], salt: object
) -> None:
    expected: dict[SightingId, IdentityId | None] = {}
    made: list[IdentityId] = []
    visits: dict[int, SightingId] = {}

    for number, verb, choice in steps:
        if verb == "link" and made:
            decision = link_to(made[choice % len(made)])
        else:
            decision = link_unsure() if verb == "unsure" else link_new()
        if number not in visits:
            visit = replace(
                sighting(number, link=decision), key=f"{salt}/{number}", track=f"{salt}/{number}"
            )
            recorded = record_sighting(database, visit, now_us=NOW_US)
            visits[number], who = recorded.sighting, recorded.identity
        else:
            who = relink(database, visits[number], decision, made_by="linker", now_us=NOW_US)
        if decision.decision is Decision.NEW and who is not None:
            made.append(who)
        expected[visits[number]] = who

    shown = {s.id: s.identity for s in sightings(database) if s.id in expected}
    assert shown == expected
    assert check(database, None) == []


def test_whereabouts_are_a_trajectory_without_its_reasons(database: Database) -> None:
    for number, camera in enumerate(("gate", "yard", "gate")):
        said = link_new() if number == 0 else link_to(1)
        visit = sighting(number, camera=camera, modality=Modality.INFRARED, link=said)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    later = Span(from_us=TEN_O_CLOCK_US + 60 * SECOND_US)

    assert [each.camera for each in whereabouts(database, IdentityId(1))] == [
        *("gate", "yard", "gate")
    ]
    assert whereabouts(database, IdentityId(1), span=later) == [
        Whereabouts(
            sighting=visit.id,
            camera=visit.camera,
            modality=visit.modality,
            first_seen_us=visit.first_seen_us,
            last_seen_us=visit.last_seen_us,
        )
        for visit in trajectory(database, IdentityId(1), span=later)
    ]
    assert whereabouts(database, IdentityId(2)) == []
