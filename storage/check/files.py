"""What must hold between rows and the evidence folder."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from storage.desk.pictures import referrers
from storage.errors import EvidenceDamaged, NotFound
from storage.evidence import SHA256, EvidenceStore
from storage.problems import Problem, error, warning
from storage.schema import EvidenceRow


def unused_pictures(connection: Connection) -> Iterator[Problem]:
    """The row of a picture goes with the last one that refers to it."""
    query = select(EvidenceRow.sha256).order_by(EvidenceRow.sha256)
    for column in referrers():
        query = query.where(~exists().where(column == EvidenceRow.sha256))
    for sha256 in connection.execute(query).scalars():
        advice = "nothing refers to this picture any more; it goes when it expires"
        yield warning("unused picture", f"evidence {sha256}", advice)


def bad_evidence(connection: Connection, evidence: EvidenceStore) -> Iterator[Problem]:
    referred = set()
    for sha256 in connection.execute(select(EvidenceRow.sha256).order_by(EvidenceRow.sha256)):
        referred.add(sha256[0])
        try:
            evidence.get(sha256[0])
        except (NotFound, EvidenceDamaged) as failure:
            yield error("evidence", f"evidence {sha256[0]}", str(failure))
    for file in evidence.files():
        if not SHA256.fullmatch(file.stem) or file != evidence.path(file.stem):
            yield warning(
                "unknown file", str(file), "is no evidence; delete it only while no watcher runs"
            )
        elif file.stem not in referred:
            yield warning(
                "orphan",
                str(file),
                "no sighting refers to it; `noctule db expire` deletes it",
            )
