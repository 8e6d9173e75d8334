"""On PostgreSQL, exemplars in one partition per UTC day. SQLite keeps its plain table."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONSTRAINTS = (
    "CONSTRAINT pk_exemplar PRIMARY KEY (id, captured_at_us)",
    "CONSTRAINT uq_exemplar_sighting_id_rank UNIQUE (sighting_id, rank, captured_at_us)",
    "CONSTRAINT fk_exemplar_evidence FOREIGN KEY (evidence) REFERENCES evidence (sha256)",
    "CONSTRAINT fk_exemplar_model_version_id_dimension FOREIGN KEY (model_version_id, dimension) "
    "REFERENCES model_version (id, dimension)",
    "CONSTRAINT fk_exemplar_sighting_id FOREIGN KEY (sighting_id) REFERENCES sighting (id)",
)
MAKE_DAYS = """
    DO $$
    DECLARE
        a_day bigint := 86400000000;
        day record;
    BEGIN
        FOR day IN
            SELECT DISTINCT captured_at_us / a_day AS number FROM unpartitioned_exemplar
            WHERE captured_at_us >= 0 AND captured_at_us / a_day < 2932897 ORDER BY 1
        LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF exemplar FOR VALUES FROM (%s) TO (%s)',
                'exemplar_' || to_char(DATE '1970-01-01' + day.number::int, 'YYYYMMDD'),
                day.number * a_day, (day.number + 1) * a_day
            );
        END LOOP;
    END $$
"""
"""Days from 1970 to 9999, named as `storage.partitions` names them; others stay stragglers."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE exemplar RENAME TO unpartitioned_exemplar")
    op.execute("ALTER SEQUENCE exemplar_id_seq OWNED BY NONE")
    op.execute(
        "CREATE TABLE exemplar (LIKE unpartitioned_exemplar "
        "INCLUDING COMMENTS INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING STORAGE"
        ") PARTITION BY RANGE (captured_at_us)"
    )
    op.execute("COMMENT ON TABLE exemplar IS 'Crops worth keeping, with their vectors.'")
    op.execute("CREATE TABLE exemplar_stragglers PARTITION OF exemplar DEFAULT")
    op.execute(MAKE_DAYS)
    op.execute("INSERT INTO exemplar SELECT * FROM unpartitioned_exemplar")
    op.execute("DROP TABLE unpartitioned_exemplar")  # its names are free now
    for constraint in CONSTRAINTS:
        op.execute(f"ALTER TABLE exemplar ADD {constraint}")
    op.execute("CREATE INDEX ix_exemplar_of_evidence ON exemplar (evidence)")
    op.execute("ALTER SEQUENCE exemplar_id_seq OWNED BY exemplar.id")
