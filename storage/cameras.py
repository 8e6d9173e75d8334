"""Cameras, and when they were moved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from storage.audit import record_audit
from storage.database import Database
from storage.errors import NotFound
from storage.schema import CameraMoveRow, CameraRow
from storage.types import Camera
from streams.types import CameraId

INSERT_CAMERA = insert(CameraRow).returning(CameraRow.id)
INSERT_MOVE = insert(CameraMoveRow)
MOVED = "camera moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMove:
    """A camera was moved or turned: what it taught before is void.

    Attributes:
        at_us: When, microseconds UTC.
        made_by: Operator's name.
        reason: In the operator's words.
    """

    camera: CameraId
    at_us: int
    made_by: str
    reason: str


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


def find_camera(db: Database, name: str) -> CameraId:
    """The camera of this name.

    Raises:
        NotFound: It never recorded anything; names those that did.
    """
    known = [camera.id for camera in cameras(db)]
    if name in known:
        return CameraId(name)
    others = f"those that have are {', '.join(known)}" if known else "nor has any other"
    raise NotFound(f"no camera called {name!r} has recorded anything; {others}")


def record_move(db: Database, move: CameraMove, *, now_us: int) -> None:
    """Append that a camera was moved, and to the audit who said so.

    Raises:
        NotFound: No camera of this name ever recorded anything.
    """
    with db.write() as connection:
        known = select(CameraRow.id).where(CameraRow.name == move.camera)
        camera = connection.execute(known).scalar()
        if camera is None:
            raise NotFound(
                f"no camera named {move.camera!r} has recorded anything yet, so there is nothing "
                "to unlearn; check the name with `noctule db stats`"
            )
        values = {
            "camera_id": camera,
            "at_us": int(move.at_us),
            "made_by": move.made_by,
            "reason": move.reason,
        }
        connection.execute(INSERT_MOVE, values)
        record_audit(
            connection,
            who=move.made_by,
            action=MOVED,
            subject=move.camera,
            detail={"at_us": int(move.at_us), "reason": move.reason},
            now_us=now_us,
        )


def moves(db: Database, *, camera: CameraId | None = None) -> list[CameraMove]:
    """When cameras were moved, in the order of time."""
    query = (
        select(CameraRow.name, CameraMoveRow.at_us, CameraMoveRow.made_by, CameraMoveRow.reason)
        .join(CameraRow, CameraRow.id == CameraMoveRow.camera_id)
        .order_by(CameraMoveRow.at_us, CameraMoveRow.id)
    )
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        CameraMove(
            camera=CameraId(row.name), at_us=row.at_us, made_by=row.made_by, reason=row.reason
        )
        for row in rows
    ]


def ensure_camera(connection: Connection, camera: CameraId) -> int:
    """Row of the camera, made when it is new."""
    known = connection.execute(select(CameraRow.id).where(CameraRow.name == camera)).scalar()
    if known is not None:
        return known
    return connection.execute(INSERT_CAMERA, {"name": camera, "description": ""}).scalar_one()
