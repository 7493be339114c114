"""Rows: passwords, invitations, sign-ins with their refresh tokens, devices. Only hashes of secrets are kept."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted


class EndedBy(StrEnum):
    """Why a sign-in ended before its time."""

    USER = "user"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - a reason
    DISABLED = "disabled"
    MANAGER = "manager"  # who manages the user ended it
    REUSE = "reuse"  # a refresh token came back a second time: one of the two was stolen


class Purpose(StrEnum):
    """Why somebody may set a password."""

    INVITATION = "invitation"
    RESET = "reset"  # the user forgot the old one


class Password(Base):
    """A user's password, as Argon2id hash."""

    __tablename__ = "password"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime]


class Invitation(Base, Tenanted):
    """A one-time right to set a user's password. Whoever made it must still manage the user when it is used."""

    __tablename__ = "invitation"
    __table_args__ = (Index(None, "secrets", postgresql_using="gin"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(default=Purpose.INVITATION)
    invited_by: Mapped[str | None]  # as the ledger names actors; null: before this was kept
    secrets: Mapped[list[bytes]] = mapped_column(
        ARRAY(LargeBinary)
    )  # SHA-256 of each text given out
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignIn(Base, Tenanted):
    """One session of a user; it lives on by refresh tokens, each good once. Address and device are erased with it."""

    __tablename__ = "sign_in"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    method: Mapped[str] = mapped_column(default="password")
    user_agent: Mapped[str | None]
    address: Mapped[str | None]
    started_at: Mapped[datetime]
    renewed_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[EndedBy | None]


class RefreshToken(Base):
    """A refresh token: used once, for the next one, which follows from its text and `successor_salt`."""

    __tablename__ = "refresh_token"

    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    sign_in_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in.id"), index=True)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[bytes | None] = mapped_column(LargeBinary)  # a hash of the client's name
    successor_salt: Mapped[bytes | None] = mapped_column(LargeBinary)


class Device(Base, Tenanted):
    """A guard's device that hands in what it measures, in its user's name, and may do nothing else."""

    __tablename__ = "device"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    clock_ms: Mapped[int] = mapped_column(default=0)
    """What is added to its instants: how far its clock is behind ours, as it said itself."""
    refusals: Mapped[int] = mapped_column(default=0)
    """How much of what it handed in was refused; the last of it follows."""
    refused_at: Mapped[datetime | None]
    refused_for: Mapped[str | None]
    refused_message: Mapped[str | None]
