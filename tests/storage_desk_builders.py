"""Small alerts, deliveries, persons of interest; a row in every table of the front desk."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from storage.database import Database
from storage.desk.alerts import NewAlert
from storage.desk.deliveries import NewDelivery
from storage.desk.interest import Example, NewInterest, add_interest
from storage.desk.names import give_name
from storage.desk.plans import draw_plan, place_camera
from storage.desk.raising import raise_alert
from storage.desk.rules import NewRule, add_rule
from storage.desk.shapes import NewShape, add_shape
from storage.desk.types import AlertSeverity, Purpose, ShapeKind
from storage.schema import AccountCameraRow, AccountRow, ApiTokenRow, SegmentRow, SessionRow
from storage.types import IdentityId
from streams.types import CameraId, Modality
from tests.storage_builders import MODEL, PICTURE, TEN_O_CLOCK_US, unit_vector

GATE, YARD = CameraId("gate"), CameraId("yard")
HASH = "f" * 64


def alert(number: int = 0, **changed: Any) -> NewAlert:
    """Alert `number`: somebody loiters at the gate, ten seconds from ten o'clock and so many s."""
    began_us = TEN_O_CLOCK_US + number * 1_000_000
    values: dict[str, Any] = {
        "key": f"loitering/{number}",
        "rule": "no loitering",
        "kind": "loitering",
        "severity": AlertSeverity.WARNING,
        "began_us": began_us,
        "ended_us": began_us + 10_000_000,
        "sentence": "stayed longer than 90 s at the gate",
        "grounds": {"stayed_s": 91.5},
        "cameras": (GATE,),
        "sightings": (f"gate/{number}",),
    }
    return NewAlert(**values | changed)


def delivery(key: str = "loitering/0/hook", **changed: Any) -> NewDelivery:
    values: dict[str, Any] = {
        "key": key,
        "purpose": Purpose.ALERT,
        "channel": "hook",
        "payload": {"sentence": "stayed longer than 90 s at the gate"},
    }
    return NewDelivery(**values | changed)


def interest(**changed: Any) -> NewInterest:
    values: dict[str, Any] = {
        "name": "the one with the ladder",
        "reason": "theft of 3 June",
        "expires_at_us": TEN_O_CLOCK_US + 86_400_000_000,
        "examples": (example(),),
    }
    return NewInterest(**values | changed)


def example(*numbers: float, picture: str | None = PICTURE) -> Example:
    return Example(
        modality=Modality.VISIBLE,
        picture=picture,
        model=MODEL if numbers else None,
        vector=unit_vector(*numbers) if numbers else None,
    )


def fill_desk(database: Database, *, person: IdentityId) -> None:
    """A row in every table of the front desk."""
    now_us = TEN_O_CLOCK_US
    by: dict[str, Any] = {"made_by": "ada", "now_us": now_us}
    shown = alert(identity=person, picture=PICTURE, picture_camera=GATE)
    raise_alert(database, shown, deliveries=[delivery(picture=PICTURE)], now_us=now_us)
    add_rule(database, NewRule(name="no loitering", kind="loitering"), **by)
    line = NewShape(camera=GATE, kind=ShapeKind.LINE, name="door", points=((0, 0.1), (0.3, 1)))
    add_shape(database, line, **by)
    add_interest(database, interest(examples=(example(), example(1, 2, 2, 0))), **by)
    give_name(database, person, "red coat ☾", **by)
    draw_plan(database, PICTURE, metres_per_pixel=0.05, **by)
    place_camera(database, GATE, (1.5, -0.0), heading_deg=-90, **by)
    account: dict[str, Any] = {"name": "ada", "password_hash": "$argon2id$x", "role": "admin"}
    account |= {"sees_all": True, "must_change": False, "is_active": True}
    token = {"account_id": 1, "token_sha256": HASH, "created_at_us": now_us}
    segment = {"camera_id": 1, "from_us": now_us, "to_us": now_us + 1, "path": "gate/1.mp4"}
    with database.write() as connection:
        for table, values in (
            (AccountRow, account | {"created_at_us": now_us, "changed_at_us": now_us}),
            (AccountCameraRow, {"account_id": 1, "camera_id": 1}),
            (SessionRow, token | {"used_at_us": now_us, "expires_at_us": now_us + 1}),
            (ApiTokenRow, token | {"name": "wall", "role": "viewer"}),
            (SegmentRow, segment | {"codec": "h264", "n_bytes": 2**40, "sha256": HASH}),
        ):
            connection.execute(insert(table), values)
