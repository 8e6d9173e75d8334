"""The window of second thoughts, the verdicts that bind it, and decisions written in batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from storage.check import check
from storage.database import Database
from storage.erasure import erase
from storage.errors import NotFound
from storage.evidence import EvidenceStore
from storage.refinement import (
    Rethought,
    newest_visit_us,
    rethink,
    revisit,
    verdicts_about,
)
from storage.sightings import record_sighting, sightings
from storage.types import Decision, IdentityId, NewLink, SightingId, Span
from storage.undoing import undo
from storage.verdicts import merge, not_same, same
from tests.storage_builders import (
    MODEL,
    SECOND_US,
    TEN_O_CLOCK_US,
    exemplar,
    link,
    link_new,
    link_to,
    link_unsure,
    sighting,
)

pytest_plugins = ["tests.storage_fixtures"]

HOUR_US = 3600 * SECOND_US


def recorded(database: Database, *numbered: tuple[int, NewLink]) -> list[SightingId]:
    return [
        record_sighting(
            database,
            sighting(number, link=said, exemplars=(exemplar(1, number, 0, 0, evidence=None),)),
            now_us=TEN_O_CLOCK_US,
        ).sighting
        for number, said in numbered
    ]


def test_a_window_tells_all_that_second_thoughts_need(database: Database) -> None:
    first, second = recorded(database, (0, link_new()), (1, link_unsure(1)))

    found = revisit(database, model=MODEL, span=Span(), horizon_us=HOUR_US, max_tracks=9)

    assert [visit.id for visit in found.visits] == [first, second]
    assert found.n_left_out == 0
    assert found.context == ()
    known, unsure = found.visits
    assert (known.identity, unsure.identity) == (1, None)
    assert unsure.named == {1}
    assert unsure.probability == 0.875
    assert not unsure.is_settled
    assert unsure.vectors.shape == (1, 4)
    assert unsure.qualities == (0.75,)


def test_people_named_in_the_window_bring_their_past(database: Database) -> None:
    past, other, now = recorded(database, (0, link_new()), (1, link_new()), (30, link_unsure(1)))
    del other

    since = Span(from_us=TEN_O_CLOCK_US + 20 * 60 * SECOND_US)
    found = revisit(database, model=MODEL, span=since, horizon_us=HOUR_US, max_tracks=9)

    assert [visit.id for visit in found.visits] == [now]
    assert [visit.id for visit in found.context] == [past]


def test_a_window_with_too_many_tracks_keeps_the_newest(database: Database) -> None:
    numbers = recorded(database, *((i, link_new()) for i in range(4)))

    found = revisit(database, model=MODEL, span=Span(), horizon_us=HOUR_US, max_tracks=2)

    assert [visit.id for visit in found.visits] == numbers[2:]
    assert found.n_left_out == 2
    assert found.span.from_us is not None
    assert found.span.from_us > TEN_O_CLOCK_US


def test_vectors_of_another_network_are_not_compared(database: Database) -> None:
    recorded(database, (0, link_new()))

    found = revisit(database, model="other@1", span=Span(), horizon_us=1, max_tracks=9)

    assert len(found.visits[0].vectors) == 0


def test_a_batch_makes_one_person_and_appends_to_the_history(
    database: Database, tmp_path: Path
) -> None:
    ids = recorded(database, (0, link_unsure()), (1, link_unsure()), (2, link_new()))
    new = replace(link(Decision.NEW), reason="seen twice", grounds={"views": 2})
    follows = replace(link_unsure(), decision=Decision.LINK, probability=0.95)
    batch = [
        Rethought(sighting=ids[0], sequence=0, link=new),
        Rethought(sighting=ids[1], sequence=0, link=follows),
    ]

    changed = rethink(database, batch, now_us=TEN_O_CLOCK_US + 1)

    assert set(changed) == set(ids[:2])
    assert len(set(changed.values())) == 1
    first, second, _ = sightings(database)
    assert first.identity == second.identity == 2
    assert first.link.made_by == "refine"
    assert first.link.grounds == {"views": 2}
    assert second.link.candidate == 2
    assert second.link.probability == 0.95
    assert not check(database, EvidenceStore(tmp_path / "evidence"))


def test_what_was_said_in_the_meantime_stays(database: Database) -> None:
    (known, unsure) = recorded(database, (0, link_new()), (1, link_unsure(1)))
    read = revisit(database, model=MODEL, span=Span(), horizon_us=1, max_tracks=9).visits[1]
    same(database, unsure, IdentityId(1), by="ada", now_us=TEN_O_CLOCK_US)

    changed = rethink(
        database,
        [Rethought(sighting=unsure, sequence=read.sequence, link=link_new())],
        now_us=TEN_O_CLOCK_US,
    )

    assert changed == {}
    assert [each.identity for each in sightings(database)] == [1, 1]
    del known


def test_a_batch_is_written_whole_or_not_at_all(database: Database) -> None:
    ids = recorded(database, (0, link_new()), (1, link_unsure(1)))
    batch = [
        Rethought(sighting=ids[1], sequence=0, link=link_to(1)),
        Rethought(sighting=ids[0], sequence=0, link=link_to(77)),
    ]

    with pytest.raises(NotFound):
        rethink(database, batch, now_us=TEN_O_CLOCK_US)

    assert [each.identity for each in sightings(database)] == [1, None]


def test_verdicts_bind_until_they_are_undone(database: Database) -> None:
    ids = recorded(database, (0, link_new()), (1, link_new()), (2, link_unsure()))
    verdict = merge(database, IdentityId(1), IdentityId(2), by="ada", now_us=TEN_O_CLOCK_US)

    said = verdicts_about(database, ids)
    settled = revisit(database, model=MODEL, span=Span(), horizon_us=1, max_tracks=9).visits

    assert [each.is_same for each in said] == [True]
    assert said[0].a | said[0].b == set(ids[:2])
    assert any(visit.is_pinned for visit in settled)
    undo(database, verdict.id, by="ada", now_us=TEN_O_CLOCK_US)
    assert verdicts_about(database, ids) == []
    again = revisit(database, model=MODEL, span=Span(), horizon_us=1, max_tracks=9).visits
    assert any(visit.is_settled for visit in again)
    assert not any(visit.is_pinned for visit in again)


def test_what_an_undo_brings_again_is_pinned_again(database: Database) -> None:
    _, unsure = recorded(database, (0, link_new()), (1, link_unsure(1)))
    same(database, unsure, IdentityId(1), by="ada", now_us=TEN_O_CLOCK_US)
    later = not_same(database, unsure, IdentityId(1), by="bo", now_us=TEN_O_CLOCK_US)

    undo(database, later.id, by="ada", now_us=TEN_O_CLOCK_US)

    _, again = revisit(database, model=MODEL, span=Span(), horizon_us=1, max_tracks=9).visits
    assert again.identity == 1
    assert again.is_pinned


def test_nobody_is_linked_to_who_was_erased_meanwhile(database: Database, tmp_path: Path) -> None:
    _, unsure, other = recorded(database, (0, link_new()), (1, link_unsure(1)), (2, link_unsure(1)))
    batch = [
        Rethought(sighting=unsure, sequence=0, link=link_to(1)),
        Rethought(sighting=other, sequence=0, link=replace(link_unsure(), reason="doubted")),
    ]
    store = EvidenceStore(tmp_path / "evidence")
    erase(database, store, IdentityId(1), reason="asked", made_by="ada", now_us=TEN_O_CLOCK_US)

    changed = rethink(database, batch, now_us=TEN_O_CLOCK_US)

    assert changed == {other: None}
    assert [each.identity for each in sightings(database)] == [None, None]


def test_the_newest_visit_says_when_now_is(database: Database) -> None:
    assert newest_visit_us(database) is None
    recorded(database, (0, link_new()), (5, link_new()))
    assert newest_visit_us(database) == TEN_O_CLOCK_US + 300 * SECOND_US
