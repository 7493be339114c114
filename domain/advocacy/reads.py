"""Read what follows from advocacy: referrals that were made, consents in force, and published case studies."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account, Tenant
from domain.advocacy.model import CaseStudy, CaseStudyState, Referral, StudyChannel
from domain.advocacy.rules import ShownCaseStudy
from domain.testimonials import Testimonial, TestimonialChannel, TestimonialState

MOST = 100
GIVEN = (TestimonialState.GIVEN, TestimonialState.APPROVED)


async def made_referrals(
    session: AsyncSession, account_id: UUID, *, at: datetime, within: timedelta
) -> int:
    """Return how many referrals a client made within a time, whatever became of them."""
    found = await session.scalar(
        select(func.count()).where(
            Referral.account_id == account_id,
            Referral.referred_at > at - within,
            Referral.referred_at <= at,
        )
    )
    return found or 0


async def agrees_to_be_named(session: AsyncSession, account_id: UUID, *, at: datetime) -> bool:
    """Return whether a consent of the client is in force: to a case study, or to be called as a reference."""
    study = exists().where(
        CaseStudy.account_id == account_id,
        CaseStudy.state.in_((CaseStudyState.CONSENTED, CaseStudyState.PUBLISHED)),
        CaseStudy.until_on >= at.date(),
    )
    call = exists().where(
        Testimonial.account_id == account_id,
        Testimonial.state.in_(GIVEN),
        Testimonial.until_on >= at.date(),
        Testimonial.channels.contains([str(TestimonialChannel.REFERENCE_CALLS)]),
    )
    return bool(await session.scalar(select(or_(study, call))))


async def published_studies(
    session: AsyncSession, tenant_id: UUID, *, at: datetime
) -> tuple[str, list[ShownCaseStudy]] | None:
    """Return the name of a company and the case studies that its showcase shows, the newest first; None without one."""
    tenant = await session.get(Tenant, tenant_id)
    if tenant is None:
        return None
    zone = ZoneInfo(tenant.time_zone)
    rows = await session.execute(
        select(CaseStudy, Account.name)
        .join(Account, Account.id == CaseStudy.account_id)
        .where(
            CaseStudy.tenant_id == tenant_id,
            CaseStudy.state == CaseStudyState.PUBLISHED,
            CaseStudy.until_on >= at.astimezone(zone).date(),
            CaseStudy.channels.contains([str(StudyChannel.WEBSITE)]),
        )
        .order_by(CaseStudy.published_at.desc(), CaseStudy.id)
        .limit(MOST)
    )
    shown = [
        ShownCaseStudy(
            row.title,
            row.words,
            row.language,
            client,
            (row.published_at or row.drafted_at).astimezone(zone).date(),
        )
        for row, client in rows
    ]
    return (tenant.name, shown) if shown else None
