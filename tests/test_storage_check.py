"""Whatever breaks an invariant is found by check, and told; stats count."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from storage.check import Severity, check
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.exemplars import to_vector_bytes
from storage.sightings import record_sighting, relink
from storage.stats import stats
from storage.types import SightingId
from tests.storage_builders import SECOND_US, TEN_O_CLOCK_US, exemplar, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    for number in range(3):
        crops = (exemplar(evidence=evidence.put(b"picture %d" % number)),)
        record_sighting(database, sighting(number, exemplars=crops), now_us=TEN_O_CLOCK_US)
    relink(database, SightingId(3), link_to(1), made_by="linker", now_us=TEN_O_CLOCK_US)
    return database


def break_rules(database: Database, statement: str, **values: object) -> None:
    """Write what the constraints would refuse, as a torn file or a careless hand would."""
    if database.address.file is not None:
        with sqlite3.connect(database.address.file) as file:
            file.execute("PRAGMA ignore_check_constraints = ON")
            file.execute(statement, values)
        return
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement), values)


def test_a_sound_database_has_no_problems(site: Database, evidence: EvidenceStore) -> None:
    assert check(site, evidence) == []


@pytest.mark.parametrize(
    ("statement", "rule", "subject"),
    [
        pytest.param(
            "UPDATE sighting SET identity_id = 2 WHERE id = 1", "projection", "sighting 1",
            id="another person than the newest event says",
        ),
        pytest.param(
            "UPDATE sighting SET identity_id = NULL WHERE id = 1", "projection", "sighting 1",
            id="nobody although the newest event says who",
        ),
        pytest.param(
            "UPDATE sighting SET link_sequence = 0 WHERE id = 3", "projection", "sighting 3",
            id="an older event",
        ),
        pytest.param(
            "DELETE FROM link_event WHERE sighting_id = 3 AND sequence = 0", "history",
            "sighting 3", id="an event taken out of the history",
        ),
        pytest.param(
            "DELETE FROM link_event WHERE sighting_id = 1", "projection", "sighting 1",
            id="no history at all",
        ),
        pytest.param("DELETE FROM camera", "reference", "sighting 1", id="no camera"),
        pytest.param(
            "DELETE FROM model_version", "reference", "exemplar 1", id="no model version"
        ),
        pytest.param(
            "DELETE FROM evidence WHERE sha256 IN (SELECT evidence FROM exemplar WHERE id = 2)",
            "reference", "exemplar 2", id="no evidence row",
        ),
        pytest.param(
            "INSERT INTO identity (id, made_at_us) VALUES (77, 1)", "identity", "P-0077",
            id="an identity that nobody was linked to",
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found(site: Database, statement: str, rule: str, subject: str) -> None:
    break_rules(site, statement)

    assert (rule, subject) in {(found.rule, found.subject) for found in check(site, None)}
    assert all(found.is_error for found in check(site, None))


def test_a_reversed_span_is_found(sqlite_database: Database) -> None:
    record_sighting(sqlite_database, sighting(0), now_us=TEN_O_CLOCK_US)

    break_rules(sqlite_database, "UPDATE sighting SET last_seen_us = 0")

    assert "span" in {found.rule for found in check(sqlite_database, None)}


@pytest.mark.parametrize(
    ("vector", "told"),
    [
        pytest.param(to_vector_bytes(np.array([2, 0, 0, 0], np.float32)), "unit", id="too long"),
        pytest.param(to_vector_bytes(np.array([np.nan] * 4, np.float32)), "unit", id="NaN"),
        pytest.param(b"\0\0\x80?", "4 bytes, its model's vectors have 16", id="cut short"),
    ],
)
def test_a_damaged_vector_is_found(sqlite_database: Database, vector: bytes, told: str) -> None:
    record_sighting(sqlite_database, sighting(0), now_us=TEN_O_CLOCK_US)

    break_rules(sqlite_database, "UPDATE exemplar SET vector = :vector", vector=vector)

    (problem,) = [found for found in check(sqlite_database, None) if found.rule == "vector"]
    assert told in str(problem)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        pytest.param(lambda file: file.unlink(), "no evidence", id="deleted"),
        pytest.param(lambda file: file.write_bytes(b"other"), "changed or torn", id="changed"),
    ],
)
def test_missing_and_changed_evidence_is_found(
    site: Database, evidence: EvidenceStore, damage: Callable[[Path], object], told: str
) -> None:
    file = next(iter(evidence.files()))

    damage(file)

    (problem,) = check(site, evidence)
    assert (problem.severity, problem.subject) == (Severity.ERROR, f"evidence {file.stem}")
    assert told in problem.advice


def test_files_that_nothing_refers_to_are_a_warning(
    site: Database, evidence: EvidenceStore
) -> None:
    orphan = evidence.put(b"a crash came before the row")
    (evidence.folder / "notes.txt").write_text("hello")

    found = {problem.rule: problem for problem in check(site, evidence)}

    assert not any(problem.is_error for problem in found.values())
    assert orphan in found["orphan"].subject
    assert "notes.txt" in found["unknown file"].subject


def test_stats_count_what_is_there(site: Database, evidence: EvidenceStore) -> None:
    found = stats(site, evidence)

    assert (found.n_cameras, found.n_identities, found.n_sightings, found.n_unsure) == (1, 3, 3, 0)
    assert (found.n_exemplars, found.n_link_events, found.n_gaps, found.n_runs) == (3, 4, 0, 0)
    assert found.oldest_us == TEN_O_CLOCK_US
    assert found.newest_us == TEN_O_CLOCK_US + 125 * SECOND_US
    assert (found.n_evidence_files, found.evidence_bytes) == (3, 3 * len(b"picture 0"))
    assert found.database_bytes > 10_000


def test_stats_of_an_empty_database_know_no_times(database: Database) -> None:
    found = stats(database)

    assert (found.n_sightings, found.oldest_us, found.newest_us) == (0, None, None)
    assert found.n_evidence_files is None
