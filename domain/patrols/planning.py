"""Plan rounds of a route for a period, and cancel one; the starts of random rounds are drawn and committed to."""

import hashlib
import secrets
from datetime import date
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.patrols import events
from domain.patrols.model import PatrolDraw, PatrolPoint, PatrolRound, PatrolRoute, RoundState
from domain.patrols.rounds import reveal
from domain.patrols.slots import DayWindow, slots_of, window_of
from domain.shifts import MOST_DAYS, days_of

MOST_ROUNDS = 1_000
"""Rounds that one call may plan."""
_KEY_BYTES = 32


async def plan_rounds(tx: Tx, route_id: UUID, *, first_on: date, last_on: date) -> PatrolRoute:
    """Plan the rounds of a route whose window begins from `first_on` to `last_on`; planned days stay as they are."""
    tx.actor.must(Right.ROSTER)
    if not first_on <= last_on or (last_on - first_on).days >= MOST_DAYS:
        raise Refused(
            Code.INVALID,
            f"lastOn must not be before firstOn, and within {MOST_DAYS} days of it.",
            argument="lastOn",
        )
    route = await tx.get(PatrolRoute, route_id, "route", argument="routeId", lock=True)
    account = await tx.session.get_one(Account, route.account_id)
    first = max(first_on, route.starts_on)
    last = last_on if route.ends_on is None else min(last_on, route.ends_on)
    planned = await tx.session.scalars(
        select(PatrolRound.on_day).where(
            PatrolRound.route_id == route.id, PatrolRound.on_day.between(first_on, last_on)
        )
    )
    known = set(planned)
    days = [
        (day, window_of(route, day, account.time_zone))
        for day in days_of(route.rule, route.starts_on, first, last)
        if day not in known
    ]
    if len(days) * route.rounds > MOST_ROUNDS:
        raise Refused(
            Code.TOO_MANY,
            f"These are {len(days) * route.rounds:,} rounds; plan at most {MOST_ROUNDS:,} at once: give a shorter"
            " period.",
            argument="lastOn",
        )
    if any(window.from_at <= tx.at for _, window in days):
        raise Refused(
            Code.TIME_REVERSED, "Rounds are planned before their window begins.", argument="firstOn"
        )
    points = await tx.session.scalars(
        select(PatrolPoint.id).where(PatrolPoint.route_id == route.id)
    )
    count = len(points.all())
    for day, window in days:
        _plan_day(tx, route, day, window, count)
    if days:
        tx.record(
            events.PatrolRoundsPlanned(
                account_id=route.account_id,
                subject_id=route.id,
                at=tx.at,
                first_on=first_on,
                last_on=last_on,
                count=len(days) * route.rounds,
            )
        )
    await tx.session.flush()
    return route


async def cancel_round(tx: Tx, round_id: UUID, *, reason: str) -> PatrolRound:
    """Cancel a round before it begins; one that began is judged."""
    tx.actor.must(Right.ROSTER)
    must_be_line(reason, "reason")
    patrol = await tx.get(PatrolRound, round_id, "round", lock=True)
    if patrol.state is not RoundState.PLANNED or patrol.from_at <= tx.at:
        raise Refused(
            Code.ALREADY_DONE, "Only a round that has not begun can be cancelled.", argument="id"
        )
    patrol.state, patrol.look_at = RoundState.CANCELLED, None
    tx.record(
        events.PatrolRoundCancelled(
            account_id=patrol.account_id, subject_id=patrol.id, at=tx.at, reason=reason
        )
    )
    await tx.session.flush()
    await reveal(tx, patrol)
    return patrol


def _plan_day(tx: Tx, route: PatrolRoute, day: date, window: DayWindow, points: int) -> None:
    key = _draw(tx, route, day, window) if route.is_random else None
    owner = {"tenant_id": route.tenant_id, "account_id": route.account_id}
    for slot in slots_of(
        window, day, rounds=route.rounds, round_s=route.round_minutes * 60, key=key
    ):
        tx.session.add(
            PatrolRound(
                id=uuid7(), **owner, route_id=route.id, site_id=route.site_id, on_day=day,
                number=slot.number, from_at=slot.from_at, until_at=slot.until_at, points=points,
                look_at=slot.from_at,
            )
        )  # fmt: skip


def _draw(tx: Tx, route: PatrolRoute, day: date, window: DayWindow) -> bytes:
    """Draw the key of a day, and commit to it."""
    key = secrets.token_bytes(_KEY_BYTES)
    tx.session.add(
        PatrolDraw(
            id=uuid7(), tenant_id=route.tenant_id, account_id=route.account_id, route_id=route.id,
            on_day=day, key=key, until_at=window.until_at,
        )
    )  # fmt: skip
    tx.record(
        events.PatrolDrawn(
            account_id=route.account_id, subject_id=route.id, at=tx.at, on_day=day,
            commitment=hashlib.sha256(key).hexdigest(), window_from_at=window.from_at,
            window_until_at=window.until_at, rounds=route.rounds, round_s=route.round_minutes * 60,
        )
    )  # fmt: skip
    return key
