"""A scripted quarter of weekly status reports: computed by the rules, confirmed by a person, greener ones counted."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import delete

from domain import accounts, commitments, incidents, promises, raid, status_reports
from domain.access import Actor, Role, Tx
from domain.commitments import CommitmentKind
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.health.model import AccountHealth
from domain.raid import RaidDraft, RaidKind
from domain.status_reports import StatusLight, StatusReport
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio
MONDAY = datetime(2025, 12, 29, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
GREEN, YELLOW, RED = StatusLight.GREEN, StatusLight.YELLOW, StatusLight.RED

DRAFT = """mutation($input: DraftStatusReportInput!) { draftStatusReport(input: $input) {
  ... on StatusReport { id computed confirmed summary reasons { rule subjectId } }
  ... on Refusal { code argument } } }"""
CONFIRM = """mutation($input: ConfirmStatusReportInput!) { confirmStatusReport(input: $input) {
  ... on StatusReport { id computed confirmed isGreener summary } ... on Refusal { code argument } } }"""
LIST = """query($id: ID) { statusReports(accountId: $id, first: 20) { nodes {
  fromOn computed confirmed isGreener reason reasons { rule } summary decisionsNeeded confirmedBy
  figures { promisesKept promisesDecided incidentsResolved incidentsOpen meetingsHeld }
  budget { feeCents invoicedCents creditsCents currency }
  accomplishments { words } milestones { words } risks { words } } } }"""
KPI = """query($id: ID, $at: DateTime) { kpis(accountId: $id, window: QUARTER, at: $at, keys: [STATUS_GREENER]) {
  n numerator denominator value status } }"""


class Script(NamedTuple):
    """The company and the people of the quarter."""

    api: Api
    office: Office
    owner: UUID

    async def change(self, at: datetime, act: Callable[[Tx], Awaitable[Any]]) -> Any:
        """Change something at a time of the quarter."""
        async with transaction(self.api.make) as session:
            system = Actor.system(self.office.world.tenant.id, "test")
            return await act(Tx(session, system, at))

    @property
    def account(self) -> UUID:
        """The client."""
        return self.office.world.account.id

    async def health(self, at: datetime, band: int | None, *, is_provisional: bool = False) -> None:
        """Store the health as it was computed last."""

        async def store(tx: Tx) -> None:
            await tx.session.execute(
                delete(AccountHealth).where(AccountHealth.account_id == self.account)
            )
            tx.session.add(
                AccountHealth(
                    id=uuid7(), tenant_id=tx.actor.tenant_id, account_id=self.account, as_of=at,
                    score_millionths=50_000_000, coverage_millionths=600_000, low_millionths=0,
                    high_millionths=90_000_000, fresh=9, is_provisional=is_provisional, content=[],
                    band=band,
                )
            )  # fmt: skip

        await self.change(at, store)

    async def report(self, week: int) -> StatusReport:
        """Draft the report of a week on the Monday after it."""
        at = MONDAY + (week + 1) * WEEK
        from_on = (MONDAY + week * WEEK).date()
        found: StatusReport = await self.change(
            at,
            lambda tx: status_reports.draft(
                tx, self.account, from_on=from_on, until_on=from_on + WEEK
            ),
        )
        return found


async def script(api: Api, office: Office) -> Script:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), MONDAY)
        user = await accounts.add_user(
            tx, email=f"{uuid7()}@example.org", name="Owner", role=Role.RELATIONSHIP_MANAGER
        )
    return Script(api, office, user.id)


def rules_of(report: StatusReport) -> set[str]:
    return {each[0] for each in report.reasons}


async def test_a_scripted_quarter_has_the_status_of_its_data_and_its_rate(
    api: Api, office: Office
) -> None:
    play = await script(api, office)

    def monday(week: int) -> datetime:
        return MONDAY + week * WEEK

    async def risk(impact: int, likelihood: int, at: datetime) -> UUID:
        draft = RaidDraft(
            RaidKind.RISK, "The gate may fail", play.owner, impact, likelihood, internal=True
        )
        row = await play.change(at, lambda tx: raid.raise_entry(tx, play.account, draft))
        return UUID(str(row.id))

    async def milestone(due: datetime, at: datetime) -> UUID:
        row = await play.change(
            at,
            lambda tx: commitments.make(
                tx, play.account, kind=CommitmentKind.MILESTONE, words="New gate",
                owner_id=play.owner, due_at=due,
            ),
        )  # fmt: skip
        return UUID(str(row.id))

    found: dict[int, StatusReport] = {}
    found[0] = await play.report(0)  # nothing happened
    low = await risk(4, 2, monday(1))  # 8: no reason
    found[1] = await play.report(1)
    high = await risk(4, 3, monday(2))  # 12: yellow, internal or not
    found[2] = await play.report(2)
    for each in (low, high):
        await play.change(monday(3), partial(raid.close, entry_id=each, outcome="Gone"))
    found[3] = await play.report(3)
    # Due on Wednesday of week 4: 3 working days late on the Monday after it, 8 and 13 later on.
    gate = await milestone(monday(4) + timedelta(days=2), monday(3))
    found[4] = await play.report(4)
    found[5] = await play.report(5)
    found[6] = await play.report(6)
    await play.change(monday(7) + timedelta(hours=1), lambda tx: commitments.finish(tx, gate))
    found[7] = await play.report(7)
    incident = await build.incident(
        api.make, office.world, at=monday(9) - timedelta(days=1)
    )  # critical, on a Sunday, and nobody answers
    await play.change(
        monday(9), lambda tx: promises.evaluate(tx.session, tx.actor, incident.id, at=tx.at)
    )
    found[8] = await play.report(8)
    await play.change(
        monday(9) + timedelta(hours=1),
        lambda tx: incidents.resolve(tx, incident.id, resolution="Glued"),
    )
    found[9] = await play.report(9)
    for week, band, provisional in ((10, 1, False), (11, 2, False), (12, 3, True)):
        await play.health(monday(week), band, is_provisional=provisional)
        found[week] = await play.report(week)

    assert {week: (str(each.computed), rules_of(each)) for week, each in found.items()} == {
        0: ("green", set()),
        1: ("green", set()),
        2: ("yellow", {"risk_high"}),
        3: ("green", set()),
        4: ("yellow", {"milestone_late"}),
        5: ("yellow", {"milestone_late"}),
        6: ("red", {"milestone_very_late"}),
        7: ("green", set()),
        8: ("red", {"critical_promise_broken"}),
        9: ("green", set()),
        10: ("red", {"health_critical"}),
        11: ("yellow", {"health_at_risk"}),
        12: ("yellow", {"health_provisional"}),
    }
    # A person confirms three of thirteen as greener, one of them by two steps, and one as worse.
    says = {week: each.computed for week, each in found.items()} | {
        2: GREEN, 6: GREEN, 10: YELLOW, 7: YELLOW,
    }  # fmt: skip
    for week, status in says.items():
        await play.change(
            monday(week + 1) + timedelta(hours=2),
            partial(
                status_reports.confirm,
                report_id=found[week].id,
                status=status,
                reason="The client knows." if week != 7 else None,
            ),
        )
    quarter = {"id": office.account, "at": "2026-02-15T00:00:00Z"}
    [kpi] = (await api.data(office.manager, KPI, **quarter))["kpis"]
    assert (kpi["numerator"], kpi["denominator"], kpi["n"]) == (3, 13, 13)
    assert kpi["value"] == pytest.approx(300 / 13)
    refused = await api.ask(office.client, KPI, **quarter)
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    seen = (await api.data(office.client, LIST, id=office.account))["statusReports"]["nodes"]
    assert [each["confirmed"] for each in seen] == [
        says[week].upper() for week in sorted(says, reverse=True)
    ]
    for each in seen:
        hidden = ("computed", "isGreener", "reason", "reasons")
        assert all(each[name] is None for name in hidden)
        assert each["risks"] == []


async def test_a_report_is_drafted_anew_until_a_person_confirms_it(
    api: Api, office: Office
) -> None:
    play = await script(api, office)
    now = api.state.now()
    today = now.date()
    given = {
        "accountId": office.account,
        "fromOn": (today - timedelta(days=7)).isoformat(),
        "untilOn": today.isoformat(),
    }

    async def drafted(token: str, **more: Any) -> Any:
        return (await api.data(token, DRAFT, input=given | more))["draftStatusReport"]

    for token in (office.client, office.dispatcher):
        assert (await drafted(token))["code"] == "NOT_ALLOWED"
    assert await drafted(office.manager, untilOn=given["fromOn"]) == {
        "code": "TIME_REVERSED", "argument": "untilOn",
    }  # fmt: skip
    ahead = (today + timedelta(days=3)).isoformat(), (today + timedelta(days=9)).isoformat()
    refused = await drafted(office.manager, fromOn=ahead[0], untilOn=ahead[1])
    assert refused == {"code": "TIME_REVERSED", "argument": "fromOn"}
    first = await drafted(office.manager)
    assert (first["computed"], first["confirmed"], first["reasons"]) == ("GREEN", None, [])
    issue = RaidDraft(RaidKind.RISK, "The gate may fail", play.owner, 5, 5)
    row = await play.change(now, lambda tx: raid.raise_entry(tx, play.account, issue))
    again = await drafted(office.manager)
    assert (again["id"], again["computed"]) == (first["id"], "YELLOW")
    entry = ids.write("RaidEntry", row.id)
    assert again["reasons"] == [{"rule": "RISK_HIGH", "subjectId": entry}]
    assert (await api.data(office.client, LIST, id=office.account))["statusReports"]["nodes"] == []

    async def confirmed(token: str, **more: Any) -> Any:
        asked = {"id": first["id"]} | more
        return (await api.data(token, CONFIRM, input=asked))["confirmStatusReport"]

    assert (await confirmed(office.client, status="RED"))["code"] in {"NOT_ALLOWED", "NOT_FOUND"}
    assert (await confirmed(office.dispatcher, status="RED"))["code"] == "NOT_ALLOWED"
    assert await confirmed(office.manager, status="GREEN") == {
        "code": "INVALID", "argument": "reason",
    }  # fmt: skip
    assert await confirmed(office.manager, status="GREEN", reason=" ") == {
        "code": "INVALID", "argument": "reason",
    }  # fmt: skip
    done = await confirmed(
        office.manager, status="GREEN", reason="It was replaced.", summary="All is well."
    )
    assert (done["confirmed"], done["isGreener"], done["summary"]) == (
        "GREEN",
        True,
        "All is well.",
    )
    assert (await confirmed(office.manager, status="GREEN", reason="x"))["code"] == "ALREADY_DONE"
    assert await drafted(office.manager) == {"code": "ALREADY_DONE", "argument": "fromOn"}
    [seen] = (await api.data(office.client, LIST, id=office.account))["statusReports"]["nodes"]
    assert seen["budget"]["feeCents"] == 1_000_000
    assert (seen["summary"], seen["confirmedBy"]) == ("All is well.", None)
    assert [each["words"] for each in seen["risks"]] == []  # raised after the period
    other = await asking.office(api)
    assert (await api.data(other.manager, LIST, id=office.account))["statusReports"]["nodes"] == []
