"""Consequences for money: a broken promise earns its credit."""

from domain import compensation
from workers.jobs import Hand


async def decide_credit(hand: Hand) -> None:
    """Grant the credit for one broken promise; the credit's unique key makes it one."""
    await compensation.decide(hand.session, hand.actor, hand.fact.subject_id, at=hand.at)
