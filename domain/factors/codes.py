"""Authenticator apps and recovery codes: enrol, remove, and check their codes."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import User
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.credentials import as_user
from domain.factors import rules
from domain.factors.events import FactorAdded, FactorRemoved, RecoveryCodesMade, RecoveryCodeUsed
from domain.factors.model import RecoveryCode, Totp


async def begin_totp(
    session: AsyncSession, user: User, vault: SecretCipher, *, at: datetime
) -> bytes:
    """Begin to enrol an authenticator app and return its secret; a confirmed one must be removed first."""
    secret = rules.new_secret()
    sealed = vault.seal(user.id, secret)
    fresh = insert(Totp).values(
        user_id=user.id, tenant_id=user.tenant_id, sealed=sealed, begun_at=at
    )
    begun = await session.scalar(
        fresh.on_conflict_do_update(
            index_elements=[Totp.user_id],
            set_={"sealed": sealed, "begun_at": at, "last_step": None},
            where=Totp.confirmed_at.is_(None),
        ).returning(Totp.user_id)
    )
    if begun is None:
        words = "You already have an authenticator app: remove it first."
        raise Refused(Code.ALREADY_EXISTS, words)
    return secret


async def confirm_totp(
    session: AsyncSession, user: User, vault: SecretCipher, code: str, *, at: datetime
) -> None:
    """Confirm the app by its first code; refused for a wrong code."""
    row = await _locked(session, user)
    if row is None or row.confirmed_at is not None:
        raise Refused(
            Code.NOT_FOUND, "No authenticator app is being set up: request a new secret first."
        )
    step = rules.matching_step(vault.open(user.id, row.sealed), code, at, None)
    if step is None:
        words = "The code is wrong. Check the time on your phone and try the next code."
        raise Refused(Code.INVALID, words, argument="code")
    row.confirmed_at, row.last_step = at, step
    fact = FactorAdded(account_id=None, subject_id=user.id, at=at, factor="totp")
    record(session, as_user(user.tenant_id, user.id), fact)
    await session.flush()


async def use_code(
    session: AsyncSession, user: User, vault: SecretCipher, code: str, *, at: datetime
) -> bool:
    """Return whether this is the app's current code; each code is accepted once."""
    row = await _locked(session, user)
    if row is None or row.confirmed_at is None:
        return False
    step = rules.matching_step(vault.open(user.id, row.sealed), code, at, row.last_step)
    if step is None:
        return False
    row.last_step = step
    await session.flush()
    return True


async def remove_totp(session: AsyncSession, user: User, *, at: datetime) -> None:
    """Delete the user's authenticator app; refused when there is none."""
    gone = await session.scalar(
        delete(Totp).where(Totp.user_id == user.id).returning(Totp.confirmed_at)
    )
    if gone is None:
        raise Refused(Code.NOT_FOUND, "You have no authenticator app.")
    fact = FactorRemoved(account_id=None, subject_id=user.id, at=at, factor="totp")
    record(session, as_user(user.tenant_id, user.id), fact)


async def new_recovery_codes(session: AsyncSession, user: User, *, at: datetime) -> list[str]:
    """Create new recovery codes, shown once; the earlier ones become invalid."""
    before = await session.scalars(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user.id)
        .returning(RecoveryCode.secret_sha256)
        .execution_options(synchronize_session=False)
    )
    replaced = bool(before.all())
    codes = [rules.new_recovery_code() for _ in range(rules.RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(
            secret_sha256=rules.recovery_sha256(code),
            user_id=user.id,
            tenant_id=user.tenant_id,
            made_at=at,
        )
        for code in codes
    )
    fact = RecoveryCodesMade(
        account_id=None, subject_id=user.id, at=at, count=len(codes), replaced=replaced
    )
    record(session, as_user(user.tenant_id, user.id), fact)
    await session.flush()
    return codes


async def use_recovery_code(session: AsyncSession, user: User, code: str, *, at: datetime) -> bool:
    """Return whether this is an unused recovery code of the user, and mark it as used."""
    used = await session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.secret_sha256 == rules.recovery_sha256(code),
            RecoveryCode.user_id == user.id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.user_id)
    )
    if used is None:
        return False
    left = await session.scalar(
        select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    )
    fact = RecoveryCodeUsed(account_id=None, subject_id=user.id, at=at, left=left or 0)
    record(session, as_user(user.tenant_id, user.id), fact)
    return True


async def _locked(session: AsyncSession, user: User) -> Totp | None:
    row: Totp | None = await session.scalar(
        select(Totp).where(Totp.user_id == user.id).with_for_update()
    )
    return row
