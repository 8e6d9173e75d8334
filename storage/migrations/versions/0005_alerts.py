"""Alerts, their history and their deliveries; words about erased persons may go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import BIG, TEXT, optional, required

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = (
    "'raised', 'extended', 'escalated', 'acknowledged', 'resolved', 'false alarm', 'undone', 'note'"
)
WORDS_ERASED = "erased with the person"
REST = {
    "verdict": "id, kind, made_by, made_at_us, undoes_id",
    "link_event": (
        "id, sighting_id, sequence, decision, identity_id, candidate_id, probability, "
        "threshold, runner_up_id, runner_up_probability, calibration, grounds, "
        "verdict_id, made_by, made_at_us"
    ),
    "alert_event": "id, alert_id, kind, made_by, made_at_us",
}
"""Tables that are only appended, but that `reason` may become WORDS_ERASED; their other columns."""


def upgrade() -> None:
    create_alerts()
    create_deliveries()
    refuse_changes()


def create_alerts() -> None:
    op.create_table(
        "alert",
        required("id", BIG, "Number in A12."),
        required("key", TEXT, "Rule and visit; raised once."),
        required("rule_name", TEXT, "As the rule was called then."),
        required("kind", TEXT, "Of the rule, such as `zone entered`."),
        required("severity", TEXT, "info, warning or critical."),
        optional("identity_id", BIG, "Who, as far as was known; null: nobody, or unsure."),
        optional("candidate_id", BIG, "Best identity compared; null: none."),
        optional(
            "probability",
            sa.Double(),
            "That it is the candidate, or the person of interest, 0-1; null: unknown.",
        ),
        required("began_us", BIG, "When it began, microseconds UTC."),
        optional("ended_us", BIG, "When it ended; null: it lasts."),
        required("sentence", TEXT, "What happened, for the operator."),
        required("grounds", TEXT, "JSON object of what the rule measured."),
        optional("picture", TEXT, "sha256; null: none, or it expired."),
        optional("picture_camera_id", BIG, "Who took the picture; null: there is none."),
        required("state", TEXT, "new, acknowledged, resolved or false alarm."),
        required("raised_at_us", BIG, "When it was written down."),
        sa.CheckConstraint("key <> ''", name=op.f("ck_alert_key")),
        sa.CheckConstraint(
            "(picture IS NULL) = (picture_camera_id IS NULL)", name=op.f("ck_alert_picture")
        ),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_alert_probability")),
        sa.CheckConstraint("rule_name <> ''", name=op.f("ck_alert_rule_name")),
        sa.CheckConstraint("sentence <> ''", name=op.f("ck_alert_sentence")),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'critical')", name=op.f("ck_alert_severity")
        ),
        sa.CheckConstraint("began_us <= ended_us", name=op.f("ck_alert_span")),
        sa.CheckConstraint(
            "state IN ('new', 'acknowledged', 'resolved', 'false alarm')",
            name=op.f("ck_alert_state"),
        ),
        sa.ForeignKeyConstraint(["candidate_id"], ["identity.id"], name="fk_alert_candidate_id"),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_alert_identity_id"),
        sa.ForeignKeyConstraint(["picture"], ["evidence.sha256"], name="fk_alert_picture"),
        sa.ForeignKeyConstraint(
            ["picture_camera_id"], ["camera.id"], name="fk_alert_picture_camera_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("key", name="uq_alert_key"),
        comment="What rules found, once per visit.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_of_candidate", "alert", ["candidate_id", "id"])
    op.create_index("ix_alert_of_identity", "alert", ["identity_id", "id"])
    op.create_index("ix_alert_of_picture", "alert", ["picture"])
    op.create_index("ix_alert_of_rule", "alert", ["rule_name", "id"])
    op.create_index("ix_alert_of_span", "alert", ["began_us", "id"])
    op.create_index("ix_alert_of_state", "alert", ["state", "id"])
    op.create_table(
        "alert_camera",
        required("alert_id", BIG, "Whose."),
        required("camera_id", BIG, "Which."),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_camera_alert_id"),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_alert_camera_camera_id"),
        sa.PrimaryKeyConstraint("alert_id", "camera_id", name="pk_alert_camera"),
        comment="Cameras that an alert is about.",
    )
    op.create_index("ix_alert_camera_of_camera", "alert_camera", ["camera_id", "alert_id"])
    op.create_table(
        "alert_sighting",
        required("alert_id", BIG, "Whose."),
        required("sighting_key", TEXT, "sighting.key, now or later."),
        sa.CheckConstraint("sighting_key <> ''", name=op.f("ck_alert_sighting_sighting_key")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_sighting_alert_id"),
        sa.PrimaryKeyConstraint("alert_id", "sighting_key", name="pk_alert_sighting"),
        comment="Visits that an alert is about, also ones not recorded yet.",
    )
    op.create_index("ix_alert_sighting_of_key", "alert_sighting", ["sighting_key", "alert_id"])
    op.create_table(
        "alert_event",
        required("id", BIG, "Row number."),
        required("alert_id", BIG, "To which."),
        required(
            "kind",
            TEXT,
            "raised, extended, escalated, acknowledged, resolved, false alarm, undone or note.",
        ),
        required("made_by", TEXT, "Operator's name, or `watcher`."),
        required("reason", TEXT, "In the operator's words; may be empty."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_alert_event_kind")),
        sa.CheckConstraint("made_by <> ''", name=op.f("ck_alert_event_made_by")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_event_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
        comment="What happened to alerts; only appended.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_event_of_alert", "alert_event", ["alert_id", "id"])


def create_deliveries() -> None:
    op.create_table(
        "delivery",
        required("id", BIG, "Row number."),
        required("key", TEXT, "For the receiver: the same key, the same news."),
        optional("alert_id", BIG, "About which; null: a test or heartbeat."),
        required("purpose", TEXT, "alert, escalation, test or heartbeat."),
        required("channel", TEXT, "Name in the configuration."),
        required("payload", TEXT, "JSON object of what is sent."),
        optional("picture", TEXT, "sha256; null: none, or it expired."),
        required("state", TEXT, "waiting, sent or dead."),
        required("n_tries", sa.Integer(), "How often it was tried."),
        required("next_try_us", BIG, "Not before, microseconds UTC."),
        required("created_at_us", BIG, "When, microseconds UTC."),
        optional("sent_at_us", BIG, "When; null: it was not."),
        optional("answer", TEXT, "The receiver's last answer, or what failed; null: not tried."),
        sa.CheckConstraint("channel <> ''", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint("key <> ''", name=op.f("ck_delivery_key")),
        sa.CheckConstraint("n_tries >= 0", name=op.f("ck_delivery_n_tries")),
        sa.CheckConstraint(
            "purpose IN ('alert', 'escalation', 'test', 'heartbeat')",
            name=op.f("ck_delivery_purpose"),
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at_us IS NOT NULL)", name=op.f("ck_delivery_sent")
        ),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_delivery_alert_id"),
        sa.ForeignKeyConstraint(["picture"], ["evidence.sha256"], name="fk_delivery_picture"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("key", name="uq_delivery_key"),
        comment="The outbox: what is to be sent, and what became of it.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "next_try_us", "id"])
    op.create_index("ix_delivery_of_alert", "delivery", ["alert_id", "id"])
    op.create_index("ix_delivery_of_picture", "delivery", ["picture"])


def refuse_changes() -> None:
    """Rows are deleted with a person or when they expire; of a reason only its words may go."""
    for table in ("verdict", "link_event"):
        op.execute(f"DROP TRIGGER {table}_is_only_appended{'' if is_sqlite() else f' ON {table}'}")
    refuse_update("identity_name_is_only_appended", "identity_name")
    for table, columns in REST.items():
        refuse_update(f"{table}_is_only_appended", table, of=columns)
        other = f"WHEN (NEW.reason <> '{WORDS_ERASED}') "
        refuse_update(f"{table}_keeps_its_words", table, of="reason", when=other)


def refuse_update(trigger: str, table: str, *, of: str = "", when: str = "") -> None:
    columns = f" OF {of}" if of else ""
    refuse = (
        f"{when}BEGIN SELECT RAISE(ABORT, '{table} is only appended'); END"
        if is_sqlite()
        else f"FOR EACH ROW {when}EXECUTE FUNCTION refuse_update()"
    )
    op.execute(f"CREATE TRIGGER {trigger} BEFORE UPDATE{columns} ON {table} {refuse}")


def is_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
