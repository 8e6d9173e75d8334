"""Operators' verdicts are carried out and remembered, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from storage.audit import audit_entries
from storage.changes import Cursor, changes, newest
from storage.check import check
from storage.database import Database, open_database
from storage.errors import NotFound, VerdictRefused
from storage.refinement import binding_verdicts
from storage.sightings import record_sighting, relink, sightings
from storage.standing import pinned_visits
from storage.types import Decision, IdentityId, SightingId, Verdict, VerdictId, VerdictKind
from storage.undoing import undo
from storage.verdict_list import find_verdict, forgotten_visits, verdicts
from storage.verdicts import forget, merge, not_same, not_same_person, same, split
from tests.storage_builders import link_new, link_to, sighting
from tests.verdict_builders import BEFORE, NOW_US, P1, P2, P3, say_merge, say_two, visit, who

pytest_plugins = ["tests.storage_fixtures", "tests.verdict_builders"]


def say_same(db: Database) -> Verdict:
    return same(db, visit(2), P2, by="ana", reason="same coat", now_us=NOW_US)


def say_not_same(db: Database) -> Verdict:
    return not_same(db, visit(2), P1, by="ana", now_us=NOW_US)


def say_new(db: Database) -> Verdict:
    return not_same(db, visit(2), P1, as_new=True, by="ana", now_us=NOW_US)


def say_split(db: Database) -> Verdict:
    return split(db, P1, [visit(3)], by="ana", now_us=NOW_US)


def say_forget(db: Database) -> Verdict:
    return forget(db, P2, by="ana", now_us=NOW_US)


ALL = pytest.mark.parametrize(
    ("say", "kind", "becomes", "a", "b"),
    [
        pytest.param(
            say_same, VerdictKind.SAME, [1, 2, 2, 2, 2, 3, None], (2, 3), (4, 5), id="same"
        ),
        pytest.param(
            say_merge, VerdictKind.MERGE, [1, 1, 1, 1, 1, 3, None], (4, 5), (1, 2, 3), id="merge"
        ),
        pytest.param(
            say_not_same, VerdictKind.NOT_SAME, [1, None, None, 2, 2, 3, None], (2, 3), (1,),
            id="not same",
        ),
        pytest.param(
            say_new, VerdictKind.NOT_SAME, [1, 4, 4, 2, 2, 3, None], (2, 3), (1,),
            id="not same, new",
        ),
        pytest.param(say_two, VerdictKind.NOT_SAME, BEFORE, (1, 2, 3), (4, 5), id="two persons"),
        pytest.param(
            say_split, VerdictKind.SPLIT, [1, 4, 4, 2, 2, 3, None], (2, 3), (1,), id="split"
        ),
        pytest.param(
            say_forget, VerdictKind.FORGET, [1, 1, 1, None, None, 3, None], (4, 5), (),
            id="forget",
        ),
    ],
)  # fmt: skip


@ALL
def test_a_verdict_moves_whole_views_keeps_its_sides_and_is_undone_and_redone(
    site: Database,
    say: Callable[[Database], Verdict],
    kind: VerdictKind,
    becomes: list[int | None],
    a: tuple[int, ...],
    b: tuple[int, ...],
) -> None:
    assert who(site) == BEFORE

    said = say(site)

    assert who(site) == becomes
    assert (said.kind, said.a, said.b, said.made_by, said.holds) == (kind, a, b, "ana", True)
    assert {m.sighting: (m.before, m.after) for m in said.moved} == {
        n + 1: (BEFORE[n], becomes[n]) for n in range(7) if BEFORE[n] != becomes[n]
    }
    assert check(site, None) == []

    back = undo(site, said.id, by="ben", now_us=NOW_US)
    assert who(site) == BEFORE
    assert {m.sighting for m in back.moved} == {m.sighting for m in said.moved}
    assert not find_verdict(site, said.id).holds
    assert check(site, None) == []

    undo(site, back.id, by="ana", now_us=NOW_US)
    assert who(site) == becomes
    assert find_verdict(site, said.id).holds
    assert check(site, None) == []


def test_same_pins_a_visit_that_was_so_already(site: Database) -> None:
    said = same(site, visit(4), P2, by="ana", now_us=NOW_US)

    assert [(m.sighting, m.before, m.after) for m in said.moved] == [(4, 2, 2)]
    link = sightings(site)[3].link
    assert (link.decision, link.verdict, link.made_by) == (Decision.LINK, said.id, "ana")
    assert link.reason == "ana says that this is P-0002 (V1)"


def test_machines_leave_alone_what_a_verdict_that_holds_decided(site: Database) -> None:
    pinned = same(site, visit(4), P2, by="ana", now_us=NOW_US)
    merged = merge(site, P1, P2, by="ana", now_us=NOW_US)

    def found() -> list[SightingId]:
        with site.read() as connection:
            return sorted(pinned_visits(connection, [visit(n) for n in range(1, 8)]))

    assert found() == [4, 5]
    undo(site, merged.id, by="ana", now_us=NOW_US)
    assert found() == [4]
    undo(site, pinned.id, by="ana", now_us=NOW_US)
    assert found() == []


def test_a_merge_keeps_the_lower_number_unless_told_otherwise(site: Database) -> None:
    merge(site, P2, P1, by="ana", now_us=NOW_US)
    merge(site, P1, P3, keep=P3, by="ana", now_us=NOW_US)

    assert who(site) == [3, 3, 3, 3, 3, 3, None]


def test_merging_and_splitting_keeps_the_whole_history(site: Database) -> None:
    merged = merge(site, P1, P2, by="ana", now_us=NOW_US)
    parted = split(site, P1, [visit(4)], by="ben", now_us=NOW_US + 1)

    assert who(site) == [1, 1, 1, 4, 1, 3, None]
    assert parted.contradicts == (merged.id,)
    with site.read() as connection:
        history = connection.execute(
            text(
                "SELECT identity_id, made_by, verdict_id FROM link_event WHERE sighting_id = 4 "
                "ORDER BY sequence"
            )
        ).all()
    assert [tuple(row) for row in history] == [(2, "linker", None), (1, "ana", 1), (4, "ben", 2)]
    assert find_verdict(site, merged.id).moved == merged.moved

    undo(site, merged.id, by="ana", now_us=NOW_US + 2)
    assert who(site) == [1, 1, 1, 4, 2, 3, None]
    undo(site, parted.id, by="ana", now_us=NOW_US + 3)
    assert who(site) == BEFORE
    assert check(site, None) == []


def said_of(db: Database, one: SightingId, other: SightingId) -> bool | None:
    """Whether the newest word about the two visits is that they show one person."""
    about = ({one}, {other})
    return next(
        (
            said.is_same
            for said in reversed(binding_verdicts(db))
            if (about[0] <= said.a and about[1] <= said.b)
            or (about[1] <= said.a and about[0] <= said.b)
        ),
        None,
    )


def test_a_newer_verdict_wins_and_names_the_older_that_it_contradicts(site: Database) -> None:
    apart = not_same(site, visit(2), P1, by="ana", now_us=NOW_US)
    together = same(site, visit(2), P1, by="ben", now_us=NOW_US)

    assert (apart.contradicts, together.contradicts) == ((), (apart.id,))
    assert who(site) == BEFORE
    assert said_of(site, visit(3), visit(1)) is True

    undo(site, together.id, by="ben", now_us=NOW_US)
    assert who(site)[1] is None
    assert said_of(site, visit(3), visit(1)) is False


def test_a_merge_contradicts_whoever_said_that_two_visits_of_them_are_two(site: Database) -> None:
    two = not_same_person(site, P2, P1, by="ana", now_us=NOW_US)
    other = not_same_person(site, P2, P3, by="ana", now_us=NOW_US)

    assert merge(site, P1, P2, by="ben", now_us=NOW_US).contradicts == (two.id,)
    assert find_verdict(site, other.id).contradicts == ()


def test_what_binds_visits_is_what_holds(site: Database) -> None:
    say_split(site)
    undone = same(site, visit(7), P3, by="ana", now_us=NOW_US)
    undo(site, undone.id, by="ana", now_us=NOW_US)
    say_forget(site)

    (rule,) = binding_verdicts(site)
    assert (rule.number, rule.is_same) == (1, False)
    assert (sorted(rule.a), sorted(rule.b)) == ([2, 3], [1])
    assert forgotten_visits(site) == {4, 5}
    assert said_of(site, visit(1), visit(6)) is None


def test_refusals_change_nothing(site: Database) -> None:
    with pytest.raises(NotFound, match="nobody is called P-0099"):
        same(site, visit(1), IdentityId(99), by="ana", now_us=NOW_US)
    with pytest.raises(NotFound, match="no visit is called S99"):
        same(site, visit(99), P1, by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="P-0003 is known by S6 only"):
        not_same(site, visit(6), P3, by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="twice"):
        merge(site, P1, P1, by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="P-0003 cannot be kept"):
        merge(site, P1, P2, keep=P3, by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="got all of them"):
        split(site, P1, [visit(1), visit(2)], by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="S6 is no visit of P-0001"):
        split(site, P1, [visit(6)], by="ana", now_us=NOW_US)
    with pytest.raises(VerdictRefused, match="name of an operator"):
        forget(site, P1, by="linker", now_us=NOW_US)
    with pytest.raises(NotFound, match="no verdict is called V1"):
        undo(site, VerdictId(1), by="ana", now_us=NOW_US)

    assert who(site) == BEFORE
    assert verdicts(site) == []
    assert audit_entries(site) == []


def test_the_second_of_two_operators_at_once_sees_what_the_first_did(
    site: Database, address: str
) -> None:
    told: list[Verdict | NotFound] = []
    start = threading.Barrier(2)

    def say(name: str) -> None:
        with open_database(address) as mine:
            start.wait()
            try:
                told.append(merge(mine, P1, P2, by=name, now_us=NOW_US))
            except NotFound as refusal:
                told.append(refusal)

    operators = [threading.Thread(target=say, args=(name,)) for name in ("ana", "ben")]
    for operator in operators:
        operator.start()
    for operator in operators:
        operator.join()

    assert sorted(type(answer) is Verdict for answer in told) == [False, True]
    assert who(site) == [1, 1, 1, 1, 1, 3, None]
    assert "P-0002 has no visits any more" in str(
        next(answer for answer in told if isinstance(answer, NotFound))
    )


def test_every_person_concerned_has_a_row_in_the_audit(site: Database) -> None:
    merge(site, P1, P2, by="ana", now_us=NOW_US)
    undo(site, VerdictId(1), by="ben", now_us=NOW_US + 1)

    entries = [(e.who, e.action, e.subject, dict(e.detail)) for e in audit_entries(site)]

    detail = {"verdict": "V1", "n_visits": 2}
    assert entries[:2] == [
        ("ana", "verdict merge", "P-0001", detail),
        ("ana", "verdict merge", "P-0002", detail),
    ]
    assert {entry[:3] for entry in entries[2:]} == {
        ("ben", "verdict undo", "P-0001"),
        ("ben", "verdict undo", "P-0002"),
    }


def test_verdicts_are_listed_newest_first_also_those_about_one_visit(site: Database) -> None:
    say_merge(site)
    say_split(site)
    undo(site, VerdictId(2), by="ben", now_us=NOW_US)

    assert [v.id for v in verdicts(site)] == [3, 2, 1]
    assert [v.id for v in verdicts(site, limit=1)] == [3]
    assert [v.id for v in verdicts(site, of=visit(3))] == [3, 2, 1]
    assert [v.id for v in verdicts(site, of=visit(7))] == []
    assert [(v.undoes, v.undone_by, v.holds) for v in verdicts(site)] == [
        (2, None, True),
        (None, 3, False),
        (None, None, True),
    ]


def test_a_verdict_that_was_not_carried_out_is_found_by_check(site: Database) -> None:
    say_merge(site)
    with site.write() as connection:
        connection.execute(
            text(
                "INSERT INTO link_event (sighting_id, sequence, decision, identity_id, threshold, "
                "reason, calibration, verdict_id, made_by, made_at_us) "
                "VALUES (4, 2, 'link', 3, 0, 'by hand', 'operator', 1, 'ana', 1)"
            )
        )
        connection.execute(text("UPDATE sighting SET identity_id = 3, link_sequence = 2 "
                                "WHERE id = 4"))  # fmt: skip
        connection.execute(text("DELETE FROM verdict_sighting WHERE side = 'b'"))
    undo(site, VerdictId(1), by="ana", now_us=NOW_US)
    with site.write() as connection:
        connection.execute(text("UPDATE sighting SET identity_id = 3 WHERE id = 5"))

    found = {(problem.rule, problem.subject) for problem in check(site, None)}

    assert ("verdict", "S5") in found
    assert ("verdict", "V1") in found


def test_changes_tell_what_others_than_the_linker_did_since(site: Database) -> None:
    start = newest(site)
    record_sighting(site, sighting(7, link=link_new()), now_us=NOW_US)
    quiet = changes(site, start)
    assert (quiet.moved, quiet.gone) == ((), ())
    assert quiet.next.event > start.event

    say_merge(site)
    forget(site, P3, by="ana", now_us=NOW_US)
    relink(site, visit(7), link_to(1), made_by="refine", now_us=NOW_US)
    told = changes(site, quiet.next)

    assert [(c.sighting, c.identity, c.is_pinned) for c in told.moved] == [
        (4, 1, True),
        (5, 1, True),
        (6, None, True),
        (7, 1, False),
    ]
    assert told.gone == (3,)
    assert changes(site, told.next) == replace(told, moved=(), gone=())

    undo(site, VerdictId(2), by="ana", now_us=NOW_US)
    again = changes(site, told.next)
    assert [(c.sighting, c.identity, c.is_pinned) for c in again.moved] == [(6, 3, False)]
    assert changes(site, Cursor()).gone == ()
