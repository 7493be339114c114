"""The dossier of a renewal: what the client got for its money in the year before, and in the year before that."""

from datetime import datetime
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, select

from domain.access import Tx
from domain.agreements.model import Terms
from domain.commitments.model import Commitment
from domain.compensation.model import Credit, CreditState
from domain.health.model import EarlyWarning
from domain.incidents.model import Incident
from domain.invoices.model import Invoice
from domain.meetings.model import Meeting
from domain.promises import State
from domain.promises.model import Promise
from domain.raid.model import RaidEntry, RaidKind
from domain.renewals.model import Renewal


class RenewalDossier(NamedTuple):
    """Figures of a year until `until_at`; promises also of the year before. Money in cents of the terms' currency."""

    from_at: datetime
    until_at: datetime
    promises_kept: int
    promises_decided: int
    promises_kept_before: int
    promises_decided_before: int
    commitments_kept: int
    commitments_due: int
    incidents_resolved: int
    meetings_held: int
    open_warnings: int
    open_risks: int
    yearly_fee_cents: int
    credits_cents: int
    invoiced_cents: int
    currency: str


async def dossier_of(tx: Tx, renewal: Renewal) -> RenewalDossier:
    """Read the dossier of a renewal as of now; what is internal to the company counts in no figure of promises."""
    until, mine = tx.at, renewal.account_id
    begin = until - relativedelta(years=1)
    before = begin - relativedelta(years=1)
    terms = (
        await tx.session.scalars(
            select(Terms)
            .where(Terms.agreement_id == renewal.agreement_id)
            .order_by(Terms.in_force.contains(until).desc(), Terms.number.desc())
            .limit(1)
        )
    ).one()

    async def number(column: Any, row: Any, *conditions: Any) -> int:
        query = select(column).where(row.account_id == mine, *conditions)
        return int(await tx.session.scalar(query) or 0)

    async def promises(since: datetime, end: datetime, *states: State) -> int:
        row = Promise
        return await number(
            func.count(), row, row.agreement_id == renewal.agreement_id, row.internal.is_(False),
            row.state.in_(states), row.decided_at >= since, row.decided_at < end,
        )  # fmt: skip

    made = (Commitment.internal.is_(False), Commitment.withdrawn_at.is_(None))
    due = (*made, Commitment.due_at >= begin, Commitment.due_at < until)
    return RenewalDossier(
        from_at=begin,
        until_at=until,
        promises_kept=await promises(begin, until, State.KEPT),
        promises_decided=await promises(begin, until, State.KEPT, State.LATE),
        promises_kept_before=await promises(before, begin, State.KEPT),
        promises_decided_before=await promises(before, begin, State.KEPT, State.LATE),
        commitments_kept=await number(
            func.count(), Commitment, *due, Commitment.done_at <= Commitment.due_at
        ),
        commitments_due=await number(func.count(), Commitment, *due),
        incidents_resolved=await number(
            func.count(), Incident, Incident.resolved_at >= begin, Incident.resolved_at < until
        ),
        meetings_held=await number(
            func.count(), Meeting, Meeting.held_at.is_not(None), Meeting.starts_at >= begin,
            Meeting.starts_at < until,
        ),
        open_warnings=await number(
            func.count(), EarlyWarning, EarlyWarning.cleared_at.is_(None)
        ),
        open_risks=await number(
            func.count(), RaidEntry, RaidEntry.kind == RaidKind.RISK, RaidEntry.closed_at.is_(None)
        ),
        yearly_fee_cents=12 * terms.period_fee_cents,
        credits_cents=await number(
            func.sum(Credit.amount_cents), Credit, Credit.agreement_id == renewal.agreement_id,
            Credit.state == CreditState.GRANTED, Credit.currency == terms.currency,
            Credit.decided_at >= begin, Credit.decided_at < until,
        ),
        invoiced_cents=await number(
            func.sum(Invoice.net_cents), Invoice, Invoice.agreement_id == renewal.agreement_id,
            Invoice.currency == terms.currency, Invoice.issued_on >= begin.date(),
            Invoice.issued_on < until.date(),
        ),
        currency=terms.currency,
    )  # fmt: skip
