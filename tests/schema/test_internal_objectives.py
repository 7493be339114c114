"""Internal objectives beside what was promised: in promises, terms, compliance and reports, for the company alone."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain import accounts, incidents, reports
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.reports import Cadence
from domain.reports.model import ReportPlan
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0

REFUSAL = "... on Refusal { code }"
ISSUE = f"""mutation ($input: IssueApiKeyInput!) {{ issueApiKey(input: $input) {{
  ... on IssuedApiKey {{ secret }} {REFUSAL} }} }}"""
READ = """query ($incident: ID!, $agreement: ID!, $account: ID!, $promise: ID!, $report: ID!, $site: ID!) {
  incident: node(id: $incident) { ... on Incident { promises {
    name internal internalObjective { name targetSeconds verdict dueAt internalObjective { name } } } } }
  agreement: node(id: $agreement) { ... on Agreement { terms { promises {
    name internalObjectives { name targets { elapsedSeconds } } } } } }
  slaCompliance(accountId: $account, window: MONTH, promiseId: $promise, at: "2026-03-02T12:00:00Z") {
    n kept internalObjectives { n kept promise { name } internalObjectives { n } } }
  account: slaCompliance(accountId: $account, window: MONTH, at: "2026-03-02T12:00:00Z") {
    n internalObjectives { n kept promise { name } } }
  qualityScore(accountId: $account, at: "2026-03-02T12:00:00Z") {
    n internalObjectives { kind name kept late } }
  here: qualityScore(accountId: $account, siteId: $site, at: "2026-03-02T12:00:00Z") {
    n internalObjectives { name kept late } }
  report: node(id: $report) { ... on Report { internalObjectives { kind name kept late } } } }"""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as running:
        yield running


async def day(api: Api, office: Office) -> dict[str, str]:
    """A critical incident resolved in 90 minutes: within two hours as promised, not within the hour we want."""
    world = office.world
    incident = await build.incident(api.make, world)
    async with transaction(api.make) as session:
        tx = Tx(session, world.staff, T0 + timedelta(minutes=5))
        await incidents.acknowledge(tx, incident.id)
        await incidents.resolve(
            tx.as_of(T0 + timedelta(minutes=90)), incident.id, resolution="Done"
        )
        await reports.adopt(session, at=T0)
        plan = (
            await session.scalars(
                select(ReportPlan).where(
                    ReportPlan.account_id == world.account.id, ReportPlan.cadence == Cadence.DAILY
                )
            )
        ).one()
        report = await reports.make_next(session, plan.id, at=plan.look_at)
        assert report is not None
    found = (
        "query ($id: ID!) { node(id: $id) { ... on Incident { promises { name term { id } } } } }"
    )
    row = ids.write("Incident", incident.id)
    promised = (await api.data(office.manager, found, id=row))["node"]["promises"]
    [term] = [each["term"]["id"] for each in promised if each["name"] == "resolution"]
    return {
        "incident": row, "agreement": ids.write("Agreement", world.agreement.id),
        "account": office.account, "site": office.site, "promise": term, "report": ids.write("Report", report.id),
    }  # fmt: skip


def names(data: Any) -> dict[str, Any]:
    return {each["name"]: each for each in data}


async def test_the_company_reads_its_objective_beside_each_promise(api: Api) -> None:
    office = await asking.office(api)
    data = await api.data(office.manager, READ, **await day(api, office))

    promised = names(data["incident"]["promises"])
    objective = promised["resolution"]["internalObjective"]
    assert (objective["name"], objective["targetSeconds"]) == ("resolution_objective", 3600)
    assert objective["verdict"] == "LATE"
    assert datetime.fromisoformat(objective["dueAt"]) == T0 + timedelta(hours=1)
    assert objective["internalObjective"] is None
    assert promised["first_response"]["internalObjective"] is None
    terms = names(data["agreement"]["terms"][0]["promises"])
    assert terms["resolution"]["internalObjectives"] == [
        {"name": "resolution_objective", "targets": [{"elapsedSeconds": 3600}]}
    ]
    assert terms["resolution_objective"]["internalObjectives"] == []
    found = data["slaCompliance"]
    assert (found["n"], found["kept"]) == (1, 1)
    assert found["internalObjectives"] == [
        {"n": 1, "kept": 0, "promise": {"name": "resolution_objective"}, "internalObjectives": []}
    ]
    beside = {"kind": "RESOLUTION", "name": "resolution_objective", "kept": 0, "late": 1}
    [counted] = data["qualityScore"]["internalObjectives"]
    assert counted == beside
    [here] = data["here"]["internalObjectives"]
    assert here == {"name": "resolution_objective", "kept": 0, "late": 1}
    assert data["account"]["n"] == data["qualityScore"]["n"] == data["here"]["n"]
    assert data["account"]["internalObjectives"] == [
        {"n": 1, "kept": 0, "promise": {"name": "resolution_objective"}}
    ]
    assert data["report"]["internalObjectives"] == [
        {"kind": "RESOLUTION", "name": "resolution_objective", "kept": 0, "late": 1}
    ]


async def test_clients_guards_and_partner_keys_do_not_see_that_there_is_one(api: Api) -> None:
    office = await asking.office(api)
    ids_of = await day(api, office)
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        guard = await accounts.add_user(
            Tx(session, system, T0), email="g@example.org", name="Guard", role=Role.GUARD
        )
    key = (await api.data(office.manager, ISSUE, input={"name": "partner", "allAccounts": True}))[
        "issueApiKey"
    ]["secret"]
    for token in (office.client, api.token(guard.id), key):
        answer = await api.ask(token, READ, **ids_of)
        assert "resolution_objective" not in str(answer)
        data = answer["data"]
        for each in (data["incident"] or {"promises": []})["promises"]:
            assert (each["internal"], each["internalObjective"]) == (False, None)
        for one in ("report", "slaCompliance", "account", "qualityScore", "here"):
            assert not (data[one] or {}).get("internalObjectives")
    seen = await api.data(office.client, READ, **ids_of)
    assert names(seen["incident"]["promises"])["resolution"]["internalObjective"] is None
    assert (
        names(seen["agreement"]["terms"][0]["promises"])["resolution"]["internalObjectives"] == []
    )
    assert seen["slaCompliance"] == {"n": 1, "kept": 1, "internalObjectives": []}
    assert seen["report"] == {"internalObjectives": []}
