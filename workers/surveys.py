"""Surveys: plan their waves, decide who is asked, and remind those who did not answer."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import surveys
from domain.accounts.model import Account
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt_each

ACCOUNTS = 200


async def follow_up_answers(job: JobContext) -> None:
    """Open a recovery case for a response with a low answer, once."""
    await surveys.follow_up_low_answers(job.tx, job.fact.subject_id)


async def ask_clients(work: WorkContext, limit: int) -> int:
    """Decide the waves that are due, remind people, and count the ratings of closed surveys; return how many."""
    at = datetime.now(UTC)
    steps = (decide_all, remind_all, count_all)
    return sum([await step(work.make, at=at, limit=limit) for step in steps])


async def plan_surveys(work: WorkContext, _limit: int) -> int:
    """Plan the waves of the current periods for every account."""
    await plan_all(work.make, at=datetime.now(UTC))
    return 0


async def plan_all(make: Sessions, *, at: datetime) -> None:
    """Plan the waves of the current periods, each account in its own transaction."""

    async def plan(session: AsyncSession, subject: Subject) -> None:
        account = await session.get_one(Account, subject.id)
        await surveys.plan_periods(session, account, at=at)

    after: UUID | None = None
    while True:
        async with make() as session:
            page = await surveys.accounts_to_survey(session, at=at, after=after, limit=ACCOUNTS)
        await attempt_each(make, surveys.PART, page, plan)
        if len(page) < ACCOUNTS:
            return
        after = page[-1].id


async def decide_all(make: Sessions, *, at: datetime, limit: int) -> int:
    """Decide the waves that are due, each in its own transaction; return how many there were."""

    async def decide(session: AsyncSession, subject: Subject) -> None:
        await surveys.decide_wave(session, subject.id, at=at)

    async with make() as session:
        due = await surveys.due_waves(session, at=at, limit=limit)
    await attempt_each(make, surveys.PART, due, decide)
    return len(due)


async def remind_all(make: Sessions, *, at: datetime, limit: int) -> int:
    """Send the reminders that are due, each in its own transaction; return how many there were."""

    async def remind(session: AsyncSession, subject: Subject) -> None:
        await surveys.remind(session, subject.id, at=at)

    async with make() as session:
        due = await surveys.to_remind(session, at=at, limit=limit)
    await attempt_each(make, surveys.PART, due, remind)
    return len(due)


async def count_all(make: Sessions, *, at: datetime, limit: int) -> int:
    """Count the ratings of closed surveys, each response in its own transaction; return how many there were."""

    async def count(session: AsyncSession, subject: Subject) -> None:
        await surveys.count_response(session, subject.id, at=at)

    async with make() as session:
        due = await surveys.to_count(session, at=at, limit=limit)
    await attempt_each(make, surveys.PART, due, count)
    return len(due)
