"""Proactive notices: changes of the service, and the notices sent before them (COM-03)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements import AgreementEnding
from domain.agreements.model import Agreement, Terms
from domain.core.ledger import LedgerRow
from domain.incidents.model import IncidentUpdate
from domain.messages.model import Message
from domain.reports.content import Part, Proactive, ReportedState

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AT_ITS_START = ("opened",)
LONG_BEFORE = timedelta(days=366)
"""How long before a change without a clock a message about it may have been sent."""


class Change(NamedTuple):
    """A deviation from the agreed or usual service: its subject and its start.

    A notice counts from `since_at` on: one sent before the clock ran is not about its delay.
    """

    subject_id: UUID
    since_at: datetime | None
    at: datetime


def breaches(parts: Iterable[Part], begin: datetime, end: datetime) -> list[Change]:
    """Return promises that turned out late in a period: the client gets something later than agreed."""
    return [
        Change(part.incident_id, part.started_at, part.decided_at)
        for part in parts
        if part.stand is ReportedState.LATE
        and part.decided_at is not None
        and begin <= part.decided_at < end
    ]


def ratio_of(changes: Sequence[Change], notices: Mapping[UUID, Sequence[datetime]]) -> Proactive:
    """Return how many changes were announced before they took effect; a notice at the same time came too late."""
    announced = sum(
        any(
            notice < change.at and (change.since_at is None or notice > change.since_at)
            for notice in notices.get(change.subject_id, ())
        )
        for change in changes
    )
    return Proactive(len(changes), announced)


async def amendments(
    session: AsyncSession, account_id: UUID, begin: datetime, end: datetime
) -> list[Change]:
    """Return versions of terms, after the first, that took effect in a period, and agreements that ended in it.

    Each counts as announced by a message about itself that was sent before it took effect.
    """
    terms = await session.execute(
        select(Terms.id, Terms.in_force).where(Terms.account_id == account_id, Terms.number > 1)
    )
    ended = await session.execute(
        select(Agreement.id, Agreement.ended_at).where(
            Agreement.account_id == account_id,
            Agreement.ended_at >= begin,
            Agreement.ended_at < end,
        )
    )
    amended = [
        Change(terms_id, None, in_force.lower)
        for terms_id, in_force in terms
        if in_force.lower is not None and begin <= in_force.lower < end
    ]
    ends = []
    for agreement_id, at in ended:
        if at is not None:
            # A message about an end that was moved since does not count for the new end.
            decided_at = await session.scalar(
                select(func.max(LedgerRow.at)).where(
                    LedgerRow.subject_id == agreement_id, LedgerRow.kind == AgreementEnding.kind
                )
            )
            ends.append(Change(agreement_id, decided_at, at))
    return [*amended, *ends]


async def notices(
    session: AsyncSession, account_id: UUID, changes: Sequence[Change], *, until: datetime
) -> Mapping[UUID, Sequence[datetime]]:
    """Return when the client was notified about these subjects: updates of incidents, and sent messages.

    The notice of an incident's opening is no notice of its delay.
    """
    subjects = {change.subject_id for change in changes}
    found: dict[UUID, list[datetime]] = defaultdict(list)
    if not subjects:
        return found
    updates = await session.execute(
        select(IncidentUpdate.incident_id, IncidentUpdate.at).where(
            IncidentUpdate.incident_id.in_(subjects),
            IncidentUpdate.client_visible,
            IncidentUpdate.at < until,
        )
    )
    for incident_id, at in updates:
        found[incident_id].append(at)
    earliest = min(change.since_at or change.at - LONG_BEFORE for change in changes)
    sent = await session.execute(
        select(Message.intent, Message.sent_at).where(
            Message.account_id == account_id,
            Message.sent_at.is_not(None),
            Message.queued_at >= earliest,
            Message.queued_at < until,
        )
    )
    versions: dict[str, list[UUID]] = defaultdict(list)
    for terms_id, agreement_id in await session.execute(
        select(Terms.id, Terms.agreement_id).where(Terms.id.in_(subjects))
    ):
        versions[f"agreement:{agreement_id}"].append(terms_id)
    for intent, sent_at in sent:
        if sent_at is None:
            continue
        for terms_id in versions.get(intent, ()):  # a message about the agreement as a whole
            found[terms_id].append(sent_at)
        named = _ID.search(intent)
        if named is not None and not intent.endswith(_AT_ITS_START):
            found[UUID(named.group())].append(sent_at)
    return found
