"""Below the minimum of evidence no number that rates a client is anywhere; and the portfolio in constant reads."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import health, touchpoints
from domain.accounts import Account
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.touchpoints import TouchpointKind
from tests.api.asking import Api, Office, SelectCounter
from tests.schema.test_health import GOOD, computed, observed

pytestmark = pytest.mark.anyio

SIGNAL = """key category state value weight contribution contributionMillionths figure unit n asOf words
  evidence { kind }"""
WHOLE = f"""id asOf status score scoreMillionths band bandIndex plainBand coverage low high fresh trend
  signals {{ {SIGNAL} }} drivers {{ {SIGNAL} }} needed {{ key needed have windowDays words }}
  counterfactuals {{ key value figure unit band }}
  changeSince(at: $at) {{ before after moved coverageChange commonCoverage signals {{ key before after moved }} }}"""
ALL = f"""query ($account: ID!, $at: DateTime!) {{
  accountHealth(accountId: $account) {{ {WHOLE} }}
  accountHealths(first: 2) {{ nodes {{ {WHOLE} }} }}
  portfolio(first: 2) {{ {WHOLE} }}
  healthSnapshots(first: 4) {{ nodes {{ period status score scoreMillionths band plainBand coverage low high fresh
    signals {{ {SIGNAL} }} }} }} }}"""
EVIDENCE = {"coverage", "fresh", "n", "weight", "needed", "have", "windowDays"}
"""Numbers about how much is known, and what is needed; none of them rates the client."""
PORTFOLIO = """query ($first: Int) { portfolio(first: $first) { score band coverage account { name }
  drivers { key value contribution words } nextTouchpoint { kind dueOn } } }"""


def numbers(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all numbers in a response."""
    if isinstance(found, dict):
        for name, each in found.items():
            yield from numbers(each, (*path, name))
    elif isinstance(found, list):
        for each in found:
            yield from numbers(each, path)
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield path


async def test_without_enough_evidence_no_number_rates_the_client_anywhere(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD[:5])  # two signals of 20
    row = await computed(api, office)
    assert row.score_millionths is None
    at = (api.state.now() - timedelta(hours=3)).isoformat()
    found = await api.data(office.manager, ALL, account=office.account, at=at)
    assert found["accountHealth"]["status"] == "INSUFFICIENT_EVIDENCE"
    assert len(found["accountHealth"]["signals"]) == 29
    assert len(found["portfolio"]) == len(found["accountHealths"]["nodes"]) == 1
    assert len(found["healthSnapshots"]["nodes"]) == 2
    assert found["accountHealth"]["needed"]
    assert {path[-1] for path in numbers(found)} <= EVIDENCE
    async with api.make() as session:
        bodies = await session.scalars(
            select(LedgerRow.body).where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind == "health.band_changed",
            )
        )
        assert bodies.all() == []
    assert (row.low_millionths, row.high_millionths) == (
        0,
        100_000_000,
    )  # no order, no cursor tells


async def test_a_score_that_lost_its_evidence_leaves_no_number_behind(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD, ago=timedelta(days=1))
    first = await computed(api, office)
    assert (first.score_millionths, first.band) != (None, None)
    row = first
    for later in (400, 402):
        row = await computed(api, office, later=timedelta(days=later))
    assert (row.score_millionths, row.band) == (None, None)
    found = (await api.data(office.manager, PORTFOLIO))["portfolio"]
    assert {path[-1] for path in numbers(found)} <= EVIDENCE
    async with api.make() as session:
        bodies = await session.scalars(
            select(LedgerRow.body)
            .where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind == "health.band_changed",
            )
            .order_by(LedgerRow.id)
        )
        last = bodies.all()[-1]
    assert (last["after"], last["score_millionths"]) == (None, None)


async def test_the_portfolio_of_500_clients_takes_as_many_selects_as_that_of_one(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    row = await computed(api, office)
    tenant = office.world.tenant.id
    async with transaction(api.make) as session:
        others = [Account(id=uuid7(), tenant_id=tenant, name=f"Klant {n:03}") for n in range(499)]
        session.add_all(others)
        await session.flush()
        for n, each in enumerate(others):
            columns = {
                name: getattr(row, name)
                for name in ("as_of", "coverage_millionths", "low_millionths", "high_millionths",
                             "fresh", "is_provisional", "content", "band", "is_shared")
            }  # fmt: skip
            session.add(
                health.AccountHealth(
                    id=uuid7(), tenant_id=tenant, account_id=each.id,
                    score_millionths=None if n % 10 == 0 else 40_000_000 + n, **columns,
                )
            )  # fmt: skip
            today = api.state.now().date()
            for days, kind in enumerate((TouchpointKind.CHECK_IN, TouchpointKind.SOCIAL)):
                session.add(
                    touchpoints.Touchpoint(
                        id=uuid7(), tenant_id=tenant, account_id=each.id, kind=kind,
                        anchor_on=today, due_on=today + timedelta(days=1 + days),
                    )
                )  # fmt: skip
    counted: dict[int, int] = {}
    found: list[Any] = []
    for first in (1, 500):
        with SelectCounter(api) as counter:
            found = (await api.data(office.manager, PORTFOLIO, first=first))["portfolio"]
        assert len(found) == first
        counted[first] = len(counter.statements)
    assert counted[1] == counted[500] <= 6
    assert found[0]["score"] < found[400]["score"]
    assert found[-1]["score"] is None
    assert found[-1]["drivers"] == []
    assert found[0]["nextTouchpoint"]["kind"] == "CHECK_IN"
    assert len(found[0]["drivers"]) <= 3
    assert all(each["words"] for each in found[0]["drivers"])
    refused = await api.ask(office.manager, PORTFOLIO, first=501)
    assert "1 to 500" in str(refused.json() if hasattr(refused, "json") else refused)
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, PORTFOLIO))["portfolio"] == []
