"""Find the tenant and the account of a command by name or id."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.support.failures import CommandFailure
from domain.accounts import Account, Tenant


async def tenants(session: AsyncSession, named: str | None) -> list[UUID]:
    """The tenant of that name or id, or all of them; `Failure` when there is no such tenant."""
    query = select(Tenant.id).order_by(Tenant.id)
    found = list(await session.scalars(query if named is None else query.where(_is(Tenant, named))))
    if named is not None and not found:
        names = await session.scalars(select(Tenant.name).order_by(Tenant.name).limit(20))
        raise CommandFailure(
            f"There is no tenant {named}. There are: {', '.join(names) or 'none'}."
        )
    return found


async def accounts(
    session: AsyncSession, tenant_ids: list[UUID], named: str | None
) -> list[UUID] | None:
    """The accounts of that name or id, None for every account; `Failure` when there is none."""
    if named is None:
        return None
    query = select(Account.id).where(Account.tenant_id.in_(tenant_ids))
    found = list(await session.scalars(query.where(_is(Account, named)).order_by(Account.id)))
    if not found:
        raise CommandFailure(f"There is no account {named} in reach.")
    return found


def _is(model: type[Tenant | Account], named: str) -> ColumnElement[bool]:
    try:
        return or_(model.name == named, model.id == UUID(named))
    except ValueError:
        return model.name == named
