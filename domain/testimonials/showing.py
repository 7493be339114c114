"""What everybody may read: testimonials that were approved, for the website, within their consent."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Tenant
from domain.testimonials.model import Testimonial, TestimonialChannel, TestimonialState
from domain.testimonials.rules import ShownTestimonial

MOST = 100


def is_shown(
    on: date, channel: TestimonialChannel = TestimonialChannel.WEBSITE
) -> ColumnElement[bool]:
    """Return the condition that a testimonial may be shown in a channel on a day."""
    return and_(
        Testimonial.state == TestimonialState.APPROVED,
        Testimonial.until_on >= on,
        Testimonial.channels.contains([str(channel)]),
    )


async def showcase(
    session: AsyncSession, tenant_id: UUID, *, at: datetime
) -> tuple[str, list[ShownTestimonial]] | None:
    """Return the name of a company and what it shows, the newest first; None for a company that asked nobody.

    It is read for each request: what was withdrawn is gone with the next one.
    """
    tenant = await session.get(Tenant, tenant_id)
    asked = select(exists().where(Testimonial.tenant_id == tenant_id))
    if tenant is None or not await session.scalar(asked):
        return None
    zone = ZoneInfo(tenant.time_zone)
    rows = await session.scalars(
        select(Testimonial)
        .where(Testimonial.tenant_id == tenant_id, is_shown(at.astimezone(zone).date()))
        .order_by(Testimonial.moderated_at.desc(), Testimonial.id)
        .limit(MOST)
    )
    shown = [
        ShownTestimonial(
            row.words or "",
            row.shown_name or "",
            row.shown_role,
            row.language,
            (row.consented_at or row.asked_at).astimezone(zone).date(),
        )
        for row in rows
    ]
    return tenant.name, shown


async def by_link(session: AsyncSession, testimonial_id: UUID) -> tuple[Testimonial, str] | None:
    """Return the testimonial of a link, and the name of the company."""
    row = await session.get(Testimonial, testimonial_id)
    if row is None:
        return None
    return row, (await session.get_one(Tenant, row.tenant_id)).name
