"""Offer the shift of an absent guard in waves; the first guard who accepts has it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises, shifts
from domain.access import Actor, Right, Role, Tx, visible_to
from domain.accounts.model import Site
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.errors import Code, Refused, naming_only
from domain.core.wakeups import DueColumn, WakeUp
from domain.posts.model import Post
from domain.promises.model import Promise
from domain.replacements import events
from domain.replacements.candidates import offers_so_far, rank
from domain.replacements.following import TARGET, standing, starting_look
from domain.replacements.model import OfferState, Replacement, ReplacementState, ShiftOffer
from domain.replacements.rules import (
    EVERYBODY_AT,
    WAVE_EVERY,
    CandidateGuard,
    acceptance_rate,
    wave_size,
)
from domain.shifts.model import Shift

PART = "replacements"
RATE_OVER = timedelta(days=180)
"""How far back the company's own share of accepted offers is measured."""
_TAKEN = "The shift is taken: another guard accepted it first."
DUE: tuple[WakeUp, ...] = (
    DueColumn(Replacement.look_at, ~is_deferred(PART, Replacement.id), by_company=True),
)


async def replacements_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the replacements to look at: the companies alternately, the longest overdue of each first."""
    turn = rank_of(Replacement.tenant_id, Replacement.look_at, Replacement.id)
    found = await session.execute(
        select(Replacement.tenant_id, Replacement.id)
        .where(Replacement.look_at <= at, ~is_deferred(PART, Replacement.id, at=at))
        .order_by(turn, Replacement.look_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_replacement(session: AsyncSession, replacement_id: UUID, *, at: datetime) -> None:
    """Make the next wave of offers of a replacement that is due; without effect when another worker has it."""
    shift = await session.scalar(
        select(Shift)
        .join(Replacement, Replacement.shift_id == Shift.id)
        .where(Replacement.id == replacement_id, Replacement.look_at <= at)
        .with_for_update(of=Shift, skip_locked=True, key_share=True)
    )
    if shift is None:
        return
    tx = Tx(session, Actor.system(shift.tenant_id, PART), at)
    row = await standing(tx, shift)
    if row is None or row.look_at is None or row.look_at > at:
        return
    if at >= row.counts_from_at:
        await promises.evaluate(session, tx.actor, row.id, at=at)
    if row.state is not ReplacementState.SOUGHT or row.by_hand_since is not None:
        row.look_at = starting_look(row, at)
        return
    await _offer(tx, row, shift)


async def _offer(tx: Tx, row: Replacement, shift: Shift) -> None:
    """Make one wave: to as many as it takes, or to everybody in the last hour."""
    ranking = await rank(tx.session, shift, at=tx.at)
    known = {
        each.user_id: each
        for each in await tx.session.scalars(
            select(ShiftOffer).where(ShiftOffer.replacement_id == row.id)
        )
    }
    free = [
        each
        for each in ranking.candidates
        if each.user_id not in known or known[each.user_id].state is OfferState.CLOSED
    ]
    everybody_at = await _due_at(tx, row) - EVERYBODY_AT
    rate = acceptance_rate(*await offers_so_far(tx.session, row.tenant_id, since=tx.at - RATE_OVER))
    chosen = free if tx.at >= everybody_at else free[: wave_size(rate)]
    following = tx.at + WAVE_EVERY
    row.look_at = everybody_at if tx.at < everybody_at < following else following
    if not chosen:
        return
    row.wave += 1
    site = await tx.session.get_one(Site, shift.site_id)
    post = await tx.session.get_one(Post, shift.post_id)
    for each in chosen:
        offer = known.get(each.user_id) or _new(row, shift, each, site.name, post.name)
        offer.state, offer.closed_at = OfferState.OPEN, None
        offer.wave, offer.offered_at = row.wave, tx.at
        tx.session.add(offer)
        tx.record(
            events.ShiftOffered(
                account_id=offer.account_id,
                subject_id=offer.id,
                at=tx.at,
                user_id=offer.user_id,
                wave=row.wave,
            )
        )
    await tx.session.flush()


async def _due_at(tx: Tx, row: Replacement) -> datetime:
    """Return when the first promise is due; two hours after the start of the clock where nothing is promised."""
    due: datetime | None = await tx.session.scalar(
        select(func.min(Promise.due_at)).where(Promise.unit_id == row.id)
    )
    return due or row.counts_from_at + TARGET


def _new(row: Replacement, shift: Shift, guard: CandidateGuard, site: str, post: str) -> ShiftOffer:
    return ShiftOffer(
        id=uuid7(),
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        replacement_id=row.id,
        user_id=guard.user_id,
        from_at=shift.from_at,
        until_at=shift.until_at,
        site_name=site,
        post_name=post,
        travel_minutes=guard.travel_minutes,
    )


async def accept(tx: Tx, offer_id: UUID) -> ShiftOffer:
    """Take an offered shift, as its guard or as the office for the guard: the first has it, others are refused."""
    tx.actor.must(Right.ATTEND)
    own = visible_to(tx.actor, ShiftOffer)
    return await _accept(tx, await tx.get(ShiftOffer, offer_id, "offer", among=own))


async def accept_by_link(session: AsyncSession, offer_id: UUID, *, at: datetime) -> ShiftOffer:
    """Take an offered shift as the holder of its link: it was sent to this guard only."""
    offer = await session.get(ShiftOffer, offer_id)
    if offer is None:
        raise Refused(Code.NOT_FOUND, "No such offer.")
    guard = Actor(offer.tenant_id, Role.GUARD, f"user:{offer.user_id}")
    return await _accept(Tx(session, guard, at), offer)


async def _accept(tx: Tx, offer: ShiftOffer) -> ShiftOffer:
    found = await tx.session.execute(
        select(Replacement.state, Replacement.shift_id).where(
            Replacement.id == offer.replacement_id
        )
    )
    state, shift_id = found.one()
    _must_be_open(offer, state)  # who is late does not wait for the lock
    shift = (
        await tx.session.scalars(
            select(Shift).where(Shift.id == shift_id).with_for_update(key_share=True)
        )
    ).one()
    row = await standing(tx, shift)
    await tx.session.refresh(offer, with_for_update={"key_share": True})
    if row is None or row.id != offer.replacement_id:
        raise Refused(Code.ALREADY_DONE, "The shift needs no replacement any more.", argument="id")
    _must_be_open(offer, row.state)
    if shift.until_at <= tx.at:
        raise Refused(Code.TIME_REVERSED, "The shift is over.", argument="id")
    guard = await shifts.guard_by_offer(tx, offer.account_id, offer.user_id)
    ranking = await rank(tx.session, shift, at=tx.at, only=offer.user_id)
    if not ranking.candidates:
        why = ranking.excluded[0].text if ranking.excluded else "Only guards can."
        raise Refused(Code.INVALID, f"The guard cannot take this shift. {why}", argument="id")
    offer.state, offer.closed_at = OfferState.ACCEPTED, tx.at
    tx.record(
        events.ShiftOfferAccepted(
            account_id=offer.account_id, subject_id=offer.id, at=tx.at, user_id=offer.user_id
        )
    )
    with naming_only():
        await shifts.hand_to(tx, shift, guard)
    return offer


def _must_be_open(offer: ShiftOffer, state: ReplacementState) -> None:
    if offer.state is OfferState.ACCEPTED:
        raise Refused(Code.ALREADY_DONE, "This offer was accepted.", argument="id")
    if offer.state is OfferState.DECLINED:
        raise Refused(Code.ALREADY_DONE, "This offer was declined.", argument="id")
    if state in (ReplacementState.FOUND, ReplacementState.ON_THE_WAY, ReplacementState.ARRIVED):
        raise Refused(Code.ALREADY_DONE, _TAKEN, argument="id")
    if state is not ReplacementState.SOUGHT or offer.state is not OfferState.OPEN:
        raise Refused(Code.ALREADY_DONE, "The offer was withdrawn.", argument="id")


async def decline(tx: Tx, offer_id: UUID) -> ShiftOffer:
    """Say that the actor does not take an offered shift; a second time has no effect."""
    tx.actor.must(Right.ATTEND)
    own = visible_to(tx.actor, ShiftOffer)
    offer = await tx.get(ShiftOffer, offer_id, "offer", lock=True, among=own)
    if offer.state is OfferState.DECLINED:
        return offer
    if offer.state is not OfferState.OPEN:
        raise Refused(Code.ALREADY_DONE, f"The offer is {offer.state} already.", argument="id")
    offer.state, offer.closed_at = OfferState.DECLINED, tx.at
    tx.record(
        events.ShiftOfferDeclined(
            account_id=offer.account_id, subject_id=offer.id, at=tx.at, user_id=offer.user_id
        )
    )
    await tx.session.flush()
    return offer
