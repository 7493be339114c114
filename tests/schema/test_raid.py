"""RAID log: what each kind needs, reviews found late once by a moved clock, and who may see and do what."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.raid.rules import next_review
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from workers.raid import look_at_reviews

pytestmark = pytest.mark.anyio

FIELDS = """id kind impact likelihood score rationale internal raisedAt reviewedAt reviewDueAt reviewLateAt
  closedAt outcome owner { name } commitment { dueAt state }"""
RAISE = f"""mutation($input: RaiseRaidEntryInput!) {{ raiseRaidEntry(input: $input) {{
  ... on RaidEntry {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
REVIEW = f"""mutation($input: ReviewRaidEntryInput!) {{ reviewRaidEntry(input: $input) {{
  ... on RaidEntry {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
HAND_OVER = """mutation($input: HandOverRaidEntryInput!) { handOverRaidEntry(input: $input) {
  ... on RaidEntry { owner { id } commitment { owner { id } } } ... on Refusal { code argument } } }"""
CLOSE = f"""mutation($input: CloseRaidEntryInput!) {{ closeRaidEntry(input: $input) {{
  ... on RaidEntry {{ {FIELDS} }} ... on Refusal {{ code argument }} }} }}"""
LIST = """query($account: ID, $kind: RaidKind, $open: Boolean, $overdue: Boolean) {
  raidEntries(accountId: $account, kind: $kind, isOpen: $open, overdue: $overdue, first: 20) {
    nodes { id kind internal owner { id } } } }"""
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


async def colleague(api: Api, office: Office) -> str:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email=f"{office.world.site.id}@raid.example",
            name="Owner",
            role=Role.RELATIONSHIP_MANAGER,
        )
    return ids.write("User", user.id)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def late(api: Api, entry: str) -> int:
    """How many facts say that a review of the entry is late."""
    async with api.make() as session:
        found = await session.scalar(
            select(func.count()).where(
                LedgerRow.kind == "raid.review_late",
                LedgerRow.subject_id == ids.known(entry, "RaidEntry"),
            )
        )
    return int(found or 0)


async def test_each_kind_needs_what_it_is_made_of(api: Api, office: Office) -> None:
    owner = await colleague(api, office)
    given = {"accountId": office.account, "words": "The gate may fail", "ownerUserId": owner}
    due = (api.state.now() + DAY).isoformat()

    async def raised(token: str = office.manager, **more: Any) -> Any:
        return (await api.data(token, RAISE, input=given | more))["raiseRaidEntry"]

    for token in (office.client, office.dispatcher):
        refused = await raised(token, kind="ISSUE", impact=3)
        assert refused["code"] == "NOT_ALLOWED"
    for argument, wrong in (
        ("likelihood", {"kind": "RISK", "impact": 3}),
        ("impact", {"kind": "RISK", "impact": 6, "likelihood": 1}),
        ("likelihood", {"kind": "ISSUE", "impact": 3, "likelihood": 1}),
        ("impact", {"kind": "ISSUE"}),
        ("rationale", {"kind": "DECISION"}),
        ("rationale", {"kind": "ISSUE", "impact": 3, "rationale": "Because"}),
        ("rationale", {"kind": "DECISION", "rationale": " "}),
        ("dueAt", {"kind": "ACTION"}),
        ("dueAt", {"kind": "ACTION", "dueAt": "2020-01-01T00:00:00Z"}),
        ("dueAt", {"kind": "ISSUE", "impact": 3, "dueAt": due}),
        ("words", {"kind": "ISSUE", "impact": 3, "words": ""}),
        ("ownerUserId", {"kind": "ISSUE", "impact": 3, "ownerUserId": ids.write(
            "User", office.world.client_user.id)}),
    ):  # fmt: skip
        refused = await raised(**wrong)
        assert (refused["code"] in {"INVALID", "TIME_REVERSED", "NOT_FOUND"}, refused["argument"]) == (
            True, argument,
        ), wrong  # fmt: skip
    risk = await raised(kind="RISK", impact=4, likelihood=3)
    assert (risk["score"], risk["owner"]) == (12, {"name": "Owner"})
    assert moment(risk["reviewDueAt"]) - moment(risk["raisedAt"]) >= 7 * DAY - timedelta(hours=1)
    action = await raised(kind="ACTION", dueAt=due)
    assert action["commitment"]["state"] == "OPEN"
    assert moment(action["commitment"]["dueAt"]) == moment(due)
    assert moment(action["reviewDueAt"]) - moment(action["raisedAt"]) < 2 * DAY
    for each in (
        await raised(kind="ISSUE", impact=5),
        await raised(kind="DECISION", rationale="The old lock is unsafe."),
    ):
        assert (each["reviewDueAt"], each["reviewedAt"]) == (None, each["raisedAt"])


async def test_a_review_is_found_late_once_and_is_counted_anew_from_the_review(
    api: Api, office: Office
) -> None:
    owner = await colleague(api, office)
    given = {"accountId": office.account, "words": "The gate may fail", "ownerUserId": owner}
    risk, action = [
        (await api.data(office.manager, RAISE, input=given | more))["raiseRaidEntry"]
        for more in (
            {"kind": "RISK", "impact": 4, "likelihood": 3, "internal": True},
            {"kind": "ACTION", "dueAt": (api.state.now() + 30 * DAY).isoformat()},
        )
    ]
    for entry in (action, risk):
        due = moment(entry["reviewDueAt"])
        await look_at_reviews(api.make, at=due)
        assert await late(api, entry["id"]) == 0
        for _ in range(3):
            await look_at_reviews(api.make, at=due + MOMENT)
        assert await late(api, entry["id"]) == 1

    async def listed(token: str, **more: Any) -> list[Any]:
        found = await api.data(token, LIST, account=office.account, **more)
        return list(found["raidEntries"]["nodes"])

    assert {each["id"] for each in await listed(office.manager, overdue=True)} == {
        risk["id"],
        action["id"],
    }
    seen = await listed(office.client, overdue=True)
    assert seen == [{"id": action["id"], "kind": "ACTION", "internal": None, "owner": None}]
    assert await listed(office.manager, kind="ISSUE") == []

    for token in (office.client, office.dispatcher):
        refused = await api.data(token, REVIEW, input={"id": risk["id"]})
        assert refused["reviewRaidEntry"]["code"] in {"NOT_FOUND", "NOT_ALLOWED"}
    reviewed = (await api.data(office.manager, REVIEW, input={"id": risk["id"], "likelihood": 1}))[
        "reviewRaidEntry"
    ]
    assert (reviewed["score"], reviewed["reviewLateAt"]) == (4, None)
    async with api.make() as session:
        fact = (
            await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.kind == "raid.reviewed",
                    LedgerRow.subject_id == ids.known(risk["id"], "RaidEntry"),
                )
            )
        ).one()
    assert (fact.body["before"]["likelihood"], fact.body["after"]["likelihood"]) == (3, 1)
    await look_at_reviews(api.make, at=moment(reviewed["reviewDueAt"]) + MOMENT)
    assert await late(api, risk["id"]) == 2
    refused = await api.data(office.manager, REVIEW, input={"id": action["id"], "impact": 2})
    assert refused["reviewRaidEntry"] == {"code": "INVALID", "argument": "impact"}


async def test_an_action_is_handed_over_with_its_commitment_and_closed_with_it(
    api: Api, office: Office
) -> None:
    owner = await colleague(api, office)
    me = (await api.data(office.manager, "{ viewer { user { id } } }"))["viewer"]["user"]["id"]
    action = (
        await api.data(
            office.manager,
            RAISE,
            input={
                "accountId": office.account,
                "kind": "ACTION",
                "words": "Change the lock",
                "ownerUserId": owner,
                "dueAt": (api.state.now() + DAY).isoformat(),
            },
        )
    )["raiseRaidEntry"]
    moved = await api.data(office.manager, HAND_OVER, input={"id": action["id"], "ownerUserId": me})
    assert moved["handOverRaidEntry"] == {"owner": {"id": me}, "commitment": {"owner": {"id": me}}}
    again = await api.data(office.manager, HAND_OVER, input={"id": action["id"], "ownerUserId": me})
    assert again["handOverRaidEntry"] == {"code": "ALREADY_DONE", "argument": "ownerUserId"}
    given = {"id": action["id"], "outcome": "The lock was changed."}
    refused = await api.data(office.client, CLOSE, input=given)
    assert refused["closeRaidEntry"]["code"] == "NOT_ALLOWED"
    closed = (await api.data(office.manager, CLOSE, input=given))["closeRaidEntry"]
    assert (closed["outcome"], closed["reviewDueAt"]) == ("The lock was changed.", None)
    assert closed["commitment"]["state"] == "KEPT"
    again = await api.data(office.manager, CLOSE, input=given)
    assert again["closeRaidEntry"] == {"code": "ALREADY_DONE", "argument": "id"}
    await look_at_reviews(api.make, at=moment(action["reviewDueAt"]) + MOMENT)
    assert await late(api, action["id"]) == 0


def test_a_review_is_due_at_the_same_local_time_over_a_change_of_the_clocks() -> None:
    raised = datetime.fromisoformat("2026-03-27T09:00:00+00:00")  # 10:00 in winter time
    assert next_review(raised, 7, "Europe/Amsterdam").isoformat() == "2026-04-03T08:00:00+00:00"
    assert next_review(raised, 1, "Europe/Amsterdam").isoformat() == "2026-03-28T09:00:00+00:00"
