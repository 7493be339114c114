"""Write case studies, have clients consent to them, publish and withdraw them."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.advocacy import events
from domain.advocacy.model import CaseStudy, CaseStudyState, StudyChannel
from domain.advocacy.people import contact_of, must_not_be_in_crisis
from domain.advocacy.rules import LONGEST_CONSENT
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text

S = CaseStudyState


class ConsentDraft(NamedTuple):
    """The consent of a client: channels, the last day, and who gave it how, where the company records it."""

    channels: Collection[StudyChannel]
    until_on: date
    contact_id: UUID | None = None
    evidence_note: str | None = None


async def draft_study(
    tx: Tx, account_id: UUID, *, title: str, words: str, language: str = "nl"
) -> CaseStudy:
    """Write a case study about a client, which nobody outside the company sees yet."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    must_be_line(title, "title")
    must_be_text(words, "words")
    if language not in {"nl", "en"}:
        raise Refused(Code.INVALID, "The language is nl or en.", argument="language")
    row = CaseStudy(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        title=title,
        words=words,
        text_number=1,
        language=language,
        state=S.DRAFT,
        drafted_at=tx.at,
        channels=[],
    )
    tx.session.add(row)
    tx.record(
        events.CaseStudyDrafted(
            account_id=account.id, subject_id=row.id, at=tx.at, text_number=row.text_number
        )
    )
    await tx.session.flush()
    return row


async def change_study(
    tx: Tx, study_id: UUID, *, title: str, words: str, expected_version: int | None = None
) -> CaseStudy:
    """Change the text of a case study: it is a draft again and shown nowhere, for the consent was to another text."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, study_id, expected_version)
    must_be_line(title, "title")
    must_be_text(words, "words")
    if row.state is S.WITHDRAWN:
        raise Refused(Code.ALREADY_DONE, "This case study was withdrawn.", argument="id")
    before = _consent_of(row)
    row.title, row.words, row.text_number = title, words, row.text_number + 1
    row.state, row.channels = S.DRAFT, []
    row.offered_at = row.until_on = row.consented_at = row.consented_text = None
    row.contact_id = row.evidence_note = row.published_at = None
    row.ended_at = row.end_reason = None
    tx.record(
        events.CaseStudyChanged(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=before,
            after=_consent_of(row),
        )
    )
    await tx.session.flush()
    return row


async def offer_study(tx: Tx, study_id: UUID, *, expected_version: int | None = None) -> CaseStudy:
    """Ask the client to consent to a draft, which its people see from now on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, study_id, expected_version)
    _must_be(row, S.DRAFT)
    await must_not_be_in_crisis(tx, row.account_id, "id")
    before, row.state, row.offered_at = row.state, S.OFFERED, tx.at
    tx.record(
        events.CaseStudyOffered(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            text_number=row.text_number,
            before=before,
            after=row.state,
        )
    )
    await tx.session.flush()
    return row


async def consent_to_study(
    tx: Tx, study_id: UUID, consent: ConsentDraft, *, expected_version: int | None = None
) -> CaseStudy:
    """Take the consent of a client to the offered text; the company records it with the contact and the evidence."""
    tx.actor.must(Right.FOLLOW_UP)
    row = await _locked(tx, study_id, expected_version)
    _must_be(row, S.OFFERED)
    if consent.contact_id is not None:
        await contact_of(tx, consent.contact_id, row.account_id)
    must_be_text(consent.evidence_note, "evidenceNote")
    if not tx.actor.is_client:
        for argument, given in (
            ("contactId", consent.contact_id),
            ("evidenceNote", consent.evidence_note),
        ):
            if given is None:
                raise Refused(
                    Code.INVALID, "Say which contact consented, and how.", argument=argument
                )
    if not consent.channels:
        raise Refused(Code.INVALID, "Choose where it may be shown.", argument="channels")
    today = tx.at.date()
    if not today <= consent.until_on <= today + LONGEST_CONSENT:
        raise Refused(Code.INVALID, "Choose a day within three years.", argument="untilOn")
    before, row.state, channels = row.state, S.CONSENTED, row.channels
    row.channels = sorted({str(each) for each in consent.channels})
    row.until_on, row.consented_at, row.consented_text = consent.until_on, tx.at, row.text_number
    row.contact_id, row.evidence_note = consent.contact_id, consent.evidence_note
    tx.record(
        events.CaseStudyConsented(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=row.contact_id,
            text_number=row.text_number,
            channels_before=channels,
            channels_after=row.channels,
            until_on=consent.until_on,
            by_client=tx.actor.is_client,
            before=before,
            after=row.state,
        )
    )
    await tx.session.flush()
    return row


async def decline_study(
    tx: Tx, study_id: UUID, *, reason: str | None = None, expected_version: int | None = None
) -> CaseStudy:
    """Take a client's no to the offered text."""
    tx.actor.must(Right.FOLLOW_UP)
    row = await _locked(tx, study_id, expected_version)
    _must_be(row, S.OFFERED)
    return await _end(tx, row, S.DECLINED, reason, events.CaseStudyDeclined)


async def publish_study(
    tx: Tx, study_id: UUID, *, expected_version: int | None = None
) -> CaseStudy:
    """Publish a case study, word for word, within its consent."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _locked(tx, study_id, expected_version)
    _must_be(row, S.CONSENTED)
    if row.until_on is None or row.until_on < tx.at.date():
        raise Refused(Code.INVALID, "The consent has ended; offer it again.", argument="id")
    before, row.state, row.published_at = row.state, S.PUBLISHED, tx.at
    tx.record(
        events.CaseStudyPublished(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            text_number=row.text_number,
            before=before,
            after=row.state,
        )
    )
    await tx.session.flush()
    return row


async def withdraw_study(
    tx: Tx, study_id: UUID, *, reason: str | None = None, expected_version: int | None = None
) -> CaseStudy:
    """Withdraw a case study, by the client or by the company: it is shown nowhere from now on."""
    tx.actor.must(Right.FOLLOW_UP)
    row = await _locked(tx, study_id, expected_version)
    if row.state is S.WITHDRAWN:
        raise Refused(Code.ALREADY_DONE, "This case study was withdrawn.", argument="id")
    return await _end(tx, row, S.WITHDRAWN, reason, events.CaseStudyWithdrawn)


async def _end(
    tx: Tx,
    row: CaseStudy,
    state: CaseStudyState,
    reason: str | None,
    fact: type[events.CaseStudyDeclined | events.CaseStudyWithdrawn],
) -> CaseStudy:
    must_be_text(reason, "reason")
    before, row.state = row.state, state
    row.ended_at, row.end_reason = tx.at, reason
    tx.record(
        fact(account_id=row.account_id, subject_id=row.id, at=tx.at, before=before, after=row.state)
    )
    await tx.session.flush()
    return row


async def _locked(tx: Tx, study_id: UUID, expected_version: int | None) -> CaseStudy:
    """Lock a case study; for a client a draft does not exist."""
    seen: ColumnElement[bool] = tx.actor.scope(CaseStudy)
    if tx.actor.is_client:
        seen = and_(seen, CaseStudy.state != S.DRAFT)
    row = await tx.get(CaseStudy, study_id, "case study", lock=True, among=seen)
    must_be_current(row.version, expected_version)
    return row


def _must_be(row: CaseStudy, state: CaseStudyState) -> None:
    if row.state is not state:
        raise Refused(
            Code.INVALID, f"The case study is {row.state}; it must be {state}.", argument="id"
        )


def _consent_of(row: CaseStudy) -> dict[str, Any]:
    """Return what a fact states of the text and its consent."""
    times = ("offered_at", "consented_at", "published_at", "ended_at", "until_on")
    found = {name: getattr(row, name) for name in times}
    return {name: None if at is None else at.isoformat() for name, at in found.items()} | {
        "state": str(row.state),
        "text_number": row.text_number,
        "consented_text": row.consented_text,
        "channels": row.channels,
        "contact_id": None if row.contact_id is None else str(row.contact_id),
    }
