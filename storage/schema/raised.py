"""What was raised, what operators made of it, and what was sent.

`alert.state` repeats what its events say, so that the inbox is one index range; both are written in
one transaction and `storage.check` proves them.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.desk.types import AlertEventKind, AlertSeverity, AlertState, DeliveryState, Purpose
from storage.schema.base import BIG, NEVER_REUSED, Table, one_of


class AlertRow(Table):
    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("key <> ''", name="key"),
        CheckConstraint("rule_name <> ''", name="rule_name"),
        CheckConstraint("sentence <> ''", name="sentence"),
        CheckConstraint(one_of("severity", AlertSeverity), name="severity"),
        CheckConstraint(one_of("state", AlertState), name="state"),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
        CheckConstraint("began_us <= ended_us", name="span"),
        CheckConstraint("(picture IS NULL) = (picture_camera_id IS NULL)", name="picture"),
        {"comment": "What rules found, once per visit.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Number in A12.")
    key: Mapped[str] = mapped_column(Text, comment="Rule and visit; raised once.")
    rule_name: Mapped[str] = mapped_column(Text, comment="As the rule was called then.")
    kind: Mapped[str] = mapped_column(Text, comment="Of the rule, such as `zone entered`.")
    severity: Mapped[str] = mapped_column(Text, comment="info, warning or critical.")
    identity_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Who, as far as was known; null: nobody, or unsure."
    )
    candidate_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Best identity compared; null: none."
    )
    probability: Mapped[float | None] = mapped_column(
        Double, comment="That it is the candidate, or the person of interest, 0-1; null: unknown."
    )
    began_us: Mapped[int] = mapped_column(BIG, comment="When it began, microseconds UTC.")
    ended_us: Mapped[int | None] = mapped_column(BIG, comment="When it ended; null: it lasts.")
    sentence: Mapped[str] = mapped_column(Text, comment="What happened, for the operator.")
    grounds: Mapped[str] = mapped_column(Text, comment="JSON object of what the rule measured.")
    picture: Mapped[str | None] = mapped_column(
        Text, ForeignKey("evidence.sha256"), comment="sha256; null: none, or it expired."
    )
    picture_camera_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("camera.id"), comment="Who took the picture; null: there is none."
    )
    state: Mapped[str] = mapped_column(Text, comment="new, acknowledged, resolved or false alarm.")
    raised_at_us: Mapped[int] = mapped_column(BIG, comment="When it was written down.")


class AlertCameraRow(Table):
    __tablename__ = "alert_camera"
    __table_args__ = ({"comment": "Cameras that an alert is about."},)

    alert_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("alert.id"), primary_key=True, comment="Whose."
    )
    camera_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("camera.id"), primary_key=True, comment="Which."
    )


class AlertSightingRow(Table):
    __tablename__ = "alert_sighting"
    __table_args__ = (
        CheckConstraint("sighting_key <> ''", name="sighting_key"),
        {"comment": "Visits that an alert is about, also ones not recorded yet."},
    )

    alert_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("alert.id"), primary_key=True, comment="Whose."
    )
    sighting_key: Mapped[str] = mapped_column(
        Text, primary_key=True, comment="sighting.key, now or later."
    )


class AlertEventRow(Table):
    __tablename__ = "alert_event"
    __table_args__ = (
        CheckConstraint(one_of("kind", AlertEventKind), name="kind"),
        CheckConstraint("made_by <> ''", name="made_by"),
        {"comment": "What happened to alerts; only appended.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    alert_id: Mapped[int] = mapped_column(BIG, ForeignKey("alert.id"), comment="To which.")
    kind: Mapped[str] = mapped_column(
        Text,
        comment="raised, extended, escalated, acknowledged, resolved, false alarm, undone or note.",
    )
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name, or `watcher`.")
    reason: Mapped[str] = mapped_column(Text, comment="In the operator's words; may be empty.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")


class DeliveryRow(Table):
    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("key <> ''", name="key"),
        CheckConstraint("channel <> ''", name="channel"),
        CheckConstraint(one_of("purpose", Purpose), name="purpose"),
        CheckConstraint(one_of("state", DeliveryState), name="state"),
        CheckConstraint("n_tries >= 0", name="n_tries"),
        CheckConstraint(
            f"(state = '{DeliveryState.SENT}') = (sent_at_us IS NOT NULL)", name="sent"
        ),
        {"comment": "The outbox: what is to be sent, and what became of it.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    key: Mapped[str] = mapped_column(Text, comment="For the receiver: the same key, the same news.")
    alert_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("alert.id"), comment="About which; null: a test or heartbeat."
    )
    purpose: Mapped[str] = mapped_column(Text, comment="alert, escalation, test or heartbeat.")
    channel: Mapped[str] = mapped_column(Text, comment="Name in the configuration.")
    payload: Mapped[str] = mapped_column(Text, comment="JSON object of what is sent.")
    picture: Mapped[str | None] = mapped_column(
        Text, ForeignKey("evidence.sha256"), comment="sha256; null: none, or it expired."
    )
    state: Mapped[str] = mapped_column(Text, comment="waiting, sent or dead.")
    n_tries: Mapped[int] = mapped_column(Integer, comment="How often it was tried.")
    next_try_us: Mapped[int] = mapped_column(BIG, comment="Not before, microseconds UTC.")
    created_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    sent_at_us: Mapped[int | None] = mapped_column(BIG, comment="When; null: it was not.")
    answer: Mapped[str | None] = mapped_column(
        Text, comment="The receiver's last answer, or what failed; null: not tried."
    )


# The inbox, newest first.
Index("ix_alert_of_state", AlertRow.state, AlertRow.id)
# Alerts of a span; also: what is too old.
Index("ix_alert_of_span", AlertRow.began_us, AlertRow.id)
# Alerts about a person.
Index("ix_alert_of_identity", AlertRow.identity_id, AlertRow.id)
Index("ix_alert_of_candidate", AlertRow.candidate_id, AlertRow.id)
# Alerts of a rule, of a camera, of a visit.
Index("ix_alert_of_rule", AlertRow.rule_name, AlertRow.id)
Index("ix_alert_camera_of_camera", AlertCameraRow.camera_id, AlertCameraRow.alert_id)
Index("ix_alert_sighting_of_key", AlertSightingRow.sighting_key, AlertSightingRow.alert_id)
# The history of an alert.
Index("ix_alert_event_of_alert", AlertEventRow.alert_id, AlertEventRow.id)
# What is to be sent next.
Index("ix_delivery_due", DeliveryRow.state, DeliveryRow.next_try_us, DeliveryRow.id)
# What was sent about an alert.
Index("ix_delivery_of_alert", DeliveryRow.alert_id, DeliveryRow.id)
# Who refers to a picture before it is deleted.
Index("ix_alert_of_picture", AlertRow.picture)
Index("ix_delivery_of_picture", DeliveryRow.picture)
