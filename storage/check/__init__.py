"""The invariants of the database and of the evidence folder, executable."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text

from storage.audit import broken_links
from storage.check.desk import bad_examples, spoken_of, unreadable_settings, wrong_states
from storage.check.files import bad_evidence, unused_pictures
from storage.check.persons import lost_holds, nobodies, risen
from storage.check.rows import (
    bad_vectors,
    dangling_references,
    gaps_in_history,
    reversed_spans,
    wrong_projections,
)
from storage.check.verdicts import empty_verdicts, overruled_verdicts
from storage.database import Database
from storage.errors import DatabaseUnusable
from storage.evidence import EvidenceStore
from storage.problems import Problem, Severity, error

__all__ = ["Problem", "Severity", "check"]

RULES: tuple[Callable[[Connection], Iterator[Problem]], ...] = (
    dangling_references,
    wrong_projections,
    gaps_in_history,
    reversed_spans,
    nobodies,
    risen,
    lost_holds,
    unused_pictures,
    bad_vectors,
    broken_links,
    overruled_verdicts,
    empty_verdicts,
    wrong_states,
    unreadable_settings,
    bad_examples,
    spoken_of,
)


def check(db: Database, evidence: EvidenceStore | None) -> list[Problem]:
    """Prove every invariant; [] if all hold.

    Reads the whole database, and every evidence file if a store is given. A watcher may run.
    """
    problems: list[Problem] = []
    try:
        with db.read() as connection:
            problems += _damaged_pages(connection, db)
            for rule in RULES:
                problems += rule(connection)
            if evidence is not None:
                problems += bad_evidence(connection, evidence)
    except DatabaseUnusable as failure:  # torn so badly that it cannot be read on
        problems.append(error("readable", str(db.address), str(failure)))
    return problems


def _damaged_pages(connection: Connection, db: Database) -> Iterator[Problem]:
    if db.address.file is None:  # PostgreSQL proves its pages by itself
        return
    for row in connection.execute(text("PRAGMA integrity_check")):
        if row[0] != "ok":
            advice = f"{row[0]}; restore a backup"
            yield error("integrity", str(db.address.file), " ".join(advice.split()))
