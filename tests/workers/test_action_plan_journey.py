"""An action plan from what a client said to the letter: opened, seen and commented on by the client, finished, told."""

import asyncio
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select

from domain import accounts
from domain.access import Role, Tx
from domain.core import cursor
from domain.core.db import transaction
from domain.surveys.model import SurveyAnswer
from schema.core import ids
from tests.answering import answered
from tests.api import asking
from tests.surveying import system
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

OPEN = """mutation ($input: OpenActionPlanInput!) { openActionPlan(input: $input) {
  ... on ActionPlan { id state priority responses { id } } ... on Refusal { code argument } } }"""
COMMENT = """mutation ($input: CommentOnActionPlanInput!) { commentOnActionPlan(input: $input) {
  ... on ActionPlan { comments { words fromClient author } } ... on Refusal { code } } }"""
FINISH = """mutation ($input: FinishActionPlanInput!) { finishActionPlan(input: $input) {
  ... on ActionPlan { state outcome commitment { state owner { name } } } ... on Refusal { code } } }"""
LIST = """query ($id: ID) { actionPlans(accountId: $id) { nodes {
  id title words state commitment { dueAt owner { name } } comments { words author } responses { id } effect { verdict }
} } }"""
FOLLOW = """subscription ($id: ID!, $after: String) { actionPlanEvents(accountId: $id, after: $after) { kind } }"""


def written(folder: Path, address: str | None) -> list[str]:
    """The texts of the letters to an address."""
    read = [message_from_bytes(path.read_bytes(), policy=default) for path in folder.rglob("*.eml")]
    texts = [each.get_body(("plain",)) for each in read if each["To"] == address]
    return [str(each.get_content()) for each in texts if each is not None]


async def test_what_a_client_said_is_planned_commented_on_done_and_told(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        api = server.api
        office = await asking.office(api)
        now, world = api.state.now(), office.world
        [said] = await answered(
            api.make, world, [(1, "Wij wachten te lang.")], now, contact_id=world.contacts[0].id
        )
        async with transaction(api.make) as session:
            response = await session.scalar(
                select(SurveyAnswer.response_id).where(SurveyAnswer.id == said)
            )
            owner = await accounts.add_user(
                Tx(session, system(world.tenant.id), now),
                email="owner@example.org",
                name="Olga Owner",
                role=Role.DISPATCHER,
            )
        assert response is not None
        given = {
            "accountId": office.account, "title": "Twee beveiligers 's nachts", "priority": "HIGH",
            "words": "Wij wachten te lang.", "ownerUserId": ids.write("User", owner.id),
            "dueAt": (now + timedelta(days=14)).isoformat(),
            "windowFrom": (now - timedelta(days=30)).date().isoformat(),
            "windowUntil": now.date().isoformat(), "theme": "RESPONSE",
            "responseIds": [ids.write("SurveyResponse", response)],
        }  # fmt: skip
        for wrong in (office.client, office.dispatcher):
            refused = (await api.data(wrong, OPEN, input=given))["openActionPlan"]
            assert refused["code"] == "NOT_ALLOWED"
        plan = (await api.data(office.manager, OPEN, input=given))["openActionPlan"]
        assert (plan["state"], plan["priority"], len(plan["responses"])) == ("PLANNED", "HIGH", 1)

        [seen] = (await api.data(office.client, LIST, id=office.account))["actionPlans"]["nodes"]
        assert (seen["words"], seen["responses"]) == ("Wij wachten te lang.", [])
        assert seen["commitment"]["owner"] is None  # clients do not see who of the staff it is
        remark = {"id": plan["id"], "words": "Graag voor de zomer."}
        await api.data(office.client, COMMENT, input=remark)
        done = (await api.data(office.manager, COMMENT, input=remark))["commentOnActionPlan"]
        assert [each["fromClient"] for each in done["comments"]] == [True, False]
        assert (await api.data(office.dispatcher, COMMENT, input=remark))[
            "commentOnActionPlan"
        ] == {"code": "NOT_ALLOWED"}
        [seen] = (await api.data(office.client, LIST, id=office.account))["actionPlans"]["nodes"]
        assert seen["comments"][1]["author"] == "staff"

        outcome = {"id": plan["id"], "outcome": "Er staan nu twee beveiligers."}
        assert (await api.data(office.client, FINISH, input=outcome))["finishActionPlan"] == {
            "code": "NOT_ALLOWED"
        }
        ended = (await api.data(office.manager, FINISH, input=outcome))["finishActionPlan"]
        assert (ended["state"], ended["commitment"]["state"]) == ("DONE", "KEPT")
        assert ended["commitment"]["owner"]["name"] == "Olga Owner"
        start = cursor.of_seq(api.state.cursor_secret, world.tenant.id, 0)
        async with working(), asyncio.timeout(90):
            to = world.contacts[0].email
            while not (letters := written(tmp_path, to)):  # noqa: ASYNC110 - a worker writes it
                await asyncio.sleep(0.1)
            async with server.socket(office.client) as socket:
                await socket.subscribe("1", FOLLOW, id=office.account, after=start)
                kinds = [(await socket.next())["actionPlanEvents"]["kind"] for _ in range(4)]
        assert kinds == [
            "action_plan.opened", "action_plan.commented", "action_plan.commented", "action_plan.done",
        ]  # fmt: skip
        assert any("Er staan nu twee beveiligers." in each for each in letters)
