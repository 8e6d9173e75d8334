"""The floor plan, and where cameras stand on it; the newest holds, the rest is history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from storage.audit import record_audit
from storage.cameras import ensure_camera
from storage.database import Database
from storage.exemplars import refer_to_evidence
from storage.schema import CameraPlaceRow, CameraRow, FloorPlanRow
from streams.types import CameraId

INSERT_PLAN = insert(FloorPlanRow).returning(FloorPlanRow.id)
INSERT_PLACE = insert(CameraPlaceRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorPlan:
    """A plan of the site.

    Attributes:
        picture: sha256 of a JPEG in the evidence store.
        metres_per_pixel: Its scale.
    """

    id: int
    picture: str
    metres_per_pixel: float
    made_by: str
    made_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlace:
    """Where a camera stands.

    Attributes:
        x_m: From the plan's left edge, metres; None with all three: it was taken off the plan.
        y_m: From the plan's top edge, metres.
        heading_deg: Where it looks: 0 up the plan, 90 to the right, in [0, 360).
    """

    camera: CameraId
    x_m: float | None
    y_m: float | None
    heading_deg: float | None
    made_by: str
    made_at_us: int


def draw_plan(
    db: Database, picture: str, *, metres_per_pixel: float, made_by: str, now_us: int
) -> FloorPlan:
    """Let this picture, which must be in the evidence store already, be the plan from now on."""
    if not metres_per_pixel > 0:
        raise ValueError(f"metres_per_pixel: expected more than 0, got {metres_per_pixel}")
    values = {
        "picture": picture,
        "metres_per_pixel": float(metres_per_pixel),
        "made_by": made_by,
        "made_at_us": now_us,
    }
    with db.write() as connection:
        refer_to_evidence(connection, [picture], now_us)
        number = connection.execute(INSERT_PLAN, values).scalar_one()
        _tell(connection, "plan draw", "", {"plan": number}, made_by, now_us)
        row = connection.execute(_select_plans().where(FloorPlanRow.id == number)).one()
    return _to_plan(row)


def floor_plan(db: Database) -> FloorPlan | None:
    """The plan that holds, None if none was drawn."""
    query = _select_plans().order_by(FloorPlanRow.id.desc()).limit(1)
    with db.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else _to_plan(row)


def place_camera(
    db: Database,
    camera: CameraId,
    at_m: tuple[float, float] | None,
    *,
    heading_deg: float = 0.0,
    made_by: str,
    now_us: int,
) -> CameraPlace:
    """The camera stands here from now on; what it stood at before stays in the history.

    Args:
        at_m: From the plan's left and top edge, metres; None takes it off the plan.
        heading_deg: Any angle; kept in [0, 360).
    """
    x_m, y_m = (None, None) if at_m is None else (float(at_m[0]), float(at_m[1]))
    heading = None if at_m is None else float(heading_deg) % 360.0
    place = CameraPlace(
        camera=camera, x_m=x_m, y_m=y_m, heading_deg=heading, made_by=made_by, made_at_us=now_us
    )
    with db.write() as connection:
        values = {
            "camera_id": ensure_camera(connection, camera),
            "x_m": x_m,
            "y_m": y_m,
            "heading_deg": heading,
            "made_by": made_by,
            "made_at_us": now_us,
        }
        connection.execute(INSERT_PLACE, values)
        detail: dict[str, object] = {"x_m": x_m, "y_m": y_m, "heading_deg": heading}
        _tell(connection, "camera place", camera, detail, made_by, now_us)
    return place


def camera_places(db: Database) -> list[CameraPlace]:
    """Where each camera that is on the plan stands now, by name."""
    newest = select(func.max(CameraPlaceRow.id)).group_by(CameraPlaceRow.camera_id)
    query = (
        _select_places()
        .where(CameraPlaceRow.id.in_(newest), CameraPlaceRow.x_m.is_not(None))
        .order_by(CameraRow.name)
    )
    with db.read() as connection:
        return [_to_place(row) for row in connection.execute(query)]


def _tell(
    connection: Connection,
    action: str,
    subject: str,
    detail: dict[str, object],
    who: str,
    now_us: int,
) -> None:
    record_audit(connection, who=who, action=action, subject=subject, detail=detail, now_us=now_us)


def _select_plans() -> Select[*tuple[Any, ...]]:
    return select(*FloorPlanRow.__table__.columns)


def _select_places() -> Select[*tuple[Any, ...]]:
    return select(*CameraPlaceRow.__table__.columns, CameraRow.name.label("camera")).join(
        CameraRow, CameraRow.id == CameraPlaceRow.camera_id
    )


def _to_plan(row: Row[*tuple[Any, ...]]) -> FloorPlan:
    return FloorPlan(
        id=row.id,
        picture=row.picture,
        metres_per_pixel=row.metres_per_pixel,
        made_by=row.made_by,
        made_at_us=row.made_at_us,
    )


def _to_place(row: Row[*tuple[Any, ...]]) -> CameraPlace:
    return CameraPlace(
        camera=CameraId(row.camera),
        x_m=row.x_m,
        y_m=row.y_m,
        heading_deg=row.heading_deg,
        made_by=row.made_by,
        made_at_us=row.made_at_us,
    )
