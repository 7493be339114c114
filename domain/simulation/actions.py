"""Simulate proposed terms, sign off their risk, and amend agreements only to terms whose risk is accepted."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, quality
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.agreements import Agreement, Rate, Terms, TermsDraft, check
from domain.calendars import specs
from domain.core.base import JSON
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.text_rules import must_be_text
from domain.incidents.model import Incident
from domain.promises import EVALUATOR, ClockFact, clock_event_kinds
from domain.simulation.events import TermsSignedOff, TermsSimulated
from domain.simulation.model import Simulation
from domain.simulation.rules import (
    SimulatedIncident,
    SimulatedOutcome,
    can_earn_credits,
    fingerprint,
    lines,
    month,
    proposed,
    simulate_outcomes,
    weekly,
    worst_cents,
)

CHUNK = 4_000  # incidents simulated at a time
UP_TO_NOW = timedelta(days=1)
"""A simulation that leaves out more of the newest history than this is an exploration."""
SEED = 0
SAMPLE = 10
"""Minimum number of decided promises with credits for a meaningful estimate of a month's cost."""
VALID_FOR = timedelta(days=30)
"""How long a simulation is valid for its terms."""


async def simulate(
    tx: Tx,
    account_id: UUID,
    *,
    terms: TermsDraft,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    seed: int = 0,
) -> Simulation:
    """Simulate the terms on the account's incidents opened in [from_at, until_at), else on all; store the result."""
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    if seed < 0:
        raise Refused(Code.INVALID, "seed must be 0 or more.", argument="seed")
    account = await tx.get(Account, account_id, "account", argument="accountId")
    return await _simulated(tx, account, terms, from_at, until_at, seed)


async def _simulated(
    tx: Tx,
    account: Account,
    terms: TermsDraft,
    from_at: datetime | None,
    until_at: datetime | None,
    seed: int,
) -> Simulation:
    check(terms)
    until_at = min(until_at or tx.at, tx.at)
    outcomes = await outcomes_of(tx.session, account, terms, from_at, until_at)
    begin = min((each.started_at for each in outcomes), default=until_at)
    weeks = weekly(outcomes, account.time_zone, begin, until_at)
    found = month(weeks, cap_cents=terms.credit_cap_cents, seed=seed)
    policy = await quality.policy_of(tx.session, account)
    simulation = Simulation(
        tenant_id=account.tenant_id,
        account_id=account.id,
        terms_sha256=fingerprint(terms),
        from_at=from_at or begin,
        until_at=until_at,
        seed=seed,
        units=sum(each.decided_at is not None for each in outcomes),
        kept=sum(each.kept for each in outcomes),
        weeks=weeks.size,
        whole_history=seed == SEED
        and until_at >= tx.at - UP_TO_NOW
        and await _begins_early_enough(tx.session, account, from_at),
        p50_cents=found.p50,
        p95_cents=found.p95,
        limit_cents=terms.period_fee_cents * policy.risk_limit_bps // 10_000,
        report=_report(terms, outcomes),
        simulated_at=tx.at,
        simulated_by=tx.actor.subject,
        evaluator=EVALUATOR,
    )
    tx.session.add(simulation)
    await tx.session.flush()
    tx.record(
        TermsSimulated(
            account_id=account.id,
            subject_id=simulation.id,
            at=tx.at,
            terms_sha256=simulation.terms_sha256.hex(),
            from_at=simulation.from_at,
            until_at=until_at,
            seed=seed,
            whole_history=simulation.whole_history,
            p95_cents=simulation.p95_cents,
            limit_cents=simulation.limit_cents,
        )
    )
    return simulation


async def _begins_early_enough(
    session: AsyncSession, account: Account, from_at: datetime | None
) -> bool:
    if from_at is None:
        return True
    first = await session.scalar(
        select(func.min(Incident.opened_at)).where(Incident.account_id == account.id)
    )
    return first is None or from_at <= first


async def outcomes_of(
    session: AsyncSession,
    account: Account,
    terms: TermsDraft,
    from_at: datetime | None,
    until_at: datetime,
) -> list[SimulatedOutcome]:
    """Return the results of the terms by `until_at`, for the incidents opened before it."""
    await agreements.must_be_computable(session, account.tenant_id, account.id, terms)
    hours = await specs(session, agreements.calendar_versions(terms))
    promised = proposed(terms, account.tenant_id, account.id)
    query = select(
        Incident.id,
        Incident.kind,
        Incident.category,
        Incident.site_id,
        Incident.opened_at,
        Incident.service,
    ).where(Incident.account_id == account.id, Incident.opened_at < until_at)
    if from_at is not None:
        query = query.where(Incident.opened_at >= from_at)
    rows = await session.execute(query.order_by(Incident.id))
    incidents = [
        SimulatedIncident(
            row.id, str(row.kind), row.category, row.site_id, row.opened_at, row.service
        )
        for row in rows
    ]
    prices = await _prices(session, account, until_at)
    found: list[SimulatedOutcome] = []
    for begin in range(0, len(incidents), CHUNK):
        chunk = {incident.id: incident for incident in incidents[begin : begin + CHUNK]}
        facts = await _facts(session, chunk)
        found += await asyncio.to_thread(
            simulate_outcomes, terms, promised, chunk, facts, hours, at=until_at, prices=prices
        )
    return found


async def _prices(session: AsyncSession, account: Account, at: datetime) -> dict[str, int]:
    """Return the prices of the account's rates at a time; of two agreements' prices for one code the higher."""
    day = at.astimezone(ZoneInfo(account.time_zone)).date()
    rows = await session.execute(
        select(Rate.code, func.max(Rate.price_cents))
        .where(Rate.account_id == account.id, Rate.in_force.contains(day))
        .group_by(Rate.code)
    )
    return {code: int(cents) for code, cents in rows}


async def _facts(
    session: AsyncSession, incidents: dict[UUID, SimulatedIncident]
) -> list[ClockFact]:
    rows = await session.execute(
        select(LedgerRow.subject_id, LedgerRow.kind, LedgerRow.at, LedgerRow.body)
        .where(
            LedgerRow.subject_id == func.any(list(incidents)),
            LedgerRow.kind.in_(clock_event_kinds()),
        )
        .order_by(LedgerRow.id)
    )
    return [ClockFact(*row) for row in rows]


def _report(terms: TermsDraft, outcomes: Sequence[SimulatedOutcome]) -> JSON:
    """Summarize per promise and per site: count, kept, credits before caps, and whether the objective is missed."""
    found = []
    for line in lines(outcomes):
        promise = terms.promises[line.promise]
        found.append(
            {
                "promise": promise.name,
                "internal": promise.internal,
                "site_id": None if line.site_id is None else str(line.site_id),
                "n": line.n,
                "kept": line.kept,
                "objective_ppm": promise.objective_ppm,
                "breaks": line.kept * 1_000_000 < promise.objective_ppm * line.n,
                "cents": line.cents,
            }
        )
    return {"lines": found}


async def sign_off(tx: Tx, simulation_id: UUID, *, reason: str) -> Simulation:
    """Sign off, by name, the risk that a simulation showed. Only a person may."""
    tx.actor.must(Right.ACCEPT_RISK)
    kind, _, user_id = tx.actor.subject.partition(":")
    if kind != "user":
        raise Refused(Code.NOT_ALLOWED, "Only a person can sign off, not an API key.")
    must_be_text(reason, "reason")
    simulation = await tx.session.scalar(
        select(Simulation)
        .where(Simulation.id == simulation_id, tx.actor.scope(Simulation))
        .with_for_update()
    )
    if simulation is None:
        raise Refused(Code.NOT_FOUND, "No such simulation.", argument="id")
    if simulation.signed_off_at is not None:
        raise Refused(Code.ALREADY_DONE, "The simulation is already signed off.", argument="id")
    if not simulation.whole_history:
        raise Refused(
            Code.INVALID,
            "It leaves out history or has a seed of its own, so it shows no risk that could be accepted. Simulate the"
            " terms without fromAt, untilAt and seed.",
            argument="id",
        )
    simulation.signed_off_by_id, simulation.signed_off_at = UUID(user_id), tx.at
    simulation.sign_off_reason = reason
    tx.record(
        TermsSignedOff(
            account_id=simulation.account_id,
            subject_id=simulation.id,
            at=tx.at,
            simulation_id=simulation.id,
            terms_sha256=simulation.terms_sha256.hex(),
            p95_cents=simulation.p95_cents,
            limit_cents=simulation.limit_cents,
        )
    )
    return simulation


async def sign(
    tx: Tx,
    account_id: UUID,
    *,
    reference: str,
    title: str,
    signed_on: date,
    in_force_from: datetime,
    terms: TermsDraft,
) -> Agreement:
    """Record a signed agreement, unless its terms cost more on the account's history than is allowed without sign-off.

    An account without incidents has no history to simulate: the first agreement is the signer's own responsibility.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    incidents = exists().where(Incident.account_id == Account.id)
    experienced = await tx.session.scalar(
        select(Account).where(Account.id == account_id, tx.actor.scope(Account), incidents)
    )
    if experienced is not None:
        await _must_be_accepted(tx, experienced, terms)
    return await agreements.sign(
        tx,
        account_id,
        reference=reference,
        title=title,
        signed_on=signed_on,
        in_force_from=in_force_from,
        terms=terms,
    )


async def amend(
    tx: Tx,
    agreement_id: UUID,
    *,
    in_force_from: datetime,
    terms: TermsDraft,
    expected_version: int | None = None,
) -> Terms:
    """Amend an agreement, unless a month of the new terms may cost more than the limit without a sign-off.

    Terms that were not simulated in the last 30 days are simulated now.
    """
    account = await tx.session.scalar(
        select(Account)
        .join(Agreement, Agreement.account_id == Account.id)
        .where(Agreement.id == agreement_id, tx.actor.scope(Agreement))
    )
    if account is not None:
        tx.actor.must(Right.MANAGE_AGREEMENTS)
        await _must_be_accepted(tx, account, terms)
    return await agreements.amend(
        tx,
        agreement_id,
        in_force_from=in_force_from,
        terms=terms,
        expected_version=expected_version,
    )


async def _must_be_accepted(tx: Tx, account: Account, terms: TermsDraft) -> None:
    """Refuse terms whose month may cost more than the limit, or that cannot be estimated, until signed off.

    With too little history only the cap limits what a month can cost.
    """
    simulation = await tx.session.scalar(
        select(Simulation)
        .where(
            Simulation.account_id == account.id,
            Simulation.terms_sha256 == fingerprint(terms),
            Simulation.simulated_at >= tx.at - VALID_FOR,
            Simulation.whole_history,
        )
        .order_by(Simulation.signed_off_at.desc().nulls_last(), Simulation.id.desc())
        .limit(1)
    ) or await _simulated(tx, account, terms, None, None, 0)
    if simulation.signed_off_at is not None:
        return
    limit = simulation.limit_cents
    if can_earn_credits(terms) and _sample(simulation, terms) < SAMPLE:
        if terms.credit_cap_cents is None or terms.credit_cap_cents > limit:
            raise Refused(
                Code.SIGN_OFF_NEEDED,
                "There is too little history to simulate these terms. Cap a month's credits at "
                f"{limit / 100:.2f} {terms.currency}, or simulate them and have that signed off.",
                argument="terms",
            )
    elif simulation.p95_cents > limit:
        raise Refused(
            Code.SIGN_OFF_NEEDED,
            f"In one month of twenty these terms would have cost {simulation.p95_cents / 100:.2f} {terms.currency} "
            f"or more; the limit is {limit / 100:.2f}. Simulate them and have that signed off.",
            argument="terms",
        )


def _sample(simulation: Simulation, terms: TermsDraft) -> int:
    """Return how often promises with credits were decided; 0 when a hardly tested one could pass the limit alone."""
    decided = {
        line["promise"]: line["n"] for line in simulation.report["lines"] if line["site_id"] is None
    }
    costly = [each for each in terms.promises if each.credits or each.bands]
    untried = [each for each in costly if decided.get(each.name, 0) < SAMPLE]
    dear = any(
        worst_cents(each, terms.period_fee_cents) > simulation.limit_cents for each in untried
    )
    if simulation.weeks == 0 or dear:
        return 0
    return sum(decided.get(each.name, 0) for each in costly)
