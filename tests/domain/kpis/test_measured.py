"""Every KPI equals independent SQL on the raw tables, and its facts add up to it, for random scopes and windows."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, text

from domain.access import Actor
from domain.accounts import Segment, ServiceTier
from domain.core.db import Sessions
from domain.kpis import (
    CATALOGUE,
    KpiFact,
    KpiMeasure,
    KpiQuestion,
    KpiScope,
    KpiTally,
    KpiValue,
    facts_behind,
    measured,
    position_of,
    tallies,
)
from domain.quality import Window
from tests import kpi_rows
from tests.domain.kpis import independent
from tests.kpi_rows import BEGIN, DAYS, Filled

pytestmark = pytest.mark.anyio
NOW = BEGIN + timedelta(days=170)


def scopes(random: Random, filled: Filled) -> KpiScope:
    """A random scope."""
    place = random.choice(filled.places)
    return random.choice(
        [
            KpiScope(),
            KpiScope(account_id=place.account.id),
            KpiScope(site_id=random.choice(place.sites).id),
            KpiScope(segment=random.choice(list(Segment))),
            KpiScope(tier=random.choice(list(ServiceTier))),
        ]
    )


def given(filled: Filled, asked: KpiQuestion) -> dict[str, Any]:
    """The parameters of independent SQL."""
    scope = asked.scope
    return {
        "tenant": filled.world.tenant.id, "account": scope.account_id, "site": scope.site_id,
        "segment": scope.segment, "tier": scope.tier, "begin": asked.from_at,
        "until": asked.until_at,
    }  # fmt: skip


async def expected(make: Sessions, filled: Filled, asked: KpiQuestion) -> KpiTally:
    """What independent SQL says."""
    async with make() as session:
        found = await session.execute(text(independent.query(asked.key)), given(filled, asked))
    row = found.one()
    numerator, denominator, n, rows, median = row
    counts = CATALOGUE[asked.key].measure is KpiMeasure.COUNT
    return KpiTally(rows if counts else n, numerator, denominator, 0, median)


async def listed(
    make: Sessions, actor: Actor, filled: Filled, value: KpiValue
) -> tuple[int, int, int, int]:
    """Page through the facts of a value: numerator, denominator, n, and how many names appear twice.

    Each named fact is one of the rows of independent SQL; anonymous ones are the rows that are left, added up.
    """
    found: list[KpiFact] = []
    after = None
    async with make() as session:
        while page := await facts_behind(session, actor, value.question, after=after, limit=7):
            found += page
            after = position_of(page[-1])
        rows = await session.execute(
            text(independent.rows(value.question.key)), given(filled, value.question)
        )
    left = Counter((row[0], row[1]) for row in rows)
    left.subtract((each.numerator, each.denominator) for each in found if each.subject_id)
    assert min(left.values(), default=0) >= 0, value.question
    nameless = [each for each in found if each.subject_id is None]
    assert (left.total(), sum(num * n for (num, _), n in left.items())) == (
        sum(each.n for each in nameless), sum(each.numerator for each in nameless),
    ), value.question  # fmt: skip
    names = [each.fact_id for each in found]
    counts = value.definition.measure is KpiMeasure.COUNT
    return (
        sum(each.numerator for each in found),
        sum(each.denominator for each in found),
        sum(each.n for each in found if counts or each.denominator),
        len(names) - len(set(names)),
    )


@pytest.mark.parametrize(
    ("seeds", "pairs"), [((1,), 5), pytest.param((2, 3, 5, 7), 50, marks=pytest.mark.slow)]
)
async def test_every_kpi_equals_independent_sql_and_its_facts_add_up(
    make: Sessions, seeds: tuple[int, ...], pairs: int
) -> None:
    compared, with_data = 0, set()
    for seed in seeds:
        filled, random = await kpi_rows.filled(make, seed), Random(seed)
        actor = Actor.system(filled.world.tenant.id, "test")
        for number in range(pairs):
            scope, window = scopes(random, filled), random.choice(list(Window))
            at = BEGIN + timedelta(seconds=random.randrange(DAYS * 86_400))
            async with make() as session:
                values = await measured(session, actor, scope, window, at=at, now=NOW)
            assert [each.definition.key for each in values] == list(CATALOGUE)
            for value in values:
                want = await expected(make, filled, value.question)
                has = value.tally
                where = (value.definition.key, value.question)
                assert has[:3] == want[:3], where
                if value.definition.measure is KpiMeasure.DURATION:
                    assert has.median == pytest.approx(want.median), where
                if number % 4 == 1:
                    assert await listed(make, actor, filled, value) == (*has[1:3], has[0], 0), where
                compared += 1
                with_data |= {value.definition.key} if has.n else set()
    assert compared == len(seeds) * pairs * len(CATALOGUE)
    assert with_data == set(CATALOGUE)


async def test_the_number_of_selects_does_not_depend_on_the_number_of_questions(
    make: Sessions, system_url: str
) -> None:
    filled = await kpi_rows.filled(make, 4)
    actor = Actor.system(filled.world.tenant.id, "test")
    asked = [
        KpiQuestion(key, KpiScope(account_id=place.account.id), BEGIN, NOW)
        for key in CATALOGUE
        for place in filled.places
    ]
    statements: list[str] = []
    async with make() as session:
        connection = (await session.connection()).sync_connection
        assert connection is not None
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        every = await tallies(session, actor, asked)
        assert len(statements) == 1
        one = [(await tallies(session, actor, [each]))[0] for each in asked]
    assert every == one
