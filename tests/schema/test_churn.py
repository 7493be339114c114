"""Estimates of leaving through the API: a number with all that belongs to it, or none; published and scored."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from domain import agreements, health, parameters, retention
from domain.access import Tx
from domain.accounts import Account
from domain.agreements.model import Agreement
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.health import EarlyWarning, ObservationDraft, ObservationKind
from domain.parameters import ParameterPlace, ParameterUnit
from domain.retention import ChurnForecast, ChurnHorizon, OutcomeKind, OutcomeReason
from tests.api.asking import Api, Office, SelectCounter
from tests.schema.test_health import GOOD, computed, observed
from tests.schema.test_health_evidence import numbers
from tests.surveying import system
from workers.retention import look_at_retention

pytestmark = pytest.mark.anyio

K = ObservationKind
DAY = timedelta(days=1)
PARTS = """__typename ... on ChurnEstimate { horizon horizonDays asOf probability low high intercept logOdds basis
    clients leavers contributions { sign logOdds without } calibration { n leavers brier } }
  ... on Abstained { horizon reasons { reason have needed } needed { key needed have } warnings { rule } }"""
ASK = f"""query ($account: ID!, $horizon: ChurnHorizon) {{ node(id: $account) {{ ... on Account {{
  churnEstimate(horizon: $horizon) {{ {PARTS} }} }} }} }}"""
PUBLISH = f"""mutation ($input: PublishChurnForecastInput!) {{ publishChurnForecast(input: $input) {{
  ... on ChurnForecast {{ id publishedOn endsOn leftWithin answer {{ {PARTS} }} }}
  ... on Refusal {{ code argument }} }} }}"""
LABEL = """mutation ($input: LabelClientOutcomeInput!) { labelClientOutcome(input: $input) {
  ... on ClientOutcome { kind reason happenedOn } ... on Refusal { code argument } } }"""
LIST = """query ($h: ChurnHorizon) { churnForecasts(horizon: $h) {
  nodes { horizon leftWithin scoredAt answer { __typename } } } }"""
REPORT = """{ forecastReport { published abstained n leavers brier lift liftOfScore table { n left }
  pairs { probability left } } }"""
SCORES = """query ($account: ID!) { node(id: $account) { ... on Account { relationshipScores {
  scores { kind value coverage parts { key weight value contribution } }
  proposalGate { isOpen goodMoments badMoments }
  lifetimeValue { yearlyValueCents lowCents expectedCents highCents words } } } } }"""
COHORTS = """query ($from: Date!, $until: Date!, $by: CohortBy!) { retention(startsOn: $from, endsOn: $until, by: $by) {
  name atStart kept logo low high gross net feeThenCents } }"""


async def known_well(api: Api, office: Office, *more: ObservationDraft) -> health.AccountHealth:
    """Make enough known of the client for an estimate."""
    champion = ObservationDraft(K.CHAMPION, 1, None, office.world.contacts[0].id)
    await observed(api, office, *GOOD, champion, ObservationDraft(K.CANDID_FEEDBACK), *more)
    return await computed(api, office)


async def asked(api: Api, office: Office, token: str | None = None, **more: Any) -> Any:
    found = await api.data(token or office.manager, ASK, account=office.account, **more)
    return found["node"]["churnEstimate"]


async def test_with_little_known_there_is_no_number_but_reasons_needs_and_warnings(
    api: Api, office: Office
) -> None:
    await observed(api, office, ObservationDraft(K.BUDGET, 0))
    await computed(api, office)
    found = await asked(api, office)
    assert found["__typename"] == "Abstained"
    assert "LITTLE_COVERAGE" in {each["reason"] for each in found["reasons"]}
    assert found["needed"]
    assert "BUDGET_PRESSURE" in {each["rule"] for each in found["warnings"]}
    assert {path[-1] for path in numbers(found)} <= {"have", "needed"}


async def test_an_estimate_has_bounds_contributions_that_add_up_and_what_it_rests_on(
    api: Api, office: Office
) -> None:
    await known_well(api, office, ObservationDraft(K.BUDGET, 20))
    found = await asked(api, office)
    assert found["__typename"] == "ChurnEstimate", found
    assert found["low"] <= found["probability"] <= found["high"]
    parts = sum(each["logOdds"] for each in found["contributions"])
    assert parts + found["intercept"] == pytest.approx(found["logOdds"], abs=1e-9)
    signs = {each["sign"]: each for each in found["contributions"]}
    assert signs["budget_pressure"]["without"] < found["probability"]
    assert (found["basis"], found["leavers"]) == ("RULES", 0)
    assert found["calibration"] == {"n": 0, "leavers": 0, "brier": None}
    short = await asked(api, office, horizon="DAYS_90")
    assert (short["horizonDays"], found["horizonDays"]) == (90, 180)
    assert short["probability"] < found["probability"]
    assert [await asked(api, office, token) for token in (office.client, office.dispatcher)] == [
        None
    ] * 2


async def test_a_contract_that_cannot_end_yet_makes_leaving_less_probable(
    api: Api, office: Office
) -> None:
    await known_well(api, office)
    free = await asked(api, office)
    today = api.state.now().date()
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await agreements.agree_duration(
            tx, office.world.agreement.id, fixed_until=today + timedelta(days=700), notice_days=60
        )
    bound = await asked(api, office)
    assert bound["probability"] < free["probability"] / 5
    renewal = await asked(api, office, horizon="RENEWAL")
    assert renewal["horizonDays"] == 700


async def test_a_forecast_is_published_once_a_day_and_scored_when_the_truth_is_known(
    api: Api, office: Office
) -> None:
    await known_well(api, office)

    async def publish(token: str, **more: Any) -> Any:
        sent = {"accountId": office.account, **more}
        return (await api.data(token, PUBLISH, input=sent))["publishChurnForecast"]

    for token in (office.client, office.dispatcher):
        assert (await publish(token))["code"] == "NOT_ALLOWED"
    first, again = await publish(office.manager), await publish(office.manager)
    assert first["id"] == again["id"]
    assert first["answer"]["__typename"] == "ChurnEstimate"
    assert first["leftWithin"] is None
    for _ in range(2):
        await look_at_retention(api.make, at=api.state.now(), limit=500)
    nodes = (await api.data(office.manager, LIST))["churnForecasts"]["nodes"]
    assert sorted(each["horizon"] for each in nodes) == ["DAYS_180", "DAYS_90", "RENEWAL"]
    assert (await api.data(office.client, LIST))["churnForecasts"]["nodes"] == []
    gone = (api.state.now() - 2 * DAY).date()
    async with transaction(api.make) as session:
        await session.execute(
            update(ChurnForecast)
            .where(
                ChurnForecast.account_id == office.world.account.id,
                ChurnForecast.horizon == ChurnHorizon.DAYS_90,
            )
            .values(published_on=gone - 10 * DAY, ends_on=gone + DAY)
        )
        await session.execute(
            update(ChurnForecast)
            .where(
                ChurnForecast.account_id == office.world.account.id,
                ChurnForecast.horizon == ChurnHorizon.RENEWAL,
            )
            .values(published_on=gone - 10 * DAY, ends_on=gone - DAY)
        )
        await session.execute(
            update(Agreement)
            .where(Agreement.account_id == office.world.account.id)
            .values(ended_at=api.state.now() - 2 * DAY)
        )
    await look_at_retention(api.make, at=api.state.now(), limit=500)
    nodes = (await api.data(office.manager, LIST))["churnForecasts"]["nodes"]
    assert {each["horizon"]: each["leftWithin"] for each in nodes} == {
        "DAYS_90": True, "RENEWAL": False, "DAYS_180": None,
    }  # fmt: skip
    report = (await api.data(office.manager, REPORT))["forecastReport"]
    assert (report["published"], report["brier"], report["table"]) == (1, None, [])
    assert await asked(api, office) is None  # no agreement in force
    assert (await publish(office.manager, horizon="DAYS_90"))["argument"] == "accountId"


async def test_signs_of_leaving_are_a_warning_from_the_threshold_on_until_they_are_gone(
    api: Api, office: Office
) -> None:
    await known_well(api, office, ObservationDraft(K.BUDGET, 20))

    async def published(percent: int, later: timedelta) -> bool:
        """Publish with a threshold, compute health, and return whether the warning is open."""
        async with transaction(api.make) as session:
            tx = Tx(session, system(office.world.tenant.id), api.state.now() + later)
            place = ParameterPlace(account_id=office.world.account.id)
            await parameters.set_value(
                tx, "churn.threshold", numbers=[percent], unit=ParameterUnit.PERCENT, place=place
            )
            row = await retention.publish(
                tx, office.world.account.id, horizon=ChurnHorizon.DAYS_180
            )
            assert row.probability_millionths is not None
        await computed(api, office, later=later)
        async with api.make() as session:
            query = select(EarlyWarning.rule).where(
                EarlyWarning.account_id == office.world.account.id,
                EarlyWarning.cleared_at.is_(None),
            )
            return "churn_signs" in set(await session.scalars(query))

    assert await published(1, timedelta(0))
    assert await published(2, DAY)
    assert not await published(99, 2 * DAY)


async def test_outcomes_are_labelled_by_people_and_by_the_end_of_the_last_agreement(
    api: Api, office: Office
) -> None:
    async def label(token: str, **more: Any) -> Any:
        sent = {
            "accountId": office.account, "kind": "LEFT", "reason": "PRICE",
            "happenedOn": str(api.state.now().date()), **more,
        }  # fmt: skip
        return (await api.data(token, LABEL, input=sent))["labelClientOutcome"]

    later = str((api.state.now() + 2 * DAY).date())
    assert (await label(office.manager, happenedOn=later))["argument"] == "happenedOn"
    for token in (office.client, office.dispatcher):
        assert (await label(token))["code"] == "NOT_ALLOWED"
    assert (await label(office.manager))["reason"] == "PRICE"
    assert (await label(office.manager, kind="ENDED_BY_COMPANY"))["kind"] == "ENDED_BY_COMPANY"
    async with api.make() as session:
        found = await retention.outcomes_of_company(session, office.world.tenant.id)
    assert [each.kind for each in found.values()] == [OutcomeKind.ENDED_BY_COMPANY]


async def test_own_history_moves_the_model_with_20_clients_and_a_leaver(
    api: Api, office: Office
) -> None:
    row = await known_well(api, office)
    before = await asked(api, office)
    tenant, now = office.world.tenant.id, api.state.now()
    async with transaction(api.make) as session:
        others = [Account(id=uuid7(), tenant_id=tenant, name=f"Klant {n:02}") for n in range(24)]
        session.add_all(others)
        await session.flush()
        tx = Tx(session, system(tenant), now)
        for n, each in enumerate(others):
            for months in range(1, 7):
                day = now - timedelta(days=30 * (months + 1))
                session.add(
                    health.HealthSnapshot(
                        id=uuid7(), tenant_id=tenant, account_id=each.id, as_of=day,
                        period=health.SnapshotPeriod.MONTH,
                        begins_on=day.date(),
                        band=2, score_millionths=30_000_000 if n < 8 else 90_000_000,
                        coverage_millionths=row.coverage_millionths, low_millionths=0,
                        high_millionths=100_000_000, fresh=row.fresh, is_provisional=True, content=[],
                    )
                )  # fmt: skip
            if n < 8:
                await retention.label(
                    tx, each.id, kind=OutcomeKind.LEFT, reason=OutcomeReason.SERVICE,
                    happened_on=(now - timedelta(days=45)).date(),
                )  # fmt: skip
    after = await asked(api, office)
    assert after["__typename"] == "ChurnEstimate"
    assert (after["basis"], after["clients"] >= 20, after["leavers"]) == (
        "RULES_AND_OWN_HISTORY",
        True,
        8,
    )
    assert after["intercept"] != before["intercept"]


async def test_estimates_of_many_accounts_take_as_many_selects_as_of_one(
    api: Api, office: Office
) -> None:
    await known_well(api, office)
    query = f"query ($first: Int) {{ portfolio(first: $first) {{ account {{ churnEstimate {{ {PARTS} }} }} }} }}"
    with SelectCounter(api) as counter:
        await api.data(office.manager, query, first=1)
    one = len(counter.statements)
    tenant = office.world.tenant.id
    async with transaction(api.make) as session:
        row = (await session.scalars(select(health.AccountHealth).where(
            health.AccountHealth.account_id == office.world.account.id))).one()  # fmt: skip
        for n in range(30):
            other = Account(id=uuid7(), tenant_id=tenant, name=f"Klant {n:02}")
            session.add(other)
            await session.flush()
            columns = {
                name: getattr(row, name)
                for name in ("as_of", "coverage_millionths", "low_millionths", "high_millionths", "fresh",
                             "is_provisional", "content", "band", "is_shared", "score_millionths")
            }  # fmt: skip
            session.add(
                health.AccountHealth(id=uuid7(), tenant_id=tenant, account_id=other.id, **columns)
            )
            session.add(
                Agreement(
                    id=uuid7(), tenant_id=tenant, account_id=other.id, reference=f"R{n}", title="x",
                    signed_on=date(2026, 1, 1),
                )
            )  # fmt: skip
    with SelectCounter(api) as counter:
        found = await api.data(office.manager, query, first=31)
    assert len(found["portfolio"]) == 31
    assert len(counter.statements) == one


async def test_rule_scores_have_parts_a_gate_and_a_lifetime_value(api: Api, office: Office) -> None:
    await known_well(api, office, ObservationDraft(K.SUCCESS), ObservationDraft(K.REFERRAL),
                     ObservationDraft(K.UNMET_NEED))  # fmt: skip
    found = (await api.data(office.manager, SCORES, account=office.account))["node"][
        "relationshipScores"
    ]
    scores = {each["kind"]: each for each in found["scores"]}
    assert set(scores) == {"LOYALTY", "EXPANSION", "ADVOCACY"}
    expansion = scores["EXPANSION"]
    assert expansion["value"] == pytest.approx(
        sum(each["contribution"] for each in expansion["parts"])
    )
    gate = found["proposalGate"]
    assert {"AFTER_A_SUCCESS", "NEW_CHALLENGE"} <= set(gate["goodMoments"])
    assert gate["badMoments"] == ["VALUE_NOT_PROVEN"]
    assert gate["isOpen"] is False
    value = found["lifetimeValue"]
    assert value["yearlyValueCents"] == 12_000_000  # 12 × the fee of the terms in force
    assert value["lowCents"] <= value["expectedCents"] <= value["highCents"]
    for token in (office.client, office.dispatcher):
        answer = await api.data(token, SCORES, account=office.account)
        assert answer["node"]["relationshipScores"] is None


async def test_retention_counts_the_clients_and_fees_of_the_start(api: Api, office: Office) -> None:
    today = api.state.now().date()
    given = {"from": str(today - timedelta(days=60)), "until": str(today)}
    for by in ("YEAR", "QUARTER", "SEGMENT", "SERVICE_TIER"):
        [cohort] = (await api.data(office.manager, COHORTS, by=by, **given))["retention"]
        assert (cohort["atStart"], cohort["kept"], cohort["logo"]) == (1, 1, 1)
        assert (cohort["gross"], cohort["net"], cohort["high"]) == (1, 1, 1)
        assert 0 <= cohort["low"] < 0.5
    async with transaction(api.make) as session:
        await session.execute(
            update(Agreement)
            .where(Agreement.account_id == office.world.account.id)
            .values(ended_at=api.state.now() - 10 * DAY)
        )
    [cohort] = (await api.data(office.manager, COHORTS, by="YEAR", **given))["retention"]
    assert (cohort["kept"], cohort["gross"], cohort["net"]) == (0, 0, 0)
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, COHORTS, by="YEAR", **given))["retention"] == []
