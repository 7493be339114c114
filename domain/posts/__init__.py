"""Posts: positions at a client's site that guards staff, with their orders and who acknowledged them."""

from domain.posts.actions import acknowledge_orders, add_post, change_post, issue_orders
from domain.posts.model import OrdersAcknowledgement, Post, PostOrders

__all__ = [
    "OrdersAcknowledgement",
    "Post",
    "PostOrders",
    "acknowledge_orders",
    "add_post",
    "change_post",
    "issue_orders",
]
