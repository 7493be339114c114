"""Names that a reply must not contain: of users, guards and contacts, of clients, and of their sites."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account, Contact, Site, User
from domain.core.errors import Code, Refused
from domain.replies.confidential import ConfidentialPiece, KnownNames, confidential_pieces


async def known_names(session: AsyncSession, tenant_id: UUID) -> KnownNames:
    """Load the names that a company keeps. Replies are few: nothing is cached, so that a new name counts at once."""
    people = [
        *await session.scalars(select(User.name).where(User.tenant_id == tenant_id)),
        *await session.scalars(select(Contact.name).where(Contact.tenant_id == tenant_id)),
    ]
    clients = await session.scalars(select(Account.name).where(Account.tenant_id == tenant_id))
    sites = await session.execute(
        select(Site.name, Site.street, Site.postcode).where(Site.tenant_id == tenant_id)
    )
    names, streets, postcodes = set(clients), set[str](), set[str]()
    for name, street, postcode in sites:
        names.add(name)
        streets |= {street} if street else set()
        postcodes |= {postcode} if postcode else set()
    return KnownNames(frozenset(people), frozenset(names), frozenset(streets), frozenset(postcodes))


async def pieces_in(session: AsyncSession, tenant_id: UUID, words: str) -> list[ConfidentialPiece]:
    """Return what a text must not contain, by the names that the company keeps now."""
    return confidential_pieces(words, await known_names(session, tenant_id))


def must_be_publishable(pieces: list[ConfidentialPiece], argument: str) -> None:
    """Refuse a text with confidential pieces, and show them."""
    if pieces:
        found = ", ".join(f"{kind} “{text}”" for kind, text in pieces[:10])
        raise Refused(
            Code.INVALID,
            f"The reply has pieces that must not be published: {found}.",
            argument=argument,
        )
