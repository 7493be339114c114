"""Reports and touchpoints over GraphQL, and documents over plain HTTP, each for whom they are meant."""

from datetime import timedelta
from io import BytesIO
from uuid import uuid4

from pypdf import PdfReader
from sqlalchemy import select

from domain import incidents, reports, touchpoints
from domain.access import Tx
from domain.agreements import Priority
from domain.core.db import transaction
from domain.reports import Cadence, Report, ReportPlan
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0

LIST = """
query ($account: ID!) {
  reports(accountId: $account) { nodes {
    id cadence firstOn lastOn kept late verdict headline pdfPath
    dutch: headline(language: "nl") nl: pdfPath(language: "nl") account { name }
  } }
}"""
PLANS = "query ($account: ID!) { reportPlans(accountId: $account) { cadence enabled localTime } }"
SET = """
mutation ($input: SetReportPlanInput!) { setReportPlan(input: $input) {
  ... on ReportPlan { cadence localTime enabled version } ... on Refusal { code argument }
} }"""
FIGURES = """
query ($account: ID!, $from: DateTime!, $until: DateTime!) {
  reportPunctuality(accountId: $account, fromAt: $from, untilAt: $until) { due kept late }
  proactiveNotification(accountId: $account, fromAt: $from, untilAt: $until) { changes told ratio }
}"""
TOUCHPOINTS = """
query ($account: ID!, $overdue: Boolean!) {
  touchpoints(accountId: $account, overdue: $overdue) { nodes { id kind dueOn isOverdue doneAt } }
}"""
COMPLETE = """
mutation ($input: CompleteTouchpointInput!) { completeTouchpoint(input: $input) {
  ... on Touchpoint { kind doneAt contact { name } } ... on Refusal { code }
} }"""


async def reported(api: Api, office: Office) -> Report:
    """A day with one late answer, of which the client was told while the clock ran, and its report."""
    ticket = await build.incident(api.make, office.world, priority=Priority.HIGH)
    staff = office.world.staff
    async with transaction(api.make) as session:
        at = T0 + timedelta(minutes=40)
        await incidents.update(Tx(session, staff, at), ticket.id, body="It takes longer")
        await incidents.acknowledge(Tx(session, staff, T0 + timedelta(minutes=90)), ticket.id)
        await incidents.resolve(
            Tx(session, staff, T0 + timedelta(minutes=100)), ticket.id, resolution="Done"
        )
        await reports.adopt(session, at=T0)
        plan = await session.scalar(
            select(ReportPlan).where(
                ReportPlan.account_id == office.world.account.id,
                ReportPlan.cadence == Cadence.DAILY,
            )
        )
        assert plan is not None
        report = await reports.make_next(session, plan.id, at=plan.look_at)
    assert report is not None
    return report


async def test_a_client_reads_its_reports(api: Api, office: Office) -> None:
    report = await reported(api, office)
    data = await api.data(office.client, LIST, account=office.account)
    [row] = data["reports"]["nodes"]
    assert row == {
        "id": ids.write("Report", report.id),
        "cadence": "DAILY", "firstOn": "2026-03-02", "lastOn": "2026-03-02",
        "kept": row["kept"], "late": 1, "verdict": None,
        "headline": f"{row['kept']} of {row['kept'] + 1} promises kept",
        "dutch": f"{row['kept']} van de {row['kept'] + 1} afspraken nagekomen",
        "pdfPath": f"/reports/{report.id}.pdf?language=en",
        "nl": f"/reports/{report.id}.pdf?language=nl",
        "account": {"name": office.world.account.name},
    }  # fmt: skip


async def test_a_report_is_downloaded_by_whose_it_is_and_by_nobody_else(
    api: Api, office: Office
) -> None:
    report = await reported(api, office)
    stranger = await asking.office(api)
    path = f"/reports/{report.id}.pdf?language=nl"

    def asked_as(token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    mine = await api.http.get(path, headers=asked_as(office.client))
    again = await api.http.get(path, headers=asked_as(office.manager))
    theirs = await api.http.get(path, headers=asked_as(stranger.manager))
    nobodys = await api.http.get(f"/reports/{uuid4()}.pdf", headers=asked_as(office.client))
    nobody = await api.http.get(path)

    assert (mine.status_code, mine.headers["content-type"]) == (200, "application/pdf")
    assert "daily-2026-03-02-nl.pdf" in mine.headers["content-disposition"]
    assert "afspraken nagekomen" in PdfReader(BytesIO(mine.content)).pages[0].extract_text()
    assert again.content == mine.content
    assert (theirs.status_code, nobodys.status_code, nobody.status_code) == (404, 404, 401)
    assert theirs.content == nobodys.content


async def test_credit_notes_of_others_do_not_exist(api: Api, office: Office) -> None:
    for ending in ("pdf", "xml"):
        answer = await api.http.get(
            f"/credit-notes/{uuid4()}.{ending}",
            headers={"authorization": f"Bearer {office.client}"},
        )
        assert answer.status_code == 404


async def test_a_manager_sets_when_reports_come_and_a_client_may_not(
    api: Api, office: Office
) -> None:
    wanted = {"accountId": office.account, "cadence": "DAILY", "localTime": "06:30:00"}
    told = await api.data(office.manager, SET, input=wanted)
    assert told["setReportPlan"]["localTime"] == "06:30:00"
    no = await api.data(office.client, SET, input=wanted | {"enabled": False})
    assert no["setReportPlan"]["code"] == "NOT_ALLOWED"
    stale = await api.data(
        office.manager, SET, input=wanted | {"expectedVersion": 99, "weekday": 9}
    )
    assert stale["setReportPlan"]["argument"] == "weekday"
    plans = await api.data(office.client, PLANS, account=office.account)
    assert plans["reportPlans"] == [{"cadence": "DAILY", "enabled": True, "localTime": "06:30:00"}]


async def test_how_punctual_and_how_proactive_we_were_is_a_figure(api: Api, office: Office) -> None:
    await reported(api, office)
    data = await api.data(
        office.client, FIGURES, account=office.account,
        **{"from": "2026-03-01T00:00:00Z", "until": "2026-03-10T00:00:00Z"},
    )  # fmt: skip
    assert data["reportPunctuality"] == {"due": 1, "kept": 0, "late": 0}
    assert data["proactiveNotification"] == {"changes": 1, "told": 1, "ratio": 1.0}


async def test_touchpoints_are_planned_overdue_and_made(api: Api, office: Office) -> None:
    async with transaction(api.make) as session:
        await touchpoints.plan(session, office.world.account, at=T0)
    ours = await api.data(office.manager, TOUCHPOINTS, account=office.account, overdue=True)
    theirs = await api.data(office.client, TOUCHPOINTS, account=office.account, overdue=False)
    found = {row["kind"]: row for row in ours["touchpoints"]["nodes"]}
    assert theirs["touchpoints"]["nodes"] == []
    assert found["CHECK_IN"]["isOverdue"]
    contact = ids.write("Contact", office.world.contacts[0].id)
    done = await api.data(
        office.manager, COMPLETE, input={"id": found["CHECK_IN"]["id"], "contactId": contact}
    )
    assert done["completeTouchpoint"]["contact"] == {"name": "Contact 0"}
    left = await api.data(office.manager, TOUCHPOINTS, account=office.account, overdue=True)
    assert "CHECK_IN" not in {row["kind"] for row in left["touchpoints"]["nodes"]}
    again = await api.data(office.manager, COMPLETE, input={"id": found["CHECK_IN"]["id"]})
    assert again["completeTouchpoint"]["code"] == "ALREADY_DONE"
