"""Link reviews to clients: automatically where the match is almost certain, else suggested for a person to decide."""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, update

from domain import recovery
from domain.access import Right, Role, Tx
from domain.accounts.model import Account, Contact, Reach, Site, User
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.incidents.model import Incident
from domain.recovery import Size
from domain.reputation.events import ReviewLinked, ReviewLinkRefused, ReviewLinkSuggested
from domain.reputation.matching import (
    AFTER,
    AUTOMATIC,
    CERTAIN,
    SUGGESTED,
    PastIncident,
    ReviewMatch,
    match,
)
from domain.reputation.model import Review, ReviewLink, ReviewVersion
from domain.reputation.rules import LINKED, NEGATIVE, ReviewLinkState
from domain.sentiment import themes_of
from domain.surveys import SurveyInvitation

OLDEST = timedelta(days=180)
"""Age of a review from which nobody is looked for."""


async def match_review(tx: Tx, review_id: UUID) -> list[ReviewLink]:
    """Find the clients whose contact may have written a review; link it when one fits almost surely, and no other.

    A client that was decided about, or suggested, is not suggested again.
    """
    review = await tx.get(Review, review_id, "review", lock=True)
    if review.account_id is not None or tx.at - review.written_at > OLDEST:
        return []
    found = await _candidates(tx, review)
    known = set(
        await tx.session.scalars(
            select(ReviewLink.account_id).where(ReviewLink.review_id == review.id)
        )
    )
    fitting = [each for each in found if each[1].score >= SUGGESTED]
    is_alone = len(fitting) == 1
    links = []
    for contact, fit in fitting:
        if contact.account_id in known:
            continue
        is_sure = is_alone and fit.score >= AUTOMATIC
        state = ReviewLinkState.AUTOMATIC if is_sure else ReviewLinkState.SUGGESTED
        links.append(await _add(tx, review, contact, fit, state))
    return links


async def link_review(
    tx: Tx, review_id: UUID, account_id: UUID, *, contact_id: UUID | None = None
) -> Review:
    """Link a review to a client because a person says so; refused when it is linked already."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    review = await tx.get(Review, review_id, "review", argument="reviewId", lock=True)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    contact = None
    if contact_id is not None:
        contact = await tx.get(Contact, contact_id, "contact", argument="contactId")
        if contact.account_id != account.id:
            raise Refused(Code.INVALID, "The contact is of another account.", argument="contactId")
    _must_be_open(review, "reviewId")
    link = await tx.session.scalar(
        select(ReviewLink)
        .where(ReviewLink.review_id == review.id, ReviewLink.account_id == account.id)
        .with_for_update()
    )
    if link is None:
        link = _row(tx, review, account.id, ReviewMatch(CERTAIN, {"person": CERTAIN}, None))
    link.contact_id = contact_id or link.contact_id
    await _decide(tx, review, link, ReviewLinkState.CONFIRMED)
    return review


async def confirm_link(tx: Tx, link_id: UUID) -> ReviewLink:
    """Confirm a suggested link; refused when the review is linked already."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    link, review = await _locked(tx, link_id)
    if link.state is ReviewLinkState.AUTOMATIC:
        link.state, link.decided_by = ReviewLinkState.CONFIRMED, tx.actor.subject
        _record_linked(tx, review, link, before=review.account_id)
        return link
    _must_be_open(review, "id")
    await _decide(tx, review, link, ReviewLinkState.CONFIRMED)
    return link


async def refuse_link(tx: Tx, link_id: UUID) -> ReviewLink:
    """Refuse a link; a review that was linked by it is linked to no client from now on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    link, review = await _locked(tx, link_id)
    if link.state is ReviewLinkState.REFUSED:
        raise Refused(Code.ALREADY_DONE, "This link was refused.", argument="id")
    before = str(link.state)
    if link.state in LINKED:
        await _move(tx, review, None)
    link.state, link.decided_by = ReviewLinkState.REFUSED, tx.actor.subject
    tx.record(
        ReviewLinkRefused(
            account_id=link.account_id,
            subject_id=review.id,
            at=tx.at,
            before=before,
            after=str(link.state),
        )
    )
    await tx.session.flush()
    return link


async def _candidates(tx: Tx, review: Review) -> list[tuple[Contact, ReviewMatch]]:
    """Return the best contact of each account that fits at all, with its match."""
    tenant_id = tx.actor.tenant_id
    contacts = await tx.session.scalars(
        select(Contact).where(Contact.tenant_id == tenant_id).order_by(Contact.id)
    )
    cities: defaultdict[UUID, set[str]] = defaultdict(set)
    places = select(Site.account_id, Site.city).where(
        Site.tenant_id == tenant_id, Site.city.is_not(None)
    )
    for account_id, city in await tx.session.execute(places):
        cities[account_id].add(str(city))
    past: defaultdict[UUID, list[PastIncident]] = defaultdict(list)
    recent = select(Incident.account_id, Incident.id, Incident.opened_at, Incident.kind).where(
        Incident.tenant_id == tenant_id,
        Incident.opened_at >= review.written_at - AFTER,
        Incident.opened_at <= review.written_at,
    )
    for account_id, incident_id, opened_at, kind in await tx.session.execute(recent):
        past[account_id].append(PastIncident(incident_id, opened_at, kind))
    invited = await _invited(tx, review)
    themes = {each.theme for each in themes_of(f"{review.title or ''}\n{review.words or ''}")}
    best: dict[UUID, tuple[Contact, ReviewMatch]] = {}
    for contact in contacts:
        fit = match(
            review.author,
            review.place,
            review.written_at,
            themes,
            name=contact.name,
            cities=cities[contact.account_id],
            incidents=past[contact.account_id],
        )
        if contact.id == invited:
            fit = ReviewMatch(CERTAIN, {"invitation": CERTAIN}, fit.incident_id)
        known = best.get(contact.account_id)
        if known is None or fit.score > known[1].score:
            best[contact.account_id] = (contact, fit)
    if invited is not None:
        return [each for each in best.values() if each[1].score == CERTAIN]
    return list(best.values())


async def _invited(tx: Tx, review: Review) -> UUID | None:
    """Return the contact whose invitation the review repeats the code of: the id of the invitation or the contact."""
    try:
        code = UUID(review.reference or "")
    except ValueError:
        return None
    asked = select(SurveyInvitation.contact_id).where(
        SurveyInvitation.id == code, SurveyInvitation.tenant_id == tx.actor.tenant_id
    )
    own = select(Contact.id).where(Contact.id == code, Contact.tenant_id == tx.actor.tenant_id)
    found: UUID | None = await tx.session.scalar(asked)
    return found or await tx.session.scalar(own)


async def _add(
    tx: Tx, review: Review, contact: Contact, fit: ReviewMatch, state: ReviewLinkState
) -> ReviewLink:
    link = _row(tx, review, contact.account_id, fit)
    link.contact_id = contact.id
    if state is ReviewLinkState.AUTOMATIC:
        await _decide(tx, review, link, state)
        return link
    tx.record(
        ReviewLinkSuggested(
            account_id=contact.account_id,
            subject_id=review.id,
            at=tx.at,
            contact_id=contact.id,
            score=fit.score,
            parts=fit.parts,
        )
    )
    await tx.session.flush()
    return link


def _row(tx: Tx, review: Review, account_id: UUID, fit: ReviewMatch) -> ReviewLink:
    link = ReviewLink(
        id=uuid7(),
        tenant_id=review.tenant_id,
        account_id=account_id,
        review_id=review.id,
        incident_id=fit.incident_id,
        state=ReviewLinkState.SUGGESTED,
        score=fit.score,
        parts=fit.parts,
    )
    tx.session.add(link)
    return link


async def _decide(tx: Tx, review: Review, link: ReviewLink, state: ReviewLinkState) -> None:
    before = review.account_id
    link.state, link.decided_by = state, tx.actor.subject
    await _move(tx, review, link.account_id)
    await _recover(tx, review, link)
    _record_linked(tx, review, link, before=before)
    await tx.session.flush()


def _record_linked(tx: Tx, review: Review, link: ReviewLink, *, before: UUID | None) -> None:
    tx.record(
        ReviewLinked(
            account_id=link.account_id,
            subject_id=review.id,
            at=tx.at,
            source_id=review.source_id,
            share=review.share,
            contact_id=link.contact_id,
            incident_id=link.incident_id,
            score=link.score,
            before=None if before is None else str(before),
            after=str(link.account_id),
            state=str(link.state),
        )
    )


async def _move(tx: Tx, review: Review, account_id: UUID | None) -> None:
    """Show a review with its versions to this client, or to none."""
    review.account_id = account_id
    await tx.session.execute(
        update(ReviewVersion)
        .where(ReviewVersion.review_id == review.id)
        .values(account_id=account_id)
    )
    await tx.session.flush()


async def _recover(tx: Tx, review: Review, link: ReviewLink) -> None:
    """Open a recovery case for a negative review, once; the incident's open case is enough."""
    if review.share > NEGATIVE or link.case_id is not None:
        return
    owner_id = await _owner(tx, link.account_id)
    if owner_id is None:
        return
    system: Any = {"size": Size.SMALL, "summary": "A negative review asks for a follow-up"}
    try:
        with naming_only():
            case = await recovery.open_case(
                tx, link.incident_id, owner_id=owner_id, account_id=link.account_id, **system
            )
    except Refused as refused:
        if refused.refusal.code is not Code.ALREADY_EXISTS:
            raise
        return
    link.case_id = case.id


async def _owner(tx: Tx, account_id: UUID) -> UUID | None:
    """Return the user who links it, else a relationship manager of the account, else somebody of management."""
    reach = select(Reach.user_id).where(Reach.user_id == User.id)
    reaches = or_(~exists(reach), exists(reach.where(Reach.account_id == account_id)))
    found: UUID | None = await tx.session.scalar(
        select(User.id)
        .where(
            User.tenant_id == tx.actor.tenant_id,
            User.disabled_at.is_(None),
            User.role.in_([Role.RELATIONSHIP_MANAGER, Role.MANAGEMENT]),
            reaches,
        )
        .order_by(User.role == Role.MANAGEMENT, User.id)
        .limit(1)
    )
    return tx.actor.user_id or found


async def _locked(tx: Tx, link_id: UUID) -> tuple[ReviewLink, Review]:
    link = await tx.get(ReviewLink, link_id, "link of a review")
    review = await tx.get(Review, link.review_id, "review", lock=True)
    await tx.session.refresh(link)
    return link, review


def _must_be_open(review: Review, argument: str) -> None:
    if review.account_id is not None:
        raise Refused(
            Code.ALREADY_DONE,
            "The review is linked to a client; refuse that link first.",
            argument=argument,
        )
