"""Cameras, and when they did not look."""

from __future__ import annotations

from sqlalchemy import Connection, insert, or_, select, update

from storage.database import Database
from storage.schema import CameraRow, GapRow
from storage.types import ALWAYS, Camera, Span
from streams.types import CameraId, Gap, GapReason

INSERT_CAMERA = insert(CameraRow).returning(CameraRow.id)
INSERT_GAP = insert(GapRow)


def record_camera(db: Database, camera: CameraId, description: str) -> None:
    """Make the camera known, or change what is said of it."""
    with db.write() as connection:
        row = ensure_camera(connection, camera)
        connection.execute(
            update(CameraRow).where(CameraRow.id == row).values(description=description)
        )


def cameras(db: Database) -> list[Camera]:
    """All cameras that ever recorded something, by name."""
    query = select(CameraRow.name, CameraRow.description).order_by(CameraRow.name)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [Camera(id=CameraId(row.name), description=row.description) for row in rows]


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
    query = (
        select(CameraRow.name, GapRow.from_us, GapRow.to_us, GapRow.reason)
        .join(CameraRow, CameraRow.id == GapRow.camera_id)
        .order_by(GapRow.from_us, CameraRow.name)
    )
    if span.from_us is not None:
        query = query.where(or_(GapRow.to_us.is_(None), GapRow.to_us > span.from_us))
    if span.to_us is not None:
        query = query.where(GapRow.from_us < span.to_us)
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        Gap(
            camera=CameraId(row.name),
            from_us=row.from_us,
            to_us=row.to_us,
            reason=GapReason(row.reason),
        )
        for row in rows
    ]


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


def ensure_camera(connection: Connection, camera: CameraId) -> int:
    """Row of the camera, made when it is new."""
    known = connection.execute(select(CameraRow.id).where(CameraRow.name == camera)).scalar()
    if known is not None:
        return known
    return connection.execute(INSERT_CAMERA, {"name": camera, "description": ""}).scalar_one()
