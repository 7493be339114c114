"""Sign, amend and end agreements. Written terms never change: an amendment is a new version."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import calendars
from domain.access import Right, Tx
from domain.accounts.model import Account, Site
from domain.agreements.events import AgreementEnding, Amended, Signed
from domain.agreements.limits import must_not_overlap
from domain.agreements.model import (
    Agreement,
    CreditBand,
    CreditRule,
    PromiseTarget,
    PromiseTerm,
    Terms,
)
from domain.agreements.objectives import must_not_be_laxer
from domain.agreements.rules import PromiseDraft, TermsDraft, check, check_calendar
from domain.calendars.model import CalendarVersion
from domain.core.base import uuid7
from domain.core.bounds import must_be_day, must_be_instant
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text


async def sign(
    tx: Tx,
    account_id: UUID,
    *,
    reference: str,
    title: str,
    signed_on: date,
    in_force_from: datetime,
    terms: TermsDraft,
) -> Agreement:
    """Record a signed agreement with the first version of its terms."""
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_line(reference, "reference")
    must_be_line(title, "title")
    check(terms)
    must_be_day(signed_on, "signedOn", tx.at)
    must_be_instant(in_force_from, "inForceFrom", tx.at)
    await tx.get(Account, account_id, "account", argument="accountId")
    agreement: Agreement | None = await tx.session.scalar(
        insert(Agreement)
        .values(
            id=uuid7(),
            tenant_id=tx.actor.tenant_id,
            account_id=account_id,
            reference=reference,
            title=title,
            signed_on=signed_on,
        )
        .on_conflict_do_nothing()
        .returning(Agreement)
    )
    if agreement is None:
        raise Refused(
            Code.ALREADY_EXISTS,
            f"The account already has an agreement {reference}.",
            argument="reference",
        )
    first = await _write(tx, agreement, in_force_from, terms)
    tx.record(
        Signed(
            account_id=account_id, subject_id=agreement.id, at=tx.at, terms_id=first.id, number=1
        )
    )
    return agreement


async def amend(
    tx: Tx,
    agreement_id: UUID,
    *,
    in_force_from: datetime,
    terms: TermsDraft,
    expected_version: int | None = None,
) -> Terms:
    """Add a version of the terms that is in force from `in_force_from` on; until then the previous one stays in force.

    Incidents keep the terms that were in force when they were opened.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    check(terms)
    must_be_instant(in_force_from, "inForceFrom", tx.at)
    agreement = await _locked(tx, agreement_id, expected_version)
    if agreement.ended_at is not None and agreement.ended_at <= in_force_from:
        raise Refused(
            Code.TERMS_OVERLAP, "The agreement ends before that time.", argument="inForceFrom"
        )
    last = (
        await tx.session.scalars(
            select(Terms)
            .where(Terms.agreement_id == agreement.id)
            .order_by(Terms.number.desc())
            .limit(1)
        )
    ).one()
    if last.in_force.lower is not None and in_force_from <= last.in_force.lower:
        raise Refused(
            Code.TERMS_OVERLAP,
            f"Version {last.number} is in force from {last.in_force.lower:%Y-%m-%d %H:%M} UTC; a newer "
            "one must start after that.",
            argument="inForceFrom",
        )
    last.in_force = Range(last.in_force.lower, in_force_from)
    agreement.newest_terms = last.number + 1
    await tx.session.flush()
    new = await _write(tx, agreement, in_force_from, terms)
    tx.record(
        Amended(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            terms_id=new.id,
            number=new.number,
            terms_id_before=last.id,
            number_before=last.number,
            in_force_from=in_force_from,
        )
    )
    return new


async def end(
    tx: Tx,
    agreement_id: UUID,
    *,
    ended_at: datetime,
    reason: str,
    expected_version: int | None = None,
) -> Agreement:
    """End an agreement: no incident opened at `ended_at` or later gets promises; earlier promises stay valid.

    A future end may be moved; a past one may not, because incidents were opened since.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_text(reason, "reason")
    must_be_instant(ended_at, "endedAt", tx.at)
    agreement = await _locked(tx, agreement_id, expected_version)
    if agreement.ended_at is not None and agreement.ended_at <= tx.at:
        raise Refused(Code.ALREADY_DONE, "The agreement has ended.", argument="id")
    if ended_at < tx.at:
        raise Refused(
            Code.TIME_REVERSED,
            "Incidents opened since then already have promises; choose a later end.",
            argument="endedAt",
        )
    before, agreement.ended_at = agreement.ended_at, ended_at
    tx.record(
        AgreementEnding(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            ended_at=ended_at,
            ended_at_before=before,
            reason=reason,
        )
    )
    await tx.session.flush()
    return agreement


async def must_be_computable(
    session: AsyncSession, tenant_id: UUID, account_id: UUID, terms: TermsDraft
) -> None:
    """Refuse terms with unknown calendars or sites, targets that a calendar never reaches, or promises that clash."""
    wanted = calendar_versions(terms)
    own = select(CalendarVersion.id).where(
        CalendarVersion.id.in_(wanted), CalendarVersion.tenant_id == tenant_id
    )
    if wanted - set(await session.scalars(own)):  # `specs` also caches other companies' calendars
        raise Refused(Code.NOT_FOUND, "No such calendar version.", argument="calendarVersionId")
    sites = {site_id for promise in terms.promises for site_id in promise.site_ids}
    of_account = select(Site.id).where(Site.id.in_(sites), Site.account_id == account_id)
    if sites and sites - set(await session.scalars(of_account)):
        raise Refused(Code.NOT_FOUND, "No such site of this account.", argument="siteIds")
    hours = await calendars.specs(session, wanted)
    for promise in terms.promises:
        check_calendar(promise, hours[promise.calendar_version_id])
    must_not_overlap(terms.promises, hours)
    must_not_be_laxer(terms.promises, hours)


def calendar_versions(terms: TermsDraft) -> set[UUID]:
    """Return the calendar versions that the promises name."""
    clocks = {promise.calendar_version_id for promise in terms.promises}
    return clocks | {p.hours_id for p in terms.promises if p.hours_id is not None}


async def _locked(tx: Tx, agreement_id: UUID, expected_version: int | None) -> Agreement:
    agreement = await tx.get(Agreement, agreement_id, "agreement", lock=True)
    must_be_current(agreement.version, expected_version)
    return agreement


async def _write(tx: Tx, agreement: Agreement, in_force_from: datetime, draft: TermsDraft) -> Terms:
    """Insert the rows of one version: terms, promises, targets, credit rules."""
    await must_be_computable(tx.session, tx.actor.tenant_id, agreement.account_id, draft)
    owned = {"tenant_id": tx.actor.tenant_id, "account_id": agreement.account_id}
    terms = Terms(
        id=uuid7(),
        **owned,
        agreement_id=agreement.id,
        number=agreement.newest_terms,
        in_force=Range(in_force_from, None),
        period_fee_cents=draft.period_fee_cents,
        currency=draft.currency,
        credit_cap_cents=draft.credit_cap_cents,
        per_cause=draft.per_cause,
    )
    tx.session.add(terms)
    await tx.session.flush()
    for promise in draft.promises:
        tx.session.add_all(await _promise(tx.session, owned, terms, promise))
    await tx.session.flush()
    return terms


async def _promise(
    session: AsyncSession, owned: dict[str, UUID], terms: Terms, draft: PromiseDraft
) -> list[PromiseTarget | CreditRule | CreditBand]:
    term = PromiseTerm(
        id=uuid7(),
        **owned,
        terms_id=terms.id,
        name=draft.name,
        kind=draft.kind,
        calendar_version_id=draft.calendar_version_id,
        ticket_kinds=[str(kind) for kind in draft.ticket_kinds],
        category=draft.category,
        site_ids=sorted(draft.site_ids),
        hours_id=draft.hours_id,
        services=sorted(draft.services),
        objective_ppm=draft.objective_ppm,
        clock_start=draft.clock_start,
        pausable=draft.pausable,
        internal=draft.internal,
        lowest_grade=draft.lowest_grade,
        doubt_favours=draft.doubt_favours,
    )
    session.add(term)
    await session.flush()
    targets = [
        PromiseTarget(
            **owned,
            term_id=term.id,
            priority=priority,
            elapsed_s=target.elapsed_s,
            business_days=target.business_days,
        )
        for priority, target in draft.targets.items()
    ]
    rules = [
        CreditRule(**owned, term_id=term.id, priority=priority, **credit.columns())
        for priority, credit in draft.credits.items()
    ]
    bands = [
        CreditBand(
            **owned,
            term_id=term.id,
            below_ppm=band.below_ppm,
            fixed_cents=band.fixed_cents,
            fee_bps=band.fee_bps,
        )
        for band in draft.bands
    ]
    return [*targets, *rules, *bands]
