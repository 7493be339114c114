"""Credits of random quarters are, to the cent, what an independent computation of them says."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from domain import compensation, journal
from domain.access import Actor, Tx
from domain.agreements.model import CreditBand, CreditRule, Priority
from domain.compensation import Credit, CreditKind, CreditState
from domain.compensation.actions import nets_of
from domain.compensation.rules import (
    BrokenPromise,
    Month,
    amount_cents,
    band_cents,
    band_for,
    entitled,
    rule_for,
)
from domain.core.db import connect, sessions, transaction
from domain.promises import Promise, State
from tests import build, naive_credits
from tests.domain.compensation import quarters
from tests.naive_credits import Band, Quarter, Schedule, Verdict

AT = datetime(2026, 4, 2, 9, tzinfo=UTC)
QUARTERS, STORED = 1_000, 25


@settings(max_examples=QUARTERS, deadline=None)
@given(st.integers(0, 2**64))
def test_a_thousand_schedules_come_to_what_the_page_says(seed: int) -> None:
    chance = random.Random(seed)
    schedule = quarters.schedule(chance)
    said = quarters.verdicts(chance, schedule.kinds)
    for each in said:
        each.given = chance.choice([None] * 9 + [chance.randint(0, 9_000)])
    closed = {month for month in quarters.MONTHS if chance.random() < 0.7}
    bands = [
        Band(kind, month, chance.choice([None] * 9 + [chance.randint(0, 9_000)]))
        for kind in schedule.kinds
        for month in sorted(closed)
    ]
    earning = [v.id for v in said if naive_credits.rule_says(schedule, v) is not None]
    order: list[object] = [*earning, *bands]
    chance.shuffle(order)
    quarter = Quarter(said, closed, order)

    found = entitled(*_inputs(schedule, quarter))

    assert {
        name: found.get((name.kind, name.month) if isinstance(name, Band) else name, 0)
        for name in order
    } == naive_credits.given(schedule, quarter)


def _inputs(schedule: Schedule, quarter: Quarter) -> tuple[list[BrokenPromise], list[Month]]:
    """The same quarter as the product's rules are told it."""
    turns = {name: turn for turn, name in enumerate(quarter.order)}
    drafts = quarters.draft(schedule, UUID(int=0)).promises
    broken, months = [], []
    for each in quarter.verdicts:
        draft = next(promise for promise in drafts if promise.name == each.kind)
        rules = [
            CreditRule(
                priority=who, basis=credit.basis, fixed_cents=credit.fixed_cents,
                fee_bps=credit.fee_bps, rate_code=credit.rate_code, units_milli=credit.units_milli,
                least_cents=credit.least_cents, most_cents=credit.most_cents,
            )
            for who, credit in draft.credits.items()
        ]  # fmt: skip
        rule = rule_for(rules, Priority(each.priority))
        if rule is None or not each.late:
            continue
        price = naive_credits.price(schedule, rule.rate_code, each.day) if rule.rate_code else None
        own: Any = [each.id, each.ticket, each.kind, turns[each.id], each.day.replace(day=1)]
        cents = amount_cents(rule, schedule.fee, price)
        broken.append(BrokenPromise(*[*own, cents, schedule.cap, schedule.largest, each.given]))
    for name in quarter.order:
        if isinstance(name, Band):
            draft = next(promise for promise in drafts if promise.name == name.kind)
            levels = [CreditBand(**{s: getattr(b, s) for s in b.__slots__}) for b in draft.bands]
            month = [
                v for v in quarter.verdicts
                if v.kind == name.kind and v.day.replace(day=1) == name.month
            ]  # fmt: skip
            kept = sum(not v.late for v in month)
            band = band_for(levels, kept=kept, decided=len(month))
            cents = 0 if band is None else band_cents(band, schedule.fee)
            key: Any = [name.kind, turns[name], name.month, cents]
            months.append(Month(*[*key, schedule.cap, schedule.largest, name.given]))
    return broken, months


@dataclass
class Play:
    """A quarter on a real database: what is done to it, in one transaction."""

    world: build.World
    session: Any
    chance: random.Random
    schedule: Schedule
    said: list[Verdict] = field(default_factory=list)
    closed: set[date] = field(default_factory=set)

    @property
    def actor(self) -> Actor:
        return Actor.system(self.world.tenant.id, "test")

    async def credits(self) -> list[Credit]:
        query = select(Credit).where(Credit.agreement_id == self.signed.agreement.id)
        return list(await self.session.scalars(query.order_by(Credit.turn)))

    async def begin(self) -> None:
        world = self.world
        self.signed = await quarters.sign(
            self.session, self.actor, world.account, world.calendar.id, self.schedule
        )
        self.said = quarters.verdicts(self.chance, self.schedule.kinds)
        self.session.add_all(quarters.rows(world.account, world.site, self.signed, self.said))
        await self.session.flush()

    async def told(self, verdict: Verdict) -> None:
        """The worker hears of a verdict."""
        await compensation.settle(Tx(self.session, self.actor, AT), verdict.id)  # type: ignore[arg-type]

    async def close(self, month_on: date) -> None:
        await compensation.close_month(
            Tx(self.session, self.actor, AT), self.signed.agreement.id, month_on
        )
        self.closed.add(month_on)

    async def revise(self) -> None:
        """A late fact turns a verdict around, or shows that there was nothing to judge."""
        verdict = self.chance.choice(self.said)
        state = self.chance.choice([State.LATE, State.KEPT, State.CANCELLED])
        verdict.late, verdict_at = state is State.LATE, quarters.decided_at(verdict)
        await self.session.execute(
            update(Promise)
            .where(Promise.id == verdict.id)
            .values(state=state, decided_at=None if state is State.CANCELLED else verdict_at)
        )
        await self.told(verdict)

    async def intervene(self) -> None:
        """Somebody approves, declines or overrides a credit."""
        found = await self.credits()
        if not found:
            return
        credit = self.chance.choice(found)
        acts: list[Callable[..., Any]] = [compensation.approve, compensation.decline]
        act = self.chance.choice(acts)
        more: dict[str, Any] = {"reason": "Because."}
        if credit.state is CreditState.GRANTED:
            act, more = compensation.override, {**more, "cents": self.chance.randint(0, 9_000)}
        elif credit.state is CreditState.DECLINED:
            return
        await act(Tx(self.session, self.actor, AT), credit.id, **more)

    async def outcome(self) -> tuple[dict[object, int], dict[object, int]]:
        """What the journal says of each credit, and what the independent computation does."""
        gone = await self.session.scalars(
            select(Promise.id).where(
                Promise.agreement_id == self.signed.agreement.id,
                Promise.state == State.CANCELLED,
            )
        )
        cancelled = set(gone)
        names = {term.id: name for name, term in self.signed.terms.items()}
        by_id = {verdict.id: verdict for verdict in self.said}
        order: list[object] = []
        found: dict[object, int] = {}
        waiting = []
        given = await self.credits()
        nets = await nets_of(self.session, [credit.id for credit in given])
        for credit in given:
            own = 0 if credit.state is CreditState.DECLINED else credit.override_cents
            if credit.kind is CreditKind.PERIOD:
                assert credit.term_id is not None
                name: object = Band(names[credit.term_id], credit.month_on, own)
            else:
                name = credit.promise_id
                by_id[name].given = own
            order.append(name)
            found[name] = nets.get(credit.id, (0, 0))[0]
            if credit.state is CreditState.AWAITING:
                waiting.append(name)
        told = [verdict for verdict in self.said if verdict.id not in cancelled]
        told += [replace(by_id[c], kind="none", late=False) for c in cancelled if c in order]
        expected = naive_credits.given(self.schedule, Quarter(told, self.closed, order))
        return found, expected | dict.fromkeys(waiting, 0)


async def play(make: Any, world: build.World, seed: int) -> None:
    """One quarter: verdicts in any order, months closed in between, late facts and people's decisions."""
    chance = random.Random(seed)
    async with transaction(make) as session:
        story = Play(world, session, chance, quarters.schedule(chance))
        await story.begin()
        acts: list[Callable[[], Any]] = [
            *((lambda v=v: story.told(v)) for v in story.said if v.late),
            *((lambda m=m: story.close(m)) for m in quarters.MONTHS),
            *[story.revise] * chance.randint(0, 4),
            *[story.intervene] * chance.randint(0, 3),
        ]
        chance.shuffle(acts)
        for act in acts:
            await act()
        found, expected = await story.outcome()
        assert found == expected
        before = await journal.trial_balance(session, story.actor)
        await story.told(chance.choice(story.said))  # told again, nothing moves
        assert await journal.trial_balance(session, story.actor) == before
        assert sum(before.values()) == 0


def test_quarters_on_a_real_database_come_to_the_same(system_url: str) -> None:
    with asyncio.Runner() as runner:
        engine = connect(system_url)
        make = sessions(engine)
        world = runner.run(build.client(make))
        system = Actor.system(world.tenant.id, "test")

        async def threshold() -> None:
            async with transaction(make) as session:
                await compensation.choose_policy(
                    Tx(session, system, build.T0),
                    approval_above_cents=15_000,
                    vat_category="S",
                    vat_rate_bps=2_100,
                )

        runner.run(threshold())

        @settings(max_examples=STORED, deadline=None)
        @given(st.integers(0, 2**64))
        def each(seed: int) -> None:
            runner.run(play(make, world, seed))

        each()
        runner.run(engine.dispose())
