"""Who may ask: accounts with their cameras, sessions of browsers, tokens of programs."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.desk.types import Role
from storage.schema.base import BIG, NEVER_REUSED, SHA256_DIGITS, Table, one_of


class AccountRow(Table):
    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("password_hash LIKE '$argon2%'", name="password_hash"),
        CheckConstraint(one_of("role", Role), name="role"),
        CheckConstraint("created_at_us <= changed_at_us", name="span"),
        {"comment": "Who may sign in.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    name: Mapped[str] = mapped_column(Text, comment="To sign in with, casefolded.")
    password_hash: Mapped[str] = mapped_column(Text, comment="argon2, with salt and cost.")
    role: Mapped[str] = mapped_column(Text, comment="viewer, operator or admin.")
    sees_all: Mapped[bool] = mapped_column(
        Boolean, comment="Every camera; else those of `account_camera`."
    )
    must_change: Mapped[bool] = mapped_column(
        Boolean, comment="The password was given by somebody else and is good for once."
    )
    is_active: Mapped[bool] = mapped_column(Boolean, comment="May sign in.")
    created_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    changed_at_us: Mapped[int] = mapped_column(BIG, comment="When anything of it last changed.")


class AccountCameraRow(Table):
    __tablename__ = "account_camera"
    __table_args__ = ({"comment": "Cameras that an account may see."},)

    account_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("account.id"), primary_key=True, comment="Whose."
    )
    camera_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("camera.id"), primary_key=True, comment="Which."
    )


class SessionRow(Table):
    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("token_sha256"),
        CheckConstraint(f"length(token_sha256) = {SHA256_DIGITS}", name="token_sha256"),
        CheckConstraint(
            "created_at_us <= used_at_us AND created_at_us <= expires_at_us", name="span"
        ),
        {"comment": "Browsers that are signed in.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    token_sha256: Mapped[str] = mapped_column(Text, comment="Of the cookie, hex.")
    account_id: Mapped[int] = mapped_column(BIG, ForeignKey("account.id"), comment="Whose.")
    created_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    used_at_us: Mapped[int] = mapped_column(BIG, comment="When it last asked something.")
    expires_at_us: Mapped[int] = mapped_column(BIG, comment="When it ends.")


class ApiTokenRow(Table):
    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("token_sha256"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint(f"length(token_sha256) = {SHA256_DIGITS}", name="token_sha256"),
        CheckConstraint(one_of("role", Role), name="role"),
        CheckConstraint("created_at_us <= expires_at_us", name="span"),
        {"comment": "Programs that may ask on behalf of an account.", **NEVER_REUSED},
    )

    id: Mapped[int] = mapped_column(BIG, primary_key=True, comment="Row number.")
    account_id: Mapped[int] = mapped_column(BIG, ForeignKey("account.id"), comment="Whose.")
    name: Mapped[str] = mapped_column(Text, comment="What it is for, in the owner's words.")
    token_sha256: Mapped[str] = mapped_column(Text, comment="Of the token, hex.")
    role: Mapped[str] = mapped_column(Text, comment="viewer, operator or admin, at most.")
    created_at_us: Mapped[int] = mapped_column(BIG, comment="When, microseconds UTC.")
    expires_at_us: Mapped[int | None] = mapped_column(BIG, comment="When it ends; null: never.")
    used_at_us: Mapped[int | None] = mapped_column(BIG, comment="When last; null: never.")
    revoked_at_us: Mapped[int | None] = mapped_column(
        BIG, comment="When it was taken back; null: it was not."
    )


# Sign everybody out of an account; also: tokens of an account.
Index("ix_session_of_account", SessionRow.account_id)
Index("ix_api_token_of_account", ApiTokenRow.account_id)
# Which accounts may see a camera.
Index("ix_account_camera_of_camera", AccountCameraRow.camera_id)
