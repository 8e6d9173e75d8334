"""Persons of interest: whom operators look for, why, and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from storage.audit import record_audit, storable
from storage.database import Database
from storage.desk.heirs import heirs
from storage.desk.pages import PAGE, Page, read_page
from storage.desk.types import InterestId
from storage.errors import NotFound
from storage.exemplars import UNIT_TOLERANCE, refer_to_evidence, to_vector, to_vector_bytes
from storage.schema import IdentityRow, InterestExampleRow, InterestRow
from storage.tombstones import refuse_erased
from storage.types import IdentityId, person_name
from streams.naming import plain_name
from streams.types import Modality

INSERT_INTEREST = insert(InterestRow).returning(InterestRow.id)
INSERT_EXAMPLE = insert(InterestExampleRow)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """What a person of interest looks like.

    Attributes:
        modality: Its light.
        picture: sha256 of a crop in the evidence store, None if only the vector is there.
        model: Network of the vector, None if it was not described yet.
        vector: (D,) float32, unit length, None if it was not described yet.
    """

    modality: Modality
    picture: str | None = None
    model: str | None = None
    vector: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if (self.model is None) != (self.vector is None):
            raise ValueError("model: expected with a vector, and only with one")
        if self.picture is None and self.vector is None:
            raise ValueError("expected a picture, a vector or both, got neither")
        if self.vector is not None:
            _refuse_length(self.vector)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInterest:
    """Somebody to look for: by number, by examples, or both.

    Attributes:
        name: In the operator's words.
        reason: Why, in the operator's words; must be given.
        expires_at_us: When nobody looks for them any more; must be given.
    """

    name: str
    reason: str
    expires_at_us: int
    identity: IdentityId | None = None
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain_name(self.name))
        if not self.reason:
            raise ValueError("reason: expected words, got none")
        if self.identity is None and not self.examples:
            raise ValueError("expected a person, examples or both, got neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Somebody who is, or was, looked for.

    Attributes:
        identity: Who it is now, where all visits of the one who was named became somebody else's.
        examples: In the order in which they were given.
        removed_at_us: None if nobody ended it; it may have expired.
    """

    id: InterestId
    name: str
    identity: IdentityId | None
    reason: str
    examples: tuple[Example, ...]
    made_by: str
    made_at_us: int
    expires_at_us: int
    removed_at_us: int | None
    removed_by: str | None


def interest_name(interest: InterestId) -> str:
    """The short stable name in the audit, which names no person.

    >>> interest_name(InterestId(3))
    'I3'
    """
    return f"I{interest}"


def add_interest(db: Database, new: NewInterest, *, made_by: str, now_us: int) -> Interest:
    """Look for somebody from now on; their pictures must be in the evidence store already.

    Raises:
        NotFound: There is no such person.
        PersonErased: The person was erased.
        ValueError: It would have expired already.
    """
    if new.expires_at_us <= now_us:
        raise ValueError("expires_at_us: expected a time to come")
    with db.write() as connection:
        _require_person(connection, new.identity)
        values = {
            "name": new.name,
            "identity_id": new.identity,
            "reason": storable(new.reason),
            "made_by": made_by,
            "made_at_us": now_us,
            "expires_at_us": int(new.expires_at_us),
            "removed_at_us": None,
            "removed_by": None,
        }
        number = InterestId(connection.execute(INSERT_INTEREST, values).scalar_one())
        _add_examples(connection, number, new.examples, now_us)
        _tell(connection, "interest add", number, new.identity, made_by, now_us)
        return _read(connection, number)


def remove_interest(
    db: Database, interest: InterestId, *, removed_by: str, now_us: int
) -> Interest:
    """Look for them no longer; `restore_interest` takes that back until it is forgotten.

    Raises:
        NotFound: Nobody of this number is looked for.
    """
    with db.write() as connection:
        found = _read(connection, interest)
        if found.removed_at_us is not None:
            name = interest_name(interest)
            raise NotFound(f"{name} was removed before by {found.removed_by}")
        ended = {"removed_at_us": max(now_us, found.made_at_us), "removed_by": removed_by}
        connection.execute(update(InterestRow).where(InterestRow.id == interest).values(ended))
        _tell(connection, "interest remove", interest, found.identity, removed_by, now_us)
        return _read(connection, interest)


def restore_interest(db: Database, interest: InterestId, *, made_by: str, now_us: int) -> Interest:
    """Take a removal back; one that stands stays as it is.

    Raises:
        NotFound: There is none of this number any more.
    """
    with db.write() as connection:
        found = _read(connection, interest)
        if found.removed_at_us is None:
            return found
        again = {"removed_at_us": None, "removed_by": None}
        connection.execute(update(InterestRow).where(InterestRow.id == interest).values(again))
        _tell(connection, "interest restore", interest, found.identity, made_by, now_us)
        return _read(connection, interest)


def describe_example(
    db: Database, interest: InterestId, rank: int, *, model: str, vector: npt.NDArray[np.float32]
) -> bool:
    """Keep the vector that a network made of an example's picture; False if it is gone.

    Args:
        rank: Of the example, 0 for the first.
        vector: (D,) float32, unit length.
    """
    _refuse_length(vector)
    described = (
        update(InterestExampleRow)
        .where(InterestExampleRow.interest_id == interest, InterestExampleRow.rank == rank)
        .values(model=model, vector=to_vector_bytes(vector))
    )
    with db.write() as connection:
        return connection.execute(described).rowcount == 1


def standing_interests(db: Database, *, now_us: int) -> list[Interest]:
    """All who are looked for now, by number: for whoever watches."""
    query = _select().where(InterestRow.removed_at_us.is_(None), InterestRow.expires_at_us > now_us)
    with db.read() as connection:
        return _to_interests(connection, connection.execute(query.order_by(InterestRow.id)).all())


def interests(
    db: Database,
    *,
    standing_at_us: int | None = None,
    identity: IdentityId | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Interest]:
    """Who is or was looked for, newest first.

    Args:
        standing_at_us: Only those neither removed nor expired then.
        identity: Only this person.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    query = _select()
    if standing_at_us is not None:
        query = query.where(
            InterestRow.removed_at_us.is_(None), InterestRow.expires_at_us > standing_at_us
        )
    if identity is not None:
        query = query.where(InterestRow.identity_id == identity)
    with db.read() as connection:
        return read_page(
            connection,
            query,
            InterestRow.__table__.c.id,
            lambda rows: _to_interests(connection, rows),
            cursor=cursor,
            limit=limit,
        )


def find_interest(db: Database, interest: InterestId) -> Interest:
    """The one of this number, whether or not it stands.

    Raises:
        NotFound: There is none, or none any more.
    """
    with db.read() as connection:
        return _read(connection, interest)


def ended_interests(_connection: Connection, before_us: int) -> Select[int]:
    """Numbers of those that were removed or expired before, oldest first."""
    ended = or_(InterestRow.expires_at_us < before_us, InterestRow.removed_at_us < before_us)
    return select(InterestRow.id).where(ended).order_by(InterestRow.id)


def delete_interests(connection: Connection, interests: Collection[int]) -> set[str]:
    """Delete them within the caller's transaction; the pictures that they referred to."""
    of_these = InterestExampleRow.interest_id.in_(sorted(interests))
    kept = select(InterestExampleRow.picture).where(of_these)
    pictures = {sha256 for sha256 in connection.execute(kept).scalars() if sha256 is not None}
    connection.execute(delete(InterestExampleRow).where(of_these))
    connection.execute(delete(InterestRow).where(InterestRow.id.in_(sorted(interests))))
    return pictures


def _require_person(connection: Connection, identity: IdentityId | None) -> None:
    if identity is None:
        return
    refuse_erased(connection, [identity])
    known = select(IdentityRow.id).where(IdentityRow.id == identity)
    if connection.execute(known).first() is None:
        raise NotFound(f"nobody is called {person_name(identity)}")


def _add_examples(
    connection: Connection, interest: InterestId, examples: Sequence[Example], now_us: int
) -> None:
    pictures = {example.picture for example in examples if example.picture is not None}
    refer_to_evidence(connection, pictures, now_us)
    for rank, example in enumerate(examples):
        values = {
            "interest_id": interest,
            "rank": rank,
            "picture": example.picture,
            "modality": example.modality.value,
            "model": example.model,
            "vector": None if example.vector is None else to_vector_bytes(example.vector),
        }
        connection.execute(INSERT_EXAMPLE, values)


def _tell(
    connection: Connection,
    action: str,
    interest: InterestId,
    identity: IdentityId | None,
    who: str,
    now_us: int,
) -> None:
    """The audit names numbers only, so that nothing of it must be erased with a person."""
    subject = interest_name(interest) if identity is None else person_name(identity)
    detail = {"interest": interest}
    record_audit(connection, who=who, action=action, subject=subject, detail=detail, now_us=now_us)


def _refuse_length(vector: npt.NDArray[np.float32]) -> None:
    length = float(np.linalg.norm(vector))
    if not abs(length - 1) <= UNIT_TOLERANCE:
        raise ValueError(f"vector: expected unit length, got {length:.4f}")


def _read(connection: Connection, interest: InterestId) -> Interest:
    rows = connection.execute(_select().where(InterestRow.id == interest)).all()
    if not rows:
        raise NotFound(f"no person of interest is called {interest_name(interest)}")
    return _to_interests(connection, rows)[0]


def _select() -> Select[*tuple[Any, ...]]:
    return select(*InterestRow.__table__.columns)


def _to_interests(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Interest]:
    examples: defaultdict[int, list[Example]] = defaultdict(list)
    query = (
        select(*InterestExampleRow.__table__.columns)
        .where(InterestExampleRow.interest_id.in_([row.id for row in rows]))
        .order_by(InterestExampleRow.interest_id, InterestExampleRow.rank)
    )
    for row in connection.execute(query):
        examples[row.interest_id].append(
            Example(
                modality=Modality(row.modality),
                picture=row.picture,
                model=row.model,
                vector=None if row.vector is None else to_vector(row.vector),
            )
        )
    now = heirs(connection, [row.identity_id for row in rows if row.identity_id is not None])
    return [_to_interest(row, now, tuple(examples[row.id])) for row in rows]


def _to_interest(
    row: Row[*tuple[Any, ...]],
    now: Mapping[IdentityId, IdentityId],
    examples: tuple[Example, ...],
) -> Interest:
    return Interest(
        id=InterestId(row.id),
        name=row.name,
        identity=now.get(row.identity_id, row.identity_id),
        reason=row.reason,
        examples=examples,
        made_by=row.made_by,
        made_at_us=row.made_at_us,
        expires_at_us=row.expires_at_us,
        removed_at_us=row.removed_at_us,
        removed_by=row.removed_by,
    )
