"""When cameras did not look."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, insert, or_, select, tuple_, update

from storage.cameras import ensure_camera
from storage.database import Database
from storage.schema import CameraRow, GapRow
from storage.scope import Scope
from storage.types import ALWAYS, Span
from streams.types import CameraId, Gap, GapReason

INSERT_GAP = insert(GapRow)


def record_gap(db: Database, gap: Gap) -> None:
    """Record that nobody looked; a gap recorded open is closed by recording it again.

    A gap is named by its camera and its beginning. Once closed it does not change.
    """
    with db.write() as connection:
        camera = ensure_camera(connection, gap.camera)
        this_gap = (GapRow.camera_id == camera, GapRow.from_us == gap.from_us)
        if connection.execute(select(GapRow.id).where(*this_gap)).first() is None:
            values = {
                "camera_id": camera,
                "from_us": int(gap.from_us),
                "to_us": None if gap.to_us is None else int(gap.to_us),
                "reason": gap.reason.value,
            }
            connection.execute(INSERT_GAP, values)
        elif gap.to_us is not None:
            connection.execute(
                update(GapRow)
                .where(*this_gap, GapRow.to_us.is_(None))
                .values(to_us=int(gap.to_us), reason=gap.reason.value)
            )


def gaps(db: Database, *, span: Span = ALWAYS, camera: CameraId | None = None) -> list[Gap]:
    """Gaps that overlap `span`, oldest first; one that lasts has no end."""
    query = _select_gaps(span, camera).order_by(GapRow.from_us, CameraRow.name)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [_to_gap(row) for row in rows]


def browse_gaps(
    db: Database,
    *,
    scope: Scope,
    span: Span = ALWAYS,
    camera: CameraId | None = None,
    before: tuple[int, int] | None = None,
    limit: int,
) -> list[tuple[int, Gap]]:
    """When nobody looked, newest first, with the numbers of the rows; at most `limit`.

    Args:
        before: Beginning and number of the gap before the page.
    """
    query = _select_gaps(span, camera).order_by(GapRow.from_us.desc(), GapRow.id.desc())
    if scope is not None:
        query = query.where(CameraRow.name.in_(list(scope)))
    if before is not None:
        query = query.where(tuple_(GapRow.from_us, GapRow.id) < tuple_(*before))
    with db.read() as connection:
        rows = connection.execute(query.limit(limit)).all()
    return [(row.id, _to_gap(row)) for row in rows]


def close_open_gaps(db: Database, now_us: int) -> int:
    """End the gaps that a killed watcher left open, at `now_us`; how many there were.

    A gap that begins after `now_us` (the clock was set back) ends where it begins.
    """
    left_open = select(GapRow.id, GapRow.from_us).where(GapRow.to_us.is_(None)).order_by(GapRow.id)
    with db.write() as connection:
        rows = connection.execute(left_open).all()
        for row in rows:
            end = update(GapRow).where(GapRow.id == row.id).values(to_us=max(now_us, row.from_us))
            connection.execute(end)
    return len(rows)


def _select_gaps(span: Span, camera: CameraId | None) -> Select[*tuple[Any, ...]]:
    query = select(GapRow.id, CameraRow.name, GapRow.from_us, GapRow.to_us, GapRow.reason).join(
        CameraRow, CameraRow.id == GapRow.camera_id
    )
    if span.from_us is not None:
        query = query.where(or_(GapRow.to_us.is_(None), GapRow.to_us > span.from_us))
    if span.to_us is not None:
        query = query.where(GapRow.from_us < span.to_us)
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    return query


def _to_gap(row: Row[*tuple[Any, ...]]) -> Gap:
    return Gap(
        camera=CameraId(row.name),
        from_us=row.from_us,
        to_us=row.to_us,
        reason=GapReason(row.reason),
    )
