"""Texts of invitations, as only the reader of the letter has them."""

from uuid import UUID

from sqlalchemy import select

from domain import credentials
from domain.core.db import transaction
from tests.api.asking import Api


async def text_for(api: Api, user_id: UUID) -> str:
    """The text in the letter of a user's newest invitation: nothing but the letter holds it."""
    async with transaction(api.make) as session:
        newest = await session.scalar(
            select(credentials.Invitation.id)
            .where(credentials.Invitation.user_id == user_id)
            .order_by(credentials.Invitation.id.desc())
            .limit(1)
        )
        assert newest is not None
        text = await credentials.new_text(session, newest, at=api.state.now())
    assert text is not None
    return text
