"""Pictures that are too old, too many, or that nothing refers to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from storage.database import Database
from storage.deletion import delete_files, delete_pictures, referred_pictures
from storage.due import READ_AT_ONCE, Expired, old_pictures, over_quota
from storage.evidence import EvidenceFile, EvidenceStore
from storage.rows import portions
from storage.schema import EvidenceRow

logger = logging.getLogger(__name__)

AT_ONCE = 200


def expire_pictures(
    db: Database, evidence: EvidenceStore, *, before_us: int | None, pictures_mb: int | None
) -> Iterator[Expired]:
    """Delete what was recorded before `before_us`, then the oldest beyond `pictures_mb`."""
    if before_us is not None:
        while found := _read_oldest(db, before_us):
            for some in portions(found, n=AT_ONCE):
                yield _delete(db, evidence, some)
    if pictures_mb is None:
        return
    n_bytes = 0
    for files in evidence.pictures():
        n_bytes += sum(file.n_bytes for file in files)
        yield Expired()
    excess = over_quota(n_bytes, pictures_mb)
    if excess:
        logger.info("%d MB of pictures are too many; the oldest go", excess // 1_000_000)
    while excess > 0 and (found := _read_oldest(db, None)):
        for some in portions(found, n=AT_ONCE):
            chosen, freed = _just_enough(evidence, some, excess)
            piece = _delete(db, evidence, chosen)
            excess -= freed
            yield piece
            if excess <= 0:
                return


def delete_orphans(
    db: Database, evidence: EvidenceStore, *, older_than_us: int
) -> Iterator[Expired]:
    """Delete pictures and unfinished files that no row refers to, and that are not new.

    A picture is put before its row is written, so a new one may be waiting for its row.

    Args:
        older_than_us: By the clock of the disk, microseconds UTC.
    """
    for files in evidence.pictures():
        old = [file for file in files if file.changed_at_us < older_than_us]
        for some in portions(old, n=AT_ONCE):
            yield _delete_unreferred(db, evidence, some)


def _delete_unreferred(
    db: Database, evidence: EvidenceStore, files: Sequence[EvidenceFile]
) -> Expired:
    names = [file.sha256 for file in files if file.sha256 is not None]
    with db.read() as connection:
        referred = referred_pictures(connection, names)
    unreferred = [sha256 for sha256 in names if sha256 not in referred]
    unfinished = [file for file in files if file.sha256 is None]
    if not unreferred and not unfinished:
        return Expired()
    with evidence.deleting():
        freed = delete_files(db, evidence, unreferred)
        for file in unfinished:
            file.path.unlink(missing_ok=True)
    n_bytes = freed + sum(file.n_bytes for file in unfinished)
    return Expired(n_orphans=len(unreferred) + len(unfinished), n_bytes=n_bytes)


def _read_oldest(db: Database, before_us: int | None) -> list[str]:
    """Without the writer's lock, since there is no index for it."""
    with db.read() as connection:
        query = old_pictures(connection, before_us).limit(READ_AT_ONCE)
        return list(connection.execute(query).scalars())


def _just_enough(
    evidence: EvidenceStore, pictures: Sequence[str], excess: int
) -> tuple[list[str], int]:
    chosen: list[str] = []
    freed = 0
    for sha256 in pictures:
        if freed >= excess:
            break
        chosen.append(sha256)
        freed += evidence.n_bytes(sha256)
    return chosen, freed


def _delete(db: Database, evidence: EvidenceStore, pictures: Sequence[str]) -> Expired:
    with evidence.deleting():
        with db.write() as connection:
            # A hold may have been placed since they were read.
            allowed = old_pictures(connection, None).where(EvidenceRow.sha256.in_(pictures))
            chosen = list(connection.execute(allowed).scalars())
            delete_pictures(connection, chosen)
        freed = delete_files(db, evidence, chosen)
    return Expired(n_pictures=len(chosen), n_bytes=freed)
