"""Replies to reviews for the probes of the gate: rules, drafts, and replies that were sent."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from domain import replies
from domain.access import Actor, Role, Tx
from domain.accounts.model import User
from domain.core.db import transaction
from domain.replies import ReplyMode, ReplyState, ReviewReply
from domain.reputation import Review, ReviewSourceKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.reviewing import read, source, stored, system, take


async def _manager(api: Api, office: Office) -> Actor:
    """Somebody who is there already: a user more would get letters, too."""
    async with api.make() as session:
        found = await session.scalar(
            select(User.id)
            .where(User.tenant_id == office.world.tenant.id, User.role == Role.MANAGEMENT)
            .order_by(User.id)
            .limit(1)
        )
    assert found is not None
    return Actor(office.world.tenant.id, Role.MANAGEMENT, f"user:{found}")


async def _review(api: Api, office: Office) -> UUID:
    kind = ReviewSourceKind.KIYOH
    found = await source(api.make, office.world.tenant.id, kind, location="1")
    at = api.state.now() - timedelta(hours=1)
    await take(api.make, found, read("probe", written_at=at, changed_at=at), at=at)
    return (await stored(api.make, found))["probe"].id


async def _rule(api: Api, office: Office) -> UUID:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        name = f"Probe {uuid4()}"
        rule = await replies.add_rule(
            tx, name=name, mode=ReplyMode.DRAFT, templates=[f"Dank {uuid4().hex}"]
        )
    return rule.id


async def _reply(api: Api, office: Office) -> UUID:
    """A draft."""
    actor, review_id = await _manager(api, office), await _review(api, office)
    async with transaction(api.make) as session:
        at = api.state.now() - timedelta(minutes=30)
        tx = Tx(session, actor, at)
        words = "Dank u wel voor uw lieve woorden"
        return (await replies.draft_by_hand(tx, review_id, words=words)).id


async def furnish(api: Api, office: Office) -> None:
    """Add a rule, and a reply to a review of the client and to one of nobody."""
    await _rule(api, office)
    await _reply(api, office)
    linked = await _reply(api, office)
    async with transaction(api.make) as session:
        reply = await session.get_one(ReviewReply, linked)
        reply.account_id = office.world.account.id
        await session.execute(
            update(Review)
            .where(Review.id == reply.review_id)
            .values(account_id=office.world.account.id)
        )


async def _draft(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("ReviewReply", await _reply(api, office))}


async def _waiting(api: Api, office: Office) -> dict[str, Any]:
    """An approved reply that waits after a failure."""
    row_id = await _reply(api, office)
    async with transaction(api.make) as session:
        reply = await session.get_one(ReviewReply, row_id)
        reply.state, reply.failures = ReplyState.APPROVED, 2
        reply.send_at = reply.next_try_at = api.state.now() + timedelta(hours=2)
    return {"id": ids.write("ReviewReply", row_id)}


async def _edited(api: Api, office: Office) -> dict[str, Any]:
    """A reply that was sent before its review was edited."""
    row_id = await _reply(api, office)
    async with transaction(api.make) as session:
        reply = await session.get_one(ReviewReply, row_id)
        reply.state, reply.recheck_at = ReplyState.SENT, api.state.now()
    return {"id": ids.write("ReviewReply", row_id)}


async def _to_write(api: Api, office: Office) -> dict[str, Any]:
    return {"reviewId": ids.write("Review", await _review(api, office)), "words": "Dank u wel"}


_NO_CONDITIONS = {
    "sourceId": None, "shareAtLeast": None, "shareAtMost": None, "polarityAtLeast": None,
    "polarityAtMost": None, "languages": ["nl"], "delaySeconds": 60, "position": 7,
}  # fmt: skip


async def _to_add(api: Api, office: Office) -> dict[str, Any]:
    name = f"Probe {uuid4()}"
    return {"name": name, "mode": "DRAFT", "templates": [f"Dank {uuid4().hex}"], **_NO_CONDITIONS}


async def _to_change(api: Api, office: Office) -> dict[str, Any]:
    rule_id = await _rule(api, office)
    given = await _to_add(api, office)
    del given["sourceId"]
    return given | {"id": ids.write("ReplyRule", rule_id), "isActive": False}


DOABLE = {
    "addReplyRule": _to_add,
    "changeReplyRule": _to_change,
    "draftReviewReply": _to_write,
    "editReviewReply": _draft,
    "approveReviewReply": _draft,
    "sendReviewReply": _waiting,
    "withdrawReviewReply": _draft,
    "confirmReviewReply": _edited,
}
LAST_FACTS = {"reviewReplyEvents": "review_reply.drafted"}
