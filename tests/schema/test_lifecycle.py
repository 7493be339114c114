"""The lifecycle through the API: stages follow each other under conditions, with a history; gaps around clients."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain import account_teams, agreements
from domain.access import Role, Tx
from domain.account_teams import Raci, TeamRole
from domain.accounts import Account, CadenceTier, Segment
from domain.core.db import transaction
from domain.health import ObservationDraft, ObservationKind
from tests.api.asking import Api, Office, SelectCounter
from tests.schema.test_health import GOOD, computed, observed
from tests.schema.test_playbooks import colleague
from tests.surveying import system

pytestmark = pytest.mark.anyio

MOVE = """mutation ($input: MoveAccountInput!) { moveAccount(input: $input) {
  ... on Account { stage } ... on Refusal { code argument message } } }"""
HISTORY = """query ($account: ID) { stageChanges(accountId: $account) { nodes {
  stageBefore stageAfter reason changedAt changedBy account { id } } } }"""
GAPS = "query ($account: ID) { coverageGaps(accountId: $account) { kind words account { name } } }"


async def test_stages_follow_each_other_when_what_they_need_is_there(
    api: Api, office: Office
) -> None:
    async def move(stage: str, token: str | None = None, **more: Any) -> Any:
        sent = {"id": office.account, "stage": stage, "reason": "x", **more}
        return (await api.data(token or office.manager, MOVE, input=sent))["moveAccount"]

    for token in (office.client, office.dispatcher):
        assert (await move("DELIVERY", token))["code"] == "NOT_ALLOWED"
    assert (await move("ONBOARDING"))["code"] == "ALREADY_DONE"
    assert "DELIVERY or PROSPECT" in (await move("GROWTH"))["message"]
    assert (await move("PROSPECT"))["argument"] == "stage"  # an agreement is in force
    assert (await move("DELIVERY", expectedVersion=99))["code"] == "STALE_VERSION"
    assert await move("DELIVERY") == {"stage": "DELIVERY"}
    assert "STABLE" in (await move("GROWTH"))["message"]
    assert "180 days" in (await move("RENEWAL"))["message"]
    await observed(api, office, *GOOD)
    await computed(api, office)
    assert await move("GROWTH") == {"stage": "GROWTH"}
    assert "consent" in (await move("ADVOCACY"))["message"]
    today = api.state.now().date()

    async def term(days: int) -> None:
        async with transaction(api.make) as session:
            tx = Tx(session, system(office.world.tenant.id), api.state.now())
            until = today + timedelta(days=days)
            await agreements.agree_duration(
                tx, office.world.agreement.id, fixed_until=until, notice_days=90
            )

    await term(200)
    assert await move("RENEWAL") == {"stage": "RENEWAL"}
    assert "not settled" in (await move("DELIVERY"))["message"]
    await term(900)
    await observed(api, office, ObservationDraft(ObservationKind.REFERENCE_CONSENT, 1))
    assert await move("ADVOCACY") == {"stage": "ADVOCACY"}
    history = (await api.data(office.manager, HISTORY, account=office.account))["stageChanges"][
        "nodes"
    ]
    assert [(each["stageBefore"], each["stageAfter"]) for each in reversed(history)] == [
        ("ONBOARDING", "DELIVERY"), ("DELIVERY", "GROWTH"), ("GROWTH", "RENEWAL"), ("RENEWAL", "ADVOCACY"),
    ]  # fmt: skip
    assert (await api.data(office.client, HISTORY))["stageChanges"]["nodes"] == []


async def test_gaps_around_a_client_are_listed_until_they_are_filled(
    api: Api, office: Office
) -> None:
    async def gaps(token: str | None = None, **more: Any) -> set[str]:
        found = await api.data(token or office.manager, GAPS, account=office.account, **more)
        return {each["kind"] for each in found["coverageGaps"]}

    async with transaction(api.make) as session:
        await session.execute(
            update(Account)
            .where(Account.id == office.world.account.id)
            .values(segment=Segment.ENTERPRISE, cadence_tier=CadenceTier.STRATEGIC)
        )
    assert await gaps() == {
        "NO_ACCOUNT_MANAGER", "NO_EXECUTIVE_SPONSOR", "ONE_LEVEL", "ONE_COLLEAGUE", "NO_EXECUTIVE_MEETING",
    }  # fmt: skip
    assert [await gaps(token) for token in (office.client, office.dispatcher)] == [set(), set()]
    ann, bob = [await colleague(api, office, Role.MANAGEMENT, name) for name in ("Ann", "Bob")]
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        await account_teams.assign(
            tx, office.world.account.id, user_id=ann, role=TeamRole.ACCOUNT_MANAGER,
            raci=Raci.ACCOUNTABLE,
        )  # fmt: skip
        await account_teams.assign(
            tx, office.world.account.id, user_id=bob, role=TeamRole.EXECUTIVE_SPONSOR,
            raci=Raci.ACCOUNTABLE, deputy_id=ann,
        )  # fmt: skip
    await observed(api, office, ObservationDraft(ObservationKind.EXECUTIVE_MEETING))
    assert await gaps() == {"NO_DEPUTY", "ONE_LEVEL", "ONE_COLLEAGUE"}
    counted = []
    for account in (office.account, None):
        with SelectCounter(api) as counter:
            await api.data(office.manager, GAPS, account=account)
        counted.append(len(counter.statements))
    assert counted[0] == counted[1]
