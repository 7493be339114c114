"""Source of the KPI about notices before changes: what changed for the client, and whether a notice came before."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, literal, or_, select

from domain.agreements import AgreementEnding
from domain.agreements.model import Agreement, Terms
from domain.core.ledger import LedgerRow
from domain.incidents.model import IncidentUpdate
from domain.kpis.source_columns import fact, hit, whole
from domain.messages.model import Message
from domain.promises.model import Promise, PromiseWatch, State

LONG_BEFORE = timedelta(days=366)
"""How long before a change a message about it may have been queued."""
_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OPENED = "%opened"


def proactive_notices() -> Select[Any]:
    """Select promises that turned out late, amendments and ends of agreements, and whether a notice came before.

    The same rule as in reports: a notice about the subject itself, after its clock began and before the change.
    """
    nowhere = literal(None, Promise.id.type)
    updated = exists().where(
        IncidentUpdate.incident_id == Promise.incident_id,
        IncidentUpdate.client_visible,
        IncidentUpdate.at < Promise.decided_at,
        or_(Promise.started_at.is_(None), IncidentUpdate.at > Promise.started_at),
    )
    announced = or_(
        updated, _messaged(Promise, Promise.incident_id, Promise.decided_at, Promise.started_at)
    )
    late = (
        fact("Promise", Promise, PromiseWatch.site_id, Promise.decided_at, hit(announced), whole(1))
        .join(PromiseWatch, PromiseWatch.unit_id == Promise.unit_id, isouter=True)
        .where(
            Promise.incident_id.is_not(None),
            Promise.internal.is_(False),
            Promise.state == State.LATE,
        )
    )
    begins = func.lower(Terms.in_force)
    general = exists().where(
        Message.account_id == Terms.account_id,
        Message.intent == func.concat("agreement:", cast(Terms.agreement_id, Text)),
        Message.sent_at < begins,
    )
    amended = fact(
        "Terms",
        Terms,
        nowhere,
        begins,
        hit(or_(general, _messaged(Terms, Terms.id, begins, None))),
        whole(1),
    ).where(Terms.number > 1, begins.is_not(None))
    decided = (
        select(func.max(LedgerRow.at))
        .where(LedgerRow.subject_id == Agreement.id, LedgerRow.kind == AgreementEnding.kind)
        .correlate(Agreement)
        .scalar_subquery()
    )
    ended = fact(
        "Agreement",
        Agreement,
        nowhere,
        Agreement.ended_at,
        hit(_messaged(Agreement, Agreement.id, Agreement.ended_at, decided)),
        whole(1),
    ).where(Agreement.ended_at.is_not(None))
    return select(late.union_all(amended, ended).subquery())


def _messaged(row: Any, subject: Any, at: Any, since: Any) -> ColumnElement[bool]:
    """Return whether a message about a subject was sent before a change; one about its opening does not count."""
    conditions = [
        Message.account_id == row.account_id,
        Message.queued_at >= at - LONG_BEFORE,
        Message.queued_at < at,
        Message.sent_at < at,
        Message.intent.not_like(_OPENED),
        func.substring(Message.intent, _ID) == cast(subject, Text),
    ]
    if since is not None:
        conditions.append(or_(since.is_(None), Message.sent_at > since))
    return exists().where(and_(*conditions))
