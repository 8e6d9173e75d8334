"""A site whose person has alerts, names, pictures and words at the front desk."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.desk.raising import raise_alert
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from storage.types import IdentityId
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, sighting
from tests.storage_desk_builders import GATE, alert, delivery

NOW_US = TEN_O_CLOCK_US + 60_000_000
FIRST, SECOND = IdentityId(1), IdentityId(2)


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """Two persons with a visit each and a picture of it; an alert with a picture about each."""
    for number in range(2):
        crop = exemplar(evidence=evidence.put(b"crop %d" % number))
        record_sighting(database, sighting(number, exemplars=(crop,)), now_us=NOW_US)
        picture = evidence.put(b"alert %d" % number)
        raised = alert(
            number, identity=IdentityId(number + 1), picture=picture, picture_camera=GATE
        )
        sent = [delivery(f"k{number}", picture=picture), delivery(f"dead {number}")]
        raise_alert(database, raised, deliveries=sent, now_us=NOW_US)
    return database
