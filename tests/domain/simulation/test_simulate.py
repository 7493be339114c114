"""Simulating: proposed terms are judged and credited as signed ones would have been, and risk needs a name."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, update

from domain import accounts, agreements, incidents, promises, simulation
from domain.access import Actor, Role, Tx
from domain.agreements import CreditDraft, TermsDraft, TicketKind, seed_matrix
from domain.compensation import decide
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.promises import State
from domain.simulation import Simulation
from domain.simulation.rules import exposure, fingerprint, month
from tests import build
from tests.build import T0, World, minutes

NOW = T0 + timedelta(days=70)


async def history(make: Sessions, world: World, *, weeks: int = 9, late_in: set[int]) -> None:
    """Three critical tickets a week, answered in 10 minutes, or in 20 in the weeks named."""
    for week in range(weeks):
        for n in range(3):
            at = T0 + timedelta(days=7 * week, hours=5 * n)
            after = minutes(20 if week in late_in else 10)
            ticket = await build.incident(make, world, at=at)
            async with transaction(make) as session:
                await incidents.acknowledge(Tx(session, world.staff, at + after), ticket.id)
                await incidents.resolve(
                    Tx(session, world.staff, at + after), ticket.id, resolution="Done"
                )


def manager(world: World) -> Actor:
    return Actor(world.tenant.id, Role.RELATIONSHIP_MANAGER, "user:manager")


async def boss(make: Sessions, world: World) -> Actor:
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            email=f"{uuid4().hex}@boss.example",
            name="Boss",
            role=Role.MANAGEMENT,
        )
    return Actor(world.tenant.id, Role.MANAGEMENT, f"user:{user.id}")


async def amend(make: Sessions, world: World, terms: TermsDraft, at: datetime = NOW) -> Any:
    async with transaction(make) as session:
        return await simulation.amend(
            Tx(session, manager(world), at), world.agreement.id, in_force_from=at, terms=terms
        )


async def test_the_terms_in_force_come_to_what_really_happened(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, late_in={1, 4})
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        found_rows = (
            await session.scalars(
                select(promises.Promise).where(
                    promises.Promise.account_id == world.account.id,
                    promises.Promise.decided_at.is_not(None),
                )
            )
        ).all()
        earned = [await decide(Tx(session, actor, NOW), each.id) for each in found_rows]

    async with transaction(make) as session:
        found = await simulation.simulate(
            Tx(session, actor, NOW), world.account.id, terms=build.terms_draft(world.calendar)
        )

    everywhere = [line for line in found.report["lines"] if line["site_id"] is None]
    assert found.units == len(found_rows)
    assert found.kept == sum(each.state is State.KEPT for each in found_rows)
    assert sum(line["cents"] for line in everywhere) == sum(c.amount_cents for c in earned if c)
    for line in everywhere:
        mine = [each for each in found_rows if each.name == line["promise"]]
        assert (line["n"], line["kept"]) == (
            len(mine), sum(each.state is State.KEPT for each in mine),
        )  # fmt: skip


async def test_a_site_that_breaks_a_promise_is_named(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, weeks=3, late_in={1})
    async with transaction(make) as session:
        found = await simulation.simulate(
            Tx(session, manager(world), NOW),
            world.account.id,
            terms=build.terms_draft(world.calendar),
        )

    breaking = {(r["promise"], r["site_id"]) for r in found.report["lines"] if r["breaks"]}

    assert ("first_response", str(world.site.id)) in breaking
    assert ("resolution", str(world.site.id)) not in breaking


async def test_the_same_seed_draws_the_same_and_nothing_else_changes(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, late_in={1, 4, 5})
    terms = build.terms_draft(world.calendar)
    async with transaction(make) as session:
        count = (
            select(func.count())
            .select_from(LedgerRow)
            .where(LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind != "terms.simulated")
        )
        before = await session.scalar(count)
        tx = Tx(session, manager(world), NOW)
        one = await simulation.simulate(tx, world.account.id, terms=terms, seed=7)
        two = await simulation.simulate(tx, world.account.id, terms=terms, seed=7)
        after = await session.scalar(count)

    assert (one.p50_cents, one.p95_cents) == (two.p50_cents, two.p95_cents)
    assert 0 < one.p50_cents <= one.p95_cents
    assert before == after


async def test_terms_above_the_limit_hold_only_once_somebody_has_signed(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, late_in=set(range(9)))
    risky = build.terms_draft(world.calendar, period_fee_cents=10_000)

    with pytest.raises(Refused) as refused:
        await amend(make, world, risky)
    async with transaction(make) as session:
        found = await simulation.simulate(
            Tx(session, manager(world), NOW), world.account.id, terms=risky
        )
    signer = await boss(make, world)
    async with transaction(make) as session:
        await simulation.sign_off(Tx(session, signer, NOW), found.id, reason="A key client")
    terms = await amend(make, world, risky)

    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED
    assert found.p95_cents > found.limit_cents == 1_000
    assert terms.number == 2
    async with make() as session:
        signed = LedgerRow.subject_id == found.id, LedgerRow.kind == "terms.signed_off"
        fact = await session.scalar(select(LedgerRow).where(*signed))
    assert fact is not None
    assert (fact.kind, fact.actor) == ("terms.signed_off", signer.subject)


async def test_a_signature_is_for_those_terms_and_no_others(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, late_in=set(range(9)))
    risky = build.terms_draft(world.calendar, period_fee_cents=10_000)
    async with transaction(make) as session:
        found = await simulation.simulate(
            Tx(session, manager(world), NOW), world.account.id, terms=risky
        )
    signer = await boss(make, world)
    async with transaction(make) as session:
        await simulation.sign_off(Tx(session, signer, NOW), found.id, reason="A key client")

    with pytest.raises(Refused) as refused:
        await amend(make, world, replace(risky, period_fee_cents=10_001))
    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED


@pytest.mark.parametrize(("cap_cents", "passes"), [(None, False), (1_001, False), (1_000, True)])
async def test_terms_that_nothing_can_be_said_of_are_capped_or_signed_off(
    make: Sessions, cap_cents: int | None, passes: bool
) -> None:
    world = await build.client(make)  # no tickets: no week to play
    terms = build.terms_draft(world.calendar, period_fee_cents=10_000)
    terms = replace(terms, credit_cap_cents=cap_cents)

    if passes:
        assert (await amend(make, world, terms)).number == 2
        return
    with pytest.raises(Refused) as refused:
        await amend(make, world, terms)
    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED
    assert "10.00" in refused.value.refusal.message


async def test_a_second_agreement_is_tried_on_history_like_an_amendment(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, late_in=set(range(9)))
    risky = build.terms_draft(world.calendar, period_fee_cents=10_000)

    async def sign() -> agreements.Agreement:
        async with transaction(make) as session:
            return await simulation.sign(
                Tx(session, manager(world), NOW),
                world.account.id,
                reference=f"W-{uuid4()}",
                title="More",
                signed_on=NOW.date(),
                in_force_from=NOW,
                terms=risky,
            )

    with pytest.raises(Refused) as refused:
        await sign()
    async with transaction(make) as session:
        tx = Tx(session, manager(world), NOW)
        found = await simulation.simulate(tx, world.account.id, terms=risky)
    signer = await boss(make, world)
    async with transaction(make) as session:
        await simulation.sign_off(Tx(session, signer, NOW), found.id, reason="A key client")
    signed = await sign()

    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED
    assert signed.newest_terms == 1


@pytest.mark.parametrize("subject", ["system:seed", "key:1"])
async def test_nobody_but_a_person_signs(make: Sessions, subject: str) -> None:
    world = await build.client(make)
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await simulation.sign_off(
                Tx(session, Actor(world.tenant.id, Role.MANAGEMENT, subject), NOW),
                uuid4(),
                reason="x",
            )
    assert refused.value.refusal.code is Code.NOT_ALLOWED


async def test_who_answers_for_an_account_may_not_accept_its_risk(make: Sessions) -> None:
    world = await build.client(make)
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await simulation.sign_off(Tx(session, manager(world), NOW), uuid4(), reason="x")
    assert refused.value.refusal.code is Code.NOT_ALLOWED


async def test_terms_below_the_limit_need_nobody(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, weeks=2, late_in=set())
    assert (await amend(make, world, build.terms_draft(world.calendar))).number == 2


def test_the_order_of_promises_is_not_part_of_the_terms() -> None:
    terms = TermsDraft(seed_matrix(uuid4(), {None: CreditDraft(fixed_cents=5_000)}), 1_000)
    assert fingerprint(replace(terms, promises=terms.promises[::-1])) == fingerprint(terms)
    assert fingerprint(replace(terms, period_fee_cents=1_001)) != fingerprint(terms)


def test_every_week_alike_costs_exactly_that() -> None:
    weeks = np.full(20, 700, np.int64)
    assert exposure(weeks, horizon=13, cap_cents=None, seed=1) == (9_100, 9_100, 9_100)
    assert month(weeks, cap_cents=None, seed=1) == (3_044, 3_044, 3_044)  # 2,800 x 30.4375 / 28


def test_a_cap_holds_for_every_month_of_the_horizon() -> None:
    weeks = np.full(20, 700, np.int64)
    assert exposure(weeks, horizon=52, cap_cents=2_000, seed=1).p95 == 24_000


def test_bad_weeks_that_follow_each_other_do_so_in_the_draws() -> None:
    together = np.array([1_000] * 4 + [0] * 16, np.int64)
    apart = np.array(([1_000] + [0] * 4) * 4, np.int64)
    kwargs: Any = {"horizon": 4, "cap_cents": None, "seed": 3}
    assert exposure(together, **kwargs).p95 > exposure(apart, **kwargs).p95


def test_no_history_costs_nothing() -> None:
    assert month(np.zeros(0, np.int64), cap_cents=None, seed=0) == (0, 0, 0)


def test_most_futures_lie_inside_the_interval_and_some_do_not() -> None:
    rng = np.random.default_rng(11)
    inside = 0
    for trial in range(200):
        weeks = rng.negative_binomial(4, 0.2, 26 + 13) * 1_000
        told = exposure(weeks[:26], horizon=13, cap_cents=None, seed=trial)
        inside += told.p5 <= weeks[26:].sum() <= told.p95
    assert 150 <= inside <= 195


@pytest.mark.parametrize(
    "window",
    [
        {"from_at": T0 + timedelta(days=15), "until_at": T0 + timedelta(days=20)},
        {"from_at": T0 + timedelta(hours=1)},
        {"until_at": NOW - timedelta(days=2)},
        {"seed": 7},
    ],
)
async def test_a_simulation_of_a_chosen_window_or_seed_opens_no_gate_and_is_not_signed_off(
    make: Sessions, window: dict[str, Any]
) -> None:
    world = await build.client(make)
    await history(make, world, late_in={1, 2, 4, 5, 7})
    credit: dict[Any, CreditDraft] = {None: CreditDraft(fixed_cents=10_000_000)}
    terms = TermsDraft(seed_matrix(world.calendar.id, credit), period_fee_cents=1_000_000)
    async with transaction(make) as session:
        found = await simulation.simulate(
            Tx(session, manager(world), NOW), world.account.id, terms=terms, **window
        )
        await session.execute(
            update(Simulation).where(Simulation.id == found.id).values(p95_cents=0)
        )
    with pytest.raises(Refused) as refused:
        await amend(make, world, terms)
    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED
    with pytest.raises(Refused) as unsigned:
        async with transaction(make) as session:
            await simulation.sign_off(
                Tx(session, await boss(make, world), NOW), found.id, reason="Fine."
            )
    assert unsigned.value.refusal.code is Code.INVALID


async def test_a_promise_that_was_hardly_tried_does_not_pass_for_cheap(make: Sessions) -> None:
    world = await build.client(make)
    await history(make, world, weeks=3, late_in=set())
    credit: dict[Any, CreditDraft] = {None: CreditDraft(fixed_cents=10_000_000)}
    alarms = [
        replace(each, ticket_kinds=(TicketKind.ALARM,), credits=credit)
        for each in seed_matrix(world.calendar.id)
        if each.name in {"first_response", "next_update", "resolution", "arrival"}
    ]
    with pytest.raises(Refused) as refused:
        await amend(make, world, TermsDraft(tuple(alarms), period_fee_cents=1_000_000))
    assert refused.value.refusal.code is Code.SIGN_OFF_NEEDED


async def test_a_seed_below_zero_is_refused_with_history_and_without(make: Sessions) -> None:
    world = await build.client(make)
    terms = build.terms_draft(world.calendar)
    for late_in in (None, {1}):
        if late_in is not None:
            await history(make, world, weeks=2, late_in=late_in)
        with pytest.raises(Refused) as refused:
            async with transaction(make) as session:
                await simulation.simulate(
                    Tx(session, manager(world), NOW), world.account.id, terms=terms, seed=-1
                )
        assert refused.value.refusal.code is Code.INVALID
        assert refused.value.refusal.argument == "seed"
