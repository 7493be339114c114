"""Make business reviews, and release them to the client."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.business_reviews import events
from domain.business_reviews.data import content_of
from domain.business_reviews.model import BusinessReview, BusinessReviewKind
from domain.business_reviews.periods import period_of
from domain.business_reviews.rendering import TEMPLATE_HASH
from domain.business_reviews.rules import hash_of
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current, naming_only


async def make_review(
    tx: Tx, account_id: UUID, kind: BusinessReviewKind, *, last_on: date | None = None
) -> BusinessReview:
    """Make a review of the months that end with a day, of the last whole month by default, as they are known now."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    tx.actor.must(Right.READ_MONEY)
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    must_be_day(last_on, "lastOn", tx.at)
    today = tx.at.astimezone(ZoneInfo(account.time_zone)).date()
    day = last_on or today.replace(day=1) - timedelta(days=1)
    if day > today:
        raise Refused(Code.TIME_REVERSED, "lastOn must not lie ahead.", argument="lastOn")
    period = period_of(kind, day, account.time_zone)
    with naming_only():
        content = await content_of(tx, account, period)
    same = select(func.max(BusinessReview.revision)).where(
        BusinessReview.account_id == account.id,
        BusinessReview.kind == kind,
        BusinessReview.from_on == period.from_on,
    )
    row = BusinessReview(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=kind,
        from_on=period.from_on,
        until_on=period.until_on,
        revision=(await tx.session.scalar(same) or 0) + 1,
        made_at=tx.at,
        made_by=tx.actor.subject,
        content=msgspec.to_builtins(content),
        content_hash=hash_of(content),
        template_hash=TEMPLATE_HASH,
    )
    tx.session.add(row)
    tx.record(
        events.BusinessReviewMade(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            review_kind=kind,
            from_on=row.from_on,
            until_on=row.until_on,
            revision=row.revision,
            content_hash=row.content_hash,
            template_hash=row.template_hash,
        )
    )
    await tx.session.flush()
    return row


async def release(
    tx: Tx, review_id: UUID, *, expected_version: int | None = None
) -> BusinessReview:
    """Release a review to the client, who sees it from now on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    tx.actor.must(Right.READ_MONEY)
    row = await tx.get(BusinessReview, review_id, "business review", lock=True)
    must_be_current(row.version, expected_version)
    if row.released_at is not None:
        raise Refused(Code.ALREADY_DONE, "The client sees this review already.", argument="id")
    row.released_at, row.released_by = tx.at, tx.actor.subject
    tx.record(
        events.BusinessReviewReleased(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            review_kind=row.kind,
            from_on=row.from_on,
            until_on=row.until_on,
            revision=row.revision,
        )
    )
    await tx.session.flush()
    return row
