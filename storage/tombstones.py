"""What is left of a person who was erased: the number, when, by whom and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from storage.errors import PersonErased
from storage.schema import ErasureRow
from storage.types import Decision, IdentityId, NewLink, person_name
from streams.moments import to_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The tombstone of one person.

    Attributes:
        proof: sha256, hex, over the sorted numbers and hashes of all that was deleted.
    """

    identity: IdentityId
    at_us: int
    made_by: str
    reason: str
    n_sightings: int
    n_exemplars: int
    n_pictures: int
    proof: str

    def __str__(self) -> str:
        """As it is told to whoever asks for the person."""
        at = f"{to_utc(self.at_us):%Y-%m-%d %H:%M} UTC"
        return f"{person_name(self.identity)} was erased on {at} by {self.made_by} ({self.reason})"


def erasure_of(connection: Connection, identity: IdentityId) -> Erasure | None:
    """The tombstone of this number, None if it was not erased."""
    row = connection.execute(_select().where(ErasureRow.identity_id == identity)).first()
    return None if row is None else _to_erasure(row)


def refuse_erased(connection: Connection, identities: Collection[IdentityId]) -> None:
    """
    Raises:
        PersonErased: One of the numbers is of somebody who was erased.
    """
    if not identities:
        return
    of_these = _select().where(ErasureRow.identity_id.in_(set(identities)))
    row = connection.execute(of_these.order_by(ErasureRow.identity_id).limit(1)).first()
    if row is not None:
        raise PersonErased(str(_to_erasure(row)))


def erased_of(connection: Connection, identities: Collection[IdentityId]) -> frozenset[IdentityId]:
    """Those of the numbers whose person was erased."""
    if not identities:
        return frozenset()
    query = select(ErasureRow.identity_id).where(ErasureRow.identity_id.in_(set(identities)))
    return frozenset(IdentityId(number) for number in connection.execute(query).scalars())


def living_links(connection: Connection, links: Sequence[NewLink]) -> list[NewLink]:
    """What machines decided; a new person where they had not heard that theirs was erased.

    The erased number is empty for ever, and what is seen of the person now is a new beginning.
    """
    erased = erased_of(connection, [link.identity for link in links if link.identity is not None])
    return [_begun_anew(link) if link.identity in erased else link for link in links]


def _begun_anew(link: NewLink) -> NewLink:
    return replace(
        link,
        decision=Decision.NEW,
        identity=None,
        candidate=None,
        probability=None,
        reason="linked to a person who was erased meanwhile: a new number",
        grounds={},
    )


def _select() -> Select[*tuple[Any, ...]]:
    return select(
        ErasureRow.identity_id,
        ErasureRow.at_us,
        ErasureRow.made_by,
        ErasureRow.reason,
        ErasureRow.n_sightings,
        ErasureRow.n_exemplars,
        ErasureRow.n_pictures,
        ErasureRow.proof,
    )


def _to_erasure(row: Row[*tuple[Any, ...]]) -> Erasure:
    return Erasure(
        identity=IdentityId(row.identity_id),
        at_us=row.at_us,
        made_by=row.made_by,
        reason=row.reason,
        n_sightings=row.n_sightings,
        n_exemplars=row.n_exemplars,
        n_pictures=row.n_pictures,
        proof=row.proof,
    )
