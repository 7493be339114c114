"""The letter to colleagues when a step of a renewal is due."""

from datetime import date
from pathlib import Path
from typing import ClassVar

from domain import escalation, messages
from domain.access import Role, Tx
from domain.accounts.model import Account, Tenant
from domain.agreements.model import Agreement
from domain.core.sequencing import SequencedEvent
from domain.renewals.model import Renewal


class RenewalDueNotice(messages.Variables, frozen=True, kw_only=True):
    """To colleagues: so many days are left until the last day for notice of an agreement."""

    template: ClassVar[str] = "renewal_due"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    email_only: ClassVar[bool] = True

    account: str
    title: str
    reference: str
    days_left: int
    notice_by: date
    fixed_until: date
    renews_for_months: int | None


async def tell_renewal_due(tx: Tx, fact: SequencedEvent) -> None:
    """Tell those who look after the client that a step is due, unless the renewal is decided by then."""
    row = await tx.session.get_one(Renewal, fact.subject_id)
    if row.outcome is not None:
        return
    agreement = await tx.session.get_one(Agreement, row.agreement_id)
    account = await tx.session.get_one(Account, row.account_id)
    tenant = await tx.session.get_one(Tenant, row.tenant_id)
    roles = (Role.RELATIONSHIP_MANAGER, Role.MANAGEMENT)
    days_left = fact.body["days_left"]
    await messages.compose_to_users(
        tx,
        await escalation.people(tx.session, tenant.id, account.id, roles=roles),
        account_id=account.id,
        intent=f"renewal:{row.id}:{row.notice_by}:{days_left}",
        template=RenewalDueNotice,
        variables={
            "company": tenant.name,
            "account": account.name,
            "title": agreement.title,
            "reference": agreement.reference,
            "days_left": days_left,
            "notice_by": row.notice_by,
            "fixed_until": row.fixed_until,
            "renews_for_months": agreement.renews_for_months,
        },
    )
