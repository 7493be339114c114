"""Money on the wire: what clients read of credits and invoices, what they contest, and what waits is not shown."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from domain import compensation, incidents
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.compensation import Credit
from domain.core.db import transaction
from domain.promises import Promise, State
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.build import T0, minutes
from tests.gate import money

CREDITS = """{ credits { nodes { id kind state amountCents netCents decisionReason decisionBy
  promise { name } entries { n kind reason lines { book amountCents } } } } }"""
INVOICES = """{ invoices { nodes { number netCents vatCents grossCents openCents
  lines { position name quantityMilli unit priceCents netCents vatCategory }
  creditNote { number netCents grossCents lines { name netCents } } payments { amountCents reference } } } }"""
STATEMENT = """query ($a: ID!, $from: DateTime!, $until: DateTime!) {
  creditStatement(accountId: $a, fromAt: $from, untilAt: $until) { kind reason amountCents balanceCents } }"""
BILLING = """query ($a: ID!) { billing(agreementId: $a, monthOn: "2026-03-15") {
  rateCode unit plannedMilli deliveredMilli billedMilli billedCents } }"""
APPROVE = """mutation ($input: ApproveCreditInput!) { approveCredit(input: $input) {
  ... on Refusal { code } ... on Credit { state netCents } } }"""
CONTEST = """mutation ($input: ContestVerdictInput!) { contestVerdict(input: $input) {
  ... on Refusal { code } ... on Dispute { state verdictWas promise { name } } } }"""
SIGN = """mutation ($input: SignAgreementInput!) { signAgreement(input: $input) {
  ... on Refusal { code message } ... on Agreement { terms { perCause promises {
    creditRules { basis feeBps rateCode unitsMilli leastCents mostCents }
    creditBands { belowPpm fixedCents feeBps } } } } } }"""


async def broken(api: Api, office: Office) -> Promise:
    """A promise that was broken and had its credit decided."""
    world = office.world
    ticket = await build.incident(api.make, world, priority=Priority.HIGH)
    async with transaction(api.make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(90)), ticket.id)
        [promise] = await session.scalars(
            select(Promise).where(Promise.incident_id == ticket.id, Promise.state == State.LATE)
        )
        actor = Actor.system(world.tenant.id, "test")
        await compensation.decide(Tx(session, actor, T0 + minutes(91)), promise.id)
    found: Promise = promise
    return found


async def test_a_client_reads_credits_with_their_entries_and_invoices_with_what_is_open(
    api: Api, office: Office
) -> None:
    await broken(api, office)
    await money.owed(api, office.world, at=T0 + timedelta(hours=5))
    nodes = (await api.data(office.client, CREDITS))["credits"]["nodes"]
    gesture, credit = nodes
    assert (gesture["kind"], gesture["netCents"], gesture["promise"]) == ("GOODWILL", 2_500, None)
    assert gesture["decisionBy"] is None
    assert (credit["amountCents"], credit["netCents"]) == (5_000, 5_000)
    assert credit["entries"] == [
        {
            "n": 1,
            "kind": "GRANT",
            "reason": "The promise was broken.",
            "lines": [
                {"book": "SERVICE_RECOVERY", "amountCents": 5_000},
                {"book": "CLIENT_CREDIT", "amountCents": -5_000},
            ],
        }
    ]
    [invoice] = (await api.data(office.client, INVOICES))["invoices"]["nodes"]
    note = invoice["creditNote"]
    assert [line["netCents"] for line in note["lines"]] == [5_000, 2_500]
    assert note["grossCents"] == 9_075
    assert invoice["openCents"] == invoice["grossCents"] - 9_075 - 100
    lines = (
        await api.data(
            office.client, STATEMENT, a=office.account,
            **{"from": "2026-03-01T00:00:00Z", "until": "2026-05-01T00:00:00Z"},
        )
    )["creditStatement"]  # fmt: skip
    assert [(line["kind"], line["amountCents"], line["balanceCents"]) for line in lines] == [
        ("GRANT", 5_000, 5_000),
        ("GRANT", 2_500, 7_500),
        ("APPLY", -7_500, 0),
    ]
    agreement = ids.write("Agreement", office.world.agreement.id)
    [side] = (await api.data(office.client, BILLING, a=agreement))["billing"]
    assert side == {
        "rateCode": "guard_hour", "unit": "HOUR", "plannedMilli": 1_000,
        "deliveredMilli": 1_000, "billedMilli": 1_000, "billedCents": 4_155,
    }  # fmt: skip
    trial = (await api.data(office.manager, "{ trialBalance { amountCents } }"))["trialBalance"]
    assert sum(line["amountCents"] for line in trial) == 0


async def test_a_credit_that_waits_is_not_there_for_the_client_until_it_is_approved(
    api: Api, office: Office
) -> None:
    async with transaction(api.make) as session:
        await compensation.choose_policy(
            Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0),
            approval_above_cents=100,
            vat_category="S",
            vat_rate_bps=2_100,
        )
    promise = await broken(api, office)
    async with api.make() as session:
        row = await session.scalar(select(Credit).where(Credit.promise_id == promise.id))
    assert row is not None
    credit = ids.write("Credit", row.id)
    assert (await api.data(office.client, CREDITS))["credits"]["nodes"] == []
    assert await api.data(office.client, "{ compensationPolicy { id } }") == {
        "compensationPolicy": None
    }
    given: dict[str, Any] = {"id": credit, "reason": "Agreed."}
    refused = await api.data(office.dispatcher, APPROVE, input=given)
    assert refused["approveCredit"] == {"code": "NOT_ALLOWED"}
    approved = await api.data(office.manager, APPROVE, input=given)
    assert approved["approveCredit"] == {"state": "GRANTED", "netCents": 5_000}
    [shown] = (await api.data(office.client, CREDITS))["credits"]["nodes"]
    assert (shown["state"], shown["decisionReason"]) == ("GRANTED", "Agreed.")


async def test_a_client_contests_a_verdict_once(api: Api, office: Office) -> None:
    promise = await broken(api, office)
    given = {"promiseId": ids.write("Promise", promise.id), "reason": "We were there."}
    told = await api.data(office.client, CONTEST, input=given)
    assert told["contestVerdict"] == {
        "state": "OPEN", "verdictWas": "late", "promise": {"name": "first_response"},
    }  # fmt: skip
    again = await api.data(office.client, CONTEST, input=given)
    assert again["contestVerdict"] == {"code": "ALREADY_EXISTS"}


async def test_every_kind_of_schedule_goes_in_and_comes_out(api: Api, office: Office) -> None:
    rules = [
        {"priority": "CRITICAL", "feeBps": 5_000, "rateCode": "callout", "mostCents": 9_000},
        {"priority": "HIGH", "unitsMilli": 2_000, "rateCode": "guard_hour", "leastCents": 100},
    ]
    promise = {
        "name": "arrival", "kind": "ARRIVAL", "calendarVersionId": office.calendar,
        "targets": [{"priority": "CRITICAL", "elapsedSeconds": 60}],
        "creditRules": rules, "creditBands": [{"belowPpm": 950_000, "feeBps": 500}],
    }  # fmt: skip
    given = {
        "accountId": office.account, "reference": "S-1", "title": "Schedules",
        "signedOn": "2026-01-01", "inForceFrom": "2027-01-01T00:00:00Z",
        "terms": {"promises": [promise], "perCause": "EACH"},
    }  # fmt: skip
    [terms] = (await api.data(office.manager, SIGN, input=given))["signAgreement"]["terms"]
    assert terms["perCause"] == "EACH"
    [found] = terms["promises"]
    assert found["creditBands"] == [{"belowPpm": 950_000, "fixedCents": None, "feeBps": 500}]
    assert sorted(rule["basis"] for rule in found["creditRules"]) == ["LINE_SHARE", "SERVICE"]
