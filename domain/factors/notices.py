"""Security notices to the owner of a sign-in about changes: password, second factors, sessions."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import Tenant, User
from domain.core.sequencing import SequencedEvent
from domain.credentials import IdentityLetter, PasswordChanged, SignedOut
from domain.credentials.model import EndedBy
from domain.factors.events import FactorAdded, FactorRemoved, RecoveryCodesMade, RecoveryCodeUsed
from domain.messages import Variables, render


class SecurityChange(StrEnum):
    """The change that a notice is about."""

    PASSWORD_SET = "password_set"  # noqa: S105 - a name
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    FACTORS_RESET = "factors_reset"
    RECOVERY_CODES_REPLACED = "recovery_codes_replaced"
    RECOVERY_CODE_USED = "recovery_code_used"
    SESSION_ENDED = "session_ended"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a name


class SecurityNotice(Variables, frozen=True, kw_only=True):
    """A sign-in was changed; the notice goes only to its owner."""

    template: ClassVar[str] = "security_notice"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"

    change: SecurityChange
    email: str
    at: datetime
    url: str
    """Address of the page for a password reset."""


_FACTORS = {
    (FactorAdded.kind, "totp"): SecurityChange.APP_ADDED,
    (FactorAdded.kind, "passkey"): SecurityChange.PASSKEY_ADDED,
    (FactorRemoved.kind, "totp"): SecurityChange.APP_REMOVED,
    (FactorRemoved.kind, "passkey"): SecurityChange.PASSKEY_REMOVED,
    (FactorRemoved.kind, "all"): SecurityChange.FACTORS_RESET,
}


def change_of(fact: SequencedEvent) -> SecurityChange | None:
    """Return the change that the owner is notified of for this fact; None without a notice.

    Sessions that the owner ended need no notice, nor do those that ended with a password or with all second factors:
    that notice covers them.
    """
    if fact.kind == PasswordChanged.kind:
        return SecurityChange.PASSWORD_SET
    if fact.kind == RecoveryCodeUsed.kind:
        return SecurityChange.RECOVERY_CODE_USED
    if fact.kind == RecoveryCodesMade.kind:
        replaced = fact.body.get("replaced", False)
        return SecurityChange.RECOVERY_CODES_REPLACED if replaced else None
    if fact.kind == SignedOut.kind:
        return _end_of_session(fact)
    return _FACTORS.get((fact.kind, fact.body.get("factor", "")))


async def notice_for(
    session: AsyncSession, fact: SequencedEvent, *, base_url: str
) -> IdentityLetter | None:
    """Build the notice about this fact; None when none is needed, or when its user may not sign in any more."""
    change = change_of(fact)
    user = None if change is None else await session.get(User, fact.subject_id)
    if change is None or user is None or user.disabled_at is not None:
        return None
    tenant = await session.get_one(Tenant, user.tenant_id)
    variables = SecurityNotice(
        company=tenant.name,
        change=change,
        email=user.email,
        at=fact.at,
        url=f"{base_url}/password",
    )
    language = user.language or "nl"
    words = render(variables, language=language, time_zone=tenant.time_zone, name=user.name)
    return IdentityLetter(user, tenant.name, language, words)


def _end_of_session(fact: SequencedEvent) -> SecurityChange | None:
    if fact.body.get("ended_by") == EndedBy.REUSE:
        return SecurityChange.TOKEN_REUSED
    by_others = fact.actor != f"user:{fact.subject_id}"
    is_one = fact.body.get("ended_by") == EndedBy.MANAGER
    return SecurityChange.SESSION_ENDED if by_others and is_one else None
