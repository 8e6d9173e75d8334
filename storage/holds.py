"""Legal hold: persons whose data must not be deleted, neither by erasure nor by expiry.

A hold covers every sighting that was ever said to be of the person, also where it is said to be of
somebody else by now: a wrong merge must not open the way to the shredder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from storage.audit import record_audit
from storage.database import Database
from storage.errors import NotFound
from storage.schema import (
    AlertRow,
    AlertSightingRow,
    LegalHoldRow,
    LinkEventRow,
    SightingRow,
)
from storage.tombstones import refuse_erased
from storage.types import IdentityId, person_name

INSERT_HOLD = insert(LegalHoldRow).returning(LegalHoldRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Why a person's data must stay.

    Attributes:
        lifted_at_us: None while it holds.
    """

    id: int
    identity: IdentityId
    placed_at_us: int
    placed_by: str
    reason: str
    lifted_at_us: int | None
    lifted_by: str | None

    def __str__(self) -> str:
        return f"hold {self.id} on {person_name(self.identity)} by {self.placed_by}: {self.reason}"


def place_hold(
    db: Database, identity: IdentityId, *, reason: str, made_by: str, now_us: int
) -> LegalHold:
    """From now on nothing of the person is deleted. A person may be held more than once.

    Raises:
        NotFound: There is no such person, or no sighting is left.
        PersonErased: The person was erased.
    """
    if not reason:
        raise ValueError("reason: expected words, got none")
    with db.write() as connection:
        refuse_erased(connection, [identity])
        ever = select(LinkEventRow.id).where(LinkEventRow.identity_id == identity).limit(1)
        if connection.execute(ever).first() is None:
            raise NotFound(f"no sighting of {person_name(identity)} is there, so none can be held")
        values = {
            "identity_id": identity,
            "placed_at_us": now_us,
            "placed_by": made_by,
            "reason": reason,
        }
        number = connection.execute(INSERT_HOLD, values).scalar_one()
        record_audit(
            connection,
            who=made_by,
            action="hold place",
            subject=person_name(identity),
            detail={"hold": number, "reason": reason},
            now_us=now_us,
        )
        return _to_hold(connection.execute(_select().where(LegalHoldRow.id == number)).one())


def lift_hold(
    db: Database, identity: IdentityId, *, number: int | None = None, made_by: str, now_us: int
) -> LegalHold:
    """End the person's hold; of several, the one that `number` names.

    Raises:
        NotFound: No such hold is in force, or it is not clear which is meant.
    """
    name = person_name(identity)
    with db.write() as connection:
        query = _select().where(LegalHoldRow.identity_id == identity, *_in_force())
        held = [_to_hold(row) for row in connection.execute(query)]
        chosen = [hold for hold in held if number in (None, hold.id)]
        if len(chosen) != 1:
            raise NotFound(_unclear(name, held))
        ended = max(now_us, chosen[0].placed_at_us)
        connection.execute(
            update(LegalHoldRow)
            .where(LegalHoldRow.id == chosen[0].id)
            .values(lifted_at_us=ended, lifted_by=made_by)
        )
        record_audit(
            connection,
            who=made_by,
            action="hold lift",
            subject=name,
            detail={"hold": chosen[0].id},
            now_us=now_us,
        )
        return _to_hold(connection.execute(_select().where(LegalHoldRow.id == chosen[0].id)).one())


def holds(db: Database, *, lifted: bool = False) -> list[LegalHold]:
    """Holds in force, oldest first; with `lifted`, also those of the past."""
    query = _select().order_by(LegalHoldRow.id)
    with db.read() as connection:
        rows = connection.execute(query if lifted else query.where(*_in_force())).all()
    return [_to_hold(row) for row in rows]


def holds_over(
    connection: Connection, sightings: Select[int], *, also: IdentityId
) -> list[LegalHold]:
    """Holds in force on the person `also`, or that cover one of the sightings; oldest first."""
    chosen = sightings.order_by(None)
    said = select(LinkEventRow.identity_id).where(
        LinkEventRow.sighting_id.in_(chosen), LinkEventRow.identity_id.is_not(None)
    )
    held = LegalHoldRow.identity_id
    query = _select().where(*_in_force(), (held == also) | held.in_(said))
    return [_to_hold(row) for row in connection.execute(query.order_by(LegalHoldRow.id))]


def held_sightings(connection: Connection) -> Select[int] | None:
    """Numbers of the sightings that must stay; None while nothing is held.

    Served by ix_link_event_of_identity.
    """
    held = set(connection.execute(select(LegalHoldRow.identity_id).where(*_in_force())).scalars())
    if not held:
        return None
    return select(LinkEventRow.sighting_id).where(LinkEventRow.identity_id.in_(sorted(held)))


def held_alerts(connection: Connection) -> Select[int] | None:
    """Numbers of the alerts that must stay; None while nothing is held.

    Those that were raised about somebody who is held, or about one of their visits.
    """
    visits = held_sightings(connection)
    if visits is None:
        return None
    held = select(LegalHoldRow.identity_id).where(*_in_force())
    shown = (
        select(AlertSightingRow.alert_id)
        .join(SightingRow, SightingRow.key == AlertSightingRow.sighting_key)
        .where(SightingRow.id.in_(visits))
    )
    return select(AlertRow.id).where(
        AlertRow.identity_id.in_(held) | AlertRow.candidate_id.in_(held) | AlertRow.id.in_(shown)
    )


def _unclear(name: str, held: Sequence[LegalHold]) -> str:
    """Which hold is to be lifted, and how to say so."""
    if not held:
        return f"nothing holds {name}; `noctule hold list` tells who is held"
    which = "; ".join(map(str, held))
    return f"{name} has other holds, or several; say which with --number: {which}"


def _in_force() -> tuple[Any, ...]:
    return (LegalHoldRow.lifted_at_us.is_(None),)


def _select() -> Select[*tuple[Any, ...]]:
    return select(
        LegalHoldRow.id,
        LegalHoldRow.identity_id,
        LegalHoldRow.placed_at_us,
        LegalHoldRow.placed_by,
        LegalHoldRow.reason,
        LegalHoldRow.lifted_at_us,
        LegalHoldRow.lifted_by,
    )


def _to_hold(row: Row[*tuple[Any, ...]]) -> LegalHold:
    return LegalHold(
        id=row.id,
        identity=IdentityId(row.identity_id),
        placed_at_us=row.placed_at_us,
        placed_by=row.placed_by,
        reason=row.reason,
        lifted_at_us=row.lifted_at_us,
        lifted_by=row.lifted_by,
    )
