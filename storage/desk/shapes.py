"""Zones and lines that operators draw on cameras' pictures, with their history."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from storage.audit import canonical_json, record_audit
from storage.cameras import ensure_camera
from storage.database import Database
from storage.desk.pages import PAGE, Page, read_page
from storage.desk.types import ShapeId, ShapeKind
from storage.errors import DeskRefused, NotFound
from storage.schema import CameraRow, ShapeRow
from streams.naming import plain_name
from streams.types import CameraId

FEWEST_POINTS = {ShapeKind.ZONE: 3, ShapeKind.LINE: 2}
MOST_POINTS = 200
INSERT_SHAPE = insert(ShapeRow).returning(ShapeRow.id)

Point = tuple[float, float]


def refuse_points(kind: ShapeKind, points: Collection[Point]) -> None:
    """
    Raises:
        ValueError: These are no points of such a shape.

    >>> refuse_points(ShapeKind.LINE, [(0, 0), (1, 1)])
    """
    if not FEWEST_POINTS[kind] <= len(points) <= MOST_POINTS:
        raise ValueError(
            f"points: expected {FEWEST_POINTS[kind]} to {MOST_POINTS} of a {kind}, "
            f"got {len(points)}"
        )
    for point in points:
        if not all(0 <= number <= 1 for number in point):  # NaN is not either
            raise ValueError(f"points: expected fractions of the picture, 0 to 1, got {point}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShape:
    """A zone or line to be kept.

    Attributes:
        name: Unique among the camera's standing shapes.
        points: (x, y) as fractions of the picture's width and height; at least 3 of a zone, 2 of
            a line, in the order in which it is drawn.
    """

    camera: CameraId
    kind: ShapeKind
    name: str
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain_name(self.name))
        refuse_points(self.kind, self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A zone or line that stands, or stood.

    Attributes:
        points: As in `NewShape`.
        removed_at_us: None while it stands.
    """

    id: ShapeId
    camera: CameraId
    kind: ShapeKind
    name: str
    points: tuple[Point, ...]
    made_by: str
    made_at_us: int
    removed_at_us: int | None
    removed_by: str | None


def add_shape(db: Database, new: NewShape, *, made_by: str, now_us: int) -> Shape:
    """Keep a shape.

    Raises:
        DeskRefused: A standing shape of this camera has this name.
    """
    with db.write() as connection:
        return _add(connection, new, made_by=made_by, now_us=now_us)


def change_shape(
    db: Database, shape: ShapeId, new: NewShape, *, made_by: str, now_us: int
) -> Shape:
    """Remove a shape and keep another one in its place.

    Raises:
        NotFound: No such shape stands.
        DeskRefused: Another shape has the new name.
    """
    with db.write() as connection:
        _remove(connection, shape, removed_by=made_by, now_us=now_us)
        return _add(connection, new, made_by=made_by, now_us=now_us)


def remove_shape(db: Database, shape: ShapeId, *, removed_by: str, now_us: int) -> Shape:
    """End a shape; adding the same again takes that back.

    Raises:
        NotFound: No such shape stands.
    """
    with db.write() as connection:
        _remove(connection, shape, removed_by=removed_by, now_us=now_us)
        return _read(connection, shape)


def standing_shapes(db: Database, *, camera: CameraId | None = None) -> list[Shape]:
    """All shapes that stand, by camera and name: for whoever watches."""
    query = _select().where(ShapeRow.removed_at_us.is_(None))
    if camera is not None:
        query = query.where(CameraRow.name == camera)
    with db.read() as connection:
        rows = connection.execute(query.order_by(CameraRow.name, ShapeRow.name)).all()
    return [_to_shape(row) for row in rows]


def shapes(
    db: Database,
    *,
    cameras: Collection[CameraId] | None = None,
    removed: bool = False,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Shape]:
    """Standing shapes, newest first; with `removed`, also those of the past.

    Args:
        cameras: Only on one of these; None for all.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    query = _select() if removed else _select().where(ShapeRow.removed_at_us.is_(None))
    if cameras is not None:
        query = query.where(CameraRow.name.in_(sorted(cameras)))
    with db.read() as connection:
        return read_page(
            connection,
            query,
            ShapeRow.__table__.c.id,
            lambda rows: [_to_shape(row) for row in rows],
            cursor=cursor,
            limit=limit,
        )


def find_shape(db: Database, shape: ShapeId) -> Shape:
    """The shape of this number, whether or not it stands.

    Raises:
        NotFound: There never was one.
    """
    with db.read() as connection:
        return _read(connection, shape)


def _add(connection: Connection, new: NewShape, *, made_by: str, now_us: int) -> Shape:
    camera = ensure_camera(connection, new.camera)
    taken = select(ShapeRow.id).where(
        ShapeRow.camera_id == camera, ShapeRow.name == new.name, ShapeRow.removed_at_us.is_(None)
    )
    if connection.execute(taken).first() is not None:
        raise DeskRefused(f"{new.camera} has a shape called {new.name!r} already; give another")
    values = {
        "camera_id": camera,
        "kind": new.kind.value,
        "name": new.name,
        "points": canonical_json([[float(x), float(y)] for x, y in new.points]),
        "made_by": made_by,
        "made_at_us": now_us,
        "removed_at_us": None,
        "removed_by": None,
    }
    number = ShapeId(connection.execute(INSERT_SHAPE, values).scalar_one())
    record_audit(
        connection,
        who=made_by,
        action="shape add",
        subject=new.camera,
        detail={"shape": number, "kind": new.kind.value, "name": new.name},
        now_us=now_us,
    )
    return _read(connection, number)


def _remove(connection: Connection, shape: ShapeId, *, removed_by: str, now_us: int) -> None:
    found = _read(connection, shape)
    if found.removed_at_us is not None:
        raise NotFound(f"shape {shape} ({found.name}) was removed before by {found.removed_by}")
    ended = {"removed_at_us": max(now_us, found.made_at_us), "removed_by": removed_by}
    connection.execute(update(ShapeRow).where(ShapeRow.id == shape).values(ended))
    record_audit(
        connection,
        who=removed_by,
        action="shape remove",
        subject=found.camera,
        detail={"shape": shape, "name": found.name},
        now_us=now_us,
    )


def _read(connection: Connection, shape: ShapeId) -> Shape:
    row = connection.execute(_select().where(ShapeRow.id == shape)).first()
    if row is None:
        raise NotFound(f"there is no shape {shape}")
    return _to_shape(row)


def _select() -> Select[*tuple[Any, ...]]:
    return select(*ShapeRow.__table__.columns, CameraRow.name.label("camera")).join(
        CameraRow, CameraRow.id == ShapeRow.camera_id
    )


def _to_shape(row: Row[*tuple[Any, ...]]) -> Shape:
    return Shape(
        id=ShapeId(row.id),
        camera=CameraId(row.camera),
        kind=ShapeKind(row.kind),
        name=row.name,
        points=tuple((x, y) for x, y in json.loads(row.points)),
        made_by=row.made_by,
        made_at_us=row.made_at_us,
        removed_at_us=row.removed_at_us,
        removed_by=row.removed_by,
    )
