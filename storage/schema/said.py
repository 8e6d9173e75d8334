"""What was said about who it is: links with their reasons, operators' verdicts.

Only appended. `sighting.identity_id` and `sighting.link_sequence` repeat what its newest link event
says, so that a trajectory is one index range; both are written in the event's own transaction and
`storage.check` proves them.
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

from storage.schema.base import BIG, NEVER_REUSED, Table, one_of
from storage.types import Decision, Side, VerdictKind


class IdentityRow(Table):
    __tablename__ = "identity"
    __table_args__ = ({"comment": "Persons; who they are follows from events.", **NEVER_REUSED},)

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Number in P-0007.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When the first link event made it.")


class LinkEventRow(Table):
    __tablename__ = "link_event"
    __table_args__ = (
        UniqueConstraint("sighting_id", "sequence"),
        CheckConstraint("sequence >= 0", name="sequence"),
        CheckConstraint(one_of("decision", Decision), name="decision"),
        CheckConstraint(
            f"(decision = '{Decision.UNSURE}') = (identity_id IS NULL)", name="identity"
        ),
        CheckConstraint("(candidate_id IS NULL) = (probability IS NULL)", name="candidate"),
        CheckConstraint(
            "(runner_up_id IS NULL) = (runner_up_probability IS NULL)", name="runner_up"
        ),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
        CheckConstraint("threshold BETWEEN 0 AND 1", name="threshold"),
        CheckConstraint("runner_up_probability BETWEEN 0 AND 1", name="runner_up_probability"),
        CheckConstraint("reason <> ''", name="reason"),
        {"comment": "Who a sighting was said to be, and why; only appended.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    sighting_id: Mapped[int] = mapped_column(BIG, ForeignKey("sighting.id"), comment="Of whom.")
    sequence: Mapped[int] = mapped_column(Integer, comment="0, 1, ... within the sighting.")
    decision: Mapped[str] = mapped_column(Text, comment="link, new or unsure.")
    identity_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Who; null: unsure."
    )
    candidate_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Best identity compared; null: none."
    )
    probability: Mapped[float | None] = mapped_column(
        Double, comment="That the candidate is the same person, 0-1."
    )
    threshold: Mapped[float] = mapped_column(Double, comment="What a link had to reach, 0-1.")
    runner_up_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("identity.id"), comment="Second-best identity; null: none."
    )
    runner_up_probability: Mapped[float | None] = mapped_column(
        Double, comment="That the runner-up is the same person, 0-1."
    )
    reason: Mapped[str] = mapped_column(Text, comment="One sentence for the operator.")
    calibration: Mapped[str] = mapped_column(Text, comment="What made similarity a probability.")
    grounds: Mapped[str | None] = mapped_column(
        Text, comment="JSON object of the numbers behind the reason; null: none."
    )
    verdict_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("verdict.id"), comment="The operator's verdict that it follows; null: none."
    )
    made_by: Mapped[str] = mapped_column(Text, comment="linker, refine, or the operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When it was decided.")


class VerdictRow(Table):
    __tablename__ = "verdict"
    __table_args__ = (
        UniqueConstraint("undoes_id"),
        CheckConstraint(one_of("kind", VerdictKind), name="kind"),
        CheckConstraint(f"(kind = '{VerdictKind.UNDO}') = (undoes_id IS NOT NULL)", name="undoes"),
        CheckConstraint("made_by <> ''", name="made_by"),
        {"comment": "What operators decided; only appended, taken back by `undo`.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Number in V12.")
    kind: Mapped[str] = mapped_column(Text, comment="same, not same, merge, split, forget or undo.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    reason: Mapped[str] = mapped_column(Text, comment="In the operator's words; may be empty.")
    undoes_id: Mapped[int | None] = mapped_column(
        BIG, ForeignKey("verdict.id"), comment="The verdict taken back; only of `undo`."
    )


class IdentityNameRow(Table):
    __tablename__ = "identity_name"
    __table_args__ = (
        CheckConstraint("made_by <> ''", name="made_by"),
        {"comment": "What operators call persons; only appended.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number; newest holds.")
    identity_id: Mapped[int] = mapped_column(BIG, ForeignKey("identity.id"), comment="Whom.")
    name: Mapped[str] = mapped_column(Text, comment="Such as `red coat`; empty takes it away.")
    made_by: Mapped[str] = mapped_column(Text, comment="Operator's name.")
    made_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")


class VerdictSightingRow(Table):
    __tablename__ = "verdict_sighting"
    __table_args__ = (
        CheckConstraint(one_of("side", Side), name="side"),
        {"comment": "The visits that a verdict is about, on its two sides."},
    )

    verdict_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("verdict.id"), primary_key=True, comment="Whose."
    )
    sighting_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("sighting.id"), primary_key=True, comment="The visit."
    )
    side: Mapped[str] = mapped_column(
        Text, comment="a: what was decided about; b: what it was held against."
    )


# All that was ever said about a person (also: may this identity be forgotten?).
Index("ix_link_event_of_identity", LinkEventRow.identity_id)
# What operators said about a visit.
Index("ix_verdict_sighting_of_sighting", VerdictSightingRow.sighting_id)
# What a person is called.
Index("ix_identity_name_of_identity", IdentityNameRow.identity_id, IdentityNameRow.id)
