"""Late facts, disputes and people's decisions move money by counter-entries with a reason, and nothing else does."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain import agreements, compensation, incidents, journal, promises
from domain.access import Actor, Role, Tx
from domain.agreements import (
    BandDraft,
    CreditDraft,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
)
from domain.compensation import Credit, CreditKind, CreditState, DisputeState
from domain.compensation.actions import KEPT, nets_of
from domain.compensation.decisions import AGREED
from domain.compensation.four_eyes import OTHERWISE
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow, record
from domain.incidents.events import Acknowledged
from domain.journal import JournalEntry
from domain.promises import Promise, State
from tests import build
from tests.build import T0, World, minutes

LATER = T0 + timedelta(days=1)


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def broken(make: Sessions, world: World, name: str = "first_response") -> Promise:
    """A high-priority ticket acknowledged half an hour late, and what became of one of its promises."""
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(90)), ticket.id)
    async with make() as session:
        [promise] = await session.scalars(
            select(Promise).where(Promise.incident_id == ticket.id, Promise.name == name)
        )
    return promise


async def settle(make: Sessions, world: World, promise: Promise) -> None:
    async with transaction(make) as session:
        await compensation.settle(Tx(session, system(world), LATER), promise.id)


async def credit_of(make: Sessions, promise: Promise) -> tuple[Credit, int, list[str]]:
    """The credit of a promise, what it comes to, and the reasons of its entries."""
    async with make() as session:
        [credit] = await session.scalars(select(Credit).where(Credit.promise_id == promise.id))
        nets = await nets_of(session, [credit.id])
        reasons = await session.scalars(
            select(JournalEntry.reason)
            .where(JournalEntry.subject_id == credit.id)
            .order_by(JournalEntry.n)
        )
        return credit, nets.get(credit.id, (0, 0))[0], list(reasons)


async def answered_in_time_after_all(make: Sessions, world: World, promise: Promise) -> None:
    """A guard's log turns up: the ticket was acknowledged after ten minutes."""
    async with transaction(make) as session:
        actor = Actor.system(world.tenant.id, "log")
        told = Acknowledged(
            account_id=world.account.id, subject_id=promise.unit_id, at=T0 + minutes(10)
        )
        record(session, actor, told)
        await session.flush()
        await promises.evaluate(session, actor, promise.unit_id, at=LATER)


async def test_a_late_fact_takes_a_credit_back_by_a_counter_entry_with_its_reason(
    make: Sessions,
) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await settle(make, world, promise)
    await answered_in_time_after_all(make, world, promise)
    await settle(make, world, promise)
    await settle(make, world, promise)  # told twice
    credit, net, reasons = await credit_of(make, promise)
    assert (credit.amount_cents, net) == (5_000, 0)
    assert reasons == ["The promise was broken.", KEPT]
    async with make() as session:
        facts = await session.scalars(
            select(LedgerRow).where(LedgerRow.subject_id == credit.id).order_by(LedgerRow.id)
        )
        told = [(fact.kind, fact.body["amount_cents"]) for fact in facts]
        lines = await journal.statement(
            session, world.client, world.account.id, from_at=T0, until_at=LATER + minutes(1)
        )
    assert told == [("credit.decided", 5_000), ("credit.adjusted", -5_000)]
    assert [(line.amount_cents, line.balance_cents) for line in lines] == [
        (5_000, 5_000),
        (-5_000, 0),
    ]


async def test_of_one_ticket_s_credits_the_largest_counts(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(90)), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(600)), ticket.id, resolution="Done"
        )
        late = await session.scalars(
            select(Promise.id).where(
                Promise.incident_id == ticket.id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
        )
        for promise_id in late.all():
            await compensation.decide(Tx(session, system(world), LATER), promise_id)
        given = await session.scalars(select(Credit).where(Credit.incident_id == ticket.id))
        amounts = sorted(credit.amount_cents for credit in given)
    assert len(amounts) > 1
    assert amounts[-1] == sum(amounts) == 5_000


async def test_a_dispute_without_new_facts_changes_nothing(make: Sessions) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await settle(make, world, promise)
    dispute = await contested(make, world, promise)
    async with transaction(make) as session:
        before = await journal.trial_balance(session, system(world))
        entries = await session.scalar(select(func.count()).select_from(JournalEntry))
        decided = await compensation.decide_dispute(
            Tx(session, system(world), LATER), dispute.id, outcome="We looked again."
        )
        assert await journal.trial_balance(session, system(world)) == before
        assert await session.scalar(select(func.count()).select_from(JournalEntry)) == entries
    assert decided.state is DisputeState.UNCHANGED
    assert (decided.verdict_now, decided.facts_now) == (decided.verdict_was, decided.facts_was)


async def test_a_dispute_with_a_new_fact_changes_verdict_and_credit(make: Sessions) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await settle(make, world, promise)
    dispute = await contested(make, world, promise)
    await answered_in_time_after_all(make, world, promise)
    async with transaction(make) as session:
        decided = await compensation.decide_dispute(
            Tx(session, system(world), LATER), dispute.id, outcome="The guard's log settles it."
        )
    assert decided.state is DisputeState.CHANGED
    assert (decided.verdict_was, decided.verdict_now) == ("late", "kept")
    assert decided.facts_now == decided.facts_was + 1
    assert (await credit_of(make, promise))[1] == 0


async def contested(make: Sessions, world: World, promise: Promise) -> compensation.Dispute:
    async with transaction(make) as session:
        return await compensation.contest(
            Tx(session, world.client, LATER), promise.id, reason="We were there."
        )


async def test_a_verdict_has_one_open_dispute_and_an_internal_objective_none(
    make: Sessions,
) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await contested(make, world, promise)
    with pytest.raises(Refused) as refused:
        await contested(make, world, promise)
    assert refused.value.refusal.code is Code.ALREADY_EXISTS
    other = await build.client(make)
    with pytest.raises(Refused) as refused:
        await contested(make, other, promise)
    assert refused.value.refusal.code is Code.NOT_FOUND


async def waiting(make: Sessions, world: World) -> Promise:
    """A credit of fifty euros where everything above forty waits."""
    async with transaction(make) as session:
        await compensation.choose_policy(
            Tx(session, system(world), build.T0),
            approval_above_cents=4_000,
            vat_category="O",
            vat_rate_bps=0,
        )
    promise = await broken(make, world)
    await settle(make, world, promise)
    return promise


async def decision(make: Sessions, world: World, act: Any, credit: Credit, **more: Any) -> None:
    async with transaction(make) as session:
        boss = Actor(world.tenant.id, Role.FINANCE, "user:finance")
        await act(Tx(session, boss, LATER), credit.id, reason="Agreed by phone.", **more)


async def test_a_credit_above_the_threshold_waits_moves_nothing_and_is_not_told(
    make: Sessions,
) -> None:
    world = await build.client(make)
    promise = await waiting(make, world)
    credit, net, _ = await credit_of(make, promise)
    assert (credit.state, net) == (CreditState.AWAITING, 0)
    async with make() as session:
        [fact] = await session.scalars(select(LedgerRow).where(LedgerRow.subject_id == credit.id))
    assert (fact.kind, fact.body["internal"]) == ("credit.proposed", True)
    await decision(make, world, compensation.approve, credit)
    credit, net, reasons = await credit_of(make, promise)
    assert (credit.state, net, reasons) == (CreditState.GRANTED, 5_000, [AGREED])
    with pytest.raises(Refused) as refused:
        await decision(make, world, compensation.approve, credit)
    assert refused.value.refusal.code is Code.ALREADY_DONE


async def test_a_declined_credit_stays_at_nothing_whatever_is_told_later(make: Sessions) -> None:
    world = await build.client(make)
    promise = await waiting(make, world)
    credit, _, _ = await credit_of(make, promise)
    await decision(make, world, compensation.decline, credit)
    await settle(make, world, promise)
    assert (await credit_of(make, promise))[1:] == (0, [])


async def test_an_override_is_an_entry_with_its_reason_and_stands(make: Sessions) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await settle(make, world, promise)
    credit, _, _ = await credit_of(make, promise)
    await decision(make, world, compensation.override, credit, cents=7_500)
    await settle(make, world, promise)
    credit, net, reasons = await credit_of(make, promise)
    assert (credit.amount_cents, net) == (5_000, 7_500)
    assert reasons == ["The promise was broken.", OTHERWISE]
    assert credit.decision_reason == "Agreed by phone."


@pytest.mark.parametrize("act", ["approve", "decline", "override"])
async def test_neither_clients_nor_dispatchers_decide_about_credits(
    make: Sessions, act: str
) -> None:
    world = await build.client(make)
    promise = await broken(make, world)
    await settle(make, world, promise)
    credit, _, _ = await credit_of(make, promise)
    more = {"cents": 1} if act == "override" else {}
    for actor in (world.client, world.staff):
        with pytest.raises(Refused) as refused:
            async with transaction(make) as session:
                await getattr(compensation, act)(
                    Tx(session, actor, LATER), credit.id, reason="Mine.", **more
                )
        assert refused.value.refusal.code is Code.NOT_ALLOWED


async def test_a_gesture_is_costed_apart(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        credit = await compensation.grant_goodwill(
            Tx(session, system(world), LATER), world.agreement.id, cents=2_500, reason="Sorry."
        )
        trial = await journal.trial_balance(session, system(world))
    assert credit.kind is CreditKind.GOODWILL
    assert trial == {
        (journal.Book.GOODWILL, "EUR"): 2_500,
        (journal.Book.CLIENT_CREDIT, "EUR"): -2_500,
    }


async def test_a_closed_month_below_a_band_earns_its_credit_once(make: Sessions) -> None:
    world = await build.client(make)
    promised = PromiseDraft(
        "first_response", PromiseKind.FIRST_RESPONSE, world.calendar.id,
        {Priority.HIGH: Target(elapsed_s=3_600)},
        credits={None: CreditDraft(fixed_cents=1_000)},
        bands=(BandDraft(900_000, fee_bps=100), BandDraft(400_000, fee_bps=1_000)),
    )  # fmt: skip
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, system(world), T0),
            world.agreement.id,
            in_force_from=T0 - timedelta(days=7),
            terms=build.terms_draft(world.calendar, [promised]),
        )
    await broken(make, world)
    promise = await broken(make, world)
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(5)), ticket.id)
    await settle(make, world, promise)
    march = date(2026, 3, 1)
    async with transaction(make) as session:
        again = [
            await compensation.close_month(
                Tx(session, system(world), LATER), world.agreement.id, march
            )
            for _ in range(2)
        ]
        [credit] = await session.scalars(
            select(Credit).where(
                Credit.agreement_id == world.agreement.id, Credit.kind == CreditKind.PERIOD
            )
        )
    assert again[0] is not None
    assert again[1] is None
    # One of three was kept, below 40 %: a tenth of the fee, beyond the ten euros its breach earned.
    assert (credit.uncapped_cents, credit.amount_cents) == (100_000, 99_000)


async def test_months_are_due_when_they_are_over_on_the_client_s_clock(make: Sessions) -> None:
    world = await build.client(make)

    async def due(at: Any) -> list[date]:
        async with make() as session:
            found = await compensation.months_over(session, at=at, limit=1_000)
        return [each.month_on for each in found if each.agreement_id == world.agreement.id]

    midnight = T0.replace(month=1, day=31, hour=23)  # in Amsterdam it is February
    assert await due(midnight - minutes(1)) == []
    assert await due(midnight) == [date(2026, 1, 1)]
    async with transaction(make) as session:
        await compensation.close_month(
            Tx(session, system(world), midnight), world.agreement.id, date(2026, 1, 1)
        )
    assert await due(midnight) == []
    assert await due(T0) == [date(2026, 2, 1)]
