"""What the questions that operators ask cost: plans of SQLite and PostgreSQL, pinned.

PostgreSQL is told to avoid reading whole tables, which for so few rows would be right: the plan
then says whether the index that a question is meant for can answer it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from storage.batches import record_sightings
from storage.cameras import record_camera
from storage.changes import Cursor, changes
from storage.database import Database
from storage.due import old_sightings
from storage.exemplars import evidence_of, stored_exemplars
from storage.gallery import Part, count_people, owners
from storage.identities import find_identity, identities
from storage.partitions import DAY_US
from storage.sightings import last_sighting, record_sighting, sightings, trajectory
from storage.types import IdentityId, SightingId, Span
from storage.verdict_pictures import pictures_of_visits
from storage.whereabouts import whereabouts
from streams.types import CameraId
from tests.storage_builders import MODEL, TEN_O_CLOCK_US, exemplar, link_new, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]

MINUTE_US = 60_000_000
N_DAYS = 8
SOON = Span(from_us=TEN_O_CLOCK_US, to_us=TEN_O_CLOCK_US + MINUTE_US)

COPIES = """
    WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO sighting (key, track, part, camera_id, modality, first_seen_us, last_seen_us,
        duration_us, n_frames, trail, model_version_id, identity_id, link_sequence)
    SELECT 'k' || i, 't' || i, 0, 1 + i % 4, modality,
        first_seen_us + i * CAST(:minute_us AS bigint),
        last_seen_us + i * CAST(:minute_us AS bigint), duration_us, n_frames, trail,
        model_version_id, 1 + i % 2, 0
    FROM sighting, n WHERE sighting.id = 1
"""
COPIED_EVENTS = """
    INSERT INTO link_event (sighting_id, sequence, decision, identity_id, threshold, reason,
        calibration, made_by, made_at_us)
    SELECT id, 0, 'new', identity_id, 0.5, 'x', 'x', 'x', 1 FROM sighting
    WHERE id NOT IN (SELECT sighting_id FROM link_event)
"""

PERSONS = """
    WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
    INSERT INTO identity (made_at_us) SELECT CAST(:now_us AS bigint) FROM n
"""
VISITS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO sighting (key, track, part, camera_id, modality, first_seen_us, last_seen_us,
        duration_us, n_frames, trail, model_version_id, identity_id, link_sequence)
    SELECT 'k' || i, 't' || i, 0, camera_id, modality,
        first_seen_us + i * CAST(:minute_us AS bigint),
        last_seen_us + i * CAST(:minute_us AS bigint), duration_us, n_frames, trail,
        model_version_id, 1 + i % 60, 0
    FROM sighting, n WHERE sighting.id = 1
"""


@pytest.fixture
def busy_site(database: Database) -> Database:
    """Two persons, four cameras, 400 visits; statistics as the database would gather them."""
    for name in ("gate", "yard", "hall", "roof"):
        record_camera(database, CameraId(name), "")
    record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
    record_sighting(database, sighting(1), now_us=TEN_O_CLOCK_US)
    with database.write() as connection:
        connection.execute(text(COPIES), {"minute_us": MINUTE_US})
        connection.execute(text(COPIED_EVENTS))
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    return database


@pytest.fixture
def site_of_many(database: Database) -> Database:
    """Sixty persons of fifty visits each, one a minute; vacuumed as by itself."""
    record_sighting(database, sighting(0), now_us=TEN_O_CLOCK_US)
    with database.write() as connection:
        connection.execute(text(PERSONS), {"now_us": TEN_O_CLOCK_US})
        connection.execute(text(VISITS), {"minute_us": MINUTE_US})
        connection.execute(text(COPIED_EVENTS))
    with database.engine.connect() as connection:
        by_itself = connection.execution_options(isolation_level="AUTOCOMMIT")
        by_itself.execute(text("ANALYZE" if database.address.file else "VACUUM ANALYZE"))
    return database


@pytest.fixture
def site_of_days(database: Database) -> Database:
    """One person, one visit each day, a crop of each."""
    visits = [
        sighting(
            day,
            at_s=day * DAY_US / 1e6,
            link=link_new() if day == 0 else link_to(1),
            exemplars=(replace(exemplar(), captured_at_us=TEN_O_CLOCK_US + day * DAY_US),),
        )
        for day in range(N_DAYS)
    ]
    record_sightings(database, visits, now_us=TEN_O_CLOCK_US)
    with database.write() as connection:
        connection.execute(text("ANALYZE"))
    return database


class Plans:
    """How the database answers every SELECT that it is asked."""

    def __init__(self, database: Database, *, as_it_is: bool = False) -> None:
        """With `as_it_is` PostgreSQL decides as it would, whole tables included."""
        self.text = ""
        self.each: list[str] = []
        self._as_it_is = as_it_is
        self.is_sqlite = database.address.file is not None
        self._database = database

    def __enter__(self) -> Plans:
        event.listen(self._database.engine, "before_cursor_execute", self._explain)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._database.engine, "before_cursor_execute", self._explain)

    def _explain(
        self, connection: Connection, _: object, statement: str, parameters: Any, *_more: object
    ) -> None:
        if not statement.lstrip().startswith("SELECT"):
            return
        raw = connection.connection.cursor()
        if self.is_sqlite:
            raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            rows = [str(row[3]) for row in raw.fetchall()]
        else:
            if not self._as_it_is:
                raw.execute("SET LOCAL enable_seqscan = off")
            raw.execute(f"EXPLAIN {statement}", parameters)
            rows = [str(row[0]) for row in raw.fetchall()]
        self.each.append("\n".join(rows))
        self.text += self.each[-1] + "\n"
        raw.close()

    def days(self) -> int:
        """How many days of exemplars are looked at, on PostgreSQL."""
        return len(set(re.findall(r"exemplar_(\d{8})", self.text)))

    def assert_no_scan(self) -> None:
        scan = r"(SCAN|Seq Scan on) (sighting|link_event|exemplar\w*)\b(?!.*ix_sighting_longest)"
        assert not re.search(scan, self.text), self.text

    def assert_no_sort(self) -> None:
        assert "USE TEMP B-TREE" not in self.text, self.text


def test_a_trajectory_is_a_range_of_its_index(busy_site: Database) -> None:
    with Plans(busy_site) as plans:
        trajectory(busy_site, IdentityId(2))
        last_sighting(busy_site, IdentityId(2))

    if plans.is_sqlite:  # half of so few visits are this person's: PostgreSQL merges instead
        assert plans.text.count("ix_sighting_trajectory") == 2
    plans.assert_no_scan()
    plans.assert_no_sort()


def test_a_trajectory_among_many_persons_reads_that_persons_visits_only(
    site_of_many: Database,
) -> None:
    with Plans(site_of_many, as_it_is=True) as plans:
        assert len(trajectory(site_of_many, IdentityId(7))) == 50

    if plans.is_sqlite:
        assert "sighting USING INDEX ix_sighting_trajectory (identity_id=?)" in plans.text
        plans.assert_no_sort()
    else:
        assert "ix_sighting_trajectory" in plans.text
        assert "Index Cond: (identity_id = '7'::bigint)" in plans.text
    assert not re.search(r"(SCAN|Seq Scan on) sighting", plans.text), plans.text


def test_the_last_visit_among_many_persons_is_one_entry_of_the_index(
    site_of_many: Database,
) -> None:
    with Plans(site_of_many, as_it_is=True) as plans:
        assert last_sighting(site_of_many, IdentityId(7)) is not None

    if plans.is_sqlite:
        assert "sighting USING INDEX ix_sighting_trajectory (identity_id=?)" in plans.text
    else:
        visit, _pictures = plans.each
        assert visit.startswith("Limit"), plans.text
        assert "Index Scan Backward using ix_sighting_trajectory on sighting" in visit
        assert "Sort" not in visit, plans.text
    plans.assert_no_sort()


def test_where_and_when_is_read_from_the_index_alone(site_of_many: Database) -> None:
    told = "COVERING INDEX" if site_of_many.address.file else "Index Only Scan using"
    with Plans(site_of_many, as_it_is=True) as plans:
        assert len(whereabouts(site_of_many, IdentityId(7))) == 50
        assert find_identity(site_of_many, "P-0007").n_sightings == 50

    assert plans.text.count(f"{told} ix_sighting_trajectory") == 2, plans.text
    plans.assert_no_scan()


def test_a_span_is_a_range_of_its_index(busy_site: Database) -> None:
    with Plans(busy_site) as plans:
        assert len(sightings(busy_site, span=SOON)) == 1

    assert "ix_sighting_of_span" in plans.text
    assert "ix_sighting_longest" in plans.text
    if plans.is_sqlite:
        assert "INDEX ix_sighting_of_span (first_seen_us>? AND first_seen_us<?)" in plans.text
    plans.assert_no_scan()
    plans.assert_no_sort()


def test_visits_of_a_camera_in_a_span_are_a_range_of_their_index(busy_site: Database) -> None:
    with Plans(busy_site) as plans:
        assert len(sightings(busy_site, span=SOON, camera=CameraId("gate"))) == 1

    if plans.is_sqlite:
        assert "ix_sighting_of_camera_in_span (camera_id=? AND first_seen_us>?" in plans.text
    assert "ix_sighting_of_camera_in_span" in plans.text
    plans.assert_no_scan()
    plans.assert_no_sort()


def test_persons_of_a_span_are_found_by_its_index(busy_site: Database) -> None:
    with Plans(busy_site) as plans:
        span = replace(SOON, to_us=TEN_O_CLOCK_US + 2 * MINUTE_US)
        assert len(identities(busy_site, span=span)) == 2
        count_people(busy_site, model=MODEL, part=Part(span=span))

    assert "ix_sighting_of_span" in plans.text
    assert "ix_sighting_longest" in plans.text
    plans.assert_no_scan()


def test_search_reads_whose_its_neighbours_are_by_their_numbers(site_of_days: Database) -> None:
    with Plans(site_of_days) as plans:
        assert owners(site_of_days, [1, 2]) == {1: 1, 2: 1}

    plans.assert_no_scan()
    if plans.is_sqlite:
        assert "SEARCH exemplar USING INTEGER PRIMARY KEY" in plans.text


def test_what_changed_is_read_from_the_newest_events_on(busy_site: Database) -> None:
    with Plans(busy_site) as plans:
        changes(busy_site, Cursor(event=399))

    assert "pk_link_event" in plans.text or "link_event USING INTEGER PRIMARY KEY" in plans.text
    plans.assert_no_scan()


def test_visits_that_are_due_are_a_range_of_the_index_of_spans(busy_site: Database) -> None:
    with Plans(busy_site) as plans, busy_site.read() as connection:
        old = old_sightings(connection, TEN_O_CLOCK_US + MINUTE_US)
        assert len(connection.execute(old.limit(200)).all()) == 1

    assert "ix_sighting_of_span" in plans.text
    plans.assert_no_scan()
    plans.assert_no_sort()


def test_pictures_of_visits_are_looked_for_in_their_days_only(site_of_days: Database) -> None:
    visits = [SightingId(4)]
    with Plans(site_of_days) as plans:
        with site_of_days.read() as connection:
            assert list(evidence_of(connection, visits)) == visits
        assert list(stored_exemplars(site_of_days, visits)) == visits
        assert [picture.sighting for picture in pictures_of_visits(site_of_days, visits)] == visits

    plans.assert_no_scan()
    if not plans.is_sqlite:
        assert plans.days() == 3


def test_a_page_of_visits_looks_into_their_days_only(site_of_days: Database) -> None:
    with Plans(site_of_days) as plans:
        assert len(sightings(site_of_days, span=SOON)) == 1

    if not plans.is_sqlite:
        assert plans.days() == 2
