"""An agreement that says how well an arrival must be proven: signed, judged, credited and revised, through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import compensation, promises
from domain.access import Actor, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import guards
from tests.api.asking import Api, Office
from tests.api.test_arrival_grades import alarm, hand_in

SIGN = """mutation ($i: SignAgreementInput!) { done: signAgreement(input: $i) { __typename
  ... on Refusal { code message } ... on Agreement { terms { promises { lowestGrade doubtFavours } } } } }"""
SHOWN = """query ($i: ID!) { node(id: $i) { ... on Incident { arrivedAt promises { id name kind state stoppedAt
  evidence { grade countsFrom reasons { code text } } credit { netCents }
  decidingFacts { kind } term { lowestGrade doubtFavours } } } } }"""
TARGET = timedelta(minutes=10)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def agree(api: Api, office: Office, token: str | None = None, **more: Any) -> Any:
    """Sign a second agreement with one promise about arrivals."""
    promise = {
        "name": "proven arrival",
        "kind": "ARRIVAL",
        "calendarVersionId": office.calendar,
        "targets": [{"priority": "CRITICAL", "elapsedSeconds": int(TARGET.total_seconds())}],
        "creditRules": [{"fixedCents": 7_500}],
    } | more
    given = {
        "accountId": office.account,
        "reference": "P-1",
        "title": "Proof",
        "signedOn": "2026-01-01",
        "inForceFrom": "2026-01-01T00:00:00Z",
        "terms": {"promises": [promise], "periodFeeCents": 100_000},
    }
    return await api.ask(token or office.manager, SIGN, i=given)


async def promise_of(api: Api, token: str, incident: str, name: str = "proven arrival") -> Any:
    found = (await api.data(token, SHOWN, i=incident))["node"]["promises"]
    return next(each for each in found if each["name"] == name)


async def settle(api: Api, office: Office, promise: str) -> None:
    """What the jobs after a verdict do."""
    found = ids.read(promise)
    assert found is not None
    async with transaction(api.make) as session:
        actor = Actor.system(office.world.tenant.id, "credits")
        await compensation.settle(Tx(session, actor, datetime.now(UTC)), found[1])


@pytest.mark.parametrize("favours", ["CLIENT", "COMPANY"])
async def test_weak_evidence_is_judged_by_the_doubt_rule_and_good_fixes_revise_the_verdict(
    api: Api, office: Office, now: datetime, favours: str
) -> None:
    signed = (await agree(api, office, lowestGrade="B", doubtFavours=favours))["data"]["done"]
    [terms] = signed["terms"]
    assert terms["promises"] == [{"lowestGrade": "B", "doubtFavours": favours}]
    guard = await guards.on_duty(api.make, office.world, radius_m=200)
    opened = now - timedelta(minutes=20)
    incident = await alarm(api, office, guard, opened)
    came = opened + timedelta(minutes=7)
    await hand_in(api, guard, came, range(0, 90, 15), accuracyM=80, mock=False)
    found = ids.read(incident)
    assert found is not None
    async with transaction(api.make) as session:
        await promises.sweep(session, at=now, only=found[1])
    told = await promise_of(api, office.client, incident)
    await settle(api, office, told["id"])
    told = await promise_of(api, office.client, incident)
    [shown] = told["evidence"]
    assert shown["grade"] == "C"
    assert "The position is accurate to 80 m." in [each["text"] for each in shown["reasons"]]
    if favours == "COMPANY":
        assert (told["state"], told["credit"]) == ("KEPT", None)
        assert datetime.fromisoformat(shown["countsFrom"]) == came
        return
    assert (told["state"], shown["countsFrom"], told["stoppedAt"]) == ("LATE", None, None)
    assert told["credit"]["netCents"] == 7_500
    other = await promise_of(api, office.client, incident, "arrival")  # the default: any evidence
    assert other["state"] == "KEPT"
    good = came + timedelta(seconds=5)
    await hand_in(api, guard, good, range(0, 90, 15), accuracyM=5, mock=False)
    told = await promise_of(api, office.client, incident)
    await settle(api, office, told["id"])
    told = await promise_of(api, office.client, incident)
    assert (told["state"], told["credit"]["netCents"]) == ("KEPT", 0)
    assert datetime.fromisoformat(told["stoppedAt"]) == good
    assert datetime.fromisoformat(told["evidence"][0]["countsFrom"]) == good
    facts = [each["kind"] for each in told["decidingFacts"]]
    assert "incident.arrival_graded" in facts
    assert facts[-2:] == ["promise.revised", "promise.kept"]


async def test_only_who_manages_agreements_sets_a_lowest_grade_and_only_for_arrivals(
    api: Api, office: Office
) -> None:
    for token in (office.client, office.dispatcher):
        answer = await agree(api, office, token, lowestGrade="B")
        done = (answer.get("data") or {}).get("done") or {}
        assert done.get("__typename") != "Agreement"
    refused = (await agree(api, office, lowestGrade="B", kind="RESOLUTION"))["data"]["done"]
    assert (refused["code"], "are graded" in refused["message"]) == ("INVALID", True)


async def test_a_person_who_reports_an_arrival_is_no_proof_until_somebody_is_measured_there(
    api: Api, office: Office, now: datetime
) -> None:
    await agree(api, office, lowestGrade="C")
    guard = await guards.on_duty(api.make, office.world, radius_m=200)
    incident = await alarm(api, office, guard, now - timedelta(minutes=5))
    await api.data(
        office.dispatcher,
        "mutation ($i: ID!) { arriveAtIncident(input: {id: $i}) { __typename } }",
        i=incident,
    )
    told = await promise_of(api, office.client, incident)
    assert told["state"] in ("RUNNING", "AT_RISK")
    assert [each["grade"] for each in told["evidence"]] == ["D"]
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    await hand_in(api, guard, later, range(0, 60, 10), mock=False)
    told = await promise_of(api, office.client, incident)
    counted = [each["countsFrom"] for each in told["evidence"]]
    assert [None if at is None else datetime.fromisoformat(at) for at in counted] == [later, None]
