"""Agree how long an agreement runs, when notice has to be given, and for how long it is renewed without notice."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.access import Right, Tx
from domain.agreements.events import DurationAgreed
from domain.agreements.model import Agreement
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current

MOST_MONTHS, MOST_DAYS = 120, 1_000


async def agree_duration(
    tx: Tx,
    agreement_id: UUID,
    *,
    fixed_until: date | None,
    notice_months: int = 0,
    notice_days: int = 0,
    renews_for_months: int | None = None,
    expected_version: int | None = None,
) -> Agreement:
    """Agree the last day of an agreement, the notice period before it, and the renewal without notice."""
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_day(fixed_until, "fixedUntil", tx.at)
    _must_be_within(notice_months, "noticeMonths", MOST_MONTHS)
    _must_be_within(notice_days, "noticeDays", MOST_DAYS)
    if renews_for_months is not None:
        _must_be_within(renews_for_months, "renewsForMonths", MOST_MONTHS, least=1)
        if fixed_until is None:
            raise Refused(
                Code.INVALID,
                "An agreement without a last day is not renewed; leave renewsForMonths out.",
                argument="renewsForMonths",
            )
    agreement = await tx.get(Agreement, agreement_id, "agreement", lock=True)
    must_be_current(agreement.version, expected_version)
    if agreement.ended_at is not None and agreement.ended_at <= tx.at:
        raise Refused(Code.ALREADY_DONE, "The agreement has ended.", argument="id")
    if fixed_until is not None and fixed_until < agreement.signed_on:
        raise Refused(
            Code.TIME_REVERSED,
            f"The agreement was signed on {agreement.signed_on}; its last day must not be earlier.",
            argument="fixedUntil",
        )
    before = duration_of(agreement)
    agreement.fixed_until, agreement.renews_for_months = fixed_until, renews_for_months
    agreement.notice_months, agreement.notice_days = notice_months, notice_days
    tx.record(
        DurationAgreed(
            account_id=agreement.account_id,
            subject_id=agreement.id,
            at=tx.at,
            before=before,
            after=duration_of(agreement),
        )
    )
    await tx.session.flush()
    return agreement


def duration_of(agreement: Agreement) -> dict[str, Any]:
    """Return what is agreed about the duration, as facts hold it."""
    days = (agreement.fixed_until, agreement.notice_by)
    fixed_until, notice_by = (None if day is None else day.isoformat() for day in days)
    return {
        "fixed_until": fixed_until,
        "notice_months": agreement.notice_months,
        "notice_days": agreement.notice_days,
        "notice_by": notice_by,
        "renews_for_months": agreement.renews_for_months,
    }


def _must_be_within(number: int, argument: str, most: int, *, least: int = 0) -> None:
    if not least <= number <= most:
        raise Refused(
            Code.INVALID, f"{argument} must be from {least} to {most:,}.", argument=argument
        )
