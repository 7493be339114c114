"""Decisions of people about credits: approve, decline, override, and goodwill. Every decision has a reason."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Role, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement, Terms
from domain.compensation.actions import (
    AFTER_ALL,
    CALLED_OFF,
    KEPT,
    MEASURED,
    NEVER,
    OTHERS,
    announced,
    lock_agreement,
    nets_of,
    post,
    proposed,
    settle_months,
)
from domain.compensation.entitlements import months_of
from domain.compensation.events import CreditDeclined, CreditOverridden, PolicyChosen
from domain.compensation.four_eyes import OTHERWISE, must_be_somebody_else, needs_another
from domain.compensation.model import CompensationPolicy, Credit, CreditKind, CreditState
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_currency
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text

STANDARD_BPS = 2_100  # the same as in `domain/invoices`, which this package must not import

AGREED = "Somebody of the company agreed to the credit."
GIVEN = "Given beyond what was owed."
"""Texts of journal entries, which are permanent; what people wrote is in the credit, where names can be erased."""

ADJUSTMENT_REASONS = {
    CALLED_OFF: "called_off",
    KEPT: "kept",
    NEVER: "never",
    AFTER_ALL: "broken",
    OTHERS: "others",
    MEASURED: "measured",
    OTHERWISE: "decided",
}
"""Text of an entry → code of the reason why a granted credit was adjusted."""


async def approve(tx: Tx, credit_id: UUID, *, reason: str) -> Credit:
    """Approve a proposed credit, with the amount that the client is entitled to by now.

    Neither the person who proposed it nor an API key can approve it.
    """
    credit, account = await _locked_credit(tx, credit_id, reason)
    if credit.state is not CreditState.AWAITING:
        raise Refused(Code.ALREADY_DONE, f"The credit is {credit.state}.", argument="id")
    await must_be_somebody_else(tx.session, tx.actor, credit)
    credit.state = CreditState.GRANTED
    reasons = [each for each in (credit.decision_reason, reason) if each]
    credit.decision_by, credit.decision_reason = tx.actor.subject, "\n".join(reasons)
    await tx.session.flush()
    if credit.kind is CreditKind.GOODWILL:
        await post(tx, credit, credit.amount_cents, n=1, reason=GIVEN)
    else:
        await _settle(tx, credit, account, AGREED, notify=False)
    net, _ = (await nets_of(tx.session, [credit.id])).get(credit.id, (0, 0))
    tx.record(announced(credit, net, tx.at))
    return credit


async def decline(tx: Tx, credit_id: UUID, *, reason: str) -> Credit:
    """Decline a proposed credit."""
    credit, account = await _locked_credit(tx, credit_id, reason)
    if credit.state is not CreditState.AWAITING:
        raise Refused(Code.ALREADY_DONE, f"The credit is {credit.state}.", argument="id")
    credit.state = CreditState.DECLINED
    credit.decision_by, credit.decision_reason = tx.actor.subject, reason
    await tx.session.flush()
    fact = CreditDeclined(account_id=account.id, subject_id=credit.id, at=tx.at, reason=reason)
    tx.record(fact)
    if credit.kind is not CreditKind.GOODWILL:
        await _settle(tx, credit, account, OTHERWISE)
    return credit


async def override(tx: Tx, credit_id: UUID, *, cents: int, reason: str) -> Credit:
    """Override a granted credit with an amount, whatever the schedule gives and also above the month's cap."""
    must_be_cents(cents, "amountCents")
    credit, account = await _locked_credit(tx, credit_id, reason)
    if credit.state is not CreditState.GRANTED or credit.kind is CreditKind.GOODWILL:
        raise Refused(
            Code.INVALID, "Only a granted credit of the schedule can be overridden.", argument="id"
        )
    net, _ = (await nets_of(tx.session, [credit.id])).get(credit.id, (0, 0))
    more = cents - net
    is_person = tx.actor.role is not Role.SYSTEM
    if is_person and more > 0 and await needs_another(tx, account.id, more, credit.currency):
        raise Refused(
            Code.NOT_ALLOWED,
            "That is more than the approval threshold: give the difference with giveCredit"
            " and have somebody else approve it.",
            argument="amountCents",
        )
    tx.record(
        CreditOverridden(
            account_id=account.id,
            subject_id=credit.id,
            at=tx.at,
            before=credit.override_cents,
            after=cents,
            reason=reason,
        )
    )
    credit.override_cents = cents
    credit.decision_by, credit.decision_reason = tx.actor.subject, reason
    await tx.session.flush()
    await _settle(tx, credit, account, OTHERWISE)
    return credit


async def grant_goodwill(tx: Tx, agreement_id: UUID, *, cents: int, reason: str) -> Credit:
    """Grant a client goodwill that is not owed: recorded separately from guaranteed credits, outside their caps.

    It awaits another person's approval when it is above the threshold, alone or together with what the same person gave
    the client in the last 30 days.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    must_be_cents(cents, "amountCents", least=1)
    known = await tx.session.scalar(
        select(Agreement.id).where(Agreement.id == agreement_id, tx.actor.scope(Agreement))
    )
    if known is None:
        raise Refused(Code.NOT_FOUND, "No such agreement.", argument="agreementId")
    account = await lock_agreement(tx.session, agreement_id)
    currency = await _currency(tx.session, agreement_id, tx.at)
    waits = await needs_another(tx, account.id, cents, currency)
    turn = select(func.coalesce(func.max(Credit.turn), 0) + 1).where(
        Credit.agreement_id == agreement_id
    )
    credit = Credit(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=CreditKind.GOODWILL,
        state=CreditState.AWAITING if waits else CreditState.GRANTED,
        agreement_id=agreement_id,
        turn=await tx.session.scalar(turn),
        amount_cents=cents,
        uncapped_cents=cents,
        currency=currency,
        month_on=tx.at.astimezone(ZoneInfo(account.time_zone)).date().replace(day=1),
        decided_at=tx.at,
        proposed_by=tx.actor.subject,
        decision_by=tx.actor.subject,
        decision_reason=reason,
    )
    tx.session.add(credit)
    await tx.session.flush()
    if waits:
        tx.record(proposed(credit, tx.at))
        return credit
    await post(tx, credit, cents, n=1, reason=GIVEN)
    tx.record(announced(credit, cents, tx.at))
    return credit


async def _currency(session: AsyncSession, agreement_id: UUID, at: datetime) -> str:
    """Return the currency of the terms in force at a time; outside all terms, that of the nearest ones."""
    rows = await session.scalars(
        select(Terms).where(Terms.agreement_id == agreement_id).order_by(Terms.number)
    )
    versions = rows.all()
    begun = [each for each in versions if each.in_force.lower is None or each.in_force.lower <= at]
    return (begun[-1] if begun else versions[0]).currency


async def choose_policy(
    tx: Tx,
    *,
    approval_above_cents: int | None,
    keep_approval: bool = False,
    approval_currency: str | None = None,
    vat_category: str | None = None,
    vat_rate_bps: int | None = None,
    expected_version: int | None = None,
) -> CompensationPolicy:
    """Set above which amount a second person must approve, and how credits are taxed on credit notes.

    None leaves a value unchanged, except for the amount: there None means that approval is never needed unless
    `keep_approval`.
    """
    tx.actor.must(Right.APPROVE_CREDITS)
    tx.actor.must_access_all_accounts("Compensation policies")
    must_be_cents(approval_above_cents, "approvalAboveCents")
    if approval_currency is not None:
        must_be_currency(approval_currency, "approvalCurrency")
    first = await tx.session.scalar(
        insert(CompensationPolicy)
        .values(id=uuid7(), tenant_id=tx.actor.tenant_id, version=0)
        .on_conflict_do_nothing(index_elements=["tenant_id"])
        .returning(CompensationPolicy.id)
    )
    policy = (
        await tx.session.scalars(
            select(CompensationPolicy)
            .where(CompensationPolicy.tenant_id == tx.actor.tenant_id)
            .with_for_update()
        )
    ).one()
    must_be_current(policy.version, expected_version)
    before = {} if first else _says(policy)
    category = policy.vat_category if vat_category is None else vat_category
    rate_bps = _rate_bps(policy, category) if vat_rate_bps is None else vat_rate_bps
    taxed = category == "S"
    if category not in {"S", "Z", "E", "O"} or taxed != (0 < rate_bps <= 10_000):
        raise Refused(
            Code.INVALID,
            "The VAT category must be S with a rate, or Z, E or O without a rate.",
            argument="vatCategory",
        )
    if not keep_approval:
        policy.approval_above_cents = approval_above_cents
    policy.vat_category, policy.vat_rate_bps = category, rate_bps
    if approval_currency is not None:
        policy.approval_currency = approval_currency
    await tx.session.flush()
    tx.record(
        PolicyChosen(
            account_id=None, subject_id=policy.id, at=tx.at, before=before, after=_says(policy)
        )
    )
    return policy


def _says(policy: CompensationPolicy) -> dict[str, Any]:
    return {
        "approval_above_cents": policy.approval_above_cents,
        "approval_currency": policy.approval_currency,
        "vat_category": policy.vat_category,
        "vat_rate_bps": policy.vat_rate_bps,
    }


def _rate_bps(policy: CompensationPolicy, category: str) -> int:
    """Return the default rate of a VAT category."""
    if category != "S":
        return 0
    return policy.vat_rate_bps or STANDARD_BPS


async def _locked_credit(tx: Tx, credit_id: UUID, reason: str) -> tuple[Credit, Account]:
    """Load a credit with its agreement locked."""
    tx.actor.must(Right.APPROVE_CREDITS)
    must_be_text(reason, "reason")
    credit = await tx.get(Credit, credit_id, "credit")
    account = await lock_agreement(tx.session, credit.agreement_id)
    await tx.session.refresh(credit)
    return credit, account


async def _settle(
    tx: Tx, credit: Credit, account: Account, reason: str, *, notify: bool = True
) -> None:
    months = {credit.month_on}
    if credit.unit_id is not None:
        months |= await months_of(
            tx.session, credit.agreement_id, credit.unit_id, account.time_zone
        )
    await settle_months(
        tx,
        account,
        credit.agreement_id,
        months,
        unit_id=credit.unit_id,
        reasons={credit.id: reason},
        silent_for=frozenset() if notify else frozenset({credit.id}),
    )
