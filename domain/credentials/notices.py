"""Messages about setting a password, in the reader's language."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import Tenant, User
from domain.credentials.invitations import new_text
from domain.credentials.model import Invitation, Purpose
from domain.messages import RenderedText, Variables, render


class PasswordLetter(Variables, frozen=True, kw_only=True):
    """Variables of both messages."""

    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"

    email: str
    url: str
    until: datetime


class InvitationLetter(PasswordLetter, frozen=True, kw_only=True):
    """A user is invited to set a password."""

    template: ClassVar[str] = "invitation"


class ResetLetter(PasswordLetter, frozen=True, kw_only=True):
    """A user requested a password reset."""

    template: ClassVar[str] = "password_reset"


class IdentityLetter:
    """A message as it is sent: recipient, language and texts."""

    def __init__(self, user: User, company: str, language: str, words: RenderedText) -> None:
        self.recipient, self.tenant_id = user.email, user.tenant_id
        self.company, self.language, self.words = company, language, words


async def letter_for(
    session: AsyncSession, invitation_id: UUID, *, base_url: str, at: datetime
) -> IdentityLetter | None:
    """Build the message for an invitation, with a new text in its link; None when the invitation has ended.

    The text is created here and stored as a hash only, so neither the outbox nor the database ever holds it.
    """
    text = await new_text(session, invitation_id, at=at)
    if text is None:
        return None
    row = await session.get_one(Invitation, invitation_id)
    user = await session.get_one(User, row.user_id)
    if user.disabled_at is not None:
        return None
    tenant = await session.get_one(Tenant, row.tenant_id)
    kind = ResetLetter if row.purpose is Purpose.RESET else InvitationLetter
    language = user.language or "nl"
    variables = kind(
        company=tenant.name,
        email=user.email,
        url=f"{base_url}/password/{text}",
        until=row.expires_at,
    )
    words = render(variables, language=language, time_zone=tenant.time_zone, name=user.name)
    return IdentityLetter(user, tenant.name, language, words)
