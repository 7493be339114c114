"""Quality on the wire: what clients read of windows, scores, budgets, restatements and simulations."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from domain import incidents, quality
from domain.access import Tx
from domain.core.db import transaction
from domain.quality.actions import SOON
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import minutes

COMPLIANCE = """query ($account: ID!, $window: Window!, $site: ID, $at: DateTime) {
  slaCompliance(accountId: $account, window: $window, siteId: $site, at: $at) {
    window fromAt untilAt n kept late ratio wilson budget missesLeft p50Seconds evaluator inputSha256
    terms { number } calendars { number } site { name }
    latePromises { name verdict decidingFacts { kind at } } excluded { name state } } }"""
SCORE = """query ($account: ID!) { qualityScore(accountId: $account) {
  points pointsMillionths insufficientData coverage n change
  contributions { component points pointsMillionths } } }"""
BURN = """query ($account: ID!) { budgetBurn(accountId: $account) {
  state sinceAt decided missesLeft promise { name internal } } }"""
BENCHMARK = """query ($account: ID!) { qualityBenchmark(accountId: $account, window: DAY) {
  own { ratio } history { n percentile median } peers { n percentile median }
  peersPoints { n percentile median } } }"""
RESTATED = """query ($account: ID!, $at: DateTime!, $known: DateTime!) {
  slaRestatement(accountId: $account, window: MONTH, at: $at, knownAt: $known) {
    knownAt then { n kept } now { n kept }
    changed { was now part incident { id } promise { name } } } }"""
SIMULATE = """mutation ($input: SimulateTermsInput!) { simulateTerms(input: $input) {
  ... on Refusal { code } ... on Simulation { id units kept p50Cents p95Cents limitCents signOffNeeded
    termsSha256 promises { promise n kept breaks creditsCents site { name } } } } }"""
SIGN = """mutation ($input: SignOffTermsInput!) { signOffTerms(input: $input) {
  ... on Refusal { code } ... on Simulation { signOffNeeded signOffReason signedOffBy { name } } } }"""
AMEND = """mutation ($input: AmendAgreementInput!) { amendAgreement(input: $input) {
  ... on Refusal { code message } ... on Terms { number } } }"""


def now() -> datetime:
    """This instant, in the first two hours of a day two hours later: an hour ago is the same day, week and month."""
    at = datetime.now(ZoneInfo("Europe/Amsterdam"))
    return at.astimezone(UTC) + timedelta(hours=2 if at.hour < 2 else 0)


@pytest.fixture(autouse=True)
def clock(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer requests as of the same instant."""
    monkeypatch.setattr(api.state, "now", now)


async def tickets(api: Api, office: Office, *, late: int = 1, count: int = 5) -> list[UUID]:
    """Critical tickets of the last minutes, `late` of them acknowledged after a quarter of an hour."""
    found = []
    for n in range(count):
        at = now() - minutes(60 - n)
        ticket = await build.incident(api.make, office.world, at=at)
        async with transaction(api.make) as session:
            tx = Tx(session, office.world.staff, at + minutes(20 if n < late else 5))
            await incidents.acknowledge(tx, ticket.id)
            await incidents.resolve(tx.as_of(at + minutes(21)), ticket.id, resolution="Done")
        found.append(ticket.id)
    return found


async def measure(api: Api, office: Office) -> None:
    tenant, account = office.world.tenant.id, office.world.account.id
    at = now()
    async with transaction(api.make) as session:
        await quality.mark(
            session, tenant, account, dirty_from=at - timedelta(hours=2), at=at - SOON
        )
    async with transaction(api.make) as session:
        taken = await quality.claim_due(session, at=at, limit=10_000)
    async with transaction(api.make) as session:
        for each in taken:
            if each.account_id == account:
                await quality.measure(session, each, at=at)


async def test_a_client_reads_what_was_decided_and_what_decided_the_late_ones(
    api: Api, office: Office
) -> None:
    await tickets(api, office)

    data = await api.data(
        office.client, COMPLIANCE, account=office.account, window="LAST_24H", site=office.site
    )

    found = data["slaCompliance"]
    assert (found["n"], found["kept"], found["late"]) == (15, 14, 1)
    assert found["ratio"] == 14 / 15
    assert found["budget"] < 0
    assert found["p50Seconds"] is None
    assert found["site"]["name"] == "Hoofdkantoor"
    assert found["terms"] == [{"number": 1}]
    assert len(found["inputSha256"]) == 64
    [late] = found["latePromises"]
    assert (late["name"], late["verdict"]) == ("first_response", "LATE")
    kinds = [fact["kind"] for fact in late["decidingFacts"]]
    assert kinds[:2] == ["incident.opened", "incident.acknowledged"]
    assert "promise.breached" in kinds


async def test_a_score_comes_with_contributions_that_make_it(api: Api, office: Office) -> None:
    await tickets(api, office)
    await measure(api, office)

    found = (await api.data(office.client, SCORE, account=office.account))["qualityScore"]

    assert not found["insufficientData"]
    parts = [each["pointsMillionths"] for each in found["contributions"]]
    assert sum(parts) == found["pointsMillionths"]
    assert found["points"] == found["pointsMillionths"] / 1e6
    assert found["coverage"] == 0.3


async def test_a_client_does_not_see_how_our_own_objectives_burn(api: Api, office: Office) -> None:
    await tickets(api, office)
    await measure(api, office)

    ours = (await api.data(office.dispatcher, BURN, account=office.account))["budgetBurn"]
    theirs = (await api.data(office.client, BURN, account=office.account))["budgetBurn"]

    assert any(each["promise"]["internal"] for each in ours)
    assert theirs
    assert not any(each["promise"]["internal"] for each in theirs)
    [response] = [each for each in theirs if each["promise"]["name"] == "first_response"]
    assert (response["state"], response["decided"], response["missesLeft"]) == ("CALM", 5, -1)


async def test_peers_are_a_number_and_only_from_five_on(api: Api, office: Office) -> None:
    await tickets(api, office)
    await measure(api, office)
    alone = (await api.data(office.client, BENCHMARK, account=office.account))["qualityBenchmark"]
    async with transaction(api.make) as session:
        spread = await session.get_one(
            quality.Portfolio, await _spread(session, office.world.tenant.id)
        )
        spread.ratios = [*spread.ratios, 0.1, 0.2, 0.3, 0.95, 1.0]

    among = (await api.data(office.client, BENCHMARK, account=office.account))["qualityBenchmark"]

    assert alone["peers"] is None
    assert among["peers"] == {"n": 5, "percentile": 60, "median": 0.3}
    assert among["peersPoints"] is None
    assert among["history"] is None


async def _spread(session: Any, tenant_id: UUID) -> UUID:
    row = quality.Portfolio
    query = select(row.id).where(row.tenant_id == tenant_id, row.window == "day")
    found = await session.scalars(query.order_by(row.from_at.desc()).limit(1))
    spread: UUID = found.one()
    return spread


async def test_what_was_known_then_and_what_is_known_now_are_both_told(
    api: Api, office: Office
) -> None:
    [ticket, *_] = await tickets(api, office, late=0, count=2)
    known, at = datetime.now(UTC), now() - minutes(30)
    async with transaction(api.make) as session:
        tx = Tx(session, office.world.staff, now() - minutes(20))
        await incidents.reopen(tx, ticket, reason="No")

    asked = {"account": office.account, "at": at.isoformat(), "known": known.isoformat()}
    found = (await api.data(office.client, RESTATED, **asked))["slaRestatement"]

    assert found["then"]["n"] == 6
    assert found["now"]["n"] < 6
    changed = {(each["promise"]["name"], each["was"], each["now"]) for each in found["changed"]}
    assert ("resolution", "KEPT", None) in changed


async def test_another_client_reads_nothing(api: Api, office: Office) -> None:
    await tickets(api, office)
    await measure(api, office)
    other = await asking.office(api)
    account = office.account

    for query, more in (
        (COMPLIANCE, {"window": "MONTH"}),
        (SCORE, {}),
        (BURN, {}),
        (BENCHMARK, {}),
        (RESTATED, {"at": now().isoformat(), "known": now().isoformat()}),
    ):
        data = await api.data(other.client, query, account=account, **more)
        assert next(iter(data.values())) in (None, []), query


def proposed(office: Office) -> dict[str, Any]:
    promise = {
        "name": "first_response", "kind": "FIRST_RESPONSE", "calendarVersionId": office.calendar,
        "targets": [{"priority": "CRITICAL", "elapsedSeconds": 60}],
        "creditRules": [{"fixedCents": 5_000}],
    }  # fmt: skip
    return {"promises": [promise], "periodFeeCents": 1_000}


async def old_tickets(api: Api, office: Office) -> None:
    for week in range(6):
        at = now() - timedelta(days=50 - 7 * week)
        ticket = await build.incident(api.make, office.world, at=at)
        async with transaction(api.make) as session:
            await incidents.acknowledge(Tx(session, office.world.staff, at + minutes(5)), ticket.id)


async def test_risky_terms_are_simulated_signed_off_and_then_hold(api: Api, office: Office) -> None:
    await old_tickets(api, office)
    terms, manager = proposed(office), office.manager
    agreement = ids.write("Agreement", office.world.agreement.id)
    amendment = {"id": agreement, "inForceFrom": now().isoformat(), "terms": terms}

    refused = await api.data(manager, AMEND, input=amendment)
    simulated = await api.data(
        manager, SIMULATE, input={"accountId": office.account, "terms": terms}
    )
    found = simulated["simulateTerms"]
    signed = await api.data(manager, SIGN, input={"id": found["id"], "reason": "Worth it"})
    held = await api.data(manager, AMEND, input=amendment)

    assert refused["amendAgreement"]["code"] == "SIGN_OFF_NEEDED"
    assert (found["units"], found["kept"], found["signOffNeeded"]) == (6, 0, True)
    assert found["p95Cents"] > found["limitCents"] == 100
    assert [line["site"] for line in found["promises"]] == [None, {"name": "Hoofdkantoor"}]
    assert all(line["breaks"] for line in found["promises"])
    assert signed["signOffTerms"]["signOffNeeded"] is False
    assert held["amendAgreement"] == {"number": 2}


async def test_a_client_finds_no_simulation(api: Api, office: Office) -> None:
    asked = {"accountId": office.account, "terms": proposed(office)}
    made = (await api.data(office.manager, SIMULATE, input=asked))["simulateTerms"]
    node = "query ($id: ID!) { node(id: $id) { id } }"

    refused = await api.data(office.client, SIMULATE, input=asked)

    assert refused["simulateTerms"]["code"] == "NOT_ALLOWED"
    assert (await api.data(office.manager, node, id=made["id"]))["node"] is not None
    assert (await api.data(office.client, node, id=made["id"]))["node"] is None
