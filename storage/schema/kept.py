"""What an owner must be able to prove: who asked, what was erased, what must stay."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema.base import BIG, NEVER_REUSED, SHA256_DIGITS, Table


class AuditRow(Table):
    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("hash"),
        CheckConstraint(f"length(previous) = {SHA256_DIGITS}", name="previous"),
        CheckConstraint(f"length(hash) = {SHA256_DIGITS}", name="hash"),
        CheckConstraint("who <> ''", name="who"),
        CheckConstraint("action <> ''", name="action"),
        {"comment": "Who asked and did what, each row chained to the one before.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    who: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    action: Mapped[str] = mapped_column(Text, comment="What was done, such as `query trajectory`.")
    subject: Mapped[str] = mapped_column(Text, comment="About whom or what; may be empty.")
    detail: Mapped[str] = mapped_column(Text, comment="JSON object of what else was asked.")
    previous: Mapped[str] = mapped_column(Text, comment="hash of the row before; zeros: none.")
    hash: Mapped[str] = mapped_column(Text, comment="sha256 over `previous` and this row, hex.")


class ErasureRow(Table):
    __tablename__ = "erasure"
    __table_args__ = (
        UniqueConstraint("identity_id"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(f"length(proof) = {SHA256_DIGITS}", name="proof"),
        {"comment": "Tombstones of persons who were erased.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    identity_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Whose number stays, empty, never given again."
    )
    at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    reason: Mapped[str] = mapped_column(Text, comment="In the operator's words.")
    n_sightings: Mapped[int] = mapped_column(Integer, comment="Visits deleted.")
    n_exemplars: Mapped[int] = mapped_column(Integer, comment="Vectors deleted.")
    n_pictures: Mapped[int] = mapped_column(Integer, comment="Pictures deleted.")
    proof: Mapped[str] = mapped_column(
        Text, comment="sha256 over the sorted numbers and hashes of all that was deleted, hex."
    )


class LegalHoldRow(Table):
    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(lifted_at_us IS NULL) = (lifted_by IS NULL)", name="lifted"),
        CheckConstraint("placed_at_us <= lifted_at_us", name="span"),
        {"comment": "Persons whose data must not be deleted.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    identity_id: Mapped[int] = mapped_column(BIG, ForeignKey("identity.id"), comment="Whose.")
    placed_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    placed_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    reason: Mapped[str] = mapped_column(Text, comment="In the operator's words.")
    lifted_at_us: Mapped[int | None] = mapped_column(BIG, comment="When it ended; null: it holds.")
    lifted_by: Mapped[str | None] = mapped_column(Text, comment="Who ended it; null: it holds.")


class CameraMoveRow(Table):
    __tablename__ = "camera_move"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason"),
        {
            "comment": "When a camera moved: what it taught before is void.",
            **NEVER_REUSED,
        },
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    camera_id: Mapped[int] = mapped_column(BIG, ForeignKey("camera.id"), comment="Which.")
    at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    reason: Mapped[str] = mapped_column(Text, comment="In the operator's words.")


# What was done about a person, and by whom.
Index("ix_audit_of_subject", AuditRow.subject, AuditRow.at_us)
# Is this person held?
Index("ix_legal_hold_of_identity", LegalHoldRow.identity_id)
