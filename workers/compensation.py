"""Consequences for money: a broken promise earns its credit, and credits follow verdicts that change."""

import asyncio
from datetime import UTC, datetime

import structlog

from domain import compensation
from domain.actor import Actor
from domain.db import Sessions, transaction
from workers.jobs import Hand

log = structlog.get_logger()

EVERY_S = 10.0
MONTHS = 50  # looked for at a time


async def decide_credit(hand: Hand) -> None:
    """Grant the credit for one broken promise; the credit's unique key makes it one."""
    await compensation.decide(hand.session, hand.actor, hand.fact.subject_id, at=hand.at)


async def settle_credit(hand: Hand) -> None:
    """Let credits follow a verdict that was revised or cancelled: a counter-entry, with its reason."""
    await compensation.settle(hand.session, hand.actor, hand.fact.subject_id, at=hand.at)


async def close_months(make: Sessions) -> None:
    """Weigh the compliance of months that are over, until cancelled. Several may run: a month is closed once."""
    while True:
        now = datetime.now(UTC)
        async with make() as session:
            due = await compensation.months_over(session, at=now, limit=MONTHS)
        closed = 0
        for month in due:
            try:
                async with transaction(make) as session:
                    actor = Actor.system(month.tenant_id, "worker")
                    await compensation.close_month(
                        session, actor, month.agreement_id, month.month_on, at=now
                    )
                closed += 1
            except Exception as error:  # noqa: BLE001 - it comes again; the other agreements must not wait
                log.warning(
                    "month.not_closed", agreement=str(month.agreement_id), error=repr(error)
                )
        if not closed:  # after a stop an agreement has many to catch up with, one after the other
            await asyncio.sleep(EVERY_S)
