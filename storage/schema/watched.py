"""Where and for what is watched: shapes on pictures, rules, persons of interest, the floor plan.

Nothing here is changed but by its end: a change is a removal and a new row.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.desk.types import RuleOrigin, ShapeKind
from storage.schema.base import BIG, NEVER_REUSED, Table, one_of
from storage.schema.seen import VECTOR_NUMBER_BYTES
from streams.types import Modality

REMOVED = "(removed_at_us IS NULL) = (removed_by IS NULL)"


class ShapeRow(Table):
    __tablename__ = "shape"
    __table_args__ = (
        CheckConstraint(one_of("kind", ShapeKind), name="kind"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint(REMOVED, name="removed"),
        {"comment": "Zones and lines drawn on cameras' pictures.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="On whose.")
    kind: Mapped[str] = mapped_column(Text, comment="zone or line.")
    name: Mapped[str] = mapped_column(Text, comment="Unique among the camera's standing ones.")
    points: Mapped[str] = mapped_column(
        Text, comment="JSON list of [x, y], fractions of the picture's width and height."
    )
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    removed_at_us: Mapped[int | None] = mapped_column(BIG, comment="When; null: it stands.")
    removed_by: Mapped[str | None] = mapped_column(Text, comment="Who; null: it stands.")


class RuleRow(Table):
    __tablename__ = "rule"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("kind <> ''", name="kind"),
        CheckConstraint(one_of("origin", RuleOrigin), name="origin"),
        CheckConstraint(REMOVED, name="removed"),
        {"comment": "What raises alerts.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    name: Mapped[str] = mapped_column(Text, comment="Unique among standing ones.")
    kind: Mapped[str] = mapped_column(Text, comment="Such as `zone entered`.")
    settings: Mapped[str] = mapped_column(Text, comment="JSON object, as the kind wants it.")
    origin: Mapped[str] = mapped_column(Text, comment="config or page.")
    is_on: Mapped[bool] = mapped_column(Boolean, comment="Whether it raises anything.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    removed_at_us: Mapped[int | None] = mapped_column(BIG, comment="When; null: it stands.")
    removed_by: Mapped[str | None] = mapped_column(Text, comment="Who; null: it stands.")


class InterestRow(Table):
    __tablename__ = "interest"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("made_at_us <= expires_at_us", name="span"),
        CheckConstraint(REMOVED, name="removed"),
        {"comment": "Persons of interest.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    name: Mapped[str] = mapped_column(Text, comment="In the operator's words.")
    identity_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Who; null: known by examples only."
    )
    reason: Mapped[str] = mapped_column(Text, comment="Why, in the operator's words.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    expires_at_us: Mapped[int] = mapped_column(BIG, comment="When nobody looks for them any more.")
    removed_at_us: Mapped[int | None] = mapped_column(BIG, comment="When; null: it stands.")
    removed_by: Mapped[str | None] = mapped_column(Text, comment="Who; null: it stands.")


class InterestExampleRow(Table):
    __tablename__ = "interest_example"
    __table_args__ = (
        CheckConstraint("rank >= 0", name="rank"),
        CheckConstraint(one_of("modality", Modality), name="modality"),
        CheckConstraint("(model IS NULL) = (vector IS NULL)", name="model"),
        CheckConstraint("picture IS NOT NULL OR vector IS NOT NULL", name="something"),
        CheckConstraint(f"length(vector) % {VECTOR_NUMBER_BYTES} = 0", name="vector"),
        {"comment": "What a person of interest looks like."},
    )

    interest_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("interest.id"), primary_key=True, comment="Whose."
    )
    rank: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="0, 1, ... as given."
    )
    picture: Mapped[str | None] = mapped_column(
        Text, ForeignKey("evidence.sha256"), comment="sha256; null: only the vector is there."
    )
    modality: Mapped[str] = mapped_column(Text, comment="Its light.")
    model: Mapped[str | None] = mapped_column(
        Text, comment="Network of the vector; null: not described yet."
    )
    vector: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="float32, unit length; null: not described yet."
    )


class FloorPlanRow(Table):
    __tablename__ = "floor_plan"
    __table_args__ = (
        CheckConstraint("metres_per_pixel > 0", name="metres_per_pixel"),
        {"comment": "Plans of the site; the newest holds.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    picture: Mapped[str] = mapped_column(
        Text, ForeignKey("evidence.sha256"), comment="sha256 of the plan, a JPEG."
    )
    metres_per_pixel: Mapped[float] = mapped_column(Double, comment="Its scale.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")


class CameraPlaceRow(Table):
    __tablename__ = "camera_place"
    __table_args__ = (
        CheckConstraint(
            "(x_m IS NULL) = (y_m IS NULL) AND (x_m IS NULL) = (heading_deg IS NULL)", name="place"
        ),
        CheckConstraint("heading_deg >= 0 AND heading_deg < 360", name="heading_deg"),
        {"comment": "Where cameras stand; the newest of a camera holds.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="Which.")
    x_m: Mapped[float | None] = mapped_column(
        Double, comment="From the plan's left edge, metres; null: taken off the plan."
    )
    y_m: Mapped[float | None] = mapped_column(Double, comment="From the plan's top edge, metres.")
    heading_deg: Mapped[float | None] = mapped_column(
        Double, comment="Where it looks: 0 up the plan, 90 right, degrees."
    )
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")


# Standing shapes and rules have names of their own.
Index(
    "ix_shape_standing",
    ShapeRow.camera_id,
    ShapeRow.name,
    unique=True,
    sqlite_where=ShapeRow.removed_at_us.is_(None),
    postgresql_where=ShapeRow.removed_at_us.is_(None),
)
Index(
    "ix_rule_standing",
    RuleRow.name,
    unique=True,
    sqlite_where=RuleRow.removed_at_us.is_(None),
    postgresql_where=RuleRow.removed_at_us.is_(None),
)
# Is this person looked for?
Index("ix_interest_of_identity", InterestRow.identity_id)
# Who refers to a picture before it is deleted.
Index("ix_interest_example_of_picture", InterestExampleRow.picture)
# Where a camera stands now.
Index("ix_camera_place_of_camera", CameraPlaceRow.camera_id, CameraPlaceRow.id)
