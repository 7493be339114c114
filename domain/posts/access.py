"""Access rules of posts: clients see the posts and orders of their sites, guards those of their own work."""

from typing import Any

from sqlalchemy import ColumnElement, Uuid, column, select, table

from domain.access import Actor, Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_POST = table("post", column("id", Uuid), column("account_id", Uuid), column("site_id", Uuid))


def _of_post_at_hand(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select rows about the posts of a guard's own work."""
    found: ColumnElement[bool] = model.post_id.in_(
        select(_POST.c.id)
        .where(own_work.at_site_of_own_work(actor, _POST.c))
        .correlate_except(_POST)
    )
    return found


ACCESS = AccessRules(
    rows={
        "post": Rows((Right.READ_SITES,), own=own_work.at_site_of_own_work),
        "post_orders": Rows((Right.READ_SITES, Right.READ_ROSTER), own=_of_post_at_hand),
        "orders_acknowledgement": Rows(
            (Right.READ_ROSTER, Right.READ_STAFF),
            "accessible accounts; always one's own",
            always=own_work.user_is_self,
        ),
    },
    row_texts={
        ("post", None): "posts at sites of the own work",
        ("post_orders", None): "of posts at sites of the own work",
        ("orders_acknowledgement", None): "the own ones",
    },
    fields={
        "Post": {
            None: "id name service qualifications headcount validFromOn validUntilOn version account"
            " site orders"
        },
        "PostOrders": {None: "id number body issuedAt post acknowledgements"},
        "OrdersAcknowledgement": {None: "id acknowledgedAt user orders"},
    },
    facts={
        Right.READ_SITES: "post.added post.changed",
        Right.READ_ROSTER: "post.orders_issued post.orders_acknowledged",
    },
    queries={"posts": ()},
    mutations={
        Right.ROSTER: "addPost changePost issuePostOrders",
        Right.ATTEND: "acknowledgePostOrders",
    },
)
