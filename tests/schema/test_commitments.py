"""Commitments through the API: made, done, withdrawn and handed over by those who may; clients see what is theirs."""

from datetime import timedelta
from typing import Any

import pytest

from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_raid import colleague

pytestmark = pytest.mark.anyio

FIELDS = "id kind words state internal note withdrawnReason owner { id } version"
MAKE = f"""mutation($input: MakeCommitmentInput!) {{ makeCommitment(input: $input) {{
  ... on Commitment {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
FINISH = f"""mutation($input: FinishCommitmentInput!) {{ finishCommitment(input: $input) {{
  ... on Commitment {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
WITHDRAW = f"""mutation($input: WithdrawCommitmentInput!) {{ withdrawCommitment(input: $input) {{
  ... on Commitment {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
HAND_OVER = f"""mutation($input: HandOverCommitmentInput!) {{ handOverCommitment(input: $input) {{
  ... on Commitment {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
LIST = f"""query($account: ID) {{ commitments(accountId: $account, first: 20) {{ nodes {{ {FIELDS} }} }} }}"""


async def test_a_commitment_from_making_to_done_as_each_role(api: Api, office: Office) -> None:
    owner = await colleague(api, office)
    given = {
        "accountId": office.account, "kind": "ACTION_ITEM", "words": "Change the lock",
        "ownerUserId": owner, "dueAt": (api.state.now() + timedelta(days=2)).isoformat(),
    }  # fmt: skip

    async def done(token: str, document: str, name: str, **more: Any) -> Any:
        return (await api.data(token, document, input=more))[name]

    async def made(token: str, **more: Any) -> Any:
        return await done(token, MAKE, "makeCommitment", **(given | more))

    for token in (office.client, office.dispatcher):
        assert (await made(token))["code"] == "NOT_ALLOWED"
    for argument, wrong in (
        ("dueAt", {"dueAt": "2020-01-01T00:00:00Z"}),
        ("words", {"words": "two\nlines"}),
        ("ownerUserId", {"ownerUserId": ids.write("User", office.world.client_user.id)}),
    ):
        assert (await made(office.manager, **wrong))["argument"] == argument
    other = await asking.office(api)
    assert (await made(office.manager, accountId=other.account))["code"] == "NOT_FOUND"

    open_one, hidden, gone = [
        await made(office.manager, **more) for more in ({}, {"internal": True}, {})
    ]
    assert (open_one["state"], open_one["owner"]) == ("OPEN", {"id": owner})
    moved = await done(
        office.manager, HAND_OVER, "handOverCommitment", id=open_one["id"],
        ownerUserId=(await api.data(office.manager, "{ viewer { user { id } } }"))["viewer"]["user"]["id"],
    )  # fmt: skip
    assert moved["owner"] != {"id": owner}
    refused = await done(office.client, FINISH, "finishCommitment", id=open_one["id"])
    assert refused["code"] == "NOT_ALLOWED"
    stale = await done(
        office.dispatcher, FINISH, "finishCommitment", id=open_one["id"], expectedVersion=1
    )
    assert stale["code"] == "STALE_VERSION"
    kept = await done(
        office.dispatcher, FINISH, "finishCommitment", id=open_one["id"], note="New lock"
    )
    assert (kept["state"], kept["note"]) == ("KEPT", "New lock")
    away = {"id": gone["id"], "reason": "The door was replaced."}
    assert (await done(office.dispatcher, WITHDRAW, "withdrawCommitment", **away))["code"] == (
        "NOT_ALLOWED"
    )
    withdrawn = await done(office.manager, WITHDRAW, "withdrawCommitment", **away)
    assert withdrawn["state"] == "WITHDRAWN"

    async def listed(token: str) -> dict[str, Any]:
        found = (await api.data(token, LIST, account=office.account))["commitments"]["nodes"]
        return {each["id"]: each for each in found}

    assert (await listed(office.manager)).keys() == {open_one["id"], hidden["id"], gone["id"]}
    seen = await listed(office.client)
    assert seen.keys() == {open_one["id"], gone["id"]}
    private = ("internal", "note", "withdrawnReason", "owner")
    assert all(each[name] is None for each in seen.values() for name in private)
    assert await listed(other.manager) == {}
