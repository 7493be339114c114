"""What of the entries about an agreement's credits is on no credit note yet, as lines of the next one."""

from datetime import date
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account, Site
from domain.agreements.model import PromiseTerm, Unit
from domain.compensation.model import Credit
from domain.core.text_rules import LINE
from domain.incidents.model import Incident
from domain.invoices.model import CreditNoteLine
from domain.invoices.rules import DocumentLine
from domain.invoices.taxes import Treatment
from domain.journal import Book, JournalEntry, JournalLine
from domain.promises.model import Promise


class Movement(NamedTuple):
    """The part of a credit's entry that is on no note yet, and its line."""

    entry_id: UUID
    credit_id: UUID
    part: int
    month_on: date
    line: DocumentLine


async def movements(
    session: AsyncSession, agreement_id: UUID, currency: str, how: Treatment
) -> list[Movement]:
    """Return what is on no note yet of an agreement's credits, in one currency, in the order of the credits."""
    noted = (
        select(
            CreditNoteLine.entry_id,
            func.sum(CreditNoteLine.net_cents).label("cents"),
            func.max(CreditNoteLine.part).label("parts"),
        )
        .where(CreditNoteLine.entry_id == JournalEntry.id)
        .group_by(CreditNoteLine.entry_id)
        .lateral()
    )
    left = -JournalLine.amount_cents - func.coalesce(noted.c.cents, 0)
    rows = await session.execute(
        select(
            JournalEntry,
            Credit,
            left,
            func.coalesce(noted.c.parts, 0),
            func.coalesce(Promise.name, PromiseTerm.name),
            Incident,
            Site.name,
            Account.time_zone,
        )
        .join(Credit, Credit.id == JournalEntry.subject_id)
        .join(Account, Account.id == Credit.account_id)
        .outerjoin(Incident, Incident.id == Credit.unit_id)
        .outerjoin(Site, Site.id == Incident.site_id)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .outerjoin(Promise, Promise.id == Credit.promise_id)
        .outerjoin(PromiseTerm, PromiseTerm.id == Credit.term_id)
        .outerjoin(noted, noted.c.entry_id == JournalEntry.id)
        .where(
            JournalEntry.agreement_id == agreement_id,
            JournalLine.book == Book.CLIENT_CREDIT,
            JournalLine.currency == currency,
            left != 0,
        )
        .order_by(Credit.turn, JournalEntry.n)
    )
    found: list[Movement] = []
    for entry, credit, amount, parts, promise, incident, site, zone in rows:
        cents = int(amount)
        about = _what_where_when(credit, promise, incident, site, zone)
        line = DocumentLine(
            len(found) + 1,
            f"{about}: {entry.reason}"[:LINE],
            1_000 if cents > 0 else -1_000,
            Unit.PIECE,
            abs(cents),
            cents,
            how.category,
            how.rate_bps,
        )
        found.append(Movement(entry.id, credit.id, parts + 1, credit.month_on, line))
    return found


def _what_where_when(
    credit: Credit, promise: str | None, incident: Incident | None, site: str | None, zone: str
) -> str:
    """Describe a line of a note: promise, incident, site and local day; or promise and month; or goodwill."""
    if incident is not None:
        day = incident.opened_at.astimezone(ZoneInfo(zone)).date()
        return f"{promise}, {incident.reference}, {site}, {day}"
    if promise is not None:
        return f"{promise}, {credit.month_on:%Y-%m}"
    return f"Gesture of {credit.decided_at.astimezone(ZoneInfo(zone)).date()}"
