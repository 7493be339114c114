"""Lookup of tenants and accounts by name or id, for commands."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.support.failures import CommandFailure
from domain.accounts import Account, Tenant


async def tenants(session: AsyncSession, name_or_id: str | None) -> list[UUID]:
    """Return the id of the named tenant, or of all tenants if None. Raises `CommandFailure` when it does not exist."""
    query = select(Tenant.id).order_by(Tenant.id)
    found = list(
        await session.scalars(
            query if name_or_id is None else query.where(_matches(Tenant, name_or_id))
        )
    )
    if name_or_id is not None and not found:
        names = await session.scalars(select(Tenant.name).order_by(Tenant.name).limit(20))
        raise CommandFailure(
            f"There is no tenant {name_or_id}. Tenants: {', '.join(names) or 'none'}."
        )
    return found


async def accounts(
    session: AsyncSession, tenant_ids: list[UUID], name_or_id: str | None
) -> list[UUID] | None:
    """Return the ids of the named accounts, or None for all. Raises `CommandFailure` when there is none."""
    if name_or_id is None:
        return None
    query = select(Account.id).where(Account.tenant_id.in_(tenant_ids))
    found = list(
        await session.scalars(query.where(_matches(Account, name_or_id)).order_by(Account.id))
    )
    if not found:
        raise CommandFailure(f"There is no account {name_or_id}.")
    return found


def _matches(model: type[Tenant | Account], name_or_id: str) -> ColumnElement[bool]:
    try:
        return or_(model.name == name_or_id, model.id == UUID(name_or_id))
    except ValueError:
        return model.name == name_or_id
