"""Rows: passwords, invitations, sign-ins with their refresh tokens, devices. Only hashes of secrets are kept."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from domain.base import Base, Tenanted


class EndedBy(StrEnum):
    """Why a sign-in ended before its time."""

    USER = "user"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - a reason
    REUSE = "reuse"  # a refresh token came back a second time: one of the two was stolen


class Password(Base):
    """A user's password, as Argon2id hash."""

    __tablename__ = "password"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime]


class Invitation(Base, Tenanted):
    """A one-time right to set a user's password."""

    __tablename__ = "invitation"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignIn(Base, Tenanted):
    """One device on which somebody signed in; it lives on by refresh tokens, each good once."""

    __tablename__ = "sign_in"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    started_at: Mapped[datetime]
    renewed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[EndedBy | None]


class RefreshToken(Base):
    """A refresh token: used once, for the next one."""

    __tablename__ = "refresh_token"

    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    sign_in_id: Mapped[UUID] = mapped_column(ForeignKey("sign_in.id"), index=True)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Device(Base, Tenanted):
    """A guard's device that hands in what it measures, in its user's name, and may do nothing else."""

    __tablename__ = "device"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
