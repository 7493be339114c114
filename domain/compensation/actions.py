"""Decide credits: once per broken promise, by the table's unique key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.actor import Actor
from domain.agreements.model import Agreement, CreditRule, Terms
from domain.base import uuid7
from domain.compensation.events import CreditDecided
from domain.compensation.model import Credit
from domain.compensation.rules import amount_cents, capped, month_of, rule_for
from domain.ledger import record
from domain.sla.model import Promise, State


async def decide(
    session: AsyncSession, actor: Actor, promise_id: UUID, *, at: datetime
) -> Credit | None:
    """Grant what the terms say for one broken promise; a second call grants nothing and returns None.

    None also when the promise is not late (any more), is our own internal objective, or no rule gives a credit.
    """
    promise = await session.scalar(
        select(Promise)
        .where(Promise.id == promise_id, actor.fence(Promise))
        .with_for_update(read=True)
    )
    if promise is None or promise.state is not State.LATE or promise.internal:
        return None
    rules = await session.scalars(select(CreditRule).where(CreditRule.term_id == promise.term_id))
    rule = rule_for(rules, promise.priority)
    if rule is None:
        return None
    # The agreement's row is the turnstile of its monthly cap: two credits never share the last euro.
    await session.execute(
        select(Agreement.id)
        .where(Agreement.id == promise.agreement_id)
        .with_for_update(key_share=True)
    )
    terms = await session.get_one(Terms, promise.terms_id)
    account = await session.get_one(Account, promise.account_id)
    month = month_of(promise.decided_at or at, account.time_zone)
    used = await session.scalar(
        select(func.coalesce(func.sum(Credit.amount_cents), 0)).where(
            Credit.agreement_id == promise.agreement_id, Credit.month_on == month
        )
    )
    earned = amount_cents(rule, terms.period_fee_cents)
    credit: Credit | None = await session.scalar(
        insert(Credit)
        .values(
            id=uuid7(),
            tenant_id=promise.tenant_id,
            account_id=promise.account_id,
            promise_id=promise.id,
            incident_id=promise.incident_id,
            agreement_id=promise.agreement_id,
            terms_id=promise.terms_id,
            rule_id=rule.id,
            amount_cents=capped(earned, cap_cents=terms.credit_cap_cents, used_cents=used or 0),
            uncapped_cents=earned,
            currency=terms.currency,
            month_on=month,
            decided_at=at,
        )
        .on_conflict_do_nothing(index_elements=["promise_id"])
        .returning(Credit)
    )
    if credit is not None:
        record(
            session,
            actor,
            CreditDecided(
                account_id=credit.account_id,
                subject_id=credit.id,
                at=at,
                promise_id=promise.id,
                incident_id=promise.incident_id,
                amount_cents=credit.amount_cents,
                currency=credit.currency,
            ),
        )
    return credit
