"""Posts at sites, their orders and the guards who acknowledged them."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, posts
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import (
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    SiteId,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import from_row, relations
from schema.sites import Site
from schema.users import User

PostRow = strawberry.Parent[posts.Post]
OrdersRow = strawberry.Parent[posts.PostOrders]
AcknowledgementRow = strawberry.Parent[posts.OrdersAcknowledgement]
PostId = Annotated[UUID, GlobalIdOf("Post")]
PostOrdersId = Annotated[UUID, GlobalIdOf("PostOrders")]
Few = Annotated[int, "Maximum number of rows to return, at most 100."]


@from_row(posts.Post)
class Post(Node):
    """Position at a site that guards staff."""

    name: Annotated[str, "Name of the post, unique at its site."]
    service: Annotated[str, "Service performed at the post, such as reception."]
    qualifications: Annotated[list[str], "Names of the qualifications that a guard needs here."]
    headcount: Annotated[int, "Number of guards at a time, 1 to 100."]
    valid_from_on: Annotated[date, "First day on which the post is staffed."]
    valid_until_on: Annotated[date | None, "Last day on which the post is staffed; null: no end."]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(
        "Account", accounts.Account, "account_id", "Account of the client that owns the site."
    )

    site = to_one(Site, accounts.Site, "site_id", "Site at which the post is.")

    @relations("PostOrders")
    @staticmethod
    async def orders(row: PostRow, info: Info, first: Few = 1) -> list[Any]:
        """Versions of the orders of the post, the newest first."""
        return await info.context.children(
            posts.PostOrders.post_id,
            row.id,
            order=(posts.PostOrders.number,),
            descending=True,
            first=first,
        )


@from_row(posts.PostOrders)
class PostOrders(Node):
    """One version of the orders of a post; guards acknowledge each version."""

    number: Annotated[int, "Number of the version, from 1."]
    body: Annotated[str, "Text of the orders for guards."]
    issued_at: Annotated[datetime, "Time at which the version was issued."]

    post = to_one("Post", posts.Post, "post_id", "Post to which the orders belong.")

    @relations("OrdersAcknowledgement")
    @staticmethod
    async def acknowledgements(row: OrdersRow, info: Info, first: Few = 10) -> list[Any]:
        """Acknowledgements of this version, the first ones first; guards see the own one, clients none."""
        return await info.context.children(
            posts.OrdersAcknowledgement.orders_id,
            row.id,
            order=(posts.OrdersAcknowledgement.acknowledged_at, posts.OrdersAcknowledgement.id),
            first=first,
        )


@from_row(posts.OrdersAcknowledgement)
class OrdersAcknowledgement(Node):
    """A guard read a version of the orders of a post."""

    acknowledged_at: Annotated[datetime, "Time at which the guard acknowledged the orders."]

    user = to_one(User, accounts.User, "user_id", "User who is the guard.")

    orders = to_one(PostOrders, posts.PostOrders, "orders_id", "Version that was acknowledged.")


@query_fields
class PostQuery:
    """Queries of posts."""

    @lists(Post, posts.Post.name, posts.Post.id)
    @staticmethod
    def posts(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only posts at this site."] = None,
    ) -> Rows:
        """Posts at sites of clients, by name."""
        query = visible(info, posts.Post, account_id)
        return naming(info, query, posts.Post.site_id, "Site", site_id)


@mutation_fields
class PostMutation:
    """Mutations of posts."""

    @mutation(Post)
    @staticmethod
    async def add_post(
        ask: MutationContext,
        site_id: Annotated[SiteId, "Site at which the post is."],
        name: Annotated[str, "Name of the post, unique at its site."],
        service: Annotated[str, "Service performed at the post, such as reception."],
        valid_from_on: Annotated[date, "First day on which the post is staffed."],
        valid_until_on: Annotated[date | None, "Last day, or null for no end."] = None,
        qualifications: Annotated[
            list[str] | None, "Names of the qualifications that a guard needs here, at most 20."
        ] = None,
        headcount: Annotated[int, "Number of guards at a time, 1 to 100."] = 1,
    ) -> posts.Post:
        """Add a post to a site."""
        return await posts.add_post(
            ask.tx,
            site_id,
            name=name,
            service=service,
            valid_from_on=valid_from_on,
            valid_until_on=valid_until_on,
            qualifications=qualifications,
            headcount=headcount,
        )

    @mutation(Post)
    @staticmethod
    async def change_post(
        ask: MutationContext,
        id: Annotated[PostId, "Post that is to be changed."],
        name: Annotated[str | None, "New name, unique at its site."] = UNSET,
        service: Annotated[str | None, "Service performed at the post."] = UNSET,
        valid_from_on: Annotated[date | None, "First day on which the post is staffed."] = UNSET,
        valid_until_on: Annotated[date | None, "Last day, or null for no end."] = UNSET,
        qualifications: Annotated[
            list[str] | None, "Names of the qualifications that a guard needs here, at most 20."
        ] = UNSET,
        headcount: Annotated[int | None, "Number of guards at a time, 1 to 100."] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> posts.Post:
        """Change what a post requires. Arguments that are omitted stay as they are."""
        given = {
            "name": name,
            "service": service,
            "valid_from_on": valid_from_on,
            "valid_until_on": valid_until_on,
            "qualifications": qualifications,
            "headcount": headcount,
        }
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await posts.change_post(ask.tx, id, expected_version=expected_version, **changes)

    @mutation(PostOrders)
    @staticmethod
    async def issue_post_orders(
        ask: MutationContext,
        post_id: Annotated[PostId, "Post to which the orders belong."],
        body: Annotated[str, "Text of the orders for guards."],
    ) -> posts.PostOrders:
        """Issue the next version of the orders of a post; guards have to acknowledge it again."""
        return await posts.issue_orders(ask.tx, post_id, body)

    @mutation(OrdersAcknowledgement)
    @staticmethod
    async def acknowledge_post_orders(
        ask: MutationContext, id: Annotated[PostOrdersId, "Version of the orders that you read."]
    ) -> posts.OrdersAcknowledgement:
        """Record that you read a version of the orders of a post; a second time has no effect."""
        return await posts.acknowledge_orders(ask.tx, id)
