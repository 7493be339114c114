"""The demo company's money: which month was billed, whatever day the demo is made on, and what there is to see."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from api.demo import data, seed
from api.demo.billing import billed_month
from api.demo.incident_texts import HAPPENINGS
from domain import journal, reports
from domain.access import Actor
from domain.accounts import Tenant
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.invoices import CreditNote, Invoice, Payment
from domain.journal import Book
from domain.recovery import CaseState, RecoveryCase
from domain.reports import ReportPlan


def test_on_every_day_of_four_years_a_month_was_billed_when_it_was_over_and_a_week_was_played() -> (
    None
):
    for day in range(4 * 365 + 1):
        for minute in (1, 12 * 60):
            end = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
            start = end - timedelta(weeks=4)
            month_on, at = billed_month(start, end)
            following = (month_on + timedelta(days=32)).replace(day=1)
            assert start + timedelta(days=7) <= at < end
            assert at >= datetime(following.year, following.month, 1, 6, tzinfo=UTC)
            assert date(end.year, end.month, 1) - month_on <= timedelta(days=62)


@pytest.mark.anyio
async def test_the_demo_has_a_billed_month_with_credits_a_payment_and_an_open_case(
    make: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "TICKETS_A_DAY", 2)  # a third of it is quicker, and enough
    at = datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    await seed.seed(make, at=at, tell=lambda _done, _of: None)
    async with make() as session:
        [company] = await session.scalars(select(Tenant).where(Tenant.name == data.COMPANY))
        invoices = (
            await session.scalars(select(Invoice).where(Invoice.tenant_id == company.id))
        ).all()
        assert len(invoices) == len(data.CLIENTS)
        assert {(each.period_from_on, each.issued_on) for each in invoices} == {
            (date(2026, 10, 1), date(2026, 11, 10))
        }
        notes = (
            await session.scalars(select(CreditNote).where(CreditNote.tenant_id == company.id))
        ).all()
        [payment] = await session.scalars(select(Payment).where(Payment.tenant_id == company.id))
        [case] = await session.scalars(
            select(RecoveryCase).where(RecoveryCase.tenant_id == company.id)
        )
        given = await session.scalar(
            select(func.sum(Credit.amount_cents)).where(Credit.tenant_id == company.id)
        )
        actor = Actor.system(company.id, "test")
        owed = await journal.balance(
            session, actor, payment.account_id, Book.RECEIVABLE, currency="EUR"
        )
    assert 0 < sum(note.net_cents for note in notes) < (given or 0)
    assert case.state is CaseState.OPEN
    assert owed == 0
    async with transaction(make) as session:
        plans = await session.scalars(
            select(ReportPlan.id).where(ReportPlan.tenant_id == company.id)
        )
        made = [await reports.make_next(session, plan_id, at=at) for plan_id in plans]
    assert len(made) == len(data.CLIENTS), "the first day shows a report of each client"
    for report in made:
        assert report is not None
        assert report.last_on == date(2026, 11, 30)
        assert at < report.due_at <= at + timedelta(minutes=15), "made at once, and in time"


def test_the_demo_is_believable() -> None:
    said = [words for *_, happenings in HAPPENINGS for words in happenings]
    assert len(set(said)) == len(said) >= 60
    assert len(set(data.GUARDS)) == len(data.GUARDS) >= len(data.CLIENTS), "a guard for each region"
    assert all(name.replace(" ", "").isalpha() for name in data.GUARDS)
