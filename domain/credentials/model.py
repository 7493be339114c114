"""Rows: passwords, invitations, sign-ins with their refresh tokens, devices. Only hashes of secrets are stored."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted


class EndedBy(StrEnum):
    """Reason for which a session was ended early."""

    USER = "user"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - a reason
    DISABLED = "disabled"
    MANAGER = "manager"  # a user who manages the user ended it
    FACTORS_RESET = "factors_reset"  # a user who manages the user removed every second factor
    REUSE = "reuse"  # a refresh token was used twice: one of the two users is a thief


class Purpose(StrEnum):
    """Why a user may set a password."""

    INVITATION = "invitation"
    RESET = "reset"  # the user forgot the password


class Password(Base):
    """A user's password, as Argon2id hash."""

    __tablename__ = "password"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime]


class Invitation(Base, Tenanted):
    """A one-time right to set a user's password. Its inviter must still manage the user when it is used."""

    __tablename__ = "invitation"
    __table_args__ = (Index(None, "secrets", postgresql_using="gin"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(default=Purpose.INVITATION)
    invited_by: Mapped[str | None]  # the actor's name in the ledger; null: before this was stored
    secrets: Mapped[list[bytes]] = mapped_column(
        ARRAY(LargeBinary)
    )  # SHA-256 of each text that was sent
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignIn(Base, Tenanted):
    """One session of a user, continued by one-time refresh tokens. Address and user agent are erased with it."""

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
    """A refresh token: used once, for the next one, which is derived from its text and `successor_salt`."""

    __tablename__ = "refresh_token"

    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    sign_in_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in.id"), index=True)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # hash of the client's identification
    successor_salt: Mapped[bytes | None] = mapped_column(LargeBinary)


class Device(Base, Tenanted):
    """A guard's device that reports positions in its user's name, and may do nothing else."""

    __tablename__ = "device"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    clock_ms: Mapped[int] = mapped_column(default=0)
    """Offset added to its times: how far its clock is behind ours, as it reports."""
    refusals: Mapped[int] = mapped_column(default=0)
    """How many of its fixes were refused; the last refusal follows."""
    refused_at: Mapped[datetime | None]
    refused_for: Mapped[str | None]
    refused_message: Mapped[str | None]
