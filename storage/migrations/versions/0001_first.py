"""The first schema: cameras, sightings, identities, links with their reasons, gaps, evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.columns import BIG, TEXT, optional, required

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE_APPEND_ONLY = """
    CREATE TRIGGER link_event_is_only_appended BEFORE UPDATE ON link_event
    BEGIN SELECT RAISE(ABORT, 'link_event is only appended'); END
"""
POSTGRESQL_REFUSE = """
    CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is only appended', TG_TABLE_NAME; END $$
"""
POSTGRESQL_APPEND_ONLY = """
    CREATE TRIGGER link_event_is_only_appended BEFORE UPDATE ON link_event
    FOR EACH ROW EXECUTE FUNCTION refuse_update()
"""


def upgrade() -> None:
    create_site_and_cameras()
    create_models_and_identities()
    create_sightings()
    create_link_events()
    create_exemplars()
    refuse_changes_of_link_events()


def create_site_and_cameras() -> None:
    op.create_table(
        "site",
        required("name", TEXT, "What is said."),
        required("value", TEXT, "`product` is noctule: the database is ours."),
        sa.PrimaryKeyConstraint("name", name="pk_site"),
        comment="Facts about this database as a whole.",
    )
    op.execute("INSERT INTO site (name, value) VALUES ('product', 'noctule')")
    op.create_table(
        "run",
        required("id", BIG, "Row number."),
        required("started_at_us", BIG, "When it started."),
        optional("ended_at_us", BIG, "When it ended; null: it runs, or was killed."),
        required("program", TEXT, "Version of the program."),
        required("config_hash", TEXT, "sha256 of its configuration."),
        sa.CheckConstraint("started_at_us <= ended_at_us", name=op.f("ck_run_span")),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        comment="Runs of the watcher.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "camera",
        required("id", BIG, "Row number."),
        required("name", TEXT, "Name in the configuration."),
        required("description", TEXT, "Where it looks, for the operator."),
        sa.CheckConstraint("name <> ''", name=op.f("ck_camera_named")),
        sa.PrimaryKeyConstraint("id", name="pk_camera"),
        sa.UniqueConstraint("name", name="uq_camera_name"),
        comment="Cameras that ever recorded something.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gap",
        required("id", BIG, "Row number."),
        required("camera_id", BIG, "Whose."),
        required("from_us", BIG, "Last frame before it."),
        optional("to_us", BIG, "First frame after it; null: lasts."),
        required("reason", TEXT, "Why nobody looked."),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_gap_reason")),
        sa.CheckConstraint("from_us <= to_us", name=op.f("ck_gap_span")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_gap_camera_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gap"),
        sa.UniqueConstraint("camera_id", "from_us", name="uq_gap_camera_id_from_us"),
        comment="When a camera delivered nothing: nobody looked.",
        sqlite_autoincrement=True,
    )


def create_models_and_identities() -> None:
    op.create_table(
        "model_version",
        required("id", BIG, "Row number."),
        required("name", TEXT, "Name and content: name@sha256 digits."),
        optional("dimension", sa.Integer(), "Numbers per vector; unknown until it made one."),
        sa.CheckConstraint("name <> ''", name=op.f("ck_model_version_named")),
        sa.CheckConstraint("dimension >= 1", name=op.f("ck_model_version_dimension")),
        sa.PrimaryKeyConstraint("id", name="pk_model_version"),
        sa.UniqueConstraint("id", "dimension", name="uq_model_version_id_dimension"),
        sa.UniqueConstraint("name", name="uq_model_version_name"),
        comment="Networks that made vectors; never compared with each other.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identity",
        required("id", BIG, "Number in P-0007."),
        required("made_at_us", BIG, "When the first link event made it."),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
        comment="Persons; who they are follows from events.",
        sqlite_autoincrement=True,
    )


def create_sightings() -> None:
    op.create_table(
        "sighting",
        required("id", BIG, "Row number."),
        required("key", TEXT, "Names the tracklet; recorded once."),
        required("track", TEXT, "Shared by the parts of one unbroken view."),
        required("part", sa.Integer(), "0, 1, ... within the track."),
        required("camera_id", BIG, "Who saw."),
        required("modality", TEXT, "Light of most of its frames."),
        required("first_seen_us", BIG, "First frame, microseconds UTC."),
        required("last_seen_us", BIG, "Last frame, microseconds UTC."),
        required("duration_us", BIG, "Last frame less first frame, microseconds."),
        required("n_frames", sa.Integer(), "Frames with a detection."),
        required(
            "trail", sa.LargeBinary(), "float64 rows of captured_at_us, x0, y0, x1, y1 (pixels)."
        ),
        required("model_version_id", BIG, "Network of its vectors."),
        optional("identity_id", BIG, "As the newest link event says; null: unsure."),
        required("link_sequence", sa.Integer(), "The newest link event."),
        sa.CheckConstraint(
            "modality IN ('visible', 'infrared')", name=op.f("ck_sighting_modality")
        ),
        sa.CheckConstraint("first_seen_us <= last_seen_us", name=op.f("ck_sighting_span")),
        sa.CheckConstraint(
            "duration_us = last_seen_us - first_seen_us", name=op.f("ck_sighting_duration")
        ),
        sa.CheckConstraint("length(trail) % 40 = 0", name=op.f("ck_sighting_trail")),
        sa.CheckConstraint("link_sequence >= 0", name=op.f("ck_sighting_link_sequence")),
        sa.CheckConstraint("n_frames >= 1", name=op.f("ck_sighting_n_frames")),
        sa.CheckConstraint("part >= 0", name=op.f("ck_sighting_part")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name="fk_sighting_camera_id"),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_sighting_identity_id"),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_version.id"], name="fk_sighting_model_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sighting"),
        sa.UniqueConstraint("key", name="uq_sighting_key"),
        sa.UniqueConstraint("track", "part", name="uq_sighting_track_part"),
        comment="One visit of one person to one camera, or a part of it.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_sighting_longest",
        "sighting",
        ["duration_us"],
        unique=False,
    )
    op.create_index(
        "ix_sighting_of_camera_in_span",
        "sighting",
        ["camera_id", "first_seen_us", "id"],
        unique=False,
    )
    op.create_index("ix_sighting_of_span", "sighting", ["first_seen_us", "id"], unique=False)
    op.create_index(
        "ix_sighting_trajectory", "sighting", ["identity_id", "first_seen_us", "id"], unique=False
    )


def create_link_events() -> None:
    op.create_table(
        "link_event",
        required("id", BIG, "Row number."),
        required("sighting_id", BIG, "Of whom."),
        required("sequence", sa.Integer(), "0, 1, ... within the sighting."),
        required("decision", TEXT, "link, new or unsure."),
        optional("identity_id", BIG, "Who; null: unsure."),
        optional("candidate_id", BIG, "Best identity compared; null: none."),
        optional("probability", sa.Double(), "That the candidate is the same person, 0-1."),
        required("threshold", sa.Double(), "What a link had to reach, 0-1."),
        optional("runner_up_id", BIG, "Second-best identity; null: none."),
        optional(
            "runner_up_probability", sa.Double(), "That the runner-up is the same person, 0-1."
        ),
        required("reason", TEXT, "One sentence for the operator."),
        required("calibration", TEXT, "What made similarity a probability."),
        required("made_by", TEXT, "linker, or who else decided."),
        required("made_at_us", BIG, "When it was decided."),
        sa.CheckConstraint(
            "(decision = 'unsure') = (identity_id IS NULL)", name=op.f("ck_link_event_identity")
        ),
        sa.CheckConstraint(
            "decision IN ('link', 'new', 'unsure')", name=op.f("ck_link_event_decision")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_link_event_reason")),
        sa.CheckConstraint(
            "(candidate_id IS NULL) = (probability IS NULL)", name=op.f("ck_link_event_candidate")
        ),
        sa.CheckConstraint(
            "(runner_up_id IS NULL) = (runner_up_probability IS NULL)",
            name=op.f("ck_link_event_runner_up"),
        ),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_link_event_probability")),
        sa.CheckConstraint(
            "runner_up_probability BETWEEN 0 AND 1",
            name=op.f("ck_link_event_runner_up_probability"),
        ),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_link_event_sequence")),
        sa.CheckConstraint("threshold BETWEEN 0 AND 1", name=op.f("ck_link_event_threshold")),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["identity.id"], name="fk_link_event_candidate_id"
        ),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name="fk_link_event_identity_id"),
        sa.ForeignKeyConstraint(
            ["runner_up_id"], ["identity.id"], name="fk_link_event_runner_up_id"
        ),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name="fk_link_event_sighting_id"),
        sa.PrimaryKeyConstraint("id", name="pk_link_event"),
        sa.UniqueConstraint("sighting_id", "sequence", name="uq_link_event_sighting_id_sequence"),
        comment="Who a sighting was said to be, and why; only appended.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_link_event_of_identity", "link_event", ["identity_id"], unique=False)


def create_exemplars() -> None:
    op.create_table(
        "evidence",
        required("sha256", TEXT, "Of the file, hex."),
        required("recorded_at_us", BIG, "When a row first referred to it."),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_evidence_sha256")),
        sa.PrimaryKeyConstraint("sha256", name="pk_evidence"),
        comment="Pictures in the evidence folder that rows refer to.",
    )
    op.create_table(
        "exemplar",
        required("id", BIG, "Key in the vector index."),
        required("sighting_id", BIG, "Of whom."),
        required("rank", sa.SmallInteger(), "0 is the best of the sighting."),
        required("model_version_id", BIG, "Network of the vector."),
        required("dimension", sa.Integer(), "Numbers in the vector."),
        required("vector", sa.LargeBinary(), "float32, unit length."),
        required("modality", TEXT, "Light of the crop."),
        required("captured_at_us", BIG, "When, microseconds UTC."),
        required("x0", sa.Double(), "Left edge in the frame, pixels."),
        required("y0", sa.Double(), "Top edge in the frame, pixels."),
        required("x1", sa.Double(), "Right edge in the frame, pixels."),
        required("y1", sa.Double(), "Bottom edge in the frame, pixels."),
        required("quality", sa.Double(), "How far to trust the vector, 0-1."),
        optional("evidence", TEXT, "Its picture; null: could not be kept."),
        sa.CheckConstraint(
            "modality IN ('visible', 'infrared')", name=op.f("ck_exemplar_modality")
        ),
        sa.CheckConstraint("length(vector) = dimension * 4", name=op.f("ck_exemplar_vector")),
        sa.CheckConstraint("quality BETWEEN 0 AND 1", name=op.f("ck_exemplar_quality")),
        sa.CheckConstraint("rank >= 0", name=op.f("ck_exemplar_rank")),
        sa.CheckConstraint("x0 <= x1 AND y0 <= y1", name=op.f("ck_exemplar_box")),
        sa.ForeignKeyConstraint(["evidence"], ["evidence.sha256"], name="fk_exemplar_evidence"),
        sa.ForeignKeyConstraint(
            ["model_version_id", "dimension"],
            ["model_version.id", "model_version.dimension"],
            name="fk_exemplar_model_version_id_dimension",
        ),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name="fk_exemplar_sighting_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exemplar"),
        sa.UniqueConstraint("sighting_id", "rank", name="uq_exemplar_sighting_id_rank"),
        comment="Crops worth keeping, with their vectors.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exemplar_of_evidence", "exemplar", ["evidence"], unique=False)


def refuse_changes_of_link_events() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SQLITE_APPEND_ONLY)
    else:
        op.execute(POSTGRESQL_REFUSE)
        op.execute(POSTGRESQL_APPEND_ONLY)
