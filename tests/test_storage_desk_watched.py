"""Rules, shapes, persons of interest, names and places: every change keeps what was before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.audit import audit_entries, verify_audit
from storage.check import check
from storage.database import Database
from storage.desk.interest import (
    Example,
    NewInterest,
    add_interest,
    describe_example,
    find_interest,
    interests,
    remove_interest,
    restore_interest,
    standing_interests,
)
from storage.desk.names import find_by_name, give_name, name_history, names_of
from storage.desk.plans import (
    camera_places,
    draw_plan,
    floor_plan,
    place_camera,
)
from storage.desk.rules import (
    NewRule,
    add_rule,
    change_rule,
    keep_config_rules,
    remove_rule,
    rules,
    standing_rules,
)
from storage.desk.shapes import (
    NewShape,
    add_shape,
    change_shape,
    remove_shape,
    shapes,
    standing_shapes,
)
from storage.desk.types import RuleOrigin, ShapeKind
from storage.errors import DeskRefused, NotFound
from storage.sightings import record_sighting
from storage.types import IdentityId
from storage.verdicts import forget, merge
from streams.types import Modality
from tests.storage_builders import (
    MODEL,
    PICTURE,
    TEN_O_CLOCK_US,
    sighting,
    unit_vector,
)
from tests.storage_desk_builders import GATE, YARD, example, interest

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US
DOCK = NewRule(name="dock", kind="loitering", settings={"longer_than_s": 90.0, "zone": "dock"})
DOOR = NewShape(camera=GATE, kind=ShapeKind.LINE, name="door", points=((0.0, 0.1), (0.3, 1.0)))
FIRST = IdentityId(1)


def test_a_changed_rule_is_a_new_row_and_the_old_one_stays(database: Database) -> None:
    made = add_rule(database, DOCK, made_by="ada", now_us=NOW_US)
    quiet = replace(DOCK, is_on=False)

    changed = change_rule(database, made.id, quiet, made_by="bob", now_us=NOW_US + 1)

    assert standing_rules(database) == list(rules(database).items) == [changed]
    assert (changed.is_on, changed.settings, changed.made_by) == (False, DOCK.settings, "bob")
    old = rules(database, removed=True).items[1]
    assert (old.id, old.removed_at_us, old.removed_by) == (made.id, NOW_US + 1, "bob")
    told = [(entry.who, entry.action, entry.subject) for entry in audit_entries(database)]
    assert told[1:] == [("bob", "rule remove", "dock"), ("bob", "rule add", "dock")]


def test_two_standing_rules_cannot_share_a_name(database: Database) -> None:
    made = add_rule(database, DOCK, made_by="ada", now_us=NOW_US)

    with pytest.raises(DeskRefused, match=r"'dock' stands already \(in the pages\)"):
        add_rule(database, DOCK, made_by="bob", now_us=NOW_US)
    remove_rule(database, made.id, removed_by="ada", now_us=NOW_US)
    with pytest.raises(NotFound, match="was removed before by ada"):
        remove_rule(database, made.id, removed_by="bob", now_us=NOW_US)

    assert add_rule(database, DOCK, made_by="ada", now_us=NOW_US).id == 2
    with pytest.raises(DBAPIError), database.write() as connection:
        connection.execute(text("UPDATE rule SET removed_at_us = NULL, removed_by = NULL"))


def test_rules_of_the_configuration_are_kept_as_it_has_them(database: Database) -> None:
    gate = NewRule(name="gate", kind="zone entered")
    add_rule(database, NewRule(name="mine", kind="loitering"), made_by="ada", now_us=NOW_US)
    first = keep_config_rules(database, [DOCK, gate], now_us=NOW_US)
    assert keep_config_rules(database, [gate, DOCK], now_us=NOW_US + 1) == first

    later = keep_config_rules(database, [replace(DOCK, settings={"zone": "dock"})], now_us=NOW_US)

    assert [(rule.name, rule.id) for rule in later] == [("dock", 4)]
    assert [rule.name for rule in standing_rules(database)] == ["dock", "mine"]
    assert {rule.origin for rule in later} == {RuleOrigin.CONFIG}
    with pytest.raises(DeskRefused, match=r"is written in config\.yaml; change it there"):
        remove_rule(database, later[0].id, removed_by="ada", now_us=NOW_US)
    with pytest.raises(DeskRefused, match="'mine' stands already"):
        keep_config_rules(database, [NewRule(name="mine", kind="x")], now_us=NOW_US)
    assert [rule.name for rule in standing_rules(database)] == ["dock", "mine"]


def test_shapes_stand_on_their_camera_until_they_are_removed(database: Database) -> None:
    zone = NewShape(
        camera=YARD, kind=ShapeKind.ZONE, name="door", points=((0, 0), (1, 0), (0.5, 1))
    )
    line = add_shape(database, DOOR, made_by="ada", now_us=NOW_US)
    add_shape(database, zone, made_by="ada", now_us=NOW_US)
    with pytest.raises(DeskRefused, match="gate has a shape called 'door' already"):
        add_shape(database, DOOR, made_by="ada", now_us=NOW_US)

    moved = replace(DOOR, points=((0.0, 0.2), (0.3, 1.0)))
    changed = change_shape(database, line.id, moved, made_by="bob", now_us=NOW_US + 1)

    assert [(shape.camera, shape.kind) for shape in standing_shapes(database)] == [
        (GATE, ShapeKind.LINE),
        (YARD, ShapeKind.ZONE),
    ]
    assert standing_shapes(database, camera=GATE) == [changed]
    assert changed.points == moved.points
    remove_shape(database, changed.id, removed_by="ada", now_us=NOW_US + 2)
    assert shapes(database, cameras=[GATE]).items == ()
    history = shapes(database, cameras=[GATE], removed=True).items
    assert [(shape.id, shape.removed_by) for shape in history] == [(3, "ada"), (1, "bob")]
    assert check(database, None) == []


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        pytest.param(ShapeKind.ZONE, ((0, 0), (1, 1)), id="two corners"),
        pytest.param(ShapeKind.LINE, ((0, 0),), id="one end"),
        pytest.param(ShapeKind.LINE, ((0, 0), (1.01, 1)), id="outside the picture"),
        pytest.param(ShapeKind.LINE, ((0, 0), (float("nan"), 1)), id="nowhere"),
        pytest.param(ShapeKind.LINE, ((0, 0),) * 201, id="too many"),
    ],
)
def test_what_is_no_shape_is_refused(
    kind: ShapeKind, points: tuple[tuple[float, float], ...]
) -> None:
    with pytest.raises(ValueError, match="points: expected"):
        NewShape(camera=GATE, kind=kind, name="x", points=points)


def test_somebody_is_looked_for_until_it_expires_or_is_removed(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    day_us = 86_400_000_000
    short = add_interest(database, interest(), made_by="ada", now_us=NOW_US)
    long = interest(identity=FIRST, examples=(), expires_at_us=NOW_US + 9 * day_us)
    known = add_interest(database, long, made_by="ada", now_us=NOW_US)

    assert [each.id for each in standing_interests(database, now_us=NOW_US)] == [short.id, known.id]
    assert [each.id for each in standing_interests(database, now_us=NOW_US + day_us)] == [known.id]
    remove_interest(database, known.id, removed_by="bob", now_us=NOW_US + 1)
    assert interests(database, standing_at_us=NOW_US + day_us).items == ()
    for _ in range(2):  # there is nothing to take back the second time, so nothing is audited
        restore_interest(database, known.id, made_by="ada", now_us=NOW_US + 2)

    assert [each.id for each in interests(database, standing_at_us=NOW_US + 1).items] == [2, 1]
    assert [each.identity for each in interests(database, identity=FIRST).items] == [1]
    subjects = [(entry.action, entry.subject) for entry in audit_entries(database)]
    assert subjects == [
        ("interest add", "I1"),
        *((f"interest {verb}", "P-0001") for verb in ("add", "remove", "restore")),
    ]
    assert check(database, None) == []


def test_who_was_merged_away_is_looked_for_under_the_number_that_stayed(database: Database) -> None:
    for number in range(3):
        record_sighting(database, sighting(number), now_us=NOW_US)
    wanted = interest(identity=IdentityId(2), examples=())
    made = add_interest(database, wanted, made_by="ada", now_us=NOW_US)
    first, second, third = (IdentityId(number) for number in (1, 2, 3))

    merged = merge(database, first, second, by="ada", now_us=NOW_US)
    assert [each.identity for each in standing_interests(database, now_us=NOW_US)] == [1]
    merge(database, first, third, keep=third, by="ada", now_us=NOW_US)
    assert find_interest(database, made.id).identity == 3

    forget(database, third, by="ada", now_us=NOW_US)
    assert find_interest(database, made.id).identity == 2, "nobody has their visits now"
    other = add_interest(database, interest(), made_by="ada", now_us=NOW_US)
    assert find_interest(database, other.id).identity is None
    assert merged.moved
    assert check(database, None) == []


def test_examples_are_described_when_a_network_has_seen_them(database: Database) -> None:
    made = add_interest(database, interest(), made_by="ada", now_us=NOW_US)
    vector = unit_vector(1, 2, 3, 4)

    assert describe_example(database, made.id, 0, model=MODEL, vector=vector)

    (described,) = find_interest(database, made.id).examples
    assert (described.picture, described.model) == (PICTURE, MODEL)
    np.testing.assert_array_equal(described.vector, vector)
    assert not describe_example(database, made.id, 7, model=MODEL, vector=vector)
    with pytest.raises(ValueError, match="unit length"):
        describe_example(database, made.id, 0, model=MODEL, vector=2 * vector)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"reason": ""}, id="no reason"),
        pytest.param({"name": ""}, id="no name"),
        pytest.param({"examples": ()}, id="nobody"),
    ],
)
def test_nobody_is_looked_for_without_a_reason(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        interest(**change)


def test_what_cannot_be_looked_for_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="a time to come"):
        add_interest(database, interest(expires_at_us=NOW_US), made_by="ada", now_us=NOW_US)
    nobody = NewInterest(name="x", reason="x", expires_at_us=NOW_US + 1, identity=IdentityId(9))
    with pytest.raises(NotFound, match="P-0009"):
        add_interest(database, nobody, made_by="ada", now_us=NOW_US)
    with pytest.raises(ValueError, match="with a vector"):
        Example(modality=Modality.VISIBLE, picture=PICTURE, model=MODEL)
    with pytest.raises(ValueError, match="got neither"):
        example(picture=None)


def test_the_newest_name_holds_and_an_empty_one_takes_it_away(database: Database) -> None:
    for number in range(2):
        record_sighting(database, sighting(number), now_us=NOW_US)
    for name in ("red coat", " Red Coat, the tall one "):
        give_name(database, FIRST, name, made_by="ada", now_us=NOW_US)
    give_name(database, IdentityId(2), "courier_1", made_by="bob", now_us=NOW_US)

    assert names_of(database, [FIRST, IdentityId(2), IdentityId(3)]) == {
        1: "Red Coat, the tall one",
        2: "courier_1",
    }
    assert [found.identity for found in find_by_name(database, "red COAT")] == [1]
    assert find_by_name(database, "courier%1") == []
    give_name(database, FIRST, "", made_by="ada", now_us=NOW_US)
    assert names_of(database, [FIRST]) == {}
    assert find_by_name(database, "red") == []

    page = name_history(database, FIRST, limit=2)
    assert [given.name for given in page.items] == ["", "Red Coat, the tall one"]
    rest = name_history(database, FIRST, cursor=page.next).items
    assert [given.name for given in rest] == ["red coat"]
    assert "coat" not in str(audit_entries(database)).lower()
    assert verify_audit(database) == []
    with pytest.raises(NotFound, match="P-0009"):
        give_name(database, IdentityId(9), "x", made_by="ada", now_us=NOW_US)
    with pytest.raises(DBAPIError, match="only appended"), database.write() as connection:
        connection.execute(text("UPDATE identity_name SET name = 'x'"))


def test_the_newest_plan_and_place_hold(database: Database) -> None:
    assert floor_plan(database) is None
    for scale in (0.1, 0.05):
        draw_plan(database, PICTURE, metres_per_pixel=scale, made_by="ada", now_us=NOW_US)
    for at_m in ((1.0, 2.0), (3.0, 4.0)):
        place_camera(database, GATE, at_m, heading_deg=-90, made_by="ada", now_us=NOW_US)
    place_camera(database, YARD, (5, 6), made_by="ada", now_us=NOW_US)
    place_camera(database, YARD, None, made_by="bob", now_us=NOW_US)

    plan = floor_plan(database)
    assert plan is not None
    assert plan.metres_per_pixel == 0.05
    (place,) = camera_places(database)
    assert (place.camera, place.x_m, place.y_m, place.heading_deg) == (GATE, 3.0, 4.0, 270.0)
    with pytest.raises(ValueError, match="more than 0"):
        draw_plan(database, PICTURE, metres_per_pixel=0, made_by="ada", now_us=NOW_US)
    assert check(database, None) == []
