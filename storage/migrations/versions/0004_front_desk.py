"""The front desk: accounts, shapes, rules, persons of interest, places, recordings, names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import BIG, TEXT, optional, required

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STANDS = sa.text("removed_at_us IS NULL")


def upgrade() -> None:
    create_accounts()
    create_what_is_watched()
    create_places_and_recordings()


def create_accounts() -> None:
    op.create_table(
        "account",
        required("id", BIG, "Row number."),
        required("name", TEXT, "To sign in with, casefolded."),
        required("password_hash", TEXT, "argon2, with salt and cost."),
        required("role", TEXT, "viewer, operator or admin."),
        required("sees_all", sa.Boolean(), "Every camera; else those of `account_camera`."),
        required(
            "must_change",
            sa.Boolean(),
            "The password was given by somebody else and is good for once.",
        ),
        required("is_active", sa.Boolean(), "May sign in."),
        required("created_at_us", BIG, "When, microseconds UTC."),
        required("changed_at_us", BIG, "When anything of it last changed."),
        sa.CheckConstraint("name <> ''", name=op.f("ck_account_named")),
        sa.CheckConstraint("password_hash LIKE '$argon2%'", name=op.f("ck_account_password_hash")),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name=op.f("ck_account_role")),
        sa.CheckConstraint("created_at_us <= changed_at_us", name=op.f("ck_account_span")),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        comment="Who may sign in.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account_camera",
        required("account_id", BIG, "Whose."),
        required("camera_id", BIG, "Which."),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_account_camera_account_id"
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_account_camera_camera_id"),
        sa.PrimaryKeyConstraint("account_id", "camera_id", name="pk_account_camera"),
        comment="Cameras that an account may see.",
    )
    op.create_index("ix_account_camera_of_camera", "account_camera", ["camera_id"])
    op.create_table(
        "session",
        required("id", BIG, "Row number."),
        required("token_sha256", TEXT, "Of the cookie, hex."),
        required("account_id", BIG, "Whose."),
        required("created_at_us", BIG, "When, microseconds UTC."),
        required("used_at_us", BIG, "When it last asked something."),
        required("expires_at_us", BIG, "When it ends."),
        sa.CheckConstraint(
            "created_at_us <= used_at_us AND created_at_us <= expires_at_us",
            name=op.f("ck_session_span"),
        ),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_session_token_sha256")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("token_sha256", name="uq_session_token_sha256"),
        comment="Browsers that are signed in.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_of_account", "session", ["account_id"])
    op.create_table(
        "api_token",
        required("id", BIG, "Row number."),
        required("account_id", BIG, "Whose."),
        required("name", TEXT, "What it is for, in the owner's words."),
        required("token_sha256", TEXT, "Of the token, hex."),
        required("role", TEXT, "viewer, operator or admin, at most."),
        required("created_at_us", BIG, "When, microseconds UTC."),
        optional("expires_at_us", BIG, "When it ends; null: never."),
        optional("used_at_us", BIG, "When last; null: never."),
        optional("revoked_at_us", BIG, "When it was taken back; null: it was not."),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_token_named")),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'admin')", name=op.f("ck_api_token_role")
        ),
        sa.CheckConstraint("created_at_us <= expires_at_us", name=op.f("ck_api_token_span")),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_api_token_token_sha256")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_api_token_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("token_sha256", name="uq_api_token_token_sha256"),
        comment="Programs that may ask on behalf of an account.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_token_of_account", "api_token", ["account_id"])


def create_what_is_watched() -> None:
    op.create_table(
        "shape",
        required("id", BIG, "Row number."),
        required("camera_id", BIG, "On whose."),
        required("kind", TEXT, "zone or line."),
        required("name", TEXT, "Unique among the camera's standing ones."),
        required(
            "points", TEXT, "JSON list of [x, y], fractions of the picture's width and height."
        ),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        optional("removed_at_us", BIG, "When; null: it stands."),
        optional("removed_by", TEXT, "Who; null: it stands."),
        sa.CheckConstraint("kind IN ('zone', 'line')", name=op.f("ck_shape_kind")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_shape_named")),
        sa.CheckConstraint(
            "(removed_at_us IS NULL) = (removed_by IS NULL)", name=op.f("ck_shape_removed")
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_shape_camera_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shape"),
        comment="Zones and lines drawn on cameras' pictures.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_shape_standing",
        "shape",
        ["camera_id", "name"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "rule",
        required("id", BIG, "Row number."),
        required("name", TEXT, "Unique among standing ones."),
        required("kind", TEXT, "Such as `zone entered`."),
        required("settings", TEXT, "JSON object, as the kind wants it."),
        required("origin", TEXT, "config or page."),
        required("is_on", sa.Boolean(), "Whether it raises anything."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        optional("removed_at_us", BIG, "When; null: it stands."),
        optional("removed_by", TEXT, "Who; null: it stands."),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_rule_kind")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_rule_named")),
        sa.CheckConstraint("origin IN ('config', 'page')", name=op.f("ck_rule_origin")),
        sa.CheckConstraint(
            "(removed_at_us IS NULL) = (removed_by IS NULL)", name=op.f("ck_rule_removed")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
        comment="What raises alerts.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_rule_standing",
        "rule",
        ["name"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "interest",
        required("id", BIG, "Row number."),
        required("name", TEXT, "In the operator's words."),
        optional("identity_id", BIG, "Who; null: known by examples only."),
        required("reason", TEXT, "Why, in the operator's words."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        required("expires_at_us", BIG, "When nobody looks for them any more."),
        optional("removed_at_us", BIG, "When; null: it stands."),
        optional("removed_by", TEXT, "Who; null: it stands."),
        sa.CheckConstraint("name <> ''", name=op.f("ck_interest_named")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_interest_reason")),
        sa.CheckConstraint(
            "(removed_at_us IS NULL) = (removed_by IS NULL)", name=op.f("ck_interest_removed")
        ),
        sa.CheckConstraint("made_at_us <= expires_at_us", name=op.f("ck_interest_span")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_interest_identity_id"),
        sa.PrimaryKeyConstraint("id", name="pk_interest"),
        comment="Persons of interest.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_interest_of_identity", "interest", ["identity_id"])
    op.create_table(
        "interest_example",
        required("interest_id", BIG, "Whose."),
        required("rank", sa.SmallInteger(), "0, 1, ... as given."),
        optional("picture", TEXT, "sha256; null: only the vector is there."),
        required("modality", TEXT, "Its light."),
        optional("model", TEXT, "Network of the vector; null: not described yet."),
        optional("vector", sa.LargeBinary(), "float32, unit length; null: not described yet."),
        sa.CheckConstraint(
            "modality IN ('visible', 'infrared')", name=op.f("ck_interest_example_modality")
        ),
        sa.CheckConstraint(
            "(model IS NULL) = (vector IS NULL)", name=op.f("ck_interest_example_model")
        ),
        sa.CheckConstraint("rank >= 0", name=op.f("ck_interest_example_rank")),
        sa.CheckConstraint(
            "picture IS NOT NULL OR vector IS NOT NULL", name=op.f("ck_interest_example_something")
        ),
        sa.CheckConstraint("length(vector) % 4 = 0", name=op.f("ck_interest_example_vector")),
        sa.ForeignKeyConstraint(
            ["interest_id"], ["interest.id"], name="fk_interest_example_interest_id"
        ),
        sa.ForeignKeyConstraint(
            ["picture"], ["evidence.sha256"], name="fk_interest_example_picture"
        ),
        sa.PrimaryKeyConstraint("interest_id", "rank", name="pk_interest_example"),
        comment="What a person of interest looks like.",
    )
    op.create_index("ix_interest_example_of_picture", "interest_example", ["picture"])


def create_places_and_recordings() -> None:
    op.create_table(
        "floor_plan",
        required("id", BIG, "Row number."),
        required("picture", TEXT, "sha256 of the plan, a JPEG."),
        required("metres_per_pixel", sa.Double(), "Its scale."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        sa.CheckConstraint("metres_per_pixel > 0", name=op.f("ck_floor_plan_metres_per_pixel")),
        sa.ForeignKeyConstraint(["picture"], ["evidence.sha256"], name="fk_floor_plan_picture"),
        sa.PrimaryKeyConstraint("id", name="pk_floor_plan"),
        comment="Plans of the site; the newest holds.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "camera_place",
        required("id", BIG, "Row number."),
        required("camera_id", BIG, "Which."),
        optional(
            "x_m", sa.Double(), "From the plan's left edge, metres; null: taken off the plan."
        ),
        optional("y_m", sa.Double(), "From the plan's top edge, metres."),
        optional("heading_deg", sa.Double(), "Where it looks: 0 up the plan, 90 right, degrees."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        sa.CheckConstraint(
            "heading_deg >= 0 AND heading_deg < 360", name=op.f("ck_camera_place_heading_deg")
        ),
        sa.CheckConstraint(
            "(x_m IS NULL) = (y_m IS NULL) AND (x_m IS NULL) = (heading_deg IS NULL)",
            name=op.f("ck_camera_place_place"),
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_camera_place_camera_id"),
        sa.PrimaryKeyConstraint("id", name="pk_camera_place"),
        comment="Where cameras stand; the newest of a camera holds.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_camera_place_of_camera", "camera_place", ["camera_id", "id"])
    op.create_table(
        "segment",
        required("id", BIG, "Row number."),
        required("camera_id", BIG, "Whose."),
        required("from_us", BIG, "First frame, microseconds UTC."),
        required("to_us", BIG, "Last frame, microseconds UTC."),
        required("path", TEXT, "Below the folder of recordings, with /."),
        required("codec", TEXT, "Such as `h264`."),
        required("n_bytes", BIG, "Size of the file."),
        required("sha256", TEXT, "Of the file, hex."),
        optional("kept_until_us", BIG, "Evidence lock: is not deleted before; null: not locked."),
        sa.CheckConstraint("n_bytes >= 0", name=op.f("ck_segment_n_bytes")),
        sa.CheckConstraint("path <> ''", name=op.f("ck_segment_path")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_segment_sha256")),
        sa.CheckConstraint("from_us <= to_us", name=op.f("ck_segment_span")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_segment_camera_id"),
        sa.PrimaryKeyConstraint("id", name="pk_segment"),
        sa.UniqueConstraint("path", name="uq_segment_path"),
        sa.UniqueConstraint("camera_id", "from_us", name="uq_segment_camera_id_from_us"),
        comment="Recorded files of cameras.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_segment_of_span", "segment", ["from_us", "id"])
    op.create_table(
        "identity_name",
        required("id", BIG, "Row number; newest holds."),
        required("identity_id", BIG, "Whom."),
        required("name", TEXT, "Such as `red coat`; empty takes it away."),
        required("made_by", TEXT, "Operator's name."),
        required("made_at_us", BIG, "When, microseconds UTC."),
        sa.CheckConstraint("made_by <> ''", name=op.f("ck_identity_name_made_by")),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name="fk_identity_name_identity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_name"),
        comment="What operators call persons; only appended.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_identity_name_of_identity", "identity_name", ["identity_id", "id"])
