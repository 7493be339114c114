"""A rating counts once, when its survey closes, as it stands then; an anonymous one never does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import agreements, archive, compensation, promises, surveys
from domain.access import Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target, TicketKind
from domain.agreements.rules import TermsDraft, check
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.promises import Promise, State, batch
from domain.surveys import GivenAnswer, SurveyInvitation, SurveyResponse
from tests import build
from tests.build import T0, World
from tests.domain.archive.test_load import by_the_one_translation, columns, number, said
from tests.surveying import ask, survey, system
from workers.surveys import count_all

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
CLOSED = T0 + 20 * DAY


def satisfied(calendar_id: UUID, **more: object) -> PromiseDraft:
    draft = PromiseDraft(
        "rating",
        PromiseKind.CLIENT_SATISFIED,
        calendar_id,
        {Priority.LOW: Target(elapsed_s=0)},
        credits={None: CreditDraft(fixed_cents=2_500)},
    )
    return replace(draft, **more)  # type: ignore[arg-type]


async def asked(make: Sessions, *, is_anonymous: bool = False) -> tuple[World, list[UUID]]:
    """A client whose agreement promises satisfaction, and the invitations of its contacts."""
    world = await build.client(make)
    terms = build.terms_draft(world.calendar)
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, system(world.tenant.id), T0),
            world.agreement.id,
            in_force_from=T0 - DAY,
            terms=TermsDraft((*terms.promises, satisfied(world.calendar.id))),
        )
    await survey(make, world.tenant.id, T0, is_anonymous=is_anonymous)
    rows = await ask(make, world.account, T0 + DAY)
    return world, [row.id for row in rows if row.skipped is None]


async def answered(make: Sessions, invitation: UUID, rating: int, *, days: int = 2) -> None:
    async with transaction(make) as session:
        given = {"experience": GivenAnswer(number=rating), "resolved": GivenAnswer(number=1)}
        await surveys.answer(session, invitation, given, at=T0 + days * DAY)


async def rated(make: Sessions, world: World) -> list[Promise]:
    async with make() as session:
        found = await session.scalars(
            select(Promise)
            .where(
                Promise.account_id == world.account.id,
                Promise.kind == PromiseKind.CLIENT_SATISFIED,
            )
            .order_by(Promise.state)
        )
        return list(found)


async def facts(make: Sessions, world: World) -> list[LedgerRow]:
    async with make() as session:
        found = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.account_id == world.account.id, LedgerRow.kind == "survey.rated"
            )
        )
        return list(found)


async def test_the_rating_that_stands_when_the_survey_closes_is_judged_and_earns_the_credit(
    make: Sessions,
) -> None:
    world, (first, second) = await asked(make)
    await answered(make, first, 1)
    await answered(make, first, 4, days=3)  # corrected
    await answered(make, second, 3)
    await count_all(make, at=T0 + 10 * DAY, limit=1_000)
    assert (await rated(make, world), await facts(make, world)) == ([], [])

    await count_all(make, at=CLOSED, limit=1_000)
    kept, late = await rated(make, world)
    async with make() as session:
        closes_at = await session.scalar(
            select(SurveyInvitation.closes_at).where(SurveyInvitation.id == first)
        )
    assert (kept.state, late.state) == (State.KEPT, State.LATE)
    assert kept.decided_at == late.decided_at == closes_at
    assert sorted(each.body["value"] for each in await facts(make, world)) == [3, 4]
    for each in await facts(make, world):
        assert "contact_id" not in each.body

    async with transaction(make) as session:
        for promise in (kept, late):
            await compensation.decide(Tx(session, system(world.tenant.id), CLOSED), promise.id)
    async with make() as session:
        given = await session.scalars(select(Credit).where(Credit.account_id == world.account.id))
        assert [(each.promise_id, each.amount_cents) for each in given] == [(late.id, 2_500)]


async def test_many_workers_count_a_rating_once_and_later_amendments_change_nothing(
    make: Sessions,
) -> None:
    world, (first, _) = await asked(make)
    await answered(make, first, 2)
    await asyncio.gather(*(count_all(make, at=CLOSED, limit=1_000) for _ in range(4)))
    await count_all(make, at=CLOSED + DAY, limit=1_000)
    [promise] = await rated(make, world)
    assert (promise.state, len(await facts(make, world))) == (State.LATE, 1)
    async with make() as session:
        watched = await session.scalar(
            select(func.count()).where(promises.PromiseWatch.unit_id == promise.unit_id)
        )
    assert watched == 1


async def test_anonymous_ratings_and_numbers_off_the_scale_never_count(make: Sessions) -> None:
    world, (first, _) = await asked(make, is_anonymous=True)
    await answered(make, first, 1)
    other, (second, _) = await asked(make)
    await answered(make, second, 1)
    async with transaction(make) as session:
        of = select(SurveyResponse.id).where(SurveyResponse.account_id == other.account.id)
        await session.execute(
            update(surveys.SurveyAnswer)
            .where(
                surveys.SurveyAnswer.response_id.in_(of),
                surveys.SurveyAnswer.question == "experience",
            )
            .values(number=11)
        )
    await count_all(make, at=CLOSED, limit=1_000)
    assert (await facts(make, world), await facts(make, other)) == ([], [])
    assert (await rated(make, world), await rated(make, other)) == ([], [])


async def test_ratings_online_in_a_batch_and_from_the_archive_are_judged_alike(
    make: Sessions,
) -> None:
    world, (first, second) = await asked(make)
    await answered(make, first, 5)
    await answered(make, second, 2)
    await count_all(make, at=CLOSED, limit=1_000)
    online = await rated(make, world)
    await number(make)
    now = CLOSED + 60 * DAY
    async with transaction(make) as session:
        expected = await by_the_one_translation(session, world.account.id, now)
        rows = await archive.load(session, world.account.id, at=now, sealed=False)
        assert await archive.seal(session, world.account.id, at=now) > 0
        sealed = await archive.load(session, world.account.id, at=now)
        units = select(promises.PromiseWatch.unit_id).where(
            promises.PromiseWatch.account_id == world.account.id
        )
        done = await batch.evaluate(session, lambda _: system(world.tenant.id), units, at=now)
    assert said(rows, now) == said(sealed, now) == expected
    assert all((a == b).all() for a, b in zip(columns(rows), columns(sealed), strict=True))
    assert len(expected) == 2
    assert done is not None
    assert done.written == 0
    assert [each.state for each in await rated(make, world)] == [each.state for each in online]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"targets": {Priority.LOW: Target(elapsed_s=60)}}, "0 seconds"),
        (
            {"targets": dict.fromkeys((Priority.LOW, Priority.HIGH), Target(elapsed_s=0))},
            "one target",
        ),
        ({"ticket_kinds": (TicketKind.ALARM,)}, "kind of incident"),
        ({"services": frozenset({"reception"})}, "service"),
        ({"hours_id": UUID(int=1)}, "hours"),
    ],
)
def test_terms_that_no_rating_can_meet_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        check(TermsDraft((satisfied(UUID(int=2), **changes),)))
