"""Time of occurrence: when an incident happened, stated when it is told and corrected later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select

from domain.access import Right, Tx
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.text_rules import must_be_text
from domain.incidents import events
from domain.incidents.lifecycle import evaluated, load_for_update, record_event
from domain.incidents.model import Incident

TOLD_AT_ONCE = timedelta(minutes=5)
"""An incident that is told later than this after it happened needs a reason."""
STATED_WITHIN, BACKDATED_WITHIN = timedelta(days=7), timedelta(days=366)
"""How long before it was told an incident may have happened: for everybody, and with the right to backdate."""


@dataclass(frozen=True, slots=True)
class StatedOccurrence:
    """When an incident happened, as its reporter says, and why it is told later."""

    at: datetime
    reason: str | None = None


def must_be_plausible(
    tx: Tx, stated: StatedOccurrence, *, told_at: datetime, argument: str
) -> None:
    """Refuse a time after the telling or too long before it, and late telling without a reason.

    `argument` names the argument in which the caller gives the reason.
    """
    if stated.at > told_at:
        raise Refused(
            Code.INVALID,
            f"An incident cannot happen after it is told, at {told_at:%Y-%m-%d %H:%M:%S} UTC.",
            argument="occurredAt",
        )
    may_backdate = tx.actor.may(Right.BACKDATE)
    limit = BACKDATED_WITHIN if may_backdate else STATED_WITHIN
    if told_at - stated.at > limit:
        who = "" if may_backdate else " Ask the security company's management if it was longer ago."
        raise Refused(
            Code.INVALID,
            f"occurredAt may be at most {limit.days} days before the incident is told.{who}",
            argument="occurredAt",
        )
    must_be_text(stated.reason, argument)
    if stated.reason is None and told_at - stated.at > TOLD_AT_ONCE:
        raise Refused(
            Code.INVALID,
            f"Say why it is told later: give {argument} when it happened more than"
            f" {TOLD_AT_ONCE.seconds // 60} minutes ago.",
            argument=argument,
        )


def record_statement(
    tx: Tx, incident: Incident, *, before: datetime | None, reason: str | None
) -> None:
    """Record when an incident happened, with what was stated before."""
    record_event(
        tx,
        incident,
        events.OccurrenceStated,
        occurred_at=incident.occurred_at,
        occurred_at_before=before,
        told_at=incident.opened_at,
        reason=reason,
    )


async def correct_occurrence(
    tx: Tx,
    incident_id: UUID,
    *,
    occurred_at: datetime | None,
    reason: str,
    expected_version: int | None = None,
) -> Incident:
    """Correct when an incident happened, None for not known; staff may, and whoever opened the incident.

    Promises whose clock starts at the occurrence are evaluated again, which may revise a verdict.
    """
    incident = await load_for_update(tx, incident_id, expected_version, right=Right.REPORT)
    if not tx.actor.may(Right.HANDLE) and not await _opened_by(tx, incident):
        raise Refused(
            Code.NOT_ALLOWED, "Only who opened the incident, and the control room, can correct it."
        )
    must_be_text(reason, "reason")
    if occurred_at == incident.occurred_at:
        raise Refused(Code.ALREADY_DONE, "That is what is recorded already.", argument="occurredAt")
    if occurred_at is not None:
        stated = StatedOccurrence(occurred_at, reason)
        must_be_plausible(tx, stated, told_at=incident.opened_at, argument="reason")
    before, incident.occurred_at = incident.occurred_at, occurred_at
    record_statement(tx, incident, before=before, reason=reason)
    return await evaluated(tx, incident)


async def _opened_by(tx: Tx, incident: Incident) -> bool:
    opened = exists().where(
        LedgerRow.subject_id == incident.id,
        LedgerRow.kind == events.Opened.kind,
        LedgerRow.actor == tx.actor.subject,
    )
    return bool(await tx.session.scalar(select(opened)))
