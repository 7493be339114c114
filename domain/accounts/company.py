"""Change the settings of a security company."""

from typing import Any

from sqlalchemy import exists, select

from domain.access import Right, Tx
from domain.accounts.events import CompanyChanged
from domain.accounts.model import Tenant
from domain.accounts.rules import changes_of
from domain.core.errors import Code, Refused


async def change_company(tx: Tx, **changes: Any) -> Tenant:
    """Change the name, register and permit numbers or time zone of the actor's company; the rest stays as it is.

    A new time zone applies to future plans: existing months and reports keep their bounds.
    """
    tx.actor.must(Right.MANAGE_COMPANY)
    company = await tx.session.scalar(
        select(Tenant).where(Tenant.id == tx.actor.tenant_id).with_for_update(key_share=True)
    )
    if company is None:
        raise Refused(Code.NOT_FOUND, "No such company.")
    changed = changes_of(company, changes)
    if "name" in changed and await tx.session.scalar(
        select(exists().where(Tenant.name == changed["name"]))
    ):
        raise Refused(Code.ALREADY_EXISTS, "Another company has this name.", argument="name")
    if changed:
        before = {name: getattr(company, name) for name in changed}
        for name, value in changed.items():
            setattr(company, name, value)
        fact = CompanyChanged(
            account_id=None, subject_id=company.id, at=tx.at, before=before, after=changed
        )
        tx.record(fact)
        await tx.session.flush()
    return company
