"""Rows: secrets of authenticator apps (encrypted), hashes of recovery codes, public keys of passkeys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted


class Totp(Base):
    """A user's authenticator app (RFC 6238); valid once its first code was confirmed."""

    __tablename__ = "totp"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[
        int | None
    ]  # the newest time step whose code was used: no code is accepted twice


class RecoveryCode(Base):
    """A one-time code for the loss of every other factor."""

    __tablename__ = "recovery_code"

    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Base, Tenanted):
    """A user's passkey (WebAuthn): only its public key is stored."""

    __tablename__ = "passkey"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    challenged_at: Mapped[
        datetime | None
    ]  # the newest challenge it answered: none is answered twice
