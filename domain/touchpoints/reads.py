"""Reads of touchpoints: which check-ins are due today, and their figures."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, cast, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account, Stage
from domain.core.deferral import Subject, is_deferred
from domain.crises import in_crisis
from domain.incidents.model import Incident
from domain.messages.model import Message
from domain.promises.model import Promise, State
from domain.touchpoints.model import Touchpoint, TouchpointKind

_MORNING = text("interval '9 hours'")
_INTENT = "check_in:"


@dataclass(frozen=True, slots=True)
class CheckInDue:
    """A planned check-in whose day has come, and the figures since the contact before it."""

    touchpoint: Touchpoint
    account: Account
    incidents: int
    kept: int
    promised: int


def intent_of(touchpoint_id: UUID) -> str:
    """Return the intent of a check-in's message."""
    return f"{_INTENT}{touchpoint_id}"


async def check_ins_due(
    session: AsyncSession, *, at: datetime, after: UUID | None, limit: int
) -> list[Subject]:
    """Select check-ins due from 09:00 local time of their day, without a message so far.

    One whose message failed waits until its next attempt, and one of a client in a crisis until that is over.
    """
    asked = exists().where(Message.intent == func.concat(_INTENT, cast(Touchpoint.id, Text)))
    query = (
        select(Touchpoint.tenant_id, Touchpoint.id)
        .join(Account, Account.id == Touchpoint.account_id)
        .where(
            Touchpoint.kind == TouchpointKind.CHECK_IN,
            Touchpoint.done_at.is_(None),
            Touchpoint.due_on + _MORNING <= func.timezone(Account.time_zone, at),
            Account.stage != Stage.PROSPECT,
            ~asked,
            ~in_crisis(Touchpoint.account_id),
            ~is_deferred("check-ins", Touchpoint.id, at=at),
        )
        .order_by(Touchpoint.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Touchpoint.id > after)
    return [Subject(*row) for row in await session.execute(query)]


async def figures_of(session: AsyncSession, touchpoint_id: UUID) -> CheckInDue:
    """Return the figures of a check-in."""
    touchpoint = await session.get_one(Touchpoint, touchpoint_id)
    account = await session.get_one(Account, touchpoint.account_id)
    since = datetime.combine(touchpoint.anchor_on, time(), ZoneInfo(account.time_zone))
    incidents = await _count(
        session, Incident.account_id == account.id, Incident.opened_at >= since
    )
    decided = (
        Promise.account_id == account.id,
        Promise.internal.is_(False),
        Promise.decided_at >= since,
    )
    kept = await _count(session, *decided, Promise.state == State.KEPT)
    late = await _count(session, *decided, Promise.state == State.LATE)
    return CheckInDue(touchpoint, account, incidents, kept, kept + late)


async def _count(session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
    return int(await session.scalar(select(func.count()).where(*conditions)) or 0)
