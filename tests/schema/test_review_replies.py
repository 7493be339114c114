"""Replies through the API: rules and drafts for those who look after clients, and for nobody else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain import replies
from domain.access import Tx
from domain.core import cursor
from domain.core.db import transaction
from domain.reputation import ReviewSourceKind
from schema.core import ids
from tests import facts as relay
from tests.api import asking
from tests.api.asking import Api, Office, Server
from tests.reviewing import read, source, stored, system, take

pytestmark = pytest.mark.anyio
REFUSAL = "... on Refusal { code argument message }"
ADD = f"""mutation ($input: AddReplyRuleInput!) {{ addReplyRule(input: $input) {{
  ... on ReplyRule {{ id name position mode themes shareAtMost templates delaySeconds version }} {REFUSAL} }} }}"""
CHANGE = f"""mutation ($input: ChangeReplyRuleInput!) {{ changeReplyRule(input: $input) {{
  ... on ReplyRule {{ isActive templates version }} {REFUSAL} }} }}"""
RULES = "{ replyRules { nodes { name position } } }"
LIST = """query ($states: [ReplyState!], $negative: Boolean) { reviewReplies(states: $states, isNegative: $negative) {
  nodes { id state isNegative words dueAt owner { id } rule { name } review { id reply { id } } } } }"""
REPLY = f"{{ ... on ReviewReply {{ id state words reason version approver {{ id }} }} {REFUSAL} }}"
EDIT = f"mutation ($input: EditReviewReplyInput!) {{ editReviewReply(input: $input) {REPLY} }}"
APPROVE = (
    f"mutation ($input: ApproveReviewReplyInput!) {{ approveReviewReply(input: $input) {REPLY} }}"
)
SEND = f"mutation ($input: SendReviewReplyInput!) {{ sendReviewReply(input: $input) {REPLY} }}"
WITHDRAW = (
    f"mutation ($input: WithdrawReviewReplyInput!) {{ withdrawReviewReply(input: $input) {REPLY} }}"
)
DRAFT = f"mutation ($input: DraftReviewReplyInput!) {{ draftReviewReply(input: $input) {REPLY} }}"
FOLLOW = "subscription ($after: String) { reviewReplyEvents(after: $after) { kind subjectId } }"


async def reviewed(api: Api, office: Office, *shares: float) -> list[str]:
    """Reviews at a platform that takes replies; return their ids."""
    found = await source(api.make, office.world.tenant.id, ReviewSourceKind.KIYOH, location="1")
    at = datetime.now(UTC)
    page = [
        read(f"r{number}", rating=1 + 4 * share, written_at=at, changed_at=at)
        for number, share in enumerate(shares)
    ]
    await take(api.make, found, *page, at=at)
    rows = await stored(api.make, found)
    for _, row in sorted(rows.items()):
        async with transaction(api.make) as session:
            await replies.draft_by_rule(Tx(session, system(found.tenant_id), at), row.id)
    return [ids.write("Review", rows[f"r{number}"].id) for number in range(len(shares))]


async def one(api: Api, token: str, document: str, **given: Any) -> dict[str, Any]:
    """What a mutation answers."""
    [answer] = (await api.data(token, document, input=given)).values()
    found: dict[str, Any] = answer
    return found


async def listed(api: Api, token: str, **asked: Any) -> list[dict[str, Any]]:
    """The replies that somebody sees."""
    nodes: list[dict[str, Any]] = (await api.data(token, LIST, **asked))["reviewReplies"]["nodes"]
    return nodes


async def test_a_manager_adds_rules_and_approves_what_they_draft(api: Api, office: Office) -> None:
    rule = {
        "name": "Negative", "mode": "DRAFT", "shareAtMost": 0.5, "themes": ["PUNCTUALITY"],
        "templates": ["Wat vervelend. Groet, {company}"],
    }  # fmt: skip
    for token in (office.client, office.dispatcher):
        assert (await one(api, token, ADD, **rule))["code"] == "NOT_ALLOWED"
    made = await one(api, office.manager, ADD, **rule)
    assert (made["position"], made["themes"], made["delaySeconds"]) == (10, ["PUNCTUALITY"], 0)
    every = {"name": "Every", "mode": "SEND", "templates": ["Dank u wel.", "Hartelijk dank."]}
    assert (await one(api, office.manager, ADD, **every))["position"] == 20
    for wrong, argument in (
        ({"name": "Every"}, "name"), ({"name": "a", "templates": []}, "templates"),
        ({"name": "b", "templates": ["Groet {name}"]}, "templates"),
        ({"name": "c", "templates": ["Bel 06-12345678"]}, "templates"),
        ({"name": "d", "templates": ["Dank", "dank!"]}, "templates"),
        ({"name": "e", "shareAtLeast": 0.9, "shareAtMost": 0.1}, "shareAtLeast"),
        ({"name": "f", "delaySeconds": -1}, "delaySeconds"),
    ):  # fmt: skip
        answer = await one(api, office.manager, ADD, **(every | wrong))
        assert answer.get("argument") == argument, (wrong, answer)
    reviews = await reviewed(api, office, 0.0, 1.0)
    bad, good = (
        await listed(api, office.manager, negative=True),
        await listed(api, office.manager, negative=False),
    )
    assert (bad[0]["state"], bad[0]["rule"]["name"], good[0]["state"]) == (
        "DRAFT", "Every", "APPROVED",
    )  # fmt: skip
    assert bad[0]["review"] == {"id": reviews[0], "reply": {"id": bad[0]["id"]}}
    stranger = await asking.office(api)
    for token in (office.client, office.dispatcher, stranger.manager):
        assert await listed(api, token) == []
        assert (await one(api, token, APPROVE, id=bad[0]["id"]))["code"] in {
            "NOT_ALLOWED", "NOT_FOUND",
        }  # fmt: skip
    assert (await api.data(stranger.manager, RULES))["replyRules"]["nodes"] == []
    leaky = await one(api, office.manager, EDIT, id=bad[0]["id"], words="Zie INC-000012, groet")
    refused = await one(api, office.manager, APPROVE, id=leaky["id"])
    assert (refused["code"], "INC-000012" in refused["message"]) == ("INVALID", True)
    await one(api, office.manager, EDIT, id=bad[0]["id"], words="Wij zoeken het uit.")
    approved = await one(api, office.manager, APPROVE, id=bad[0]["id"])
    assert (approved["state"], bool(approved["approver"])) == ("APPROVED", True)
    assert (await one(api, office.manager, SEND, id=bad[0]["id"]))["code"] == "ALREADY_DONE"
    gone = await one(api, office.manager, WITHDRAW, id=bad[0]["id"], reason="Opgelost")
    assert (gone["state"], gone["reason"]) == ("WITHDRAWN", "Opgelost")
    stop = {"id": made["id"], "isActive": False, "expectedVersion": made["version"]}
    assert (await one(api, office.manager, CHANGE, **stop))["isActive"] is False
    assert (await one(api, office.manager, CHANGE, **stop))["code"] == "STALE_VERSION"
    again = await one(api, office.manager, DRAFT, reviewId=reviews[0], words="Nog een")
    assert again["code"] == "ALREADY_EXISTS"


async def test_without_rules_nothing_is_drafted_and_a_person_may_write(
    api: Api, office: Office
) -> None:
    [review] = await reviewed(api, office, 1.0)
    assert await listed(api, office.manager) == []
    made = await one(api, office.manager, DRAFT, reviewId=review, words="Dank u wel!")
    assert (made["state"], made["words"]) == ("DRAFT", "Dank u wel!")


async def test_replies_are_followed_from_a_cursor(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    start = cursor.of_seq(api.state.cursor_secret, office.world.tenant.id, 0)
    [review] = await reviewed(api, office, 1.0)
    made = await one(api, office.manager, DRAFT, reviewId=review, words="Dank u wel!")
    await relay.number_all(api.make)
    async with server.socket(office.manager) as socket:
        await socket.subscribe("1", FOLLOW, after=start)
        event = (await socket.next())["reviewReplyEvents"]
    assert event == {"kind": "review_reply.drafted", "subjectId": made["id"]}
