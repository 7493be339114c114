"""Coverage of a shift that nobody touches: a real worker warns while it runs and judges it when it ends."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain import escalation, posts
from domain.access import Actor, Role, Tx
from domain.core import cursor
from domain.core.db import transaction
from domain.escalation import StepDraft
from domain.messages import Message
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office, Socket
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
PLAN = 8 * SECOND
REFUSAL = "... on Refusal { code argument message }"
AMEND = f"""mutation ($input: AmendAgreementInput!) {{ amendAgreement(input: $input) {{
  ... on Terms {{ number }} {REFUSAL} }} }}"""
PLANNED = f"""mutation ($input: PlanShiftInput!) {{ planShift(input: $input) {{
  ... on RosterChange {{ shifts {{ id }} }} {REFUSAL} }} }}"""
PUBLISH = f"""mutation ($input: PublishShiftsInput!) {{ publishShifts(input: $input) {{
  ... on RosterChange {{ count }} {REFUSAL} }} }}"""
FACT = "kind at recordedAt body"
FOLLOW = f"""subscription ($after: String, $account: ID!, $kinds: [String!]) {{
  seen: accountEvents(accountId: $account, kinds: $kinds, after: $after) {{ {FACT} }} }}"""
FOLLOW_ALL = f"""subscription ($after: String) {{
  seen: breaches(atRisk: true, kinds: [SHIFT_COVERED], after: $after) {{ {FACT} }} }}"""
PROMISES = """query ($account: ID) { promises(accountId: $account, kinds: [SHIFT_COVERED]) { nodes {
  name state warned verdict targetSeconds elapsedSeconds remainingSeconds dueAt decidedAt unit { id } } } }"""


async def promise_cover(api: Api, office: Office) -> None:
    """Promise clients half of the planned time, and ourselves nine tenths of it."""

    def cover(name: str, ppm: int, *, internal: bool) -> dict[str, Any]:
        return {
            "name": name, "kind": "SHIFT_COVERED", "calendarVersionId": office.calendar,
            "targets": [{"priority": "LOW", "elapsedSeconds": 0}], "objectivePpm": ppm,
            "internal": internal,
        }  # fmt: skip

    terms = {"promises": [cover("cover", 500_000, internal=False),
                          cover("cover_objective", 900_000, internal=True)]}  # fmt: skip
    given = {
        "id": ids.write("Agreement", office.world.agreement.id), "terms": terms,
        "inForceFrom": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    for token, expected in ((office.client, {"code": "NOT_ALLOWED"}), (office.manager, {})):
        answer = (await api.data(token, AMEND, input=given))["amendAgreement"]
        assert answer.get("code") == expected.get("code")


async def published(api: Api, office: Office) -> tuple[str, datetime]:
    """A shift without a guard, from three seconds from now on, for eight seconds."""
    async with transaction(api.make) as session:
        system = Actor.system(office.world.tenant.id, "test")
        post = await posts.add_post(
            Tx(session, system, datetime.now(UTC)), office.world.site.id, name="Gate",
            service="reception", valid_from_on=date(2026, 1, 1),
        )  # fmt: skip
    begins = datetime.now(UTC) + 3 * SECOND
    given = {
        "postId": ids.write("Post", post.id), "fromAt": begins.isoformat(),
        "untilAt": (begins + PLAN).isoformat(),
    }  # fmt: skip
    answer = (await api.data(office.dispatcher, PLANNED, input=given))["planShift"]
    shift: str = answer["shifts"][0]["id"]
    answer = await api.data(office.dispatcher, PUBLISH, input={"shiftIds": [shift]})
    assert answer["publishShifts"] == {"count": 1}
    return shift, begins


async def until_broken(socket: Socket, times: int) -> list[Any]:
    """What a subscription shows until promises were broken so often."""
    seen: list[Any] = []
    while sum(fact["kind"] == "promise.breached" for fact in seen) < times:
        seen.append((await socket.next())["seen"])
    return seen


async def warned(api: Api, office: Office, promises: int) -> list[tuple[str, str]]:
    """Wait for the letters to the dispatcher about so many promises at risk: subject and text of each."""
    mine = select(Message.subject, Message.body, Message.intent).where(
        Message.tenant_id == office.world.tenant.id, Message.template == "unit_at_risk"
    )
    while True:
        async with api.make() as session:
            found = (await session.execute(mine)).all()
        if len({intent.split(":")[1] for _, _, intent in found}) >= promises:
            return [(subject, body) for subject, body, _ in found]
        await asyncio.sleep(0.1)


async def test_a_shift_that_nobody_touches_warns_and_is_judged_within_two_seconds_of_its_end(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server, working():
        api = server.api
        office = await asking.office(api)
        await promise_cover(api, office)
        async with transaction(api.make) as session:
            tx = Tx(session, Actor.system(office.world.tenant.id, "test"), datetime.now(UTC))
            await escalation.set_policy(
                tx, name="P", steps=[StepDraft(after_minutes=600, roles=[Role.DISPATCHER])]
            )
        after = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
        async with server.socket(office.client) as client, server.socket(office.dispatcher) as ops:
            kinds = ["promise.at_risk", "promise.breached", "promise.kept"]
            await client.subscribe("1", FOLLOW, after=after, account=office.account, kinds=kinds)
            await ops.subscribe("1", FOLLOW_ALL, after=after)
            shift, begins = await published(api, office)
            async with asyncio.timeout(60):
                seen, of_ops = await until_broken(client, 1), await until_broken(ops, 2)

            letters = await warned(api, office, 2)
        assert {one.startswith(("75%", "90%")) for one, _ in letters} == {True}
        wording = [("Intern doel voor" in body, "is beloofd" in body) for _, body in letters]
        assert {(True, False), (False, True)} <= set(wording)

        ends = begins + PLAN
        # Half of the plan may be unstaffed: four seconds, of which 50, 75 and 90 % pass.
        due = [begins + 4 * SECOND * share for share in (0.5, 0.75, 0.9)]
        assert [fact["kind"] for fact in seen] == [*["promise.at_risk"] * 3, "promise.breached"]
        assert [fact["body"].get("warned") for fact in seen] == [1, 2, 3, None]
        assert {fact["body"]["name"] for fact in seen} == {"cover"}
        assert {fact["body"]["name"] for fact in of_ops} == {"cover", "cover_objective"}
        assert datetime.fromisoformat(seen[3]["at"]) == ends
        late = [
            (datetime.fromisoformat(fact["recordedAt"]) - when).total_seconds()
            for fact, when in zip(seen, [*due, ends], strict=True)
        ]
        assert all(0 <= seconds < 2 for seconds in late), late

        for token, names in (
            (office.client, ["cover"]),
            (office.manager, ["cover", "cover_objective"]),
        ):
            answer = await api.data(token, PROMISES, account=office.account)
            nodes = answer["promises"]["nodes"]
            assert sorted(node["name"] for node in nodes) == names
            [cover] = [node for node in nodes if node["name"] == "cover"]
            assert (cover["state"], cover["verdict"], cover["warned"]) == ("LATE", "LATE", 3)
            assert (cover["targetSeconds"], cover["elapsedSeconds"], cover["remainingSeconds"]) == (
                4,
                0,
                4,
            )
            assert datetime.fromisoformat(cover["dueAt"]) == ends
            assert cover["unit"] == {"id": shift}
