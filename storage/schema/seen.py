"""What was seen: cameras, visits, their crops and vectors, and when nobody looked."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema.base import BIG, NEVER_REUSED, SHA256_DIGITS, Table, one_of
from streams.types import Modality

TRAIL_ROW_BYTES = 5 * 8
VECTOR_NUMBER_BYTES = 4


class SiteRow(Table):
    """Facts about this database as a whole."""

    __tablename__ = "site"
    __table_args__ = ({"comment": "Facts about this database as a whole."},)

    name: Mapped[str] = mapped_column(Text, primary_key=True, comment="What is said.")
    value: Mapped[str] = mapped_column(Text, comment="`product` is noctule: the database is ours.")


class CameraRow(Table):
    __tablename__ = "camera"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("name <> ''", name="named"),
        {"comment": "Cameras that ever recorded something.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    name: Mapped[str] = mapped_column(Text, comment="Name in the configuration.")
    description: Mapped[str] = mapped_column(Text, comment="Where it looks, for the operator.")


class ModelVersionRow(Table):
    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("id", "dimension"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("dimension >= 1", name="dimension"),
        {"comment": "Networks that made vectors; never compared with each other.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    name: Mapped[str] = mapped_column(Text, comment="Name and content: name@sha256 digits.")
    dimension: Mapped[int | None] = mapped_column(
        Integer, comment="Numbers per vector; unknown until it made one."
    )


class SightingRow(Table):
    __tablename__ = "sighting"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("track", "part"),
        CheckConstraint("part >= 0", name="part"),
        CheckConstraint("n_frames >= 1", name="n_frames"),
        CheckConstraint("first_seen_us <= last_seen_us", name="span"),
        CheckConstraint("duration_us = last_seen_us - first_seen_us", name="duration"),
        CheckConstraint("link_sequence >= 0", name="link_sequence"),
        CheckConstraint(f"length(trail) % {TRAIL_ROW_BYTES} = 0", name="trail"),
        CheckConstraint(one_of("modality", Modality), name="modality"),
        {"comment": "One visit of one person to one camera, or a part of it.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    key: Mapped[str] = mapped_column(Text, comment="Names the tracklet; recorded once.")
    track: Mapped[str] = mapped_column(Text, comment="Shared by the parts of one unbroken view.")
    part: Mapped[int] = mapped_column(Integer, comment="0, 1, ... within the track.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="Who saw.")
    modality: Mapped[str] = mapped_column(Text, comment="Light of most of its frames.")
    first_seen_us: Mapped[int] = mapped_column(BIG, comment="First frame, microseconds UTC.")
    last_seen_us: Mapped[int] = mapped_column(BIG, comment="Last frame, microseconds UTC.")
    duration_us: Mapped[int] = mapped_column(
        BIG, comment="Last frame less first frame, microseconds."
    )
    n_frames: Mapped[int] = mapped_column(Integer, comment="Frames with a detection.")
    trail: Mapped[bytes] = mapped_column(
        LargeBinary, comment="float64 rows of captured_at_us, x0, y0, x1, y1 (pixels)."
    )
    model_version_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("model_version.id"), comment="Network of its vectors."
    )
    identity_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="As the newest link event says; null: unsure."
    )
    link_sequence: Mapped[int] = mapped_column(Integer, comment="The newest link event.")


class EvidenceRow(Table):
    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint(f"length(sha256) = {SHA256_DIGITS}", name="sha256"),
        {"comment": "Pictures in the evidence folder that rows refer to."},
    )

    sha256: Mapped[str] = mapped_column(Text, primary_key=True, comment="Of the file, hex.")
    recorded_at_us: Mapped[int] = mapped_column(BIG, comment="When a row first referred to it.")


class ExemplarRow(Table):
    __tablename__ = "exemplar"
    __table_args__ = (
        UniqueConstraint("sighting_id", "rank"),
        ForeignKeyConstraint(
            ["model_version_id", "dimension"], ["model_version.id", "model_version.dimension"]
        ),
        CheckConstraint("rank >= 0", name="rank"),
        CheckConstraint(f"length(vector) = dimension * {VECTOR_NUMBER_BYTES}", name="vector"),
        CheckConstraint(one_of("modality", Modality), name="modality"),
        CheckConstraint("x0 <= x1 AND y0 <= y1", name="box"),
        CheckConstraint("quality BETWEEN 0 AND 1", name="quality"),
        {"comment": "Crops worth keeping, with their vectors.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Key in the vector index.")
    sighting_id: Mapped[int] = mapped_column(BIG, ForeignKey("sighting.id"), comment="Of whom.")
    rank: Mapped[int] = mapped_column(SmallInteger, comment="0 is the best of the sighting.")
    model_version_id: Mapped[int] = mapped_column(BIG, comment="Network of the vector.")
    dimension: Mapped[int] = mapped_column(Integer, comment="Numbers in the vector.")
    vector: Mapped[bytes] = mapped_column(LargeBinary, comment="float32, unit length.")
    modality: Mapped[str] = mapped_column(Text, comment="Light of the crop.")
    captured_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    x0: Mapped[float] = mapped_column(Double, comment="Left edge in the frame, pixels.")
    y0: Mapped[float] = mapped_column(Double, comment="Top edge in the frame, pixels.")
    x1: Mapped[float] = mapped_column(Double, comment="Right edge in the frame, pixels.")
    y1: Mapped[float] = mapped_column(Double, comment="Bottom edge in the frame, pixels.")
    quality: Mapped[float] = mapped_column(Double, comment="How far to trust the vector, 0-1.")
    evidence: Mapped[str | None] = mapped_column(
        Text, ForeignKey("evidence.sha256"), comment="Its picture; null: could not be kept."
    )


class GapRow(Table):
    __tablename__ = "gap"
    __table_args__ = (
        UniqueConstraint("camera_id", "from_us"),
        CheckConstraint("from_us <= to_us", name="span"),
        CheckConstraint("reason <> ''", name="reason"),
        {"comment": "When a camera delivered nothing: nobody looked.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="Whose.")
    from_us: Mapped[int] = mapped_column(BIG, comment="Last frame before it.")
    to_us: Mapped[int | None] = mapped_column(BIG, comment="First frame after it; null: lasts.")
    reason: Mapped[str] = mapped_column(Text, comment="Why nobody looked.")


class SegmentRow(Table):
    __tablename__ = "segment"
    __table_args__ = (
        UniqueConstraint("camera_id", "from_us"),
        UniqueConstraint("path"),
        CheckConstraint("from_us <= to_us", name="span"),
        CheckConstraint("path <> ''", name="path"),
        CheckConstraint("n_bytes >= 0", name="n_bytes"),
        CheckConstraint(f"length(sha256) = {SHA256_DIGITS}", name="sha256"),
        {"comment": "Recorded files of cameras.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="Whose.")
    from_us: Mapped[int] = mapped_column(BIG, comment="First frame, microseconds UTC.")
    to_us: Mapped[int] = mapped_column(BIG, comment="Last frame, microseconds UTC.")
    path: Mapped[str] = mapped_column(Text, comment="Below the folder of recordings, with /.")
    codec: Mapped[str] = mapped_column(Text, comment="Such as `h264`.")
    n_bytes: Mapped[int] = mapped_column(BIG, comment="Size of the file.")
    sha256: Mapped[str] = mapped_column(Text, comment="Of the file, hex.")
    kept_until_us: Mapped[int | None] = mapped_column(
        BIG, comment="Evidence lock: is not deleted before; null: not locked."
    )


class RunRow(Table):
    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("started_at_us <= ended_at_us", name="span"),
        {"comment": "Runs of the watcher.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    started_at_us: Mapped[int] = mapped_column(BIG, comment="When it started.")
    ended_at_us: Mapped[int | None] = mapped_column(
        BIG, comment="When it ended; null: it runs, or was killed."
    )
    program: Mapped[str] = mapped_column(Text, comment="Version of the program.")
    config_hash: Mapped[str] = mapped_column(Text, comment="sha256 of its configuration.")


# Which visits overlap a span: those that begin in it, or before it by no more than the longest.
Index("ix_sighting_of_span", SightingRow.first_seen_us, SightingRow.id)
Index("ix_sighting_longest", SightingRow.duration_us)
Index(
    "ix_sighting_of_camera_in_span",
    SightingRow.camera_id,
    SightingRow.first_seen_us,
    SightingRow.id,
)
# A person's trajectory, and their last sighting; where and when is answered by the index alone,
# for the visits of one person lie on as many pages.
Index(
    "ix_sighting_trajectory",
    SightingRow.identity_id,
    SightingRow.first_seen_us,
    SightingRow.id,
    SightingRow.last_seen_us,
    SightingRow.camera_id,
    SightingRow.modality,
)
# Who else refers to a picture before it is deleted.
Index("ix_exemplar_of_evidence", ExemplarRow.evidence)
# The oldest recordings, which go first.
Index("ix_segment_of_span", SegmentRow.from_us, SegmentRow.id)
