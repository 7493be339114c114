"""Make links to calendars of shifts, and revoke them."""

from uuid import UUID

from sqlalchemy import and_

from domain.access import CLIENTS, Right, Tx, scopes, visible_to
from domain.accounts.model import Site, User
from domain.calendar_feeds.events import CalendarFeedAdded, CalendarFeedRevoked
from domain.calendar_feeds.model import CalendarFeed
from domain.core.base import uuid7
from domain.core.errors import Code, Refused


async def add_feed(
    tx: Tx, *, user_id: UUID | None = None, site_id: UUID | None = None
) -> CalendarFeed:
    """Make a link to the shifts of a guard or of a site: guards to their own, the office to any."""
    tx.actor.must(Right.ATTEND)
    if (user_id is None) == (site_id is None):
        raise Refused(Code.INVALID, "Give either userId or siteId.", argument="userId")
    if site_id is not None or user_id != tx.actor.user_id:
        tx.actor.must(Right.ROSTER)
    account_id = None
    if site_id is not None:
        account_id = (await tx.get(Site, site_id, "site", argument="siteId")).account_id
    elif user_id is not None:
        staff = and_(
            scopes.accessible_users(tx.actor, User),
            User.role.not_in(CLIENTS),
            User.disabled_at.is_(None),
        )
        await tx.get(User, user_id, "member of the company's staff", argument="userId", among=staff)
    row = CalendarFeed(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=account_id,
        user_id=user_id,
        site_id=site_id,
        added_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        CalendarFeedAdded(
            account_id=account_id, subject_id=row.id, at=tx.at, user_id=user_id, site_id=site_id
        )
    )
    await tx.session.flush()
    return row


async def revoke_feed(tx: Tx, feed_id: UUID) -> CalendarFeed:
    """Make a link dead: whoever has it finds nothing from now on. A second time has no effect."""
    tx.actor.must(Right.ATTEND)
    seen = visible_to(tx.actor, CalendarFeed)
    row = await tx.get(CalendarFeed, feed_id, "link", lock=True, among=seen)
    if row.revoked_at is None:
        row.revoked_at = tx.at
        tx.record(CalendarFeedRevoked(account_id=row.account_id, subject_id=row.id, at=tx.at))
        await tx.session.flush()
    return row
