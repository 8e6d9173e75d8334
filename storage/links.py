"""Who a sighting is said to be: decisions are appended, the newest one holds."""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert, select

from storage.errors import NotFound
from storage.schema import IdentityRow, LinkEventRow
from storage.types import Decision, IdentityId, NewLink, VerdictId, person_name

INSERT_IDENTITY = insert(IdentityRow).returning(IdentityRow.id)
INSERT_LINK_EVENT = insert(LinkEventRow)


def decide_identity(connection: Connection, link: NewLink, *, now_us: int) -> IdentityId | None:
    """The identity that the link is about; `new` makes one.

    Raises:
        NotFound: It names an identity that there is none of.
        ValueError: Decision and identity contradict each other.
    """
    if (link.decision is Decision.LINK) != (link.identity is not None):
        raise ValueError(f"link: decision {link.decision} with identity {link.identity}")
    for named in (link.identity, link.candidate, link.runner_up):
        if named is not None and not _exists(connection, named):
            raise NotFound(f"no such person: {person_name(named)}")
    if link.decision is Decision.NEW:
        return IdentityId(connection.execute(INSERT_IDENTITY, {"made_at_us": now_us}).scalar_one())
    return link.identity


def append_link_event(
    connection: Connection,
    sighting: int,
    sequence: int,
    link: NewLink,
    *,
    identity: IdentityId | None,
    made_by: str,
    now_us: int,
    verdict: VerdictId | None = None,
) -> None:
    """Write the decision down; the caller lets the sighting follow it in the same transaction."""
    values = {
        "sighting_id": sighting,
        "sequence": sequence,
        "decision": link.decision.value,
        "identity_id": identity,
        "candidate_id": link.candidate,
        "probability": None if link.probability is None else float(link.probability),
        "threshold": float(link.threshold),
        "runner_up_id": link.runner_up,
        "runner_up_probability": (
            None if link.runner_up_probability is None else float(link.runner_up_probability)
        ),
        "reason": link.reason,
        "calibration": link.calibration,
        "grounds": json.dumps(dict(link.grounds), sort_keys=True) if link.grounds else None,
        "verdict_id": verdict,
        "made_by": made_by,
        "made_at_us": now_us,
    }
    connection.execute(INSERT_LINK_EVENT, values)


def _exists(connection: Connection, identity: IdentityId) -> bool:
    query = select(IdentityRow.id).where(IdentityRow.id == identity)
    return connection.execute(query).first() is not None
