"""The index of trajectories answers where and when by itself, without reading the visits."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX = "ix_sighting_trajectory"


def upgrade() -> None:
    op.drop_index(INDEX, table_name="sighting")
    op.create_index(
        INDEX,
        "sighting",
        ["identity_id", "first_seen_us", "id", "last_seen_us", "camera_id", "modality"],
    )
