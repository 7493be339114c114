"""What every action of advocacy looks up: a contact of the client, and whether the client may be asked now."""

from uuid import UUID

from sqlalchemy import and_, select

from domain.access import Tx
from domain.accounts.model import Account, Contact
from domain.core.errors import Code, Refused
from domain.crises import in_crisis


async def contact_of(tx: Tx, contact_id: UUID, account_id: UUID) -> Contact:
    """Return a contact of an account; another one is refused."""
    own = and_(Contact.account_id == account_id, tx.actor.scope(Contact))
    return await tx.get(
        Contact, contact_id, "contact of this client", argument="contactId", among=own
    )


async def must_not_be_in_crisis(tx: Tx, account_id: UUID, argument: str) -> None:
    """Refuse to ask a client for a favour while a crisis lasts."""
    waits = select(Account.id).where(Account.id == account_id, in_crisis(Account.id))
    if await tx.session.scalar(waits) is not None:
        raise Refused(
            Code.INVALID, "This client is in a crisis; end it before you ask.", argument=argument
        )
