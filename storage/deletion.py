"""Taking sightings, vectors and pictures out: rows first, in the caller's transaction, then files.

A crash between the two leaves pictures that no row refers to; `check` tells of them, and the next
expiry deletes them. Tables of vectors inside PostgreSQL go along; index files are the caller's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from storage.database import Database
from storage.desk.pictures import used_pictures
from storage.evidence import EvidenceStore
from storage.rows import portions
from storage.schema import (
    AlertRow,
    DeliveryRow,
    EvidenceRow,
    ExemplarRow,
    LinkEventRow,
    SightingRow,
    VerdictSightingRow,
)
from storage.types import SightingId
from storage.vectors.postgres import forget_in_postgres


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a transaction took out.

    Attributes:
        exemplars: Their numbers, which are keys of vector indexes.
        pictures: sha256 of those that nothing refers to any more; their files are still there.
        also: What else went, a line each, such as `alert 7`.
    """

    sightings: tuple[SightingId, ...] = ()
    exemplars: tuple[int, ...] = ()
    pictures: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def proof(self) -> str:
        """sha256, hex, over one line for each, sorted: `sighting 7`, `exemplar 9`, `picture ...`;
        then what else went, as `also` has it.

        >>> Deletion(sightings=(SightingId(7),)).proof()[:8]
        'b4b68a89'
        """
        lines = [
            *(f"sighting {number}\n" for number in sorted(self.sightings)),
            *(f"exemplar {number}\n" for number in sorted(self.exemplars)),
            *(f"picture {sha256}\n" for sha256 in sorted(self.pictures)),
            *(f"{line}\n" for line in sorted(self.also)),
        ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def delete_sightings(
    connection: Connection, sightings: Sequence[SightingId], *, pictures: Collection[str] = ()
) -> Deletion:
    """Delete visits with all that hangs on them; numbers that are not there are passed over.

    Args:
        pictures: To be let go as well, unless something else refers to them.
    """
    exemplars: list[int] = []
    pictures = set(pictures)
    overwrite_deleted(connection)
    for some in portions(sightings):
        found = select(ExemplarRow.id, ExemplarRow.evidence)
        for row in connection.execute(found.where(ExemplarRow.sighting_id.in_(some))):
            exemplars.append(row.id)
            if row.evidence is not None:
                pictures.add(row.evidence)
        connection.execute(delete(ExemplarRow).where(ExemplarRow.sighting_id.in_(some)))
        connection.execute(
            delete(VerdictSightingRow).where(VerdictSightingRow.sighting_id.in_(some))
        )
        connection.execute(delete(LinkEventRow).where(LinkEventRow.sighting_id.in_(some)))
        connection.execute(delete(SightingRow).where(SightingRow.id.in_(some)))
    forget_in_postgres(connection, exemplars)
    return Deletion(
        sightings=tuple(sightings),
        exemplars=tuple(exemplars),
        pictures=let_go(connection, pictures),
    )


def delete_exemplars(connection: Connection, exemplars: Sequence[int]) -> Deletion:
    """Delete vectors, and the pictures that were theirs alone; the visits stay."""
    pictures: set[str] = set()
    overwrite_deleted(connection)
    for some in portions(exemplars):
        found = select(ExemplarRow.evidence).where(ExemplarRow.id.in_(some))
        for sha256 in connection.execute(found).scalars():
            if sha256 is not None:
                pictures.add(sha256)
        connection.execute(delete(ExemplarRow).where(ExemplarRow.id.in_(some)))
    forget_in_postgres(connection, exemplars)
    return Deletion(exemplars=tuple(exemplars), pictures=let_go(connection, pictures))


def delete_pictures(connection: Connection, pictures: Sequence[str]) -> Deletion:
    """Let go of pictures; vectors, visits, alerts and deliveries stay without them.

    Those of floor plans and of persons of interest do not expire and are none of them.
    """
    overwrite_deleted(connection)
    for some in portions(pictures):
        refers = update(ExemplarRow).where(ExemplarRow.evidence.in_(some))
        connection.execute(refers.values(evidence=None))
        shown = update(AlertRow).where(AlertRow.picture.in_(some))
        connection.execute(shown.values(picture=None, picture_camera_id=None))
        sent = update(DeliveryRow).where(DeliveryRow.picture.in_(some))
        connection.execute(sent.values(picture=None))
        connection.execute(delete(EvidenceRow).where(EvidenceRow.sha256.in_(some)))
    return Deletion(pictures=tuple(pictures))


def delete_files(db: Database, evidence: EvidenceStore, pictures: Iterable[str]) -> int:
    """Delete the files of pictures that no row refers to; how many bytes that freed.

    No row can begin to refer to one meanwhile: this is the one writer.
    """
    freed = 0
    for some in portions(list(pictures)):
        with db.write() as connection:
            referred = referred_pictures(connection, some)
            freed += sum(evidence.delete(sha256) for sha256 in some if sha256 not in referred)
    return freed


def referred_pictures(connection: Connection, pictures: Sequence[str]) -> set[str]:
    """Which of the pictures a row refers to."""
    found: set[str] = set()
    for some in portions(pictures):
        query = select(EvidenceRow.sha256).where(EvidenceRow.sha256.in_(some))
        found |= set(connection.execute(query).scalars())
    return found


def overwrite_deleted(connection: Connection) -> None:
    """On SQLite, from now on, what is deleted is overwritten with zeros in the file."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA secure_delete = ON"))


def let_go(connection: Connection, pictures: set[str]) -> tuple[str, ...]:
    """Delete the rows of pictures that nothing else refers to any more; which they were."""
    used = used_pictures(connection, sorted(pictures))
    free = sorted(pictures - used)
    for some in portions(free):
        connection.execute(delete(EvidenceRow).where(EvidenceRow.sha256.in_(some)))
    return tuple(free)
