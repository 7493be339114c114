"""Facts about posts, their orders, and the guards who read them."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PostAdded(Fact):
    """A site has another post."""

    kind: ClassVar[str] = "post.added"
    subject_type: ClassVar[str | None] = "Post"
    site_id: UUID
    name: str
    service: str
    qualifications: list[str]
    headcount: int
    valid_from_on: date
    valid_until_on: date | None


class PostChanged(Fact):
    """What a post requires changed; the values that differ, before and after."""

    kind: ClassVar[str] = "post.changed"
    subject_type: ClassVar[str | None] = "Post"
    before: dict[str, Any]
    after: dict[str, Any]


class OrdersIssued(Fact):
    """A post has a new version of its orders."""

    kind: ClassVar[str] = "post.orders_issued"
    subject_type: ClassVar[str | None] = "PostOrders"
    personal: ClassVar[frozenset[str]] = frozenset({"text"})
    post_id: UUID
    number: int
    text: str


class OrdersAcknowledged(Fact):
    """A guard, the actor, read a version of the orders of a post."""

    kind: ClassVar[str] = "post.orders_acknowledged"
    subject_type: ClassVar[str | None] = "OrdersAcknowledgement"
    post_id: UUID
    orders_id: UUID
    number: int
    internal: bool = True
