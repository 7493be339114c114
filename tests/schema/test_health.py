"""Health through the API: a score only with evidence, its parts, its past, and who may see it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from domain import health, parameters
from domain.access import Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.health import (
    ClaimedHealth,
    HealthSnapshot,
    ObservationDraft,
    ObservationKind,
    SnapshotPeriod,
)
from domain.parameters import ParameterPlace, ParameterUnit
from tests.api import asking
from tests.api.asking import Api, Office
from tests.surveying import system
from workers.health import compute_due

pytestmark = pytest.mark.anyio

K = ObservationKind
DAY = timedelta(days=1)
SCORE = """id asOf status score scoreMillionths band plainBand bandIndex confirmedBand coverage low high fresh trend
  signals { key state value weight contributionMillionths contribution n evidence { kind } }
  needed { key needed have windowDays } counterfactuals { key value figure unit band }"""
ASK = f"""query ($account: ID!, $asOf: DateTime, $knownAt: DateTime) {{
  accountHealth(accountId: $account, asOf: $asOf, knownAt: $knownAt) {{ {SCORE} }} }}"""
LIST = """{ accountHealths(first: 100) { nodes { score status band trend confirmedBand account { name } } } }"""
SINCE = """query ($account: ID!, $at: DateTime!) { accountHealth(accountId: $account) {
  score changeSince(at: $at) { before after moved coverageChange commonCoverage signals { key moved } } } }"""
RECORD = """mutation ($input: RecordObservationInput!) { recordObservation(input: $input) {
  ... on Observation { id kind value } ... on Refusal { code argument message } } }"""
WITHDRAW = """mutation ($input: WithdrawObservationInput!) { withdrawObservation(input: $input) {
  ... on Observation { withdrawnAt } ... on Refusal { code argument } } }"""

GOOD: list[ObservationDraft] = [
    *[ObservationDraft(K.MEETING, 9, 10)] * 2,
    *[ObservationDraft(K.TONE, 60)] * 3,
    *[ObservationDraft(K.APPROVAL, 1)] * 2,
    *[ObservationDraft(K.COMPETITION, 0)] * 2,
    ObservationDraft(K.BUDGET, 100),
    ObservationDraft(K.ORGANISATION, 80),
    ObservationDraft(K.FUTURE_PLANS, 100),
    ObservationDraft(K.EXECUTIVE_MEETING),
]
"""Eight signals of 44 of 100: enough for a provisional score."""


async def observed(
    api: Api, office: Office, *drafts: ObservationDraft, ago: timedelta = DAY
) -> None:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        for draft in drafts:
            at = draft.at or tx.at - ago
            await health.record_observation(tx, office.world.account.id, draft._replace(at=at))


async def computed(
    api: Api, office: Office, *, later: timedelta = timedelta(0)
) -> health.AccountHealth:
    async with transaction(api.make) as session:
        taken = ClaimedHealth(office.world.account.id, office.world.tenant.id, api.state.now())
        return await health.recompute(session, taken, at=api.state.now() + later)


async def asked(api: Api, office: Office, **more: Any) -> Any:
    return (await api.data(office.manager, ASK, account=office.account, **more))["accountHealth"]


async def test_without_enough_evidence_there_is_no_score_but_what_is_needed(
    api: Api, office: Office
) -> None:
    found = await asked(api, office)
    assert (found["status"], found["score"], found["band"]) == ("INSUFFICIENT_EVIDENCE", None, None)
    needs = {each["key"]: each for each in found["needed"]}
    assert needs["MEETING_ATTENDANCE"]["needed"] == 2
    assert needs["MEETING_ATTENDANCE"]["windowDays"] == 180
    assert (found["low"], found["high"]) == (None, None)


async def test_a_score_is_the_sum_of_its_parts_with_evidence_and_bounds(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    await observed(api, office, *[ObservationDraft(K.APPROVAL, 0)] * 2)
    found = await asked(api, office)
    assert (found["status"], found["band"], found["bandIndex"]) == ("PROVISIONAL", "HEALTHY", 4)
    assert found["plainBand"] == "EXCELLENT"
    assert (
        sum(each["contributionMillionths"] for each in found["signals"]) == found["scoreMillionths"]
    )
    signals = {each["key"]: each for each in found["signals"]}
    assert signals["APPROVALS_ON_TIME"]["value"] == 0
    assert signals["TONE"]["value"] == 100
    assert [each["kind"] for each in signals["TONE"]["evidence"]] == ["observation.recorded"] * 3
    assert signals["REPLY_TIME"]["state"] == "MISSING"
    fresh = sum(each["weight"] for each in found["signals"] if each["state"] == "FRESH")
    assert found["coverage"] == pytest.approx(fresh / 100)
    assert found["low"] < found["score"] < found["high"]
    assert found["high"] - found["low"] == pytest.approx(100 - fresh, abs=1e-5)


async def test_a_counterfactual_says_what_reaches_the_next_band(api: Api, office: Office) -> None:
    bad = [
        draft._replace(value=0) if draft.kind in (K.BUDGET, K.APPROVAL, K.MEETING) else draft
        for draft in GOOD
    ]
    await observed(api, office, *bad)
    found = await asked(api, office)
    assert found["bandIndex"] < 4
    nearest = found["counterfactuals"][0]
    assert nearest["value"] <= 100
    assert nearest["band"] == ["AT_RISK", "STABLE", "HEALTHY"][found["bandIndex"] - 1]


async def test_silence_makes_a_score_stale_and_never_better(api: Api, office: Office) -> None:
    await observed(api, office, *GOOD, ago=20 * DAY)
    before = await computed(api, office)
    later = await computed(
        api, office, later=80 * DAY
    )  # 100 days after: the tone is out of its window
    assert before.score_millionths is not None
    states = {each.key: each.state for each in health.signals_of(later.content)}
    assert states[health.SignalKey.TONE] == 2
    assert later.score_millionths is None or later.score_millionths <= before.score_millionths


async def test_the_past_is_computed_as_it_was_known(api: Api, office: Office) -> None:
    await observed(api, office, *GOOD, ago=10 * DAY)
    async with api.make() as session:
        known = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    await observed(api, office, *[ObservationDraft(K.APPROVAL, 0)] * 6, ago=10 * DAY)
    now = await asked(api, office)
    then = await asked(api, office, knownAt=known.isoformat())
    assert then["score"] > now["score"]
    early = (api.state.now() - 11 * DAY).isoformat()
    assert (await asked(api, office, asOf=early))["status"] == "INSUFFICIENT_EVIDENCE"
    changed = await api.data(office.manager, SINCE, account=office.account, at=early)
    assert changed["accountHealth"]["changeSince"] is None


async def test_a_change_is_explained_exactly(api: Api, office: Office) -> None:
    await observed(api, office, *GOOD, ago=10 * DAY)
    await observed(api, office, *[ObservationDraft(K.TONE, -60)] * 3, ObservationDraft(K.BUDGET, 0))
    await observed(api, office, *[ObservationDraft(K.REPLY, 30)] * 3)
    at = (api.state.now() - 5 * DAY).isoformat()
    found = (await api.data(office.manager, SINCE, account=office.account, at=at))["accountHealth"]
    change = found["changeSince"]
    moved = {each["key"]: each["moved"] for each in change["signals"]}
    assert moved["TONE"] < 0
    assert moved["BUDGET"] < 0
    assert sum(moved.values()) + change["coverageChange"] == pytest.approx(
        change["moved"], abs=1e-9
    )
    assert change["after"] == found["score"]


async def test_observations_are_checked_recorded_and_withdrawn(api: Api, office: Office) -> None:
    async def record(**given: Any) -> Any:
        sent = {"accountId": office.account, **given}
        return (await api.data(office.manager, RECORD, input=sent))["recordObservation"]

    for given, argument in (
        ({"kind": "BUDGET", "value": 50}, "value"),
        ({"kind": "BUDGET"}, "value"),
        ({"kind": "EXECUTIVE_MEETING", "value": 1}, "value"),
        ({"kind": "TONE", "value": 101}, "value"),
        ({"kind": "MEETING", "value": 2}, "total"),
        ({"kind": "MEETING", "value": 3, "total": 2}, "total"),
        ({"kind": "CHAMPION", "value": 1}, "contactId"),
        ({"kind": "REVIEW", "at": (api.state.now() + DAY).isoformat()}, "at"),
        ({"kind": "REVIEW", "at": (api.state.now() - 800 * DAY).isoformat()}, "at"),
    ):
        assert (await record(**given))["argument"] == argument
    row = await record(kind="BUDGET", value=0)
    gone = {"id": row["id"], "reason": "It was another client."}
    first = (await api.data(office.manager, WITHDRAW, input=gone))["withdrawObservation"]
    again = (await api.data(office.manager, WITHDRAW, input=gone))["withdrawObservation"]
    assert first["withdrawnAt"]
    assert again == {"code": "ALREADY_DONE", "argument": "id"}
    signals = {each["key"]: each for each in (await asked(api, office))["signals"]}
    assert signals["BUDGET"]["state"] == "MISSING"
    for token in (office.client, office.dispatcher):
        sent = {"accountId": office.account, "kind": "BUDGET", "value": 0}
        refused = (await api.data(token, RECORD, input=sent))["recordObservation"]
        assert refused["code"] == "NOT_ALLOWED"


async def test_clients_see_the_score_only_when_it_is_shared_and_others_never(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    await computed(api, office)

    async def seen(token: str) -> Any:
        return (await api.data(token, ASK, account=office.account))["accountHealth"]

    assert [await seen(token) for token in (office.client, office.dispatcher)] == [None, None]
    assert (await api.data(office.client, LIST))["accountHealths"]["nodes"] == []
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now() - DAY)
        place = ParameterPlace(account_id=office.world.account.id)
        await parameters.set_value(
            tx, "health.shared_with_client", numbers=[1], unit=ParameterUnit.COUNT, place=place
        )
    await computed(api, office)
    shared = await seen(office.client)
    assert (shared["band"], shared["signals"], shared["needed"]) == ("HEALTHY", None, None)
    assert shared["counterfactuals"] is None
    assert await seen(office.dispatcher) is None
    stranger = await asking.office(api)
    assert await seen(stranger.manager) is None


async def test_weights_are_parameters(api: Api, office: Office) -> None:
    await observed(api, office, *GOOD)
    await observed(api, office, *[ObservationDraft(K.APPROVAL, 0)] * 8)
    first = await asked(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now() - timedelta(seconds=1))
        await parameters.set_value(
            tx,
            "health.weight.approvals_on_time",
            numbers=[0],
            unit=ParameterUnit.COUNT,
            place=ParameterPlace(),
        )
    second = await asked(api, office)
    assert second["score"] > first["score"]
    before = (api.state.now() - timedelta(hours=12)).isoformat()
    assert (await asked(api, office, asOf=before))["score"] == first["score"]


POLICY = """query ($account: ID!, $asOf: DateTime, $knownAt: DateTime) {
  accountHealth(accountId: $account, asOf: $asOf, knownAt: $knownAt) { scoreMillionths policyVersion
    signals { key value weight weightSource curveSource curve { figure value } } }
  healthSnapshots(accountId: $account, first: 1) { nodes { scoreMillionths policyVersion
    signals { key value curveSource curve { figure value } } } } }"""
SET = """mutation ($input: SetParameterInput!) { setParameter(input: $input) {
  ... on ParameterValue { level } ... on Refusal { code argument message } } }"""


async def test_curves_are_parameters_and_a_score_keeps_those_it_was_computed_with(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD, ObservationDraft(K.COMPETITION, 1))
    await computed(api, office)

    async def shown(**more: Any) -> tuple[Any, Any]:
        found = await api.data(office.manager, POLICY, account=office.account, **more)
        return found["accountHealth"], found["healthSnapshots"]["nodes"][0]

    def of(score: Any, key: str) -> Any:
        return next(each for each in score["signals"] if each["key"] == key)

    first, kept = await shown()
    assert first["policyVersion"] == kept["policyVersion"]
    assert of(first, "COMPETITION")["curve"] == [
        {"figure": 0, "value": 100}, {"figure": 1, "value": 50}, {"figure": 2, "value": 0},
    ]  # fmt: skip
    group = of(first, "GROUP_GROWTH")
    assert (group["weight"], group["weightSource"]) == (0, "DEFAULT")
    known = api.state.now()
    given = {
        "name": "health.curve.competition",
        "numbers": [0, 4_000, 8_000],
        "unit": "THOUSANDTHS",
    }
    wrong = (await api.data(office.client, SET, input=given))["setParameter"]
    assert wrong["code"] == "NOT_ALLOWED"
    for numbers in ([4_000, 0, 8_000], [0, 4_000], [-1, 4_000, 8_000]):
        wrong = (await api.data(office.manager, SET, input=given | {"numbers": numbers}))[
            "setParameter"
        ]
        assert (wrong["code"], wrong["argument"]) == ("INVALID", "numbers")
    assert (await api.data(office.manager, SET, input=given))["setParameter"] == {"level": "TENANT"}
    mine = {"name": "health.weight.group_growth", "numbers": [3], "unit": "COUNT"}
    mine |= {"accountId": office.account}
    assert (await api.data(office.manager, SET, input=mine))["setParameter"] == {"level": "ACCOUNT"}

    second, same = await shown()
    assert of(second, "COMPETITION")["value"] == 87.5
    assert of(second, "COMPETITION")["curveSource"] == "TENANT"
    assert (of(second, "GROUP_GROWTH")["weight"], of(second, "GROUP_GROWTH")["weightSource"]) == (
        3,
        "ACCOUNT",
    )
    assert second["policyVersion"] != first["policyVersion"]
    assert same == kept  # to the last bit
    earlier, _ = await shown(asOf=known.isoformat())
    assert earlier == (await shown(asOf=known.isoformat(), knownAt=known.isoformat()))[0]
    assert (earlier["scoreMillionths"], earlier["policyVersion"]) == (
        first["scoreMillionths"], first["policyVersion"],
    )  # fmt: skip
    before, _ = await shown(knownAt=known.isoformat())
    assert before["policyVersion"] == first["policyVersion"]


async def test_another_band_counts_after_a_day_at_once_if_critical_or_clear(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    row = await computed(api, office)
    assert row.band == 4
    async with api.make() as session:
        kept = await session.get_one(health.AccountHealth, row.id)
        assert kept.settled_millionths == row.score_millionths

    def settled(score: int | None, hours: float) -> int | None:
        tx = Tx(None, system(office.world.tenant.id), api.state.now() + timedelta(hours=hours))  # type: ignore[arg-type]
        recorded: list[Any] = []
        object.__setattr__(tx, "session", _Recorder(recorded))
        row.score_millionths = score
        health.settle_band(tx, row)
        return row.band

    row.settled_millionths = 81_000_000
    assert settled(79_000_000, 0) == 4  # waits
    assert settled(81_000_000, 1) == 4  # back: nothing happened
    assert settled(79_000_000, 2) == 4
    assert settled(78_000_000, 25) == 4  # 23 hours
    assert settled(78_500_000, 26) == 3  # 24 hours
    assert settled(80_000_000, 27) == 3
    assert settled(84_000_000, 28) == 4  # more than 5 points from where it was
    assert settled(39_999_999, 29) == 1
    assert settled(None, 30) == 1
    assert settled(None, 54) is None


class _Recorder:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.info: dict[str, Any] = {}

    def add(self, row: Any) -> None:
        self.rows.append(row)


WARNINGS = """query ($open: Boolean) { earlyWarnings(isOpen: $open) { nodes {
  rule severity raisedAt clearedAt raisedWhen clearsWhen evidence { kind } account { id } } } }"""


async def test_a_warning_is_raised_once_and_again_only_after_it_cleared(
    api: Api, office: Office
) -> None:
    async def seen(token: str, **more: Any) -> Any:
        nodes = (await api.data(token, WARNINGS, **more))["earlyWarnings"]["nodes"]
        return [each for each in nodes if each["rule"] == "BUDGET_PRESSURE"]

    await observed(api, office, ObservationDraft(K.BUDGET, 0), ago=3 * DAY)
    await computed(api, office)
    await computed(api, office)
    [first] = await seen(office.manager, open=True)
    assert first["account"] == {"id": office.account}
    assert [each["kind"] for each in first["evidence"]] == ["observation.recorded"]
    assert first["severity"] == "MEDIUM"
    for token in (office.client, office.dispatcher):
        assert await seen(token) == []
    await observed(api, office, ObservationDraft(K.BUDGET, 70), ago=2 * DAY)
    await computed(api, office)
    assert await seen(office.manager, open=True) == []
    await observed(api, office, ObservationDraft(K.BUDGET, 20))
    await computed(api, office)
    assert [each["clearedAt"] is None for each in await seen(office.manager)] == [True, False]
    async with api.make() as session:
        kinds = await session.scalars(
            select(LedgerRow.kind)
            .where(
                LedgerRow.account_id == office.world.account.id,
                LedgerRow.kind.startswith("warning."),
                LedgerRow.body["rule"].astext == "budget_pressure",
            )
            .order_by(LedgerRow.id)
        )
        assert kinds.all() == ["warning.raised", "warning.cleared", "warning.raised"]


async def test_snapshots_are_taken_once_and_never_change(api: Api, office: Office) -> None:
    await observed(api, office, *GOOD)
    first = await computed(api, office)
    await observed(api, office, *[ObservationDraft(K.APPROVAL, 0)] * 8)
    await computed(api, office)
    query = """{ healthSnapshots { nodes { period score beginsOn signals { key } } } }"""
    found = (await api.data(office.manager, query))["healthSnapshots"]["nodes"]
    assert {each["period"] for each in found} == {"WEEK", "MONTH"}
    assert [each["score"] for each in found] == [(first.score_millionths or 0) / 1e6] * 2
    assert (await api.data(office.client, query))["healthSnapshots"]["nodes"] == []
    with pytest.raises(IntegrityError, match="never change"):
        async with transaction(api.make) as session:
            await session.execute(
                update(HealthSnapshot)
                .where(HealthSnapshot.account_id == office.world.account.id)
                .values(period=SnapshotPeriod.WEEK)
            )


async def test_due_accounts_are_computed_and_the_portfolio_is_one_query(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    async with transaction(api.make) as session:
        await health.mark(
            session, office.world.tenant.id, office.world.account.id,
            at=api.state.now() - timedelta(minutes=1),
        )  # fmt: skip
    async with asyncio.timeout(60):
        while not (await api.data(office.manager, LIST))["accountHealths"]["nodes"]:
            await compute_due(api.make, at=api.state.now(), limit=50)
    [row] = (await api.data(office.manager, LIST))["accountHealths"]["nodes"]
    assert (row["status"], row["confirmedBand"], row["trend"]) == (
        "PROVISIONAL",
        "HEALTHY",
        "UNKNOWN",
    )
