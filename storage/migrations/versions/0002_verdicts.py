"""Operators' verdicts, the numbers behind a link, audit, erasure, legal hold, moved cameras."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import BIG, TEXT, optional, required

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ONLY_APPENDED = ("audit", "erasure", "verdict", "verdict_sighting")


def upgrade() -> None:
    create_verdicts()
    let_links_follow_verdicts()
    create_audit_and_erasures()
    create_holds_and_moves()
    refuse_changes()


def create_verdicts() -> None:
    op.create_table(
        "verdict",
        required("id", BIG, "Number in V12."),
        required("kind", TEXT, "same, not same, merge, split, forget or undo."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        required("reason", TEXT, "In the operator's words; may be empty."),
        optional("undoes_id", BIG, "The verdict taken back; only of `undo`."),
        sa.CheckConstraint(
            "kind IN ('same', 'not same', 'merge', 'split', 'forget', 'undo')",
            name=op.f("ck_verdict_kind"),
        ),
        sa.CheckConstraint(
            "(kind = 'undo') = (undoes_id IS NOT NULL)", name=op.f("ck_verdict_undoes")
        ),
        sa.CheckConstraint("made_by <> ''", name=op.f("ck_verdict_made_by")),
        sa.ForeignKeyConstraint(["undoes_id"], ["verdict.id"], name="fk_verdict_undoes_id"),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
        sa.UniqueConstraint("undoes_id", name="uq_verdict_undoes_id"),
        comment="What operators decided; only appended, taken back by `undo`.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "verdict_sighting",
        required("verdict_id", BIG, "Whose."),
        required("sighting_id", BIG, "The visit."),
        required("side", TEXT, "a: what was decided about; b: what it was held against."),
        sa.CheckConstraint("side IN ('a', 'b')", name=op.f("ck_verdict_sighting_side")),
        sa.ForeignKeyConstraint(
            ["verdict_id"], ["verdict.id"], name="fk_verdict_sighting_verdict_id"
        ),
        sa.ForeignKeyConstraint(
            ["sighting_id"], ["sighting.id"], name="fk_verdict_sighting_sighting_id"
        ),
        sa.PrimaryKeyConstraint("verdict_id", "sighting_id", name="pk_verdict_sighting"),
        comment="The visits that a verdict is about, on its two sides.",
    )
    op.create_index("ix_verdict_sighting_of_sighting", "verdict_sighting", ["sighting_id"])


def let_links_follow_verdicts() -> None:
    grounds = optional("grounds", TEXT, "JSON object of the numbers behind the reason; null: none.")
    op.add_column("link_event", grounds)
    if op.get_bind().dialect.name == "sqlite":  # would make the table anew, without its trigger
        op.execute(
            "ALTER TABLE link_event ADD COLUMN verdict_id INTEGER "
            "CONSTRAINT fk_link_event_verdict_id REFERENCES verdict (id)"
        )
        return
    verdict = "The operator's verdict that it follows; null: none."
    op.add_column("link_event", optional("verdict_id", BIG, verdict))
    op.create_foreign_key(
        "fk_link_event_verdict_id", "link_event", "verdict", ["verdict_id"], ["id"]
    )
    op.alter_column("link_event", "made_by", comment="linker, refine, or the operator's name.")


def create_audit_and_erasures() -> None:
    op.create_table(
        "audit",
        required("id", BIG, "Row number."),
        required("at_us", BIG, "When, microseconds UTC."),
        required("who", TEXT, "Operator's name."),
        required("action", TEXT, "What was done, such as `query trajectory`."),
        required("subject", TEXT, "About whom or what; may be empty."),
        required("detail", TEXT, "JSON object of what else was asked."),
        required("previous", TEXT, "hash of the row before; zeros: none."),
        required("hash", TEXT, "sha256 over `previous` and this row, hex."),
        sa.CheckConstraint("length(previous) = 64", name=op.f("ck_audit_previous")),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_audit_hash")),
        sa.CheckConstraint("who <> ''", name=op.f("ck_audit_who")),
        sa.CheckConstraint("action <> ''", name=op.f("ck_audit_action")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
        comment="Who asked and did what, each row chained to the one before.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_of_subject", "audit", ["subject", "at_us"])
    op.create_table(
        "erasure",
        required("id", BIG, "Row number."),
        required("identity_id", BIG, "Whose number stays, empty, never given again."),
        required("at_us", BIG, "When, microseconds UTC."),
        required("made_by", TEXT, "Operator's name."),
        required("reason", TEXT, "In the operator's words."),
        required("n_sightings", sa.Integer(), "Visits deleted."),
        required("n_exemplars", sa.Integer(), "Vectors deleted."),
        required("n_pictures", sa.Integer(), "Pictures deleted."),
        required(
            "proof", TEXT, "sha256 over the sorted numbers and hashes of all that was deleted, hex."
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_erasure_reason")),
        sa.CheckConstraint("length(proof) = 64", name=op.f("ck_erasure_proof")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_erasure_identity_id"),
        sa.PrimaryKeyConstraint("id", name="pk_erasure"),
        sa.UniqueConstraint("identity_id", name="uq_erasure_identity_id"),
        comment="Tombstones of persons who were erased.",
        sqlite_autoincrement=True,
    )


def create_holds_and_moves() -> None:
    op.create_table(
        "legal_hold",
        required("id", BIG, "Row number."),
        required("identity_id", BIG, "Whose."),
        required("placed_at_us", BIG, "When, microseconds UTC."),
        required("placed_by", TEXT, "Operator's name."),
        required("reason", TEXT, "In the operator's words."),
        optional("lifted_at_us", BIG, "When it ended; null: it holds."),
        optional("lifted_by", TEXT, "Who ended it; null: it holds."),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_legal_hold_reason")),
        sa.CheckConstraint(
            "(lifted_at_us IS NULL) = (lifted_by IS NULL)", name=op.f("ck_legal_hold_lifted")
        ),
        sa.CheckConstraint("placed_at_us <= lifted_at_us", name=op.f("ck_legal_hold_span")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_legal_hold_identity_id"),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
        comment="Persons whose data must not be deleted.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_legal_hold_of_identity", "legal_hold", ["identity_id"])
    op.create_table(
        "camera_move",
        required("id", BIG, "Row number."),
        required("camera_id", BIG, "Which."),
        required("at_us", BIG, "When, microseconds UTC."),
        required("made_by", TEXT, "Operator's name."),
        required("reason", TEXT, "In the operator's words."),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_camera_move_reason")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_camera_move_camera_id"),
        sa.PrimaryKeyConstraint("id", name="pk_camera_move"),
        comment="When a camera moved: what it taught before is void.",
        sqlite_autoincrement=True,
    )


def refuse_changes() -> None:
    """Rows may be deleted (a person is erased, old rows expire), never changed."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in ONLY_APPENDED:
        refuse = (
            f"BEGIN SELECT RAISE(ABORT, '{table} is only appended'); END"
            if on_sqlite
            else "FOR EACH ROW EXECUTE FUNCTION refuse_update()"
        )
        op.execute(f"CREATE TRIGGER {table}_is_only_appended BEFORE UPDATE ON {table} {refuse}")
