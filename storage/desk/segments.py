"""What was recorded: an index of files, which itself holds no picture.

A row is written when its file is complete, and deleted before its file is. So a crash leaves at
most a file without a row, which the next start finds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NewType

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, or_, select, update

from storage.audit import record_audit
from storage.cameras import ensure_camera
from storage.database import Database
from storage.errors import NotFound
from storage.rows import portions
from storage.schema import CameraRow, SegmentRow
from storage.types import ALWAYS, Span
from streams.recording.types import Segment
from streams.types import CameraId

SegmentId = NewType("SegmentId", int)

LONGEST_US = 3_600_000_000
"""No segment is longer; so those that overlap a span begin at most this long before it."""
INSERT_SEGMENT = insert(SegmentRow)
LOCK = "recording lock"
UNLOCK = "recording unlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSegment:
    """A recorded file as the index knows it.

    Attributes:
        kept_until_us: Evidence lock: it is not deleted before; None if not locked.
    """

    id: SegmentId
    segment: Segment
    kept_until_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSpan:
    """A stretch without a gap that an evidence lock keeps; microseconds UTC."""

    camera: CameraId
    from_us: int
    to_us: int
    until_us: int

    def goes_on_as(self, other: LockedSpan) -> bool:
        """Whether the other one follows at once, and is kept as long."""
        return (
            other.camera == self.camera
            and other.until_us == self.until_us
            and other.from_us <= self.to_us
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What an evidence lock did.

    Attributes:
        n_segments: Files that are locked, or were unlocked.
        from_us: Where the first begins, None if there is none.
        to_us: Where the last ends.
    """

    n_segments: int
    from_us: int | None
    to_us: int | None


def record_segments(db: Database, segments: Sequence[Segment]) -> int:
    """Put files into the index, each once; how many were new.

    A file whose name, or whose camera and beginning, is known already changes nothing.
    """
    n_new = 0
    with db.write() as connection:
        for segment in segments:
            camera = ensure_camera(connection, segment.camera)
            known = select(SegmentRow.id).where(
                or_(
                    SegmentRow.path == segment.path,
                    (SegmentRow.camera_id == camera) & (SegmentRow.from_us == segment.from_us),
                )
            )
            if connection.execute(known.limit(1)).first() is not None:
                continue
            values = {
                "camera_id": camera,
                "from_us": int(segment.from_us),
                "to_us": int(segment.to_us),
                "path": segment.path,
                "codec": segment.codec,
                "n_bytes": int(segment.n_bytes),
                "sha256": segment.sha256,
                "kept_until_us": None,
            }
            connection.execute(INSERT_SEGMENT, values)
            n_new += 1
    return n_new


def segments(
    db: Database,
    *,
    span: Span = ALWAYS,
    camera: CameraId | None = None,
    limit: int | None = None,
) -> list[StoredSegment]:
    """Segments that overlap `span`, oldest first."""
    query = _select().where(*_overlapping(span)).order_by(SegmentRow.from_us, SegmentRow.id)
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    if limit is not None:
        query = query.limit(limit)
    with db.read() as connection:
        return [_to_segment(row) for row in connection.execute(query)]


def locked_spans(
    db: Database, *, span: Span, now_us: int, camera: CameraId | None = None
) -> list[LockedSpan]:
    """What is locked now of what was recorded in `span`, oldest first within each camera."""
    query = _select().where(*_overlapping(span), SegmentRow.kept_until_us > now_us)
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    found: list[LockedSpan] = []
    with db.read() as connection:
        for row in connection.execute(query.order_by(CameraRow.name, SegmentRow.from_us)):
            new = LockedSpan(
                camera=CameraId(row.name),
                from_us=row.from_us,
                to_us=row.to_us,
                until_us=row.kept_until_us,
            )
            if found and found[-1].goes_on_as(new):
                found[-1] = replace(found[-1], to_us=new.to_us)
            else:
                found.append(new)
    return found


def known_paths(db: Database, paths: Collection[str]) -> set[str]:
    """Those of `paths` that the index knows."""
    wanted = list(paths)
    found: set[str] = set()
    with db.read() as connection:
        for some in portions(wanted):
            query = select(SegmentRow.path).where(SegmentRow.path.in_(some))
            found.update(connection.execute(query).scalars())
    return found


def recorded_bytes(db: Database) -> int:
    """Room that all segments take."""
    with db.read() as connection:
        total = connection.execute(select(func.coalesce(func.sum(SegmentRow.n_bytes), 0)))
        return int(total.scalar_one())


def oldest_unlocked(
    db: Database, *, now_us: int, before_us: int | None = None, limit: int
) -> list[StoredSegment]:
    """Segments that may be deleted now, oldest first.

    Args:
        before_us: Only those that ended before it.
    """
    free = or_(SegmentRow.kept_until_us.is_(None), SegmentRow.kept_until_us <= now_us)
    query = _select().where(free).order_by(SegmentRow.from_us, SegmentRow.id).limit(limit)
    if before_us is not None:
        query = query.where(SegmentRow.from_us < before_us, SegmentRow.to_us < before_us)
    with db.read() as connection:
        return [_to_segment(row) for row in connection.execute(query)]


def forget_segments(db: Database, ids: Collection[SegmentId], *, now_us: int) -> list[str]:
    """Delete rows, unless somebody locked them meanwhile; the files to be deleted now."""
    free = or_(SegmentRow.kept_until_us.is_(None), SegmentRow.kept_until_us <= now_us)
    gone = delete(SegmentRow).where(SegmentRow.id.in_(list(ids)), free).returning(SegmentRow.path)
    with db.write() as connection:
        return sorted(connection.execute(gone).scalars())


def lock_segments(
    db: Database,
    camera: CameraId,
    *,
    span: Span,
    until_us: int,
    reason: str,
    made_by: str,
    now_us: int,
) -> Locked:
    """Evidence lock: what a camera recorded in `span` stays until `until_us`, or longer.

    Raises:
        NotFound: Nothing is recorded there.
    """
    if not reason:
        raise ValueError("reason: expected words, got none")
    longer = or_(SegmentRow.kept_until_us.is_(None), SegmentRow.kept_until_us < until_us)
    detail = {"until_us": int(until_us), "reason": reason}
    return _change(
        db,
        camera,
        span,
        value=int(until_us),
        only=longer,
        action=LOCK,
        detail=detail,
        made_by=made_by,
        now_us=now_us,
    )


def unlock_segments(
    db: Database, camera: CameraId, *, span: Span, reason: str, made_by: str, now_us: int
) -> Locked:
    """End the evidence lock of what a camera recorded in `span`.

    Raises:
        NotFound: Nothing is recorded there.
    """
    if not reason:
        raise ValueError("reason: expected words, got none")
    return _change(
        db,
        camera,
        span,
        value=None,
        only=SegmentRow.kept_until_us.is_not(None),
        action=UNLOCK,
        detail={"reason": reason},
        made_by=made_by,
        now_us=now_us,
    )


def _change(
    db: Database,
    camera: CameraId,
    span: Span,
    *,
    value: int | None,
    only: ColumnElement[bool],
    action: str,
    detail: dict[str, object],
    made_by: str,
    now_us: int,
) -> Locked:
    query = _select().where(*_overlapping(span), CameraRow.name == camera)
    with db.write() as connection:
        rows = connection.execute(query.order_by(SegmentRow.from_us)).all()
        if not rows:
            raise NotFound(
                f"nothing of camera {camera!r} is recorded in that time, so nothing can be locked"
            )
        numbers = [row.id for row in rows]
        for part in portions(numbers):
            some = SegmentRow.id.in_(part)
            connection.execute(update(SegmentRow).where(some, only).values(kept_until_us=value))
        done = Locked(n_segments=len(rows), from_us=rows[0].from_us, to_us=rows[-1].to_us)
        told = {"from_us": done.from_us, "to_us": done.to_us, "segments": done.n_segments}
        record_audit(
            connection,
            who=made_by,
            action=action,
            subject=camera,
            detail={**told, **detail},
            now_us=now_us,
        )
    return done


def _overlapping(span: Span) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if span.from_us is not None:
        found += [SegmentRow.from_us > span.from_us - LONGEST_US, SegmentRow.to_us > span.from_us]
    if span.to_us is not None:
        found.append(SegmentRow.from_us < span.to_us)
    return found


def _select() -> Select[*tuple[Any, ...]]:
    return select(
        SegmentRow.id,
        CameraRow.name,
        SegmentRow.from_us,
        SegmentRow.to_us,
        SegmentRow.path,
        SegmentRow.codec,
        SegmentRow.n_bytes,
        SegmentRow.sha256,
        SegmentRow.kept_until_us,
    ).join(CameraRow, CameraRow.id == SegmentRow.camera_id)


def _to_segment(row: Row[*tuple[Any, ...]]) -> StoredSegment:
    return StoredSegment(
        id=SegmentId(row.id),
        segment=Segment(
            camera=CameraId(row.name),
            from_us=row.from_us,
            to_us=row.to_us,
            path=row.path,
            codec=row.codec,
            n_bytes=row.n_bytes,
            sha256=row.sha256,
        ),
        kept_until_us=row.kept_until_us,
    )
