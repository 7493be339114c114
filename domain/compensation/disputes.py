"""Disputes: a client contests a verdict. It is evaluated anew from the ledger, and only new facts can change it."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.access import Right, Tx, visible_to
from domain.compensation.actions import settle
from domain.compensation.events import DisputeDecided, DisputeOpened
from domain.compensation.model import Dispute, DisputeState
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.text_rules import must_be_text
from domain.promises.model import Promise, State

VERDICTS = frozenset({State.KEPT, State.LATE})


async def contest(tx: Tx, promise_id: UUID, *, reason: str) -> Dispute:
    """Contest a verdict; a promise has one open dispute at a time."""
    tx.actor.must(Right.CONTEST)
    must_be_text(reason, "reason")
    promise = await _promise(tx, promise_id, argument="promiseId")
    if promise.state not in VERDICTS:
        raise Refused(
            Code.INVALID,
            "The promise has no verdict yet; only a verdict can be contested.",
            argument="promiseId",
        )
    facts = await _facts(tx.session, promise)
    dispute: Dispute | None = await tx.session.scalar(
        insert(Dispute)
        .values(
            id=uuid7(),
            tenant_id=promise.tenant_id,
            account_id=promise.account_id,
            promise_id=promise.id,
            reason=reason,
            opened_by=tx.actor.subject,
            opened_at=tx.at,
            verdict_was=promise.state,
            verdict_was_at=promise.decided_at,
            facts_was=facts,
            state=DisputeState.OPEN,
        )
        .on_conflict_do_nothing()
        .returning(Dispute)
    )
    if dispute is None:
        raise Refused(
            Code.ALREADY_EXISTS, "The verdict already has an open dispute.", argument="promiseId"
        )
    tx.record(
        DisputeOpened(
            account_id=promise.account_id,
            subject_id=promise.id,
            at=tx.at,
            dispute_id=dispute.id,
            reason=reason,
        )
    )
    return dispute


async def decide_dispute(tx: Tx, dispute_id: UUID, *, outcome: str) -> Dispute:
    """Evaluate the contested promise anew from all current facts, and record the outcome.

    Without new facts the verdict stays the same and no credit changes; otherwise credits are adjusted by journal
    entries.
    """
    tx.actor.must(Right.APPROVE_CREDITS)
    must_be_text(outcome, "outcome")
    dispute = await tx.get(Dispute, dispute_id, "dispute", lock=True)
    if dispute.state is not DisputeState.OPEN:
        raise Refused(Code.ALREADY_DONE, "The dispute is already decided.", argument="id")
    promise = await _promise(tx, dispute.promise_id, argument="id")
    await promises.evaluate(tx.session, tx.actor, promise.unit_id, at=tx.at)
    await tx.session.refresh(promise)
    facts = await _facts(tx.session, promise)
    now = (str(promise.state), promise.decided_at)
    changed = now != (dispute.verdict_was, dispute.verdict_was_at)
    dispute.state = DisputeState.CHANGED if changed else DisputeState.UNCHANGED
    dispute.verdict_now, dispute.verdict_now_at = now
    dispute.facts_now, dispute.outcome = facts, outcome
    dispute.decided_by, dispute.decided_at = tx.actor.subject, tx.at
    tx.record(
        DisputeDecided(
            account_id=dispute.account_id,
            subject_id=promise.id,
            at=tx.at,
            dispute_id=dispute.id,
            was=dispute.verdict_was,
            now=now[0],
            changed=changed,
        )
    )
    await settle(tx, promise.id)
    await tx.session.flush()
    return dispute


async def _promise(tx: Tx, promise_id: UUID, *, argument: str) -> Promise:
    among = visible_to(tx.actor, Promise)
    return await tx.get(Promise, promise_id, "promise", argument=argument, among=among)


async def _facts(session: AsyncSession, promise: Promise) -> int:
    """Count the facts about the unit that affect its clocks."""
    count = await session.scalar(
        select(func.count()).where(
            LedgerRow.subject_id == promise.unit_id,
            LedgerRow.kind.in_(promises.clock_event_kinds()),
        )
    )
    return int(count or 0)
