"""Random quarters: a schedule, tickets that break its promises, and the rows that say the same."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements
from domain.access import Actor, Tx
from domain.accounts import Account, Site
from domain.agreements import (
    Agreement,
    BandDraft,
    CreditDraft,
    PerCause,
    Priority,
    PromiseDraft,
    PromiseKind,
    PromiseTerm,
    Rate,
    Target,
    Terms,
    TermsDraft,
    TicketKind,
    Unit,
)
from domain.incidents import Incident, Source
from domain.promises import Promise, State
from tests.naive_credits import Kind, Rule, Schedule, Verdict

PRIORITIES = tuple(Priority)
MONTHS = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
SIGNED = datetime(2025, 12, 31, 23, tzinfo=UTC)  # the new year in Amsterdam


def schedule(chance: random.Random) -> Schedule:
    """Any of what terms can say about money."""
    codes = ("callout", "guard_hour")
    prices = []
    for code in codes[: chance.randint(0, 2)]:
        change = chance.choice([None, date(2026, 2, chance.randint(1, 28))])
        prices.append((code, date(2026, 1, 1), change, chance.randint(0, 20_000)))
        if change is not None:
            prices.append((code, change, None, chance.randint(0, 20_000)))
    return Schedule(
        fee=chance.randint(0, 1_000_000),
        cap=chance.choice([None, 0, chance.randint(1, 20_000), chance.randint(1, 200_000)]),
        largest=chance.random() < 0.7,
        kinds={
            name: Kind(_rules(chance, codes), _bands(chance))
            for name in "abc"[: chance.randint(1, 3)]
        },
        prices=tuple(prices),
    )


def _rules(chance: random.Random, codes: tuple[str, ...]) -> dict[str | None, Rule]:
    wanted: list[str | None] = [None, *PRIORITIES]
    return {who: _rule(chance, codes) for who in chance.sample(wanted, chance.randint(0, 3))}


def _rule(chance: random.Random, codes: tuple[str, ...]) -> Rule:
    basis = chance.choice(["fixed", "fee_share", "line_share", "service"])
    least = chance.choice([0, 0, chance.randint(1, 3_000)])
    return Rule(
        basis,
        {
            "fixed": chance.randint(0, 30_000),
            "fee_share": chance.randint(0, 1_000),
            "line_share": chance.randint(0, 10_000),
            "service": chance.randint(1, 4_000),
        }[basis],
        chance.choice(codes) if basis in {"line_share", "service"} else None,
        least,
        chance.choice([None, None, least + chance.randint(0, 10_000)]),
    )


def _bands(chance: random.Random) -> tuple[tuple[int, str, int], ...]:
    levels = chance.sample(range(1, 1_000_001, 999), chance.choice([0, 0, 1, 3]))
    return tuple(
        (level, basis, chance.randint(0, 20_000 if basis == "fixed" else 2_000))
        for level in levels
        for basis in [chance.choice(["fixed", "fee_share"])]
    )


def verdicts(chance: random.Random, kinds: Mapping[str, Kind]) -> list[Verdict]:
    """Tickets that break, or keep, some of the promises."""
    found = []
    for _ in range(chance.randint(2, 5)):
        ticket, priority = uuid4(), chance.choice(PRIORITIES)
        for kind in chance.sample(sorted(kinds), chance.randint(1, len(kinds))):
            day = date(2026, 1, 1) + timedelta(days=chance.randint(0, 89))
            found.append(Verdict(uuid4(), ticket, kind, priority, day, chance.random() < 0.7))
    return found


@dataclass(frozen=True)
class Signed:
    """The rows of a schedule."""

    agreement: Agreement
    terms: Mapping[str, PromiseTerm]


def draft(given: Schedule, calendar_version_id: UUID) -> TermsDraft:
    """The same in the product's words."""
    return TermsDraft(
        tuple(
            PromiseDraft(
                name,
                PromiseKind.RESOLUTION,
                calendar_version_id,
                {each: Target(elapsed_s=60) for each in Priority},
                category=name,  # promises of one kind without limits would overlap
                credits={
                    None if who is None else Priority(who): _credit(rule)
                    for who, rule in kind.rules.items()
                },
                bands=tuple(
                    BandDraft(below, amount) if basis == "fixed" else BandDraft(below, None, amount)
                    for below, basis, amount in kind.bands
                ),
            )
            for name, kind in given.kinds.items()
        ),
        period_fee_cents=given.fee,
        credit_cap_cents=given.cap,
        per_cause=PerCause.LARGEST if given.largest else PerCause.EACH,
    )


def _credit(rule: Rule) -> CreditDraft:
    column = {"fixed": "fixed_cents", "service": "units_milli"}.get(rule.basis, "fee_bps")
    amount: dict[str, int] = {column: rule.amount}
    return CreditDraft(**amount, rate_code=rule.rate, least_cents=rule.least, most_cents=rule.most)


async def sign(
    session: AsyncSession,
    actor: Actor,
    account: Account,
    calendar_version_id: UUID,
    given: Schedule,
) -> Signed:
    """An agreement with this schedule, and its prices."""
    agreement = await agreements.sign(
        Tx(session, actor, SIGNED),
        account.id,
        reference=uuid4().hex,
        title="Quarter",
        signed_on=date(2025, 12, 1),
        in_force_from=SIGNED,
        terms=draft(given, calendar_version_id),
    )
    owned = {"tenant_id": account.tenant_id, "account_id": account.id}
    session.add_all(
        Rate(
            **owned, agreement_id=agreement.id, code=code, name=code, unit=Unit.HOUR,
            price_cents=cents, currency="EUR", in_force=Range(first, until),
        )
        for code, first, until, cents in given.prices
    )  # fmt: skip
    await session.flush()
    terms = await session.scalars(
        select(PromiseTerm)
        .join(Terms, Terms.id == PromiseTerm.terms_id)
        .where(Terms.agreement_id == agreement.id)
    )
    return Signed(agreement, {row.name: row for row in terms})


def rows(
    account: Account, site: Site, signed: Signed, said: list[Verdict]
) -> list[Incident | Promise]:
    """Tickets and promises as they would stand after these verdicts; instants are noon in Amsterdam."""
    owned = {"tenant_id": account.tenant_id, "account_id": account.id}
    tickets = {
        each.ticket: Incident(
            id=each.ticket, **owned, site_id=site.id, kind=TicketKind.INCIDENT,
            priority=Priority(each.priority), source=Source.GUARD, reporter="J. Jansen",
            summary="Broken window", opened_at=SIGNED,
        )
        for each in said
    }  # fmt: skip
    promises = [
        Promise(
            id=each.id, **owned, unit_kind="incident", unit_id=each.ticket, agreement_id=signed.agreement.id,
            terms_id=signed.terms[each.kind].terms_id, term_id=signed.terms[each.kind].id,
            kind=PromiseKind.RESOLUTION, name=each.kind, priority=Priority(each.priority),
            state=State.LATE if each.late else State.KEPT, decided_at=decided_at(each),
            target_us=0, evaluated_at=SIGNED, evaluator=1,
        )
        for each in said
    ]  # fmt: skip
    return [*tickets.values(), *promises]


def decided_at(verdict: Verdict) -> datetime:
    """The instant of a verdict."""
    return datetime(verdict.day.year, verdict.day.month, verdict.day.day, 11, tzinfo=UTC)
