"""What is held is neither erased nor expires, whoever it is said to be by now."""

from __future__ import annotations

import pytest

from storage.audit import audit_entries
from storage.check import check
from storage.database import Database
from storage.erasure import erase, plan_erasure
from storage.errors import ErasureRefused, NotFound, PersonErased
from storage.evidence import EvidenceStore
from storage.holds import holds, lift_hold, place_hold
from storage.retention import expire
from storage.retention_config import RetentionConfig
from storage.sightings import record_sighting, relink, sightings
from storage.types import IdentityId, SightingId
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_new, link_to, sighting
from tests.storage_tamper import break_rules

pytest_plugins = ["tests.storage_fixtures"]

FIRST, SECOND = IdentityId(1), IdentityId(2)
A_YEAR_LATER_US = TEN_O_CLOCK_US + 365 * 86_400_000_000
EVERYTHING = RetentionConfig(
    pictures_days=1,
    vectors_days=1,
    sightings_days=1,
    gaps_days=1,
    runs_days=1,
    audit_days=None,
    pictures_mb=1,
)


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """P-0001 with visits 1 and 3, P-0002 with visit 2."""
    for number, link in enumerate((link_new(), link_new(), link_to(1))):
        crops = (exemplar(evidence=evidence.put(b"picture %d" % number)),)
        visit = sighting(number, link=link, exemplars=crops)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def hold(site: Database, identity: IdentityId = FIRST, reason: str = "court case 7") -> int:
    return place_hold(site, identity, reason=reason, made_by="ada", now_us=TEN_O_CLOCK_US).id


def test_a_held_person_cannot_be_erased_until_the_hold_is_lifted(
    site: Database, evidence: EvidenceStore
) -> None:
    hold(site)

    with pytest.raises(ErasureRefused, match="hold 1 on P-0001 by ada: court case 7"):
        erase(site, evidence, FIRST, reason="asked", made_by="ada", now_us=A_YEAR_LATER_US)
    assert len(sightings(site)) == 3
    assert [each.reason for each in plan_erasure(site, FIRST).holds] == ["court case 7"]

    lift_hold(site, FIRST, made_by="grace", now_us=A_YEAR_LATER_US)
    erase(site, evidence, FIRST, reason="asked", made_by="ada", now_us=A_YEAR_LATER_US)
    assert [visit.id for visit in sightings(site)] == [2]


def test_a_merge_does_not_open_the_way_to_the_shredder(
    site: Database, evidence: EvidenceStore
) -> None:
    hold(site)
    relink(site, SightingId(3), link_to(2), made_by="eve", now_us=TEN_O_CLOCK_US)

    with pytest.raises(ErasureRefused, match="P-0002 is not erased: hold 1 on P-0001"):
        erase(site, evidence, SECOND, reason="asked", made_by="eve", now_us=A_YEAR_LATER_US)


def test_expiry_leaves_held_visits_vectors_and_pictures(
    site: Database, evidence: EvidenceStore
) -> None:
    hold(site)

    list(expire(site, evidence, EVERYTHING, now_us=A_YEAR_LATER_US, who="ada", orphan_age_us=0))

    kept = sightings(site)
    assert [visit.id for visit in kept] == [1, 3]
    for visit in kept:
        assert [evidence.get(sha256) for sha256 in visit.evidence]
    assert check(site, evidence) == []
    lift_hold(site, FIRST, made_by="ada", now_us=A_YEAR_LATER_US)
    list(expire(site, evidence, EVERYTHING, now_us=A_YEAR_LATER_US, who="ada", orphan_age_us=0))
    assert sightings(site) == []
    assert check(site, evidence) == []


def test_of_two_holds_the_one_that_is_named_is_lifted(site: Database) -> None:
    hold(site)
    second = hold(site, reason="another case")

    with pytest.raises(NotFound, match=r"with --number: hold 1 .* hold 2 "):
        lift_hold(site, FIRST, made_by="ada", now_us=A_YEAR_LATER_US)
    lift_hold(site, FIRST, number=second, made_by="ada", now_us=A_YEAR_LATER_US)

    assert [each.id for each in holds(site)] == [1]
    assert [each.lifted_by for each in holds(site, lifted=True)] == [None, "ada"]


def test_who_is_not_there_cannot_be_held(site: Database, evidence: EvidenceStore) -> None:
    with pytest.raises(NotFound, match="no sighting of P-0077"):
        hold(site, IdentityId(77))
    with pytest.raises(NotFound, match="nothing holds P-0002"):
        lift_hold(site, SECOND, made_by="ada", now_us=A_YEAR_LATER_US)
    erase(site, evidence, SECOND, reason="asked", made_by="ada", now_us=A_YEAR_LATER_US)
    with pytest.raises(PersonErased, match="P-0002 was erased"):
        hold(site, SECOND)


def test_holds_are_audited(site: Database) -> None:
    hold(site)
    lift_hold(site, FIRST, made_by="grace", now_us=A_YEAR_LATER_US)

    told = [(entry.who, entry.action, entry.subject) for entry in audit_entries(site)]
    assert told == [("ada", "hold place", "P-0001"), ("grace", "hold lift", "P-0001")]


def test_a_held_person_whose_sightings_are_gone_is_found(site: Database) -> None:
    hold(site, SECOND)

    break_rules(site, "DELETE FROM link_event WHERE sighting_id = 2")

    assert ("hold", "hold 1") in {(found.rule, found.subject) for found in check(site, None)}
