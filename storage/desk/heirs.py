"""Who somebody is now whose visits all became somebody else's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, exists, select

from storage.rows import portions
from storage.schema import LinkEventRow, SightingRow
from storage.types import IdentityId, SightingId


def heirs(
    connection: Connection, identities: Collection[IdentityId]
) -> dict[IdentityId, IdentityId]:
    """Of persons who have no visits any more, the one who has all that were ever theirs.

    Whoever still has visits is left out, and so is one whose visits went to several persons, to
    nobody, or expired. Served by ix_link_event_of_identity and ix_sighting_trajectory.
    """
    wanted = sorted(set(identities))
    found: defaultdict[IdentityId, set[IdentityId | None]] = defaultdict(set)
    for some in portions(wanted):
        query = (
            select(LinkEventRow.identity_id, SightingRow.identity_id)
            .distinct()
            .join(SightingRow, SightingRow.id == LinkEventRow.sighting_id)
            .where(
                LinkEventRow.identity_id.in_(some),
                ~exists(
                    select(SightingRow.id)
                    .where(SightingRow.identity_id == LinkEventRow.identity_id)
                    .correlate(LinkEventRow)
                ),
            )
        )
        for was, now in connection.execute(query):
            if was is not None:
                found[IdentityId(was)].add(None if now is None else IdentityId(now))
    return {
        was: heir
        for was, now in found.items()
        if len(now) == 1 and (heir := next(iter(now))) is not None
    }


def forebears(
    connection: Connection, identity: IdentityId, sightings: Sequence[SightingId]
) -> set[IdentityId]:
    """Those whose heir this person is.

    Args:
        sightings: All visits of the person.
    """
    were: set[IdentityId] = set()
    for some in portions(sightings):
        query = select(LinkEventRow.identity_id).where(LinkEventRow.sighting_id.in_(some))
        found = connection.execute(query.distinct()).scalars()
        were |= {IdentityId(who) for who in found if who is not None}
    now = heirs(connection, were - {identity})
    return {was for was, heir in now.items() if heir == identity}
