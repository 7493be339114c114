"""Plan contacts with clients, and record that they were made."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.accounts.model import Account, Contact
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.core.errors import Code, Refused
from domain.incidents.model import Incident
from domain.parameters import ParameterScope, load_values
from domain.touchpoints.events import ContactMade
from domain.touchpoints.model import Activity, Touchpoint, TouchpointKind
from domain.touchpoints.parameters import PARAMETERS
from domain.touchpoints.rules import activity_of, due_on, intervals_of

PART = "touchpoints"


async def plan(session: AsyncSession, account: Account, *, at: datetime) -> Sequence[Touchpoint]:
    """Plan one contact of each kind for an account, due by tier and activity; return the open ones.

    The first is counted from today: an unplanned contact was not missed.
    """
    today = at.astimezone(ZoneInfo(account.time_zone)).date()
    activity = await activity_at(session, account, today=today)
    scope = ParameterScope(account.tenant_id, account.id)
    values = await load_values(session, (scope,), PARAMETERS, until=at)
    intervals = intervals_of(values, scope, at=at)
    for kind in TouchpointKind:
        fresh = insert(Touchpoint).values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            kind=kind,
            anchor_on=today,
            due_on=due_on(today, intervals[kind, activity]),
        )
        await session.execute(fresh.on_conflict_do_nothing())
    open_ones = (
        await session.scalars(
            select(Touchpoint)
            .where(Touchpoint.account_id == account.id, Touchpoint.done_at.is_(None))
            .order_by(Touchpoint.due_on, Touchpoint.kind)
        )
    ).all()
    for row in open_ones:
        row.due_on = due_on(row.anchor_on, intervals[row.kind, activity])
    await session.flush()
    return open_ones


async def activity_at(session: AsyncSession, account: Account, *, today: date) -> Activity:
    """Return the activity of an account: by the last incident, and the last contact with a person of the client."""
    work = await session.scalar(
        select(func.max(Incident.opened_at)).where(Incident.account_id == account.id)
    )
    spoken = await session.scalar(
        select(func.max(Contact.last_contact_at)).where(Contact.account_id == account.id)
    )
    return activity_of(
        last_work_on=None if work is None else work.date(),
        last_contact_on=None if spoken is None else spoken.date(),
        today=today,
    )


async def accounts_to_plan(
    session: AsyncSession, *, at: datetime, after: UUID | None, limit: int
) -> list[Subject]:
    """Select the next accounts to plan contacts for, in the order of their ids, without deferred ones."""
    query = select(Account.tenant_id, Account.id).where(~is_deferred(PART, Account.id, at=at))
    page = query.order_by(Account.id).limit(limit)
    found = await session.execute(page if after is None else page.where(Account.id > after))
    return [Subject(*row) for row in found]


async def complete(tx: Tx, touchpoint_id: UUID, *, contact_id: UUID | None = None) -> Touchpoint:
    """Record that a contact was made, with whom; the next of its kind is counted from then."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(Touchpoint, touchpoint_id, "touchpoint", lock=True)
    account = await tx.session.get_one(Account, row.account_id)
    before = None
    if contact_id is not None:
        person = await tx.get(
            Contact,
            contact_id,
            "contact of this client",
            argument="contactId",
            lock=True,
            among=and_(Contact.account_id == row.account_id, tx.actor.scope(Contact)),
        )
        if row.done_at is None:
            before, person.last_contact_at = person.last_contact_at, tx.at
    if row.done_at is not None:
        raise Refused(Code.ALREADY_DONE, "This touchpoint is already completed.", argument="id")
    row.done_at, row.done_by, row.contact_id = tx.at, tx.actor.subject, contact_id
    tx.record(
        ContactMade(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            touchpoint_kind=row.kind,
            due_on=row.due_on,
            contact_id=contact_id,
            last_contact_at_before=before,
        )
    )
    await tx.session.flush()
    await plan(tx.session, account, at=tx.at)
    return row
