"""Record what was observed about the relationship with a client, and withdraw what was wrong."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_

from domain.access import Right, Tx
from domain.accounts.model import Account, Contact
from domain.core.base import uuid7
from domain.core.bounds import must_be_instant
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line, must_be_text
from domain.health.events import ObservationRecorded, ObservationWithdrawn
from domain.health.model import Observation
from domain.health.observed import RULES, ObservationKind

OLDEST = timedelta(days=730)
"""How old an observation may be when it is recorded."""
MOST_TOTAL = 1_000


class ObservationDraft(NamedTuple):
    """What is to be recorded."""

    kind: ObservationKind
    value: int | None = None
    total: int | None = None
    contact_id: UUID | None = None
    note: str | None = None
    at: datetime | None = None


async def record_observation(tx: Tx, account_id: UUID, draft: ObservationDraft) -> Observation:
    """Record an observation about a client, made now or at `draft.at`."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    _check(draft)
    at = _instant(tx, draft.at)
    if draft.contact_id is not None:
        own = and_(Contact.account_id == account.id, tx.actor.scope(Contact))
        await tx.get(
            Contact, draft.contact_id, "contact of this client", argument="contactId", among=own
        )
    row = Observation(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=draft.kind,
        at=at,
        value=draft.value,
        total=draft.total,
        contact_id=draft.contact_id,
        note=draft.note,
        recorded_at=tx.at,
        recorded_by=tx.actor.subject,
    )
    tx.session.add(row)
    tx.record(
        ObservationRecorded(
            account_id=account.id,
            subject_id=row.id,
            at=at,
            observed=row.kind,
            value=row.value,
            total=row.total,
            contact_id=row.contact_id,
            note=row.note,
        )
    )
    await tx.session.flush()
    return row


async def withdraw_observation(tx: Tx, observation_id: UUID, *, reason: str) -> Observation:
    """Withdraw an observation that was wrong: it counts no longer, and both facts remain."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(reason, "reason")
    row = await tx.get(Observation, observation_id, "observation", lock=True)
    if row.withdrawn_at is not None:
        raise Refused(Code.ALREADY_DONE, "This observation is already withdrawn.", argument="id")
    row.withdrawn_at = tx.at
    tx.record(
        ObservationWithdrawn(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            observed=row.kind,
            was_at=row.at,
            reason=reason,
        )
    )
    await tx.session.flush()
    return row


def _check(draft: ObservationDraft) -> None:
    must_be_text(draft.note, "note")
    rule = RULES[draft.kind]
    if rule.has_value != (draft.value is not None):
        wanted = f"needs a value: {rule.meaning}" if rule.has_value else "takes no value"
        raise Refused(Code.INVALID, f"An observation of this kind {wanted}.", argument="value")
    if draft.value is not None:
        low, high = rule.low or 0, rule.high or 0
        if draft.value not in rule.values and (rule.values or not low <= draft.value <= high):
            allowed = ", ".join(map(str, rule.values)) or f"{low} to {high:,}"
            raise Refused(
                Code.INVALID, f"Allowed values are {allowed} ({rule.meaning}).", argument="value"
            )
    if rule.needs_total != (draft.total is not None):
        wanted = "needs the total" if rule.needs_total else "takes no total"
        raise Refused(Code.INVALID, f"An observation of this kind {wanted}.", argument="total")
    if draft.total is not None and not max(1, draft.value or 0) <= draft.total <= MOST_TOTAL:
        raise Refused(
            Code.INVALID,
            f"The total must be at least 1 and the value, and at most {MOST_TOTAL:,}.",
            argument="total",
        )
    if rule.needs_contact and draft.contact_id is None:
        raise Refused(
            Code.INVALID, "An observation of this kind needs the contact.", argument="contactId"
        )


def _instant(tx: Tx, at: datetime | None) -> datetime:
    must_be_instant(at, "at", tx.at)
    if at is None:
        return tx.at
    if at > tx.at:
        raise Refused(Code.TIME_REVERSED, "An observation cannot be made later.", argument="at")
    if at < tx.at - OLDEST:
        raise Refused(
            Code.INVALID, f"An observation is at most {OLDEST.days} days old.", argument="at"
        )
    return at
