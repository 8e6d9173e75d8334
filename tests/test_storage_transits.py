"""Who went from camera to camera, as far as it is surely known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, text

from storage.audit import audit_entries
from storage.cameras import CameraMove, moves, record_move
from storage.database import Database
from storage.errors import NotFound
from storage.schema import LinkEventRow, SightingRow, VerdictRow
from storage.sightings import record_sighting, relink
from storage.transits import Journey, View, _of_newest, journeys
from storage.types import NewLink, NewSighting
from streams.types import CameraId
from tests.storage_builders import (
    SECOND_US,
    TEN_O_CLOCK_US,
    link_new,
    link_to,
    link_unsure,
    sighting,
)

pytest_plugins = ["tests.storage_fixtures"]


def sure_link(
    identity: int, *, probability: float = 0.99, grounds: Mapping[str, float] | None = None
) -> NewLink:
    return replace(link_to(identity), probability=probability, grounds=grounds or {})


def see(database: Database, visit: NewSighting) -> int:
    return record_sighting(database, visit, now_us=TEN_O_CLOCK_US).sighting


def read(database: Database, *, newest: int = 1000) -> list[Journey]:
    return list(journeys(database, least_probability=0.95, newest=newest))


def view(
    camera: str, at_s: float, lasts_s: float = 5, *, is_sure: bool = True, moved_us: int = 0
) -> View:
    return View(
        camera=CameraId(camera),
        first_seen_us=TEN_O_CLOCK_US + round(at_s * SECOND_US),
        last_seen_us=TEN_O_CLOCK_US + round((at_s + lasts_s) * SECOND_US),
        camera_moved_us=moved_us,
        is_sure=is_sure,
    )


def test_each_person_is_a_journey_in_the_order_of_time(database: Database) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    see(database, sighting(1, link=link_new(), camera="yard", at_s=3))
    see(database, sighting(2, link=sure_link(1), camera="yard", at_s=17))
    see(database, sighting(3, link=link_unsure(1), camera="dock", at_s=30))
    see(database, sighting(4, link=sure_link(2), camera="gate", at_s=20))

    assert read(database) == [
        (view("gate", 0), view("yard", 17)),
        (view("yard", 3), view("gate", 20)),
    ]


@pytest.mark.parametrize(
    ("link", "is_sure"),
    [
        pytest.param(sure_link(1, probability=0.96), True, id="sure"),
        pytest.param(sure_link(1, probability=0.94), False, id="not sure enough"),
        pytest.param(
            sure_link(1, probability=0.99, grounds={"appearance_probability": 0.6}),
            False,
            id="sure by its transit time only",
        ),
        pytest.param(
            sure_link(1, probability=0.9, grounds={"appearance_probability": 0.97}),
            True,
            id="sure by its looks although its transit time was odd",
        ),
    ],
)
def test_looks_decide_whether_a_link_is_sure(
    database: Database, link: NewLink, is_sure: bool
) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    see(database, sighting(1, link=link, camera="yard", at_s=17))

    assert read(database) == [(view("gate", 0), view("yard", 17, is_sure=is_sure))]


def test_an_operators_verdict_is_sure(database: Database) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    doubtful = see(database, sighting(1, link=sure_link(1, probability=0.5), camera="yard", at_s=9))
    with database.write() as connection:
        verdict = insert(VerdictRow).returning(VerdictRow.id)
        values = {"kind": "same", "made_by": "ada", "made_at_us": 1, "reason": ""}
        number = connection.execute(verdict, values).scalar_one()
        newest = select(LinkEventRow).where(LinkEventRow.sighting_id == doubtful)
        event = dict(connection.execute(select(newest.subquery())).mappings().one())
        event |= {"id": event["id"] + 1, "sequence": 1, "made_by": "ada", "verdict_id": number}
        connection.execute(insert(LinkEventRow), event)
        connection.execute(
            text("UPDATE sighting SET link_sequence = 1 WHERE id = :id"), {"id": doubtful}
        )

    assert read(database) == [(view("gate", 0), view("yard", 9))]


def test_the_parts_of_a_track_are_one_view_as_sure_as_the_least_of_them(
    database: Database,
) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    for part, (at_s, probability) in enumerate([(20, 0.97), (25, 1.0), (30, 1.0)]):
        visit = sighting(
            10 + part, link=sure_link(1, probability=probability), camera="yard", at_s=at_s
        )
        see(database, replace(visit, track="yard/long", part=part))
    see(database, sighting(3, link=sure_link(1), camera="dock", at_s=27))

    assert read(database) == [(view("gate", 0), view("yard", 20, 15), view("dock", 27))]


def test_what_is_said_now_counts(database: Database) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    number = see(database, sighting(1, link=sure_link(1), camera="yard", at_s=17))

    relink(database, number, link_new(), made_by="refine", now_us=TEN_O_CLOCK_US)  # type: ignore[arg-type]

    assert read(database) == [(view("gate", 0),), (view("yard", 17),)]


def test_only_the_newest_sightings_are_read(database: Database) -> None:
    for number in range(6):
        link = link_new() if number == 0 else sure_link(1)
        see(database, sighting(number, link=link, camera="gate", at_s=60 * number))

    assert read(database, newest=2) == [(view("gate", 240), view("gate", 300))]


def test_the_newest_are_found_by_their_index(sqlite_database: Database) -> None:
    query = _of_newest(100).compile(sqlite_database.engine, compile_kwargs={"literal_binds": True})

    with sqlite_database.read() as connection:
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]

    assert any("sighting USING INDEX ix_sighting_of_span" in step for step in plan), plan
    assert any("link_event USING INDEX" in step and "sequence=?" in step for step in plan), plan


def test_views_tell_when_their_camera_was_last_moved(database: Database) -> None:
    see(database, sighting(0, link=link_new(), camera="gate", at_s=0))
    see(database, sighting(1, link=sure_link(1), camera="yard", at_s=17))
    for at_us in (TEN_O_CLOCK_US + 50, TEN_O_CLOCK_US + 7):
        record_move(database, move("yard", at_us), now_us=TEN_O_CLOCK_US + 99)

    assert read(database) == [(view("gate", 0), view("yard", 17, moved_us=TEN_O_CLOCK_US + 50))]
    assert moves(database) == [move("yard", TEN_O_CLOCK_US + 7), move("yard", TEN_O_CLOCK_US + 50)]
    assert moves(database, camera=CameraId("gate")) == []


def test_who_moved_a_camera_stands_in_the_audit(database: Database) -> None:
    see(database, sighting(0, camera="yard"))
    record_move(database, move("yard", TEN_O_CLOCK_US), now_us=TEN_O_CLOCK_US + 99)

    (entry,) = audit_entries(database)

    assert (entry.who, entry.action, entry.subject) == ("ada", "camera moved", "yard")
    assert entry.detail == {"at_us": TEN_O_CLOCK_US, "reason": "new lamp post"}


def test_a_camera_that_never_recorded_cannot_have_been_moved(database: Database) -> None:
    with pytest.raises(NotFound, match="no camera named 'moon'"):
        record_move(database, move("moon", 1), now_us=2)

    with database.read() as connection:
        assert connection.execute(select(SightingRow.id)).first() is None
    assert moves(database) == []


def move(camera: str, at_us: int) -> CameraMove:
    return CameraMove(camera=CameraId(camera), at_us=at_us, made_by="ada", reason="new lamp post")
