"""A no-show at 22:00 and an absence known before: offers, one winner, arrival, and the promise to the instant."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain import compensation, guards, messages, replacements, shifts
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft, check
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.evidence import Grade
from domain.messages import Message
from domain.promises import PromiseWatch, State, batch
from domain.replacements import AbsenceCause, OfferState, ReplacementState
from domain.shifts import AttendanceKind, Shift
from tests.domain.replacements.night import (
    BEGINS,
    ENDS,
    HOUR,
    MINUTE,
    NO_SHOW,
    PROMISED_CENTS,
    Night,
    night,
)

SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)


async def must_recompute(given: Night) -> None:
    """The stored verdict is that of the ledger, computed again in a batch."""
    row = await given.row()
    assert row is not None
    units = select(PromiseWatch.unit_id).where(PromiseWatch.unit_id == row.id)
    async with given.make() as session:
        compared = await batch.verify(session, units, at=ENDS + 24 * HOUR)
    assert compared is not None
    assert compared[1] == []


async def kinds(given: Night) -> list[str]:
    async with given.make() as session:
        rows = await session.scalars(
            select(LedgerRow.kind)
            .where(
                LedgerRow.tenant_id == given.world.tenant.id,
                LedgerRow.kind.startswith("replacement."),
            )
            .order_by(LedgerRow.id)
        )
        return list(rows)


async def test_a_no_show_is_offered_won_by_one_and_proven_in_time(make: Sessions) -> None:
    given = await night(make)
    await given.look(BEGINS + 14 * MINUTE)
    assert await given.row() is None
    await given.look(NO_SHOW)
    row = await given.row()
    assert row is not None
    assert (row.cause, row.state, row.user_id) == (
        AbsenceCause.NO_SHOW, ReplacementState.SOUGHT, given.guard.id,
    )  # fmt: skip
    offers = await given.offers()
    assert {each.user_id for each in offers} == {each.id for each in given.others}
    promise = await given.promise()
    assert (promise.state, promise.due_at) == (State.RUNNING, NO_SHOW + 2 * HOUR)

    at = NO_SHOW + 5 * MINUTE

    async def accept(offer_id: UUID, user_id: UUID) -> str:
        user = next(each for each in given.others if each.id == user_id)
        try:
            async with transaction(make) as session:
                await replacements.accept(given.tx_of(session, user, at), offer_id)
        except Refused as refused:
            return f"{refused.refusal.code} {refused.refusal.message}"
        return "won"

    answers = await asyncio.gather(*(accept(each.id, each.user_id) for each in offers[:2]))
    assert sorted(answers) == [
        f"{Code.ALREADY_DONE} The shift is taken: another guard accepted it first.", "won",
    ]  # fmt: skip
    row = await given.row()
    assert row is not None
    assert row.state is ReplacementState.FOUND
    assert row.arrives_at is not None
    shift = await given.shift()
    assert (shift.user_id, shift.number) == (row.replacing_user_id, row.replacing_number)
    states = sorted(each.state for each in await given.offers())
    assert states == [OfferState.ACCEPTED, OfferState.CLOSED, OfferState.CLOSED]

    winner = next(each for each in given.others if each.id == row.replacing_user_id)
    async with transaction(make) as session:
        tx = given.tx_of(session, winner, at + MINUTE)
        await replacements.report_on_the_way(tx, row.id, arrives_at=BEGINS + 80 * MINUTE)
    arrives = BEGINS + 80 * MINUTE  # 23:20 local
    async with transaction(make) as session:
        await shifts.clock_in(given.tx_of(session, winner, arrives), given.shift_id)
    row = await given.row()
    assert row is not None
    assert (row.state, row.arrived_at) == (ReplacementState.ARRIVED, arrives)
    promise = await given.promise()
    assert (promise.state, promise.stopped_at) == (State.KEPT, arrives)
    assert promise.elapsed_us == (arrives - NO_SHOW) // TICK
    assert await kinds(given) == [
        f"replacement.{step}" for step in ("needed", "found", "on_the_way", "arrived")
    ]
    await must_recompute(given)


async def test_nobody_comes_and_the_promise_breaks_at_its_instant(make: Sessions) -> None:
    given = await night(make, others=0)
    await given.look(NO_SHOW)
    assert await given.offers() == []
    due = NO_SHOW + 2 * HOUR
    await given.sweep(due)
    assert (await given.promise()).state is not State.LATE
    await given.sweep(due + TICK)
    promise = await given.promise()
    assert (promise.state, promise.decided_at) == (State.LATE, due)
    row = await given.row()
    assert row is not None
    async with transaction(make) as session:
        tx = given.tx(session, due + SECOND)
        await compensation.decide(tx, promise.id)
        credit = (
            await session.scalars(select(Credit).where(Credit.promise_id == promise.id))
        ).one()
        assert credit.amount_cents == PROMISED_CENTS
    await given.look(ENDS)
    row = await given.row()
    assert row is not None
    assert row.state is ReplacementState.UNFILLED
    await must_recompute(given)


async def test_a_hundred_acceptances_at_once_have_one_winner(make: Sessions) -> None:
    given = await night(make, others=1)
    await given.look(NO_SHOW)
    [offer] = await given.offers()
    at = NO_SHOW + MINUTE

    async def accept() -> str:
        try:
            async with transaction(make) as session:
                await replacements.accept_by_link(session, offer.id, at=at)
        except Refused as refused:
            return f"{refused.refusal.code} {refused.refusal.message}"
        return "won"

    answers = await asyncio.gather(*(accept() for _ in range(100)))
    assert answers.count("won") == 1
    assert {each for each in answers if each != "won"} == {"ALREADY_DONE This offer was accepted."}
    assert (await kinds(given)).count("replacement.found") == 1


async def test_an_absence_known_before_counts_from_the_start_of_the_shift(make: Sessions) -> None:
    given = await night(make)
    known = BEGINS - 10 * HOUR
    async with transaction(make) as session:
        row = await replacements.report_absence(
            given.tx_of(session, given.guard, known), given.shift_id
        )
    assert (row.cause, row.counts_from_at) == (AbsenceCause.REPORTED, BEGINS - 2 * HOUR)
    assert (await given.shift()).user_id is None
    with pytest.raises(Refused, match="has no guard"):
        async with transaction(make) as session:
            await replacements.report_absence(given.tx(session, known), given.shift_id)
    await given.look(known)
    offer = (await given.offers())[0]
    async with transaction(make) as session:
        await replacements.accept_by_link(session, offer.id, at=known + MINUTE)
    async with transaction(make) as session:
        await replacements.look_at_replacement(session, row.id, at=row.counts_from_at)
    assert (await given.promise()).due_at == BEGINS
    await given.came(BEGINS - 5 * MINUTE)
    promise = await given.promise()
    assert (promise.state, promise.stopped_at) == (State.KEPT, BEGINS - 5 * MINUTE)
    await must_recompute(given)


async def test_who_was_found_does_not_come_and_another_one_is_sought(make: Sessions) -> None:
    given = await night(make)
    await given.look(NO_SHOW)
    first, *_ = await given.offers()
    async with transaction(make) as session:
        await replacements.accept_by_link(session, first.id, at=NO_SHOW + MINUTE)
    async with transaction(make) as session:
        user = next(each for each in given.others if each.id == first.user_id)
        tx = given.tx_of(session, user, NO_SHOW + 10 * MINUTE)
        row = await replacements.report_absence(tx, given.shift_id)
    assert row.state is ReplacementState.SOUGHT
    await given.look(NO_SHOW + 11 * MINUTE)
    offers = await given.offers()
    assert {each.user_id for each in offers if each.state is OfferState.OPEN} == {
        each.id for each in given.others if each.id != first.user_id
    }
    assert {each.wave for each in offers} == {1, 2}
    assert await kinds(given) == [f"replacement.{step}" for step in ("needed", "found", "lost")]
    assert (await given.promise()).due_at == NO_SHOW + 2 * HOUR


async def test_a_dispatcher_takes_over_and_assigns_by_hand(make: Sessions) -> None:
    given = await night(make)
    await given.look(NO_SHOW)
    row = await given.row()
    assert row is not None
    async with transaction(make) as session:
        await replacements.take_over(given.tx(session, NO_SHOW + MINUTE), row.id)
    assert {each.state for each in await given.offers()} == {OfferState.CLOSED}
    offer = (await given.offers())[0]
    with pytest.raises(Refused, match="withdrawn"):
        async with transaction(make) as session:
            await replacements.accept_by_link(session, offer.id, at=NO_SHOW + 2 * MINUTE)
    await given.look(NO_SHOW + 30 * MINUTE)
    assert {each.wave for each in await given.offers()} == {1}
    async with transaction(make) as session:
        tx = given.tx(session, NO_SHOW + 31 * MINUTE)
        await replacements.assign_replacement(tx, row.id, given.others[1].id)
    row = await given.row()
    assert row is not None
    assert (row.state, row.replacing_user_id) == (ReplacementState.FOUND, given.others[1].id)
    async with transaction(make) as session:  # and somebody else instead
        tx = given.tx(session, NO_SHOW + 32 * MINUTE)
        await replacements.assign_replacement(tx, row.id, given.others[0].id)
    row = await given.row()
    assert row is not None
    assert (row.state, row.replacing_user_id) == (ReplacementState.FOUND, given.others[0].id)


async def test_the_absent_guard_comes_after_all_and_a_correction_takes_the_absence_back(
    make: Sessions,
) -> None:
    given = await night(make)
    await given.look(NO_SHOW)
    await given.came(BEGINS + 40 * MINUTE)
    row = await given.row()
    assert row is not None
    assert (row.state, row.replacing_user_id) == (ReplacementState.ARRIVED, given.guard.id)
    assert (await given.promise()).state is State.KEPT
    async with transaction(make) as session:
        await shifts.correct_attendance(
            given.tx(session, BEGINS + 3 * HOUR), given.shift_id, AttendanceKind.CLOCK_IN,
            at=BEGINS + 30 * MINUTE, reason="Gate log",
        )  # fmt: skip
    promise = await given.promise()
    assert (promise.state, promise.stopped_at) == (State.KEPT, BEGINS + 30 * MINUTE)
    await must_recompute(given)
    async with transaction(make) as session:
        await shifts.correct_attendance(
            given.tx(session, BEGINS + 4 * HOUR), given.shift_id, AttendanceKind.CLOCK_IN,
            at=BEGINS - MINUTE, reason="Camera of the gate",
        )  # fmt: skip
    row = await given.row()
    assert row is not None
    assert row.state is ReplacementState.WITHDRAWN
    assert (await given.promise()).state is State.CANCELLED
    await must_recompute(given)


async def test_a_cancelled_shift_needs_nobody(make: Sessions) -> None:
    given = await night(make)
    async with transaction(make) as session:
        tx = given.tx(session, BEGINS - 3 * HOUR)
        await replacements.report_absence(tx, given.shift_id)
        await shifts.cancel_shift(tx, given.shift_id, reason="Closed")
    row = await given.row()
    assert row is not None
    assert row.state is ReplacementState.WITHDRAWN


async def test_an_arrival_below_the_lowest_grade_does_not_keep_the_promise(make: Sessions) -> None:
    given = await night(make, lowest_grade=Grade.B)
    await given.look(NO_SHOW)
    await given.came(BEGINS + 40 * MINUTE)  # by the office's word
    assert (await given.promise()).state is State.RUNNING
    await given.sweep(NO_SHOW + 2 * HOUR + TICK)
    assert (await given.promise()).state is State.LATE
    await must_recompute(given)


async def test_letters_tell_guards_and_client_once(make: Sessions) -> None:
    given = await night(make)
    await given.look(NO_SHOW)
    row = await given.row()
    assert row is not None
    offers = await given.offers()

    async def tell() -> None:
        async with make() as session:
            facts = list(
                await session.scalars(
                    select(LedgerRow)
                    .where(
                        LedgerRow.tenant_id == given.world.tenant.id,
                        LedgerRow.kind.in_(
                            ("replacement.needed", "replacement.found", "shift_offer.made")
                        ),
                    )
                    .order_by(LedgerRow.id)
                )
            )
        for fact in facts:
            async with transaction(make) as session:
                tx = given.tx(session, NO_SHOW + MINUTE)
                write = replacements.tell_replacement
                if fact.kind.startswith("shift_offer"):
                    write = replacements.tell_offer
                await write(tx, fact)  # type: ignore[arg-type]  # a row has what a job reads

    await tell()
    await tell()
    async with make() as session:
        written = select(Message.template, func.count()).where(
            Message.tenant_id == given.world.tenant.id
        )
        rows = await session.execute(written.group_by(Message.template))
        found = {row[0]: row[1] for row in rows}
        letter = await session.scalar(
            select(Message.body).where(
                Message.template == "shift_offer", Message.user_id == offers[0].user_id
            )
        )
    assert found == {"replacement": 2, "shift_offer": len(offers)}
    assert f"https://offer.invalid/{offers[0].id.hex}" in (letter or "")
    assert messages.Urgency.CRITICAL is replacements.ReplacementLetter.urgency


async def test_candidates_are_ranked_and_everybody_else_has_a_rule(make: Sessions) -> None:
    given = await night(make, others=7)
    near, far, barred, expired, unqualified, busy, tired = given.others
    async with transaction(make) as session:
        tx = given.tx(session, BEGINS - 24 * HOUR)
        await guards.bar_guard(tx, given.world.account.id, barred.id)
        await guards.set_profile(tx, expired.id, pass_expires_on=date(2026, 3, 9))
        await guards.grant_qualification(tx, unqualified.id, "bhv", expires_on=date(2026, 3, 9))
        await guards.set_profile(tx, far.id, hour_cost_cents=2_600)
        shift = await session.get_one(Shift, given.shift_id)
        for user, begins, ends in (
            (busy, BEGINS + 4 * HOUR, BEGINS + 12 * HOUR),
            (tired, BEGINS - 10 * HOUR, BEGINS - 4 * HOUR),
        ):
            await shifts.plan_one(tx, shift.post_id, from_at=begins, until_at=ends, user_id=user.id)
    async with make() as session:
        found = await replacements.rank(
            session, await session.get_one(Shift, given.shift_id), at=NO_SHOW
        )
    assert [each.user_id for each in found.candidates[:2]] == [near.id, far.id]
    first = found.candidates[0]
    assert (first.place, first.travel_minutes) == (1, 20 + round(11.1195 / 35 * 60))
    assert first.arrives_at is not None
    assert first.travel_minutes is not None
    assert abs(first.arrives_at - (NO_SHOW + first.travel_minutes * MINUTE)) < MINUTE
    assert [each.kind for each in first.factors][:2] == ["arrival", "rest"]
    why = {each.user_id: each for each in found.excluded}
    assert {key: each.reason for key, each in why.items()} == {
        given.guard.id: "absent", barred.id: "barred", expired.id: "pass", unqualified.id: "qualification",
        busy.id: "overlap", tired.id: "working_time",
    }  # fmt: skip
    assert why[tired.id].rule is shifts.WorkingTimeRule.DAILY_REST
    assert "5:3(2) Atw" in why[tired.id].text


def test_terms_need_one_target_of_an_hour_or_more() -> None:
    calendar = UUID(int=1)
    for seconds, is_refused in ((3_599, True), (3_600, False)):
        draft = PromiseDraft(
            "r", PromiseKind.REPLACEMENT_ON_POST, calendar,
            {Priority.LOW: Target(elapsed_s=seconds)},
        )  # fmt: skip
        if is_refused:
            with pytest.raises(Refused, match="an hour or more"):
                check(TermsDraft((draft,)))
        else:
            check(TermsDraft((draft,)))
