"""What must hold of the front desk: alerts follow their events, settings can be read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, select

from storage.desk.alerts import alert_name, state_after
from storage.desk.interest import interest_name
from storage.desk.shapes import refuse_points
from storage.desk.types import AlertEventKind, AlertId, InterestId, ShapeKind
from storage.exemplars import UNIT_TOLERANCE, to_vector
from storage.problems import Problem, error
from storage.schema import (
    VECTOR_NUMBER_BYTES,
    AlertEventRow,
    AlertRow,
    DeliveryRow,
    ErasureRow,
    IdentityNameRow,
    InterestExampleRow,
    InterestRow,
    RuleRow,
    ShapeRow,
)
from storage.types import IdentityId, person_name


def wrong_states(connection: Connection) -> Iterator[Problem]:
    """An alert was raised once, first of all, and its state is what its events make of it."""
    events: defaultdict[int, list[AlertEventKind]] = defaultdict(list)
    history = select(AlertEventRow.alert_id, AlertEventRow.kind).order_by(AlertEventRow.id)
    for number, kind in connection.execute(history):
        events[number].append(AlertEventKind(kind))
    for number, state in connection.execute(
        select(AlertRow.id, AlertRow.state).order_by(AlertRow.id)
    ):
        subject, kinds = alert_name(AlertId(number)), events[number]
        if kinds[:1] != [AlertEventKind.RAISED] or kinds.count(AlertEventKind.RAISED) != 1:
            yield error("alert history", subject, "its history does not begin with one raising")
        if state_after(kinds) != state:
            advice = f"is {state}, its events make it {state_after(kinds)}"
            yield error("alert state", subject, advice)


def unreadable_settings(connection: Connection) -> Iterator[Problem]:
    """Settings and what is sent are JSON objects; shapes have points of the picture."""
    for table, text, name in (
        (RuleRow, RuleRow.settings, "rule"),
        (AlertRow, AlertRow.grounds, "alert"),
        (DeliveryRow, DeliveryRow.payload, "delivery"),
    ):
        for number, value in connection.execute(select(table.id, text).order_by(table.id)):
            if not isinstance(_read(value), dict):
                yield error("settings", f"{name} {number}", f"its {text.key} is no JSON object")
    shapes = select(ShapeRow.id, ShapeRow.kind, ShapeRow.points).order_by(ShapeRow.id)
    for number, kind, points in connection.execute(shapes):
        try:
            refuse_points(ShapeKind(kind), [(x, y) for x, y in json.loads(points)])
        except (TypeError, ValueError) as failure:
            yield error("shape", f"shape {number}", f"{failure}; draw it again")


def bad_examples(connection: Connection) -> Iterator[Problem]:
    """Vectors of persons of interest are of unit length."""
    query = (
        select(InterestExampleRow.interest_id, InterestExampleRow.vector)
        .where(InterestExampleRow.vector.is_not(None))
        .order_by(InterestExampleRow.interest_id, InterestExampleRow.rank)
    )
    for number, vector in connection.execute(query):
        if not _is_unit(vector or b""):
            advice = "a vector of an example is not of unit length; add them again"
            yield error("vector", interest_name(InterestId(number)), advice)


def spoken_of(connection: Connection) -> Iterator[Problem]:
    """Nothing of the front desk names a person who was erased."""
    erased = select(ErasureRow.identity_id)
    for column, what in (
        (AlertRow.identity_id, "an alert"),
        (AlertRow.candidate_id, "an alert"),
        (InterestRow.identity_id, "the list of persons of interest"),
        (IdentityNameRow.identity_id, "a given name"),
    ):
        query = select(column).where(column.in_(erased)).distinct().order_by(column)
        for number in connection.execute(query).scalars():
            advice = f"was erased, and {what} speaks of them; see docs/retention.md"
            yield error("erased", person_name(IdentityId(number or 0)), advice)


def _is_unit(vector: bytes) -> bool:
    whole = len(vector) % VECTOR_NUMBER_BYTES == 0
    return whole and abs(float(np.linalg.norm(to_vector(vector))) - 1) <= UNIT_TOLERANCE


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
