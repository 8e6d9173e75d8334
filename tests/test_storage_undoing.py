"""A verdict that is taken back leaves its visits as they would be without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from storage.changes import changes, newest
from storage.check import check
from storage.database import Database
from storage.erasure import erase
from storage.errors import PersonErased, VerdictRefused
from storage.evidence import EvidenceStore
from storage.refinement import binding_verdicts
from storage.sightings import record_sighting, relink, sightings
from storage.types import VerdictId
from storage.undoing import undo
from storage.verdict_list import find_verdict
from storage.verdicts import merge, same
from tests.storage_builders import link_to, sighting
from tests.verdict_builders import BEFORE, NOW_US, P1, P2, P3, part, say_merge, say_two, visit, who

pytest_plugins = ["tests.storage_fixtures", "tests.verdict_builders"]


def test_what_is_restored_has_its_numbers_and_its_reason_again(site: Database) -> None:
    before = sightings(site)

    undo(site, say_merge(site).id, by="ben", now_us=NOW_US)

    for old, new in zip(before, sightings(site), strict=True):
        assert (new.link.decision, new.link.probability) == (
            old.link.decision,
            old.link.probability,
        )
        assert old.link.reason in new.link.reason
    assert sightings(site)[3].link.reason == "ben undoes V1 (V2), so again: looks alike"


def test_undoing_an_older_verdict_leaves_newer_ones_and_is_seen_when_those_are_undone(
    site: Database,
) -> None:
    older = merge(site, P1, P2, by="ana", now_us=NOW_US)
    newer = same(site, visit(4), P3, by="ben", now_us=NOW_US)

    undo(site, older.id, by="ana", now_us=NOW_US)
    assert who(site) == [1, 1, 1, 3, 2, 3, None]

    undo(site, newer.id, by="ben", now_us=NOW_US)
    assert who(site) == BEFORE


def test_what_machines_said_on_the_strength_of_a_verdict_gives_way_with_it(site: Database) -> None:
    said = merge(site, P1, P2, by="ana", now_us=NOW_US)
    relink(site, visit(4), link_to(3), made_by="refine", now_us=NOW_US)

    back = undo(site, said.id, by="ana", now_us=NOW_US)
    assert who(site) == BEFORE

    relink(site, visit(7), link_to(3), made_by="refine", now_us=NOW_US)
    relink(site, visit(5), link_to(3), made_by="refine", now_us=NOW_US)
    undo(site, back.id, by="ana", now_us=NOW_US)
    assert who(site) == [1, 1, 1, 3, 1, 3, 3]
    assert check(site, None) == []


def test_parts_recorded_after_a_verdict_go_along_when_it_is_undone(site: Database) -> None:
    said = same(site, visit(7), P2, by="ana", now_us=NOW_US)
    record_sighting(site, part(sighting(6, link=link_to(2)), 1), now_us=NOW_US)
    assert who(site) == [*BEFORE[:6], 2, 2]

    back = undo(site, said.id, by="ana", now_us=NOW_US)
    assert who(site) == [*BEFORE[:6], None, None]

    undo(site, back.id, by="ana", now_us=NOW_US)
    assert who(site) == [*BEFORE[:6], 2, 2]
    assert check(site, None) == []


def test_a_verdict_is_undone_once_and_the_refusal_says_what_to_undo_instead(
    site: Database,
) -> None:
    say_merge(site)
    undo(site, VerdictId(1), by="ana", now_us=NOW_US)

    with pytest.raises(VerdictRefused, match=r"undone by V2 already and does not hold.*undo V2"):
        undo(site, VerdictId(1), by="ana", now_us=NOW_US)
    undo(site, VerdictId(2), by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match=r"undone by V2 already and holds again.*undo V3"):
        undo(site, VerdictId(1), by="ana", now_us=NOW_US)


def test_visits_erased_since_break_neither_undo_nor_list(site: Database) -> None:
    say_merge(site)
    with site.write() as connection:
        for statement in (
            "DELETE FROM exemplar WHERE sighting_id = 4",
            "DELETE FROM link_event WHERE sighting_id = 4",
            "DELETE FROM verdict_sighting WHERE sighting_id = 4",
            "DELETE FROM sighting WHERE id = 4",
        ):
            connection.execute(text(statement))

    back = undo(site, VerdictId(1), by="ana", now_us=NOW_US)

    assert [m.sighting for m in back.moved] == [5]
    assert find_verdict(site, VerdictId(1)).a == (5,)
    assert who(site) == [1, 1, 1, 2, 3, None]
    assert check(site, None) == []


def test_undoing_what_lost_its_visits_to_an_erasure_leaves_the_database_sound(
    site: Database, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    emptied = same(site, visit(6), P3, by="ada", now_us=NOW_US)
    erase(site, store, P3, reason="asked", made_by="ada", now_us=NOW_US + 1)

    undo(site, emptied.id, by="bo", now_us=NOW_US + 2)

    assert not [found for found in check(site, store) if found.rule == "verdict"]


def test_nobody_who_was_erased_comes_back_by_an_undo(site: Database, tmp_path: Path) -> None:
    say_merge(site)
    erase(site, EvidenceStore(tmp_path), P2, reason="asked for it", made_by="dora", now_us=NOW_US)

    with pytest.raises(PersonErased, match="P-0002 was erased"):
        undo(site, VerdictId(1), by="ana", now_us=NOW_US)
    with pytest.raises(PersonErased, match="P-0002 was erased"):
        same(site, visit(1), P2, by="ana", now_us=NOW_US)

    assert who(site) == [1, 1, 1, 1, 1, 3, None]
    assert check(site, None) == []


def test_an_erased_person_is_gone_from_verdicts_and_changes_tell_it(
    site: Database, tmp_path: Path
) -> None:
    say_two(site)
    start = newest(site)
    erase(site, EvidenceStore(tmp_path), P2, reason="asked for it", made_by="dora", now_us=NOW_US)

    undo(site, VerdictId(1), by="ana", now_us=NOW_US)

    assert changes(site, start).gone == (2,)
    assert binding_verdicts(site) == []
    assert find_verdict(site, VerdictId(1)).b == ()
    assert check(site, None) == []
