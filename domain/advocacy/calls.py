"""Ask contacts for reference calls, within a yearly limit of each client, and follow them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.advocacy import events
from domain.advocacy.model import CallState, ReferenceCall
from domain.advocacy.parameters import CALLS
from domain.advocacy.people import contact_of, must_not_be_in_crisis
from domain.advocacy.rules import CALLS_WITHIN
from domain.core.base import uuid7
from domain.core.bounds import must_be_instant
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.parameters import ParameterScope, required_in


async def request_call(
    tx: Tx, account_id: UUID, *, contact_id: UUID, prospect: str
) -> ReferenceCall:
    """Ask a contact to tell a prospect about the company, unless the client was asked often enough in a year."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    # The lock on the account makes two requests at once count each other.
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    contact = await contact_of(tx, contact_id, account.id)
    must_be_line(prospect, "prospect")
    await must_not_be_in_crisis(tx, account.id, "accountId")
    await _must_be_rested(tx, account)
    row = ReferenceCall(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        contact_id=contact.id,
        prospect=prospect,
        state=CallState.REQUESTED,
        requested_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        events.ReferenceCallRequested(
            account_id=account.id, subject_id=row.id, at=tx.at, contact_id=contact.id
        )
    )
    await tx.session.flush()
    return row


async def agree_call(
    tx: Tx, call_id: UUID, *, planned_at: datetime, expected_version: int | None = None
) -> ReferenceCall:
    """Record that the contact agreed to the call at a time, or to another time."""
    row = await _open(tx, call_id, expected_version)
    must_be_instant(planned_at, "plannedAt", tx.at)
    if planned_at < tx.at:
        raise Refused(Code.TIME_REVERSED, "Choose a later time.", argument="plannedAt")
    if row.planned_at == planned_at:
        raise Refused(Code.ALREADY_DONE, "The call is agreed for then.", argument="plannedAt")
    before, row.planned_at, row.state = row.planned_at, planned_at, CallState.AGREED
    tx.record(
        events.ReferenceCallAgreed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=row.contact_id,
            planned_at_before=before,
            planned_at_after=planned_at,
        )
    )
    await tx.session.flush()
    return row


async def hold_call(
    tx: Tx,
    call_id: UUID,
    *,
    outcome_note: str | None = None,
    held_at: datetime | None = None,
    expected_version: int | None = None,
) -> ReferenceCall:
    """Record that an agreed call took place, now or at a time before."""
    row = await _open(tx, call_id, expected_version)
    if row.state is not CallState.AGREED:
        raise Refused(Code.INVALID, "The contact has not agreed to this call.", argument="id")
    must_be_text(outcome_note, "outcomeNote")
    must_be_instant(held_at, "heldAt", tx.at)
    at = held_at or tx.at
    if not row.requested_at <= at <= tx.at:
        raise Refused(
            Code.TIME_REVERSED, "It was held after it was requested, until now.", argument="heldAt"
        )
    row.state, row.held_at, row.outcome_note = CallState.HELD, at, outcome_note
    tx.record(
        events.ReferenceCallHeld(
            account_id=row.account_id, subject_id=row.id, at=at, contact_id=row.contact_id
        )
    )
    await tx.session.flush()
    return row


async def cancel_call(
    tx: Tx, call_id: UUID, *, reason: str, expected_version: int | None = None
) -> ReferenceCall:
    """Record that a call does not take place; it counts no longer towards the limit."""
    row = await _open(tx, call_id, expected_version)
    must_be_text(reason, "reason")
    cancel(tx, row, reason)
    await tx.session.flush()
    return row


def cancel(tx: Tx, row: ReferenceCall, reason: str | None) -> None:
    """Cancel a call that is locked and open."""
    before, row.state = row.state, CallState.CANCELLED
    row.cancelled_at, row.cancel_reason = tx.at, reason
    tx.record(
        events.ReferenceCallCancelled(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=row.contact_id,
            before=before,
            after=row.state,
        )
    )


async def _must_be_rested(tx: Tx, account: Account) -> None:
    """Refuse another request to a client that was asked as often as allowed in 365 days."""
    found = await required_in(
        tx.session, ParameterScope(account.tenant_id, account.id), CALLS, at=tx.at
    )
    asked = await tx.session.scalar(
        select(func.count()).where(
            ReferenceCall.account_id == account.id,
            ReferenceCall.state != CallState.CANCELLED,
            ReferenceCall.requested_at > tx.at - CALLS_WITHIN,
        )
    )
    if (asked or 0) >= found.number:
        raise Refused(
            Code.TOO_MANY,
            f"This client was asked for {asked or 0} reference calls in {CALLS_WITHIN.days} days;"
            f" {CALLS.name} allows {found.number}.",
            argument="accountId",
        )


async def _open(tx: Tx, call_id: UUID, expected_version: int | None) -> ReferenceCall:
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(ReferenceCall, call_id, "reference call", lock=True)
    must_be_current(row.version, expected_version)
    if row.state in {CallState.HELD, CallState.CANCELLED}:
        raise Refused(Code.ALREADY_DONE, f"This call is {row.state}.", argument="id")
    return row
