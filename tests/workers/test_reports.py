"""A worker makes the reports that are due, sends them with pictures and PDF, and notes that they arrived."""

import asyncio
import email
import email.policy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, update

from domain import agreements, reports
from domain.access import Actor, Tx
from domain.accounts import Account
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.compensation.model import Credit, CreditKind
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.messages import Message, MessageState
from domain.promises import Promise, State
from domain.reports import Cadence, Report, ReportPlan, ReportVerdict
from domain.touchpoints import Touchpoint
from tests import build
from tests.build import World
from tests.workers.conftest import Working
from workers import reports as work


async def due_yesterday(make: Sessions, account_id: UUID) -> UUID:
    """A plan whose report of yesterday is due in the next minutes, and was not made."""
    now = datetime.now(UTC)
    async with transaction(make) as session:
        await reports.adopt(session, at=now)
        await session.execute(
            update(ReportPlan)
            .where(ReportPlan.account_id == account_id, ReportPlan.cadence == Cadence.DAILY)
            .values(next_on=now.date() - timedelta(days=2), look_at=now)
        )
        plan_id = await session.scalar(
            select(ReportPlan.id).where(
                ReportPlan.account_id == account_id, ReportPlan.cadence == Cadence.DAILY
            )
        )
    assert plan_id is not None
    return plan_id


def laid_down(folder: Path) -> list[EmailMessage]:
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in folder.glob("*.eml")
    ]


def has_report(letter: EmailMessage) -> bool:
    return any(part.get_content_type() == "application/pdf" for part in letter.walk())


async def judged(make: Sessions, account_id: UUID) -> Sequence[Report]:
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                found = await session.scalars(
                    select(Report).where(Report.account_id == account_id).order_by(Report.first_on)
                )
                rows = found.all()
            if rows and rows[0].verdict and all(row.delivered_at for row in rows):
                return rows
            await asyncio.sleep(0.2)


async def promised(make: Sessions, world: World) -> None:
    """Promise the client's reports within two minutes of their due time, with a credit."""
    async with transaction(make) as session:
        draft = PromiseDraft(
            "reports",
            PromiseKind.REPORT_DELIVERED,
            world.calendar.id,
            {Priority.LOW: Target(elapsed_s=120)},
            credits={None: CreditDraft(fixed_cents=4_200)},
        )
        tx = Tx(session, Actor.system(world.tenant.id, "test"), datetime.now(UTC))
        begin = tx.at - timedelta(days=10)
        terms = TermsDraft((draft,), credit_cap_cents=100_000)
        await agreements.amend(tx, world.agreement.id, in_force_from=begin, terms=terms)


async def told_of_credit(make: Sessions, report_id: UUID) -> Sequence[Message]:
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                found = await session.scalars(
                    select(Message).where(
                        Message.intent.in_(
                            select(func.concat("credit:", Credit.id)).where(
                                Credit.unit_id == report_id
                            )
                        ),
                        Message.state == MessageState.SENT,
                    )
                )
                rows = found.all()
            if len(rows) == 2:
                return rows
            await asyncio.sleep(0.2)


async def test_a_late_report_takes_the_way_of_every_promise_to_the_letter(
    make: Sessions, working: Working, settings: Settings
) -> None:
    """Promise, verdict, credit from the schedule, letter; of the day before yesterday: nobody worked then."""
    world = await build.client(make)
    await promised(make, world)
    await due_yesterday(make, world.account.id)

    async with working():
        rows = await judged(make, world.account.id)
        letters = await told_of_credit(make, rows[0].id)

    late = rows[0]
    async with make() as session:
        promise = (await session.scalars(select(Promise).where(Promise.unit_id == late.id))).one()
        credit = (await session.scalars(select(Credit).where(Credit.unit_id == late.id))).one()
        kinds = await session.scalars(
            select(LedgerRow.kind)
            .where(LedgerRow.subject_id.in_([late.id, promise.id, credit.id]))
            .order_by(LedgerRow.seq)
        )
    assert (promise.state, promise.decided_at) == (State.LATE, late.due_at + timedelta(minutes=2))
    assert (late.verdict, late.judged_at) == (ReportVerdict.LATE, promise.decided_at)
    assert (credit.kind, credit.promise_id, credit.amount_cents) == (
        CreditKind.PROMISE, promise.id, 4_200
    )  # fmt: skip
    assert {"report.made", "promise.breached", "report.late", "credit.decided"} <= {*kinds}
    assert all("42.00" in each.body or "42,00" in each.body for each in letters)


async def test_a_worker_makes_and_sends_what_is_due(
    make: Sessions, working: Working, settings: Settings
) -> None:
    world = await build.client(make)
    await promised(make, world)
    await due_yesterday(make, world.account.id)

    async with working():
        rows = await judged(make, world.account.id)

    letters = [each for each in laid_down(settings.data / "mail") if has_report(each)]
    assert len(letters) == 2 * len(rows)
    names = {
        part.get_filename()
        for letter in letters
        for part in letter.walk()
        if part.get_content_type() == "application/pdf"
    }
    assert {f"daily-{rows[0].first_on}-{code}.pdf" for code in ("nl", "en")} <= names
    html = [
        str(part.get_content())
        for letter in letters
        for part in letter.walk()
        if part.get_content_type() == "text/html"
    ]
    assert all("<style" not in page and 'style="' in page for page in html)
    async with make() as session:
        planned = await session.scalars(
            select(Touchpoint.kind).where(Touchpoint.account_id == world.account.id)
        )
        assert len(planned.all()) == 3


async def test_a_report_that_cannot_be_made_holds_up_no_other(make: Sessions) -> None:
    broken, fine = await build.client(make, contacts=0), await build.client(make, contacts=0)
    plans = [await due_yesterday(make, world.account.id) for world in (broken, fine)]
    async with transaction(make) as session:
        await session.execute(
            update(Account).where(Account.id == broken.account.id).values(time_zone="Mars/Base")
        )
    at = datetime.now(UTC)

    await work.make_due(make, at=at)

    async with make() as session:
        made = await session.scalars(
            select(Report.account_id).where(
                Report.account_id.in_([broken.account.id, fine.account.id])
            )
        )
        waits = await session.get_one(ReportPlan, plans[0])
    assert made.all() == [fine.account.id]
    assert waits.look_at == at + timedelta(minutes=1)
