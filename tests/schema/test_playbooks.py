"""Playbooks through the API: opened once by band, warning, date and KPI, tasks as commitments, an outcome, a result."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from domain import accounts, agreements, commitments, health, parameters, playbooks, renewals
from domain.access import Role, Tx
from domain.accounts import Account, User
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.health import HealthSnapshot, ObservationDraft, ObservationKind, SnapshotPeriod
from domain.parameters import ParameterPlace, ParameterUnit
from domain.playbooks import Playbook, PlaybookRun, TriggerFact
from schema.core import ids
from tests import facts
from tests.api.asking import Api, Office
from tests.schema.test_health import GOOD, computed, observed
from tests.surveying import system
from workers.playbooks import look_at_playbooks
from workers.renewals import look_at_renewals

pytestmark = pytest.mark.anyio

K = ObservationKind
DAY = timedelta(days=1)
RUNS = """query ($account: ID, $open: Boolean) { playbookRuns(accountId: $account, isOpen: $open) { nodes {
  id openedAt closedAt outcome closingNote playbook { name trigger triggerValue } fact { kind } account { id }
  tasks { key words wanted state ownerRole dependsOn owner { name } commitment { id dueAt internal kind } }
  result { before after moved clientsCompared movedOfOthers words } } } }"""
LIST = "{ playbooks(first: 50) { nodes { id name trigger triggerValue daysBefore retiredAt tasks { key } } } }"
DEFINE = """mutation ($input: DefinePlaybookInput!) { definePlaybook(input: $input) {
  ... on Playbook { id name version trigger triggerValue tasks { key dependsOn } }
  ... on Refusal { code argument message } } }"""
RETIRE = """mutation ($input: RetirePlaybookInput!) { retirePlaybook(input: $input) {
  ... on Playbook { retiredAt } ... on Refusal { code argument } } }"""
OPEN = """mutation ($input: OpenPlaybookRunInput!) { openPlaybookRun(input: $input) {
  ... on PlaybookRun { id tasks { key } } ... on Refusal { code argument } } }"""
CLOSE = """mutation ($input: ClosePlaybookRunInput!) { closePlaybookRun(input: $input) {
  ... on PlaybookRun { outcome closedAt tasks { state } } ... on Refusal { code argument } } }"""
FINISH = """mutation ($input: FinishCommitmentInput!) { finishCommitment(input: $input) {
  ... on Commitment { state } ... on Refusal { code } } }"""
BAD = [
    ObservationDraft(K.MEETING, 0, 10), ObservationDraft(K.MEETING, 0, 10),
    *[ObservationDraft(K.TONE, -90)] * 3, *[ObservationDraft(K.APPROVAL, 0)] * 2,
    *[ObservationDraft(K.COMPETITION, 2)] * 2, ObservationDraft(K.BUDGET, 0),
    ObservationDraft(K.ORGANISATION, 30), ObservationDraft(K.FUTURE_PLANS, 20),
]  # fmt: skip


async def colleague(api: Api, office: Office, role: Role, name: str) -> UUID:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        email = f"{uuid7()}@example.org"
        return (await accounts.add_user(tx, email=email, name=name, role=role)).id


async def fired(api: Api, office: Office, *kinds: str) -> list[TriggerFact]:
    """The facts of these kinds about the account, numbered."""
    await facts.number_all(api.make)
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.account_id == office.world.account.id, LedgerRow.kind.in_(kinds))
            .order_by(LedgerRow.id)
        )
        return [
            TriggerFact(row.seq or 0, row.kind, office.world.account.id, row.body) for row in rows
        ]


async def answer(api: Api, office: Office, fact: TriggerFact) -> None:
    """Do what a worker does for a fact."""
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await playbooks.open_for_fact(tx, fact)


async def runs(api: Api, office: Office, **more: Any) -> Any:
    found = await api.data(office.manager, RUNS, account=office.account, **more)
    return found["playbookRuns"]["nodes"]


async def test_a_critical_band_names_an_executive_today_once(api: Api, office: Office) -> None:
    await colleague(api, office, Role.MANAGEMENT, "Ada de Baas")
    await observed(api, office, *BAD)
    row = await computed(api, office)
    assert row.band == 1
    [fact] = await fired(api, office, "health.band_changed")
    await asyncio.gather(*(answer(api, office, fact) for _ in range(4)))
    [run] = await runs(api, office)
    assert (run["playbook"]["name"], run["fact"]) == (
        "Executive engagement", {"kind": "health.band_changed"},
    )  # fmt: skip
    tasks = {each["key"]: each for each in run["tasks"]}
    assert [each["key"] for each in run["tasks"]] == ["call", "cause", "plan", "check"]
    call = tasks["call"]
    async with api.make() as session:
        executives = await session.scalars(
            select(User.name).where(
                User.tenant_id == office.world.tenant.id, User.role == Role.MANAGEMENT
            )
        )
        assert (call["state"], call["owner"]["name"] in set(executives)) == ("OPEN", True)
    assert call["commitment"]["internal"] is True
    assert call["commitment"]["kind"] == "PLAYBOOK_TASK"
    due = call["commitment"]["dueAt"]
    assert due < (api.state.now() + DAY + timedelta(hours=1)).isoformat()
    assert (tasks["plan"]["state"], tasks["plan"]["owner"]) == ("WAITING", None)
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, RUNS))["playbookRuns"]["nodes"] == []
        assert (await api.data(token, LIST))["playbooks"]["nodes"] == []


async def test_a_run_goes_on_as_tasks_are_finished_and_ends_when_its_trigger_does(
    api: Api, office: Office
) -> None:
    await observed(api, office, ObservationDraft(K.CONTACT_LEFT, contact_id=None)._replace(
        kind=K.BUDGET, value=0))  # fmt: skip
    await computed(api, office)
    warnings = await fired(api, office, "warning.raised")
    [fact] = [each for each in warnings if each.body["rule"] == "budget_pressure"]
    await answer(api, office, fact)
    await answer(api, office, fact)
    [run] = await runs(api, office, open=True)
    assert run["playbook"]["triggerValue"] == "budget_pressure"
    value, show = run["tasks"]
    assert (value["state"], show["state"]) == ("OPEN", "WAITING")
    done = {"id": value["commitment"]["id"]}
    assert (await api.data(office.manager, FINISH, input=done))["finishCommitment"][
        "state"
    ] == "KEPT"
    await look_at_playbooks(api.make, at=api.state.now())
    [run] = await runs(api, office, open=True)
    show = run["tasks"][1]
    assert show["state"] == "OPEN"
    assert show["commitment"]["dueAt"] > (api.state.now() + 10 * DAY).isoformat()
    await api.data(office.manager, FINISH, input={"id": show["commitment"]["id"]})
    await look_at_playbooks(api.make, at=api.state.now())
    assert len(await runs(api, office, open=True)) == 1  # the client still freezes its budget
    await observed(api, office, ObservationDraft(K.BUDGET, 70), ago=timedelta(hours=1))
    await computed(api, office)
    await look_at_playbooks(api.make, at=api.state.now())
    [run] = await runs(api, office)
    assert (run["outcome"], [each["state"] for each in run["tasks"]]) == ("RESOLVED", ["DONE"] * 2)
    await answer(api, office, fact)  # the same fact, delivered again after the end
    assert len(await runs(api, office)) == 1


async def test_the_last_day_for_notice_opens_the_renewal_180_days_before_and_again_after_a_renewal(
    api: Api, office: Office
) -> None:
    today = api.state.now().date()
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await playbooks.adopt_shipped(tx)
        until = today + timedelta(days=271)
        await agreements.agree_duration(
            tx, office.world.agreement.id, fixed_until=until, notice_days=90, renews_for_months=12
        )
        await renewals.follow_duration(tx, office.world.agreement.id)

    async def look(days: int) -> int:
        async with transaction(api.make) as session:
            await session.execute(
                update(Playbook)
                .where(Playbook.tenant_id == office.world.tenant.id)
                .values(looked_at=None)
            )
        async with api.make() as session:
            query = select(Playbook.id).where(
                Playbook.tenant_id == office.world.tenant.id, Playbook.name == "Renewal"
            )
            playbook_id = (await session.scalars(query)).one()
        async with transaction(api.make) as session:
            return await playbooks.open_due(
                session, playbook_id, at=api.state.now() + timedelta(days=days)
            )

    assert await look(0) == 0
    assert [await look(1), await look(1), await look(2)] == [1, 0, 0]
    [run] = await runs(api, office)
    assert run["playbook"]["name"] == "Renewal"
    # The day passes without notice: the agreement is renewed, and the next day is far away.
    passed = api.state.now() + timedelta(days=183)
    await look_at_renewals(api.make, at=passed, limit=500)
    assert await look(183) == 0
    async with transaction(api.make) as session:
        query = select(PlaybookRun).where(PlaybookRun.account_id == office.world.account.id)
        row = (await session.scalars(query)).one()
        tx = Tx(session, system(office.world.tenant.id), passed)
        await playbooks.close_by_hand(tx, row.id, outcome=playbooks.PlayOutcome.UNCHANGED)
    assert [await look(181 + 365 - 180 - 3), await look(181 + 365 - 177)] == [0, 1]


async def test_a_missed_kpi_opens_its_playbook_once_a_month(api: Api, office: Office) -> None:
    task = {
        "key": "talk",
        "words": "Talk",
        "ownerRole": "ACCOUNT_MANAGER",
        "workingDays": 2,
        "wanted": "x",
    }
    given = {"name": "Follow up", "kpi": "COMMITMENTS_KEPT", "tasks": [task]}
    made = (await api.data(office.manager, DEFINE, input=given))["definePlaybook"]
    owner = await colleague(api, office, Role.RELATIONSHIP_MANAGER, "Rik")
    async with transaction(api.make) as session:
        begun = api.state.now() - 10 * DAY
        await parameters.set_value(
            Tx(session, system(office.world.tenant.id), begun), "kpis.commitments_kept_target",
            numbers=[90], unit=ParameterUnit.PERCENT, place=ParameterPlace(),
        )  # fmt: skip
        for _ in range(12):
            tx = Tx(session, system(office.world.tenant.id), begun)
            row = await commitments.make(
                tx, office.world.account.id, kind=commitments.CommitmentKind.FOLLOW_UP, words="x",
                owner_id=owner, due_at=begun + DAY,
            )  # fmt: skip
            await commitments.finish(tx.as_of(begun + 3 * DAY), row.id)
    found = ids.read(made["id"])
    assert found is not None
    for expected in (1, 0):
        async with transaction(api.make) as session:
            assert await playbooks.open_due(session, found[1], at=api.state.now()) == expected
    [run] = await runs(api, office)
    assert (run["playbook"]["trigger"], run["playbook"]["triggerValue"]) == (
        "KPI",
        "commitments_kept",
    )


async def test_playbooks_are_defined_changed_and_retired_and_bad_ones_refused(
    api: Api, office: Office
) -> None:
    def task(key: str, **more: Any) -> dict[str, Any]:
        return {
            "key": key,
            "words": key,
            "ownerRole": "SUPPORT",
            "workingDays": 1,
            "wanted": "x",
            **more,
        }

    async def define(token: str = office.manager, **given: Any) -> Any:
        sent = {
            "name": "Mine",
            "date": "ANNIVERSARY",
            "daysBefore": 14,
            "tasks": [task("a")],
        } | given
        return (await api.data(token, DEFINE, input=sent))["definePlaybook"]

    assert (await define())["version"] == 1
    assert len((await api.data(office.manager, LIST))["playbooks"]["nodes"]) == 12
    changed = await define(tasks=[task("a"), task("b", dependsOn=["a"])])
    assert changed["tasks"] == [{"key": "a", "dependsOn": []}, {"key": "b", "dependsOn": ["a"]}]
    for given, argument in (
        ({"tasks": []}, "tasks"),
        ({"tasks": [task("a"), task("a")]}, "tasks"),
        ({"tasks": [task("a", dependsOn=["b"]), task("b")]}, "tasks"),
        ({"tasks": [task("a", workingDays=251)]}, "tasks"),
        ({"band": "CRITICAL"}, "band"),
        ({"date": None}, "band"),
        ({"date": None, "kpi": "NPS"}, "daysBefore"),
        ({"daysBefore": 731}, "daysBefore"),
        ({"name": "Other", "date": None, "daysBefore": 0, "band": "CRITICAL"}, "band"),
    ):
        assert (await define(**given))["argument"] == argument, given
    for token in (office.client, office.dispatcher):
        assert (await define(token))["code"] == "NOT_ALLOWED"
    retired = {"input": {"id": changed["id"]}}
    answers = [
        (await api.data(office.manager, RETIRE, **retired))["retirePlaybook"] for _ in range(2)
    ]
    assert answers[0]["retiredAt"]
    assert answers[1] == {"code": "ALREADY_DONE", "argument": "id"}
    sent = {"accountId": office.account, "playbookId": changed["id"]}
    assert (await api.data(office.manager, OPEN, input=sent))["openPlaybookRun"][
        "argument"
    ] == "playbookId"


async def test_a_run_opened_by_hand_is_one_and_ends_with_an_outcome(
    api: Api, office: Office
) -> None:
    async with transaction(api.make) as session:
        await playbooks.adopt_shipped(Tx(session, system(office.world.tenant.id), api.state.now()))
    plays = (await api.data(office.manager, LIST))["playbooks"]["nodes"]
    [play] = [each for each in plays if each["name"] == "Risk assessment"]
    sent = {"accountId": office.account, "playbookId": play["id"]}
    for token in (office.client, office.dispatcher):
        assert (await api.data(token, OPEN, input=sent))["openPlaybookRun"]["code"] == "NOT_ALLOWED"
    answers = [
        (await api.data(office.manager, OPEN, input=sent))["openPlaybookRun"] for _ in range(2)
    ]
    assert answers[1] == {"code": "ALREADY_EXISTS", "argument": "playbookId"}
    end = {"id": answers[0]["id"], "outcome": "NOT_NEEDED", "note": "A mistake"}
    assert (await api.data(office.dispatcher, CLOSE, input=end))["closePlaybookRun"][
        "code"
    ] == "NOT_ALLOWED"
    closed = (await api.data(office.manager, CLOSE, input=end))["closePlaybookRun"]
    assert (closed["outcome"], {each["state"] for each in closed["tasks"]}) == (
        "NOT_NEEDED",
        {"SKIPPED"},
    )
    again = (await api.data(office.manager, CLOSE, input=end))["closePlaybookRun"]
    assert again == {"code": "ALREADY_DONE", "argument": "id"}
    assert "id" in (await api.data(office.manager, OPEN, input=sent))["openPlaybookRun"]


async def test_what_happened_to_health_is_measured_beside_clients_without_a_run(
    api: Api, office: Office
) -> None:
    await observed(api, office, *GOOD)
    row = await computed(api, office)
    tenant, now = office.world.tenant.id, api.state.now()
    opened, closed = now - 100 * DAY, now - 60 * DAY
    async with transaction(api.make) as session:
        tx = Tx(session, system(tenant), opened)
        await playbooks.adopt_shipped(tx)
        query = select(Playbook).where(
            Playbook.tenant_id == tenant, Playbook.name == "Risk assessment"
        )
        play = (await session.scalars(query)).one()
        run = await playbooks.open_by_hand(tx, office.world.account.id, playbook_id=play.id)
        await playbooks.close_by_hand(
            tx.as_of(closed), run.id, outcome=playbooks.PlayOutcome.IMPROVED
        )
        others = [Account(id=uuid7(), tenant_id=tenant, name=f"Other {n}") for n in range(3)]
        session.add_all(others)
        await session.flush()
        moves = [
            (office.world.account.id, 20),
            *((each.id, 4 * n) for n, each in enumerate(others)),
        ]
        for account_id, moved in moves:
            for day, plus in ((now - 131 * DAY, 0), (now - 29 * DAY, moved)):
                content = [
                    {**each, "value": (50 + plus) * 1_000_000} if each["state"] == 1 else each
                    for each in row.content
                ]
                session.add(
                    HealthSnapshot(
                        id=uuid7(), tenant_id=tenant, account_id=account_id, as_of=day,
                        period=SnapshotPeriod.WEEK, begins_on=date(2020, 1, 6) + timedelta(
                            weeks=(day - now).days // 7),
                        band=2, score_millionths=(50 + plus) * 1_000_000,
                        coverage_millionths=row.coverage_millionths, low_millionths=0,
                        high_millionths=100_000_000, fresh=row.fresh, is_provisional=True,
                        content=content,
                    )
                )  # fmt: skip
    [run_seen] = await runs(api, office)
    result = run_seen["result"]
    assert (result["before"], result["after"], result["moved"]) == (
        50,
        70,
        pytest.approx(20, abs=1e-5),
    )
    assert (result["clientsCompared"], result["movedOfOthers"]) == (3, pytest.approx(4, abs=1e-5))
    assert "30 days" in result["words"]


async def test_a_task_that_nobody_has_the_role_of_is_a_warning(api: Api, office: Office) -> None:
    rik = await colleague(api, office, Role.RELATIONSHIP_MANAGER, "Rik")
    office = replace(office, manager=api.token(rik))
    async with transaction(api.make) as session:
        await session.execute(
            update(accounts.User)
            .where(
                accounts.User.tenant_id == office.world.tenant.id,
                accounts.User.role == Role.MANAGEMENT,
            )
            .values(disabled_at=api.state.now())
        )
    await observed(api, office, *BAD)
    await computed(api, office)
    [fact] = await fired(api, office, "health.band_changed")
    await answer(api, office, fact)
    [run] = await runs(api, office)
    assert {each["key"]: each["state"] for each in run["tasks"]}["call"] == "WITHOUT_OWNER"
    await computed(api, office)
    async with api.make() as session:
        query = select(func.count()).where(
            health.EarlyWarning.account_id == office.world.account.id,
            health.EarlyWarning.rule == "action_without_owner",
            health.EarlyWarning.cleared_at.is_(None),
        )
        assert await session.scalar(query) == 1
    await colleague(api, office, Role.MANAGEMENT, "Ada")
    await look_at_playbooks(api.make, at=api.state.now())
    [run] = await runs(api, office)
    call = next(each for each in run["tasks"] if each["key"] == "call")
    assert (call["state"], call["owner"]["name"]) == ("OPEN", "Ada")
    await computed(api, office)
    async with api.make() as session:
        assert await session.scalar(query) == 0


async def test_runs_are_never_two_of_a_trigger(api: Api, office: Office) -> None:
    async with api.make() as session:
        query = (
            select(PlaybookRun.account_id, PlaybookRun.trigger)
            .where(PlaybookRun.closed_at.is_(None))
            .group_by(PlaybookRun.account_id, PlaybookRun.trigger)
            .having(func.count() > 1)
        )
        assert (await session.execute(query)).all() == []
