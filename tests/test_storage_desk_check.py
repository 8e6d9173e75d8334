"""Rows of the front desk refer to what is there."""

from __future__ import annotations

import pytest

from storage.check import check
from storage.database import Database
from storage.desk.pictures import referrers
from tests.storage_tamper import break_rules

pytest_plugins = ["tests.storage_fixtures", "tests.storage_keeping_builders"]


def test_every_table_that_refers_to_a_picture_is_thought_of() -> None:
    found = {f"{column.table.name}.{column.name}" for column in referrers()}

    assert found == {  # see storage/deletion.py, storage/erasure.py and storage/due.py
        *("exemplar.evidence", "alert.picture", "delivery.picture"),
        *("interest_example.picture", "floor_plan.picture"),
    }


@pytest.mark.parametrize(
    ("statement", "rule", "subject"),
    [
        pytest.param(
            "UPDATE alert SET state = 'resolved' WHERE id = 2", "alert state", "A2", id="state"
        ),
        pytest.param(
            "DELETE FROM alert_event WHERE alert_id = 1", "alert history", "A1", id="history"
        ),
        pytest.param(
            "UPDATE alert SET grounds = '[' WHERE id = 1", "settings", "alert 1", id="grounds"
        ),
        pytest.param(
            "UPDATE delivery SET payload = '7' WHERE id = 2", "settings", "delivery 2", id="payload"
        ),
        pytest.param(
            "INSERT INTO shape (camera_id, kind, name, points, made_by, made_at_us) "
            "VALUES (1, 'zone', 'x', '[[0, 0], [1, 1], [2, 2]]', 'ada', 1)",
            "shape", "shape 1", id="points",
        ),
        pytest.param(
            "INSERT INTO erasure (identity_id, at_us, made_by, reason, n_sightings, n_exemplars, "
            f"n_pictures, proof) VALUES (2, 1, 'ada', 'x', 0, 0, 0, '{'f' * 64}')",
            "erased", "P-0002", id="alert about an erased person",
        ),
        pytest.param(
            "DELETE FROM alert WHERE id = 1", "reference", "alert_camera 1", id="no alert"
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_of_the_front_desk_is_found(
    site: Database, statement: str, rule: str, subject: str
) -> None:
    break_rules(site, statement)

    assert (rule, subject) in {(found.rule, found.subject) for found in check(site, None)}
