"""Topics of facts, and the check that an actor may listen to one."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, visible_to
from domain.accounts.model import Account, Site
from domain.core.errors import Code, Refused
from domain.core.sequencing import SequencedEvent

Topic = tuple[UUID, UUID | None]
"""A tenant and one of its accounts; (tenant, None) is everything of the tenant."""


def topics_of(fact: SequencedEvent) -> tuple[Topic, ...]:
    """Return the topics of a fact."""
    everything: Topic = (fact.tenant_id, None)
    return (
        (everything,)
        if fact.account_id is None
        else (everything, (fact.tenant_id, fact.account_id))
    )


async def authorize_topic(session: AsyncSession, actor: Actor, account_id: UUID | None) -> Topic:
    """Return the requested topic after checking the actor's access.

    Refuses an account that does not exist for the actor, and the whole tenant without the right to watch all.
    """
    if account_id is None:
        actor.must(Right.WATCH_ALL)
    elif not await session.scalar(
        select(Account.id).where(Account.id == account_id, visible_to(actor, Account))
    ):
        raise Refused(Code.NOT_FOUND, "No such account.", argument="accountId")
    return (actor.tenant_id, account_id)


async def must_see_site(session: AsyncSession, actor: Actor, site_id: UUID | None) -> None:
    """Refuse a site that does not exist for the actor; None is no restriction to a site."""
    if site_id is None:
        return
    if not await session.scalar(select(Site.id).where(Site.id == site_id, visible_to(actor, Site))):
        raise Refused(Code.NOT_FOUND, "No such site.", argument="siteId")
