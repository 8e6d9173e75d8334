"""What was asked is written in a chain in which nothing can be changed unnoticed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from storage.audit import (
    audit_entries,
    audited,
    expire_audit,
    record_audit,
    verify_audit,
)
from storage.check import check
from storage.database import Database, open_database
from storage.errors import AuditFailed
from storage.types import Span
from tests.storage_auditor import IN_A_ROW
from tests.storage_builders import ROOT, TEN_O_CLOCK_US
from tests.storage_tamper import break_rules

pytest_plugins = ["tests.storage_fixtures"]

ROWS = 6


@pytest.fixture
def asked(database: Database) -> Database:
    for number in range(ROWS):
        ask(database, number)
    return database


def ask(database: Database, number: int, *, who: str = "ada") -> None:
    audited(
        database,
        who=who,
        action="query trajectory",
        subject=f"P-000{number}",
        detail={"camera": "gate", "n": number},
        now_us=TEN_O_CLOCK_US + number,
    )


def test_what_was_asked_is_read_back(asked: Database) -> None:
    found = audit_entries(asked)

    assert [entry.subject for entry in found] == [f"P-000{number}" for number in range(ROWS)]
    assert dict(found[2].detail) == {"camera": "gate", "n": 2}
    assert verify_audit(asked) == []
    assert check(asked, None) == []


def test_it_is_found_by_person_by_operator_and_by_time(asked: Database) -> None:
    ask(asked, 3, who="grace")

    assert [entry.who for entry in audit_entries(asked, of="P-0003")] == ["ada", "grace"]
    assert [entry.subject for entry in audit_entries(asked, by="grace")] == ["P-0003"]
    last_two = audit_entries(asked, span=Span(from_us=TEN_O_CLOCK_US + 4))
    assert [entry.subject for entry in last_two] == ["P-0004", "P-0005"]
    assert [entry.who for entry in audit_entries(asked, limit=1)] == ["grace"]


COPY = "INSERT INTO audit SELECT {id}, at_us, who, action, subject, detail, previous, {hash} "


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE audit SET who = 'eve' WHERE id = 3", id="changed name"),
        pytest.param("UPDATE audit SET at_us = at_us + 1 WHERE id = 6", id="changed time"),
        pytest.param("UPDATE audit SET detail = '{}' WHERE id = 1", id="changed detail"),
        pytest.param("DELETE FROM audit WHERE id = 3", id="removed in the middle"),
        pytest.param("DELETE FROM audit WHERE id = 1", id="removed at the beginning"),
        pytest.param("DELETE FROM audit WHERE id = 6", id="removed at the end"),
        pytest.param("DELETE FROM audit", id="removed altogether"),
        pytest.param(
            COPY.format(id=7, hash=f"'{'f' * 64}'") + "FROM audit WHERE id = 6", id="inserted"
        ),
        pytest.param("UPDATE audit SET id = -id WHERE id IN (2, 3)", id="reordered"),
        pytest.param("UPDATE audit SET id = id + 100 WHERE id = 2", id="moved to the end"),
    ],
)
def test_tampering_is_found(asked: Database, statement: str) -> None:
    break_rules(asked, statement)

    assert {problem.rule for problem in verify_audit(asked)} == {"audit"}
    assert any(problem.is_error for problem in check(asked, None))


def test_the_chain_is_provable_after_its_oldest_rows_expired(asked: Database) -> None:
    for _ in range(2):  # the second time, the row that told of the first is the oldest
        with asked.write() as connection:
            now_us = TEN_O_CLOCK_US + 100
            gone = expire_audit(connection, before_us=TEN_O_CLOCK_US + 4, who="ada", now_us=now_us)

    assert gone == 0
    kept = audit_entries(asked)
    assert [entry.action for entry in kept] == [*["query trajectory"] * 2, "expire audit"]
    assert kept[-1].detail["last_id"] == 4
    assert verify_audit(asked) == []
    with asked.write() as connection:
        expire_audit(connection, before_us=TEN_O_CLOCK_US + 10**9, who="ada", now_us=now_us)
    assert [entry.action for entry in audit_entries(asked)] == ["expire audit"]
    assert verify_audit(asked) == []


def test_rows_taken_off_after_an_expiry_are_found(asked: Database) -> None:
    with asked.write() as connection:
        expire_audit(connection, before_us=TEN_O_CLOCK_US + 2, who="ada", now_us=TEN_O_CLOCK_US)

    break_rules(asked, "DELETE FROM audit WHERE id = 3")

    assert [problem.subject for problem in verify_audit(asked)] == ["audit"]


def test_nothing_is_written_when_what_it_tells_of_was_undone(asked: Database) -> None:
    def undone() -> None:
        with asked.write() as connection:
            record_audit(connection, who="ada", action="erase", subject="P-1", detail={}, now_us=1)
            raise KeyError

    with pytest.raises(KeyError):
        undone()

    assert len(audit_entries(asked)) == ROWS
    ask(asked, 1)
    assert verify_audit(asked) == []


def test_two_processes_that_write_at_once_make_one_chain(address: str) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.storage_auditor", address, name, "60"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("ada", "grace")
    ]
    for _ in range(60 // IN_A_ROW):
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
    for writer in writers:
        assert writer.wait(60) == 0
        writer.communicate()

    with open_database(address) as database:
        names = [entry.who for entry in audit_entries(database)]
        assert len(names) == 120
        assert names[:60] not in (["ada"] * 60, ["grace"] * 60)  # they did write in turns
        assert verify_audit(database) == []


def test_a_question_is_refused_while_the_database_is_held(
    sqlite_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.BUSY_TIMEOUT_S", 0.1)
    with (
        open_database(sqlite_address) as holder,
        open_database(sqlite_address) as asking,
        holder.write(),
        pytest.raises(AuditFailed, match=r"was not answered.*locked"),
    ):
        ask(asking, 1)


def test_names_that_cannot_be_stored_are_written_another_way(database: Database) -> None:
    ask(database, 1, who="a\0b\udcff")

    assert [entry.who for entry in audit_entries(database)] == [r"a\0b\udcff"]
    assert verify_audit(database) == []
