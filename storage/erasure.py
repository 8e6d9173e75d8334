"""Erasing a person: visits, vectors, pictures; what stays is an empty number and a tombstone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, true

from storage.audit import AuditEntry, audit_entries, record_audit
from storage.database import Database
from storage.deletion import Deletion, delete_files, delete_sightings, overwrite_deleted
from storage.desk.erasing import DeskTraces, desk_traces, erase_from_desk
from storage.errors import DatabaseBusy, DiskFull, ErasureRefused, NotFound
from storage.evidence import EvidenceStore
from storage.holds import LegalHold, holds_over
from storage.links import IS_NEWEST
from storage.rows import portions
from storage.schema import (
    AlertRow,
    DeliveryRow,
    ErasureRow,
    ExemplarRow,
    FloorPlanRow,
    IdentityRow,
    InterestExampleRow,
    LinkEventRow,
    SegmentRow,
    SightingRow,
)
from storage.tombstones import Erasure, erasure_of, refuse_erased
from storage.traces import Wiped, wipe_traces
from storage.types import IdentityId, SightingId, person_name
from storage.vectors.stored import forget_in_files

ERASE = "erase"
INSERT_ERASURE = insert(ErasureRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePlan:
    """What erasing a person would delete.

    Attributes:
        n_alerts: Alerts that lose who, words and picture, and deliveries that are not sent.
        n_interests: Entries of the list of persons of interest.
        n_recordings: Recorded files in which they may be seen; they stay until they expire.
        n_shared: Pictures that stay, since something of others refers to them too.
        n_unsure: Unsure visits whose best candidate is this person; deleted only when asked for.
        holds: What forbids it.
        exports: Entries of the audit that tell of exports with this person, oldest first.
    """

    identity: IdentityId
    n_sightings: int
    n_exemplars: int
    n_pictures: int
    n_alerts: int
    n_interests: int
    n_recordings: int
    n_shared: int
    n_unsure: int
    holds: tuple[LegalHold, ...]
    exports: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What erasing a person did.

    Attributes:
        n_files: Pictures whose files are gone.
        undeleted: What is still on the disk, and why; () if nothing is.
    """

    erasure: Erasure
    n_files: int
    undeleted: tuple[str, ...]
    wiped: Wiped


def plan_erasure(db: Database, identity: IdentityId, *, with_unsure: bool = False) -> ErasurePlan:
    """What `erase` would do; changes nothing.

    Raises:
        NotFound: There is no such person.
        PersonErased: Was erased before.
    """
    with db.read() as connection:
        _require_person(connection, identity)
        chosen = _visits_of(identity, with_unsure=with_unsure)
        of_chosen = ExemplarRow.sighting_id.in_(chosen)
        numbers = [SightingId(number) for number in connection.execute(chosen).scalars()]
        traces = desk_traces(connection, identity, numbers)
        kept = select(ExemplarRow.evidence).where(of_chosen, ExemplarRow.evidence.is_not(None))
        pictures = traces.pictures | {str(each) for each in connection.execute(kept).scalars()}
        n_shared = len(_shared(connection, pictures, chosen, traces))
        unsure = select(func.count()).select_from(_unsure_visits_of(identity).subquery())
        said = select(LinkEventRow.identity_id).where(
            LinkEventRow.sighting_id.in_(chosen), LinkEventRow.identity_id.is_not(None)
        )
        names = {
            person_name(IdentityId(number))
            for number in connection.execute(said.distinct()).scalars()
            if number is not None
        }
        plan = ErasurePlan(
            identity=identity,
            n_sightings=len(numbers),
            n_exemplars=connection.execute(
                select(func.count()).select_from(ExemplarRow).where(of_chosen)
            ).scalar_one(),
            n_pictures=len(pictures) - n_shared,
            n_alerts=len(traces.alerts),
            n_interests=len(traces.interests),
            n_recordings=_count_recordings(connection, chosen),
            n_shared=n_shared,
            n_unsure=connection.execute(unsure).scalar_one(),
            holds=tuple(holds_over(connection, chosen, also=identity)),
            exports=(),
        )
    return replace(plan, exports=_exports_with(db, names | {person_name(identity)}))


def erase(
    db: Database,
    evidence: EvidenceStore,
    identity: IdentityId,
    *,
    reason: str,
    made_by: str,
    now_us: int,
    index: Path | None = None,
    with_unsure: bool = False,
    rewrite: bool = True,
) -> Receipt:
    """Delete all that is known of a person, rows in one transaction, then pictures, then traces.

    The number stays, empty, and is never given again. A crash after the rows leaves pictures that
    nothing refers to, which the next expiry deletes.

    Args:
        index: Folder of the vector indexes, if there is one.
        with_unsure: Also unsure visits whose best candidate the person is.
        rewrite: See `wipe_traces`.

    Raises:
        NotFound: There is no such person.
        PersonErased: Was erased before.
        ErasureRefused: A legal hold covers one of the visits; nothing was deleted.
        EvidenceBusy: Pictures are being exported; nothing was deleted.
    """
    if not reason:
        raise ValueError("reason: expected words, got none")
    with evidence.deleting():
        deletion = _erase_rows(
            db, identity, reason=reason, made_by=made_by, now_us=now_us, with_unsure=with_unsure
        )
        undeleted: list[str] = []
        try:
            delete_files(db, evidence, deletion.pictures)
            evidence.flush()
        except DiskFull as error:
            undeleted.append(f"pictures: {error}")
    if index is not None:
        try:
            forget_in_files(index, deletion.exemplars)
        except (DatabaseBusy, OSError) as error:  # a search leaves out what is not in the database
            undeleted.append(f"vectors in {index}: {error}")
    with db.read() as connection:
        tombstone = erasure_of(connection, identity)
    if tombstone is None:
        raise NotFound(f"the erasure of {person_name(identity)} is gone; restore a backup")
    return Receipt(
        erasure=tombstone,
        n_files=sum(not evidence.path(sha256).exists() for sha256 in deletion.pictures),
        undeleted=tuple(undeleted),
        wiped=wipe_traces(db, rewrite=rewrite),
    )


def _erase_rows(
    db: Database,
    identity: IdentityId,
    *,
    reason: str,
    made_by: str,
    now_us: int,
    with_unsure: bool,
) -> Deletion:
    with db.write() as connection:
        _require_person(connection, identity)
        chosen = _visits_of(identity, with_unsure=with_unsure)
        held = holds_over(connection, chosen, also=identity)
        if held:
            raise ErasureRefused(
                f"{person_name(identity)} is not erased: {'; '.join(map(str, held))}; lift it with "
                "`noctule hold lift` first"
            )
        numbers = [SightingId(number) for number in connection.execute(chosen).scalars()]
        overwrite_deleted(connection)
        traces = desk_traces(connection, identity, numbers)
        also = erase_from_desk(connection, identity, numbers, traces)
        deletion = delete_sightings(connection, numbers, pictures=traces.pictures)
        deletion = replace(deletion, also=also)
        values = {
            "identity_id": identity,
            "at_us": now_us,
            "made_by": made_by,
            "reason": reason,
            "n_sightings": len(deletion.sightings),
            "n_exemplars": len(deletion.exemplars),
            "n_pictures": len(deletion.pictures),
            "proof": deletion.proof(),
        }
        connection.execute(INSERT_ERASURE, values)
        told = ("reason", "n_sightings", "n_exemplars", "n_pictures", "proof")
        record_audit(
            connection,
            who=made_by,
            action=ERASE,
            subject=person_name(identity),
            detail={name: values[name] for name in told},
            now_us=now_us,
        )
    return deletion


def _require_person(connection: Connection, identity: IdentityId) -> None:
    refuse_erased(connection, [identity])
    if connection.execute(select(IdentityRow.id).where(IdentityRow.id == identity)).first() is None:
        raise NotFound(f"nobody is called {person_name(identity)}; nothing was erased")


def _count_recordings(connection: Connection, chosen: Select[int]) -> int:
    """Recorded files of the visits' cameras that overlap them."""
    query = (
        select(func.count(SegmentRow.id.distinct()))
        .join(SightingRow, SightingRow.camera_id == SegmentRow.camera_id)
        .where(
            SightingRow.id.in_(chosen.order_by(None)),
            SegmentRow.from_us <= SightingRow.last_seen_us,
            SegmentRow.to_us >= SightingRow.first_seen_us,
        )
    )
    return connection.execute(query).scalar_one()


def _shared(
    connection: Connection, pictures: Collection[str], chosen: Select[int], traces: DeskTraces
) -> set[str]:
    """Which of the pictures something else than the person's visits, alerts and names refers to."""
    emptied = set(traces.alerts) - set(traces.spared)
    others: tuple[tuple[Any, Any], ...] = (
        (ExemplarRow.evidence, ExemplarRow.sighting_id.not_in(chosen.order_by(None))),
        (AlertRow.picture, AlertRow.id.not_in(emptied)),
        (DeliveryRow.picture, func.coalesce(DeliveryRow.alert_id, 0).not_in(emptied)),
        (InterestExampleRow.picture, InterestExampleRow.interest_id.not_in(traces.interests)),
        (FloorPlanRow.picture, true()),
    )
    found: set[str] = set()
    wanted = sorted(pictures)
    for some in portions(wanted):
        for column, is_another in others:
            query = select(column).where(column.in_(some), is_another)
            found |= set(connection.execute(query).scalars())
    return found


def _visits_of(identity: IdentityId, *, with_unsure: bool) -> Select[int]:
    own = select(SightingRow.id).where(SightingRow.identity_id == identity)
    if not with_unsure:
        return own.order_by(SightingRow.id)
    either = SightingRow.id.in_(own) | SightingRow.id.in_(_unsure_visits_of(identity))
    return select(SightingRow.id).where(either).order_by(SightingRow.id)


def _unsure_visits_of(identity: IdentityId) -> Select[int]:
    return (
        select(SightingRow.id)
        .join(LinkEventRow, IS_NEWEST)
        .where(SightingRow.identity_id.is_(None), LinkEventRow.candidate_id == identity)
    )


def _exports_with(db: Database, names: set[str]) -> tuple[AuditEntry, ...]:
    """An export names its persons as its subject, or in `persons` of its detail."""
    return tuple(
        entry
        for entry in audit_entries(db, action="export")
        if (entry.subject in names or names & _persons(entry))
    )


def _persons(entry: AuditEntry) -> set[str]:
    told = entry.detail.get("persons")
    return {str(name) for name in told} if isinstance(told, list) else set()
