"""A worker makes the reports that are due, sends them with pictures and PDF, and notes that they arrived."""

import asyncio
import email
import email.policy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update

from domain import reports
from domain.accounts import Account
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.reports import Cadence, Report, ReportPlan, ReportVerdict
from domain.touchpoints import Touchpoint
from tests import build
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


async def judged(make: Sessions, account_id: UUID) -> Sequence[Report]:
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                found = await session.scalars(
                    select(Report).where(Report.account_id == account_id).order_by(Report.first_on)
                )
                rows = found.all()
            if rows and all(row.delivered_at and row.verdict for row in rows):
                return rows
            await asyncio.sleep(0.2)


async def test_a_worker_makes_sends_and_judges_what_is_due(
    make: Sessions, working: Working, settings: Settings
) -> None:
    world = await build.client(make)
    await due_yesterday(make, world.account.id)

    async with working():
        rows = await judged(make, world.account.id)

    assert rows[0].verdict is ReportVerdict.LATE  # of the day before yesterday: nobody worked then
    letters = laid_down(settings.data / "mail")
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
