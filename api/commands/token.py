"""`token`: a signed token of the first user with a role. It makes no users: what is missing is said."""

import asyncio
import json
import sys

from sqlalchemy import select

from api.identity import tokens
from api.state import utc_now
from api.support.failures import CommandFailure, Exit
from domain.access import Role
from domain.accounts import Account, Reach, Tenant, User
from domain.core.db import Sessions, connect, sessions
from domain.core.settings import Settings


def run(
    settings: Settings, role: str, tenant: str | None, account: str | None, as_json: bool
) -> int:
    """Print the token, or as JSON also whose it is. Raises `Failure` that lists what exists."""
    roles = [each.value for each in Role if each is not Role.SYSTEM]
    if role not in roles:
        raise CommandFailure(f"There is no role {role}. Roles: {', '.join(roles)}.", Exit.INPUT)
    signing = tokens.load(settings)
    user, company = asyncio.run(_find(settings, Role(role), tenant, account))
    at = utc_now()
    token = signing.issue(user.id, at=at)
    if as_json:
        response = {
            "token": token,
            "user": user.email,
            "role": user.role,
            "tenant": company,
            "expires_at": (at + tokens.LIFETIME).isoformat(timespec="seconds"),
        }
        token = json.dumps(response)
    sys.stdout.write(token + "\n")
    return 0


async def _find(
    settings: Settings, role: Role, tenant: str | None, account: str | None
) -> tuple[User, str]:
    engine = connect(settings.system_database_url, pool_size=1)
    make = sessions(engine)
    try:
        query = (
            select(User, Tenant.name)
            .join(Tenant, Tenant.id == User.tenant_id)
            .where(User.role == role, User.disabled_at.is_(None))
            .order_by(User.id)
            .limit(1)
        )
        if tenant is not None:
            query = query.where(Tenant.name == tenant)
        if account is not None:
            reach = (
                select(Reach.user_id)
                .join(Account, Account.id == Reach.account_id)
                .where(Account.name == account)
            )
            query = query.where(User.id.in_(reach))
        async with make() as session:
            found = (await session.execute(query)).first()
        if found is not None:
            return found[0], found[1]
        raise CommandFailure(await _what_exists(make, role, tenant, account), Exit.INPUT)
    finally:
        await engine.dispose()


async def _what_exists(make: Sessions, role: Role, tenant: str | None, account: str | None) -> str:
    """Return the error for an unknown user, with the users that exist."""
    wanted = f"There is no user with the role {role}"
    wanted += f" at {tenant}" if tenant else ""
    wanted += f" limited to {account}" if account else ""
    query = (
        select(Tenant.name, User.role, Account.name)
        .join(User, User.tenant_id == Tenant.id)
        .outerjoin(Reach, Reach.user_id == User.id)
        .outerjoin(Account, Account.id == Reach.account_id)
        .where(User.disabled_at.is_(None))
        .distinct()
        .order_by(Tenant.name, User.role, Account.name)
        .limit(40)
    )
    async with make() as session:
        rows = [
            f"  --tenant {company!r} --role {each}" + (f" --account {client!r}" if client else "")
            for company, each, client in await session.execute(query)
        ]
    if not rows:
        return f"{wanted}: there are no users at all. `waarborg up` makes a demonstration."
    return f"{wanted}. There are:\n" + "\n".join(rows)
