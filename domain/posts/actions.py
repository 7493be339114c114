"""Add and change posts, issue their orders, and acknowledge those."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.access import Right, Tx, visible_to
from domain.accounts.model import Site
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text
from domain.posts.events import OrdersAcknowledged, OrdersIssued, PostAdded, PostChanged
from domain.posts.model import OrdersAcknowledgement, Post, PostOrders

MOST_QUALIFICATIONS = 20
MOST_GUARDS = 100
NULLABLE = frozenset({"valid_until_on"})


async def add_post(
    tx: Tx,
    site_id: UUID,
    *,
    name: str,
    service: str,
    valid_from_on: date,
    valid_until_on: date | None = None,
    qualifications: list[str] | None = None,
    headcount: int = 1,
) -> Post:
    """Add a post to a site; the name is unique there."""
    tx.actor.must(Right.ROSTER)
    site = await tx.get(Site, site_id, "site", argument="siteId", lock=True)
    post = Post(
        id=uuid7(),
        tenant_id=site.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        name=name,
        service=service,
        qualifications=qualifications or [],
        headcount=headcount,
        valid_from_on=valid_from_on,
        valid_until_on=valid_until_on,
    )
    await _check(tx, post)
    tx.session.add(post)
    tx.record(
        PostAdded(
            account_id=post.account_id,
            subject_id=post.id,
            at=tx.at,
            site_id=site.id,
            name=name,
            service=service,
            qualifications=post.qualifications,
            headcount=headcount,
            valid_from_on=valid_from_on,
            valid_until_on=valid_until_on,
        )
    )
    await tx.session.flush()
    return post


async def change_post(
    tx: Tx, post_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> Post:
    """Change what a post requires; omitted fields stay as they are. Planned shifts keep what they were planned with."""
    tx.actor.must(Right.ROSTER)
    post = await tx.get(Post, post_id, "post", lock=True)
    must_be_current(post.version, expected_version)
    for name, value in changes.items():
        if value is None and name not in NULLABLE:
            raise Refused(Code.INVALID, f"A post needs a value of {name}.", argument=name)
    changed = {name: value for name, value in changes.items() if getattr(post, name) != value}
    if not changed:
        return post
    before = values_of(post, changed)
    with tx.session.no_autoflush:
        for name, value in changed.items():
            setattr(post, name, value)
        await _check(tx, post)
    tx.record(
        PostChanged(
            account_id=post.account_id,
            subject_id=post.id,
            at=tx.at,
            before=before,
            after=values_of(post, changed),
        )
    )
    await tx.session.flush()
    return post


async def issue_orders(tx: Tx, post_id: UUID, body: str) -> PostOrders:
    """Issue the next version of the orders of a post; guards have to acknowledge it again."""
    tx.actor.must(Right.ROSTER)
    must_be_text(body, "body")
    post = await tx.get(Post, post_id, "post", argument="postId", lock=True)
    newest = await tx.session.scalar(
        select(func.max(PostOrders.number)).where(PostOrders.post_id == post.id)
    )
    orders = PostOrders(
        id=uuid7(),
        tenant_id=post.tenant_id,
        account_id=post.account_id,
        post_id=post.id,
        number=(newest or 0) + 1,
        body=body,
        issued_at=tx.at,
    )
    tx.session.add(orders)
    tx.record(
        OrdersIssued(
            account_id=post.account_id,
            subject_id=orders.id,
            at=tx.at,
            post_id=post.id,
            number=orders.number,
            text=body,
        )
    )
    await tx.session.flush()
    return orders


async def acknowledge_orders(tx: Tx, orders_id: UUID) -> OrdersAcknowledgement:
    """Record that the actor read a version of the orders of a post; a second time has no effect."""
    tx.actor.must(Right.ATTEND)
    if tx.actor.user_id is None:
        raise Refused(Code.NOT_ALLOWED, "Only a person can acknowledge orders.")
    orders = await tx.get(
        PostOrders, orders_id, "post orders", lock=True, among=visible_to(tx.actor, PostOrders)
    )
    known = await tx.session.scalar(
        select(OrdersAcknowledgement).where(
            OrdersAcknowledgement.orders_id == orders.id,
            OrdersAcknowledgement.user_id == tx.actor.user_id,
        )
    )
    if known is not None:
        return known
    row = OrdersAcknowledgement(
        id=uuid7(),
        tenant_id=orders.tenant_id,
        account_id=orders.account_id,
        orders_id=orders.id,
        user_id=tx.actor.user_id,
        acknowledged_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        OrdersAcknowledged(
            account_id=orders.account_id,
            subject_id=row.id,
            at=tx.at,
            post_id=orders.post_id,
            orders_id=orders.id,
            number=orders.number,
        )
    )
    await tx.session.flush()
    return row


async def _check(tx: Tx, post: Post) -> None:
    must_be_line(post.name, "name")
    must_be_line(post.service, "service")
    for code in post.qualifications:
        must_be_line(code, "qualifications")
    if len(post.qualifications) > MOST_QUALIFICATIONS:
        raise Refused(
            Code.INVALID,
            f"A post requires at most {MOST_QUALIFICATIONS} qualifications.",
            argument="qualifications",
        )
    if not 1 <= post.headcount <= MOST_GUARDS:
        raise Refused(
            Code.INVALID, f"headcount must be 1 to {MOST_GUARDS} guards.", argument="headcount"
        )
    if post.valid_until_on is not None and post.valid_until_on < post.valid_from_on:
        raise Refused(
            Code.INVALID,
            "validUntilOn must not be before validFromOn.",
            argument="validUntilOn",
        )
    twin = select(Post.id).where(
        Post.site_id == post.site_id, Post.name == post.name, Post.id != post.id
    )
    if await tx.session.scalar(twin) is not None:
        raise Refused(
            Code.ALREADY_EXISTS, "Another post of this site has this name.", argument="name"
        )
