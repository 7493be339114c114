"""Name contacts who speak up for the company, and end that with a reason."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Contact
from domain.advocacy.calls import cancel
from domain.advocacy.events import ChampionEnded, ChampionNamed
from domain.advocacy.model import CallState, Champion, ChampionEnd, ReferenceCall
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text


async def name_champion(
    tx: Tx, contact_id: UUID, *, evidence_note: str, since_on: date | None = None
) -> Champion:
    """Record that a contact speaks up for the company, with what shows it."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    contact = await tx.get(Contact, contact_id, "contact", argument="contactId", lock=True)
    must_be_text(evidence_note, "evidenceNote")
    must_be_day(since_on, "sinceOn", tx.at)
    since = since_on or tx.at.date()
    if since > tx.at.date():
        raise Refused(Code.TIME_REVERSED, "Choose a day until today.", argument="sinceOn")
    known = await tx.session.scalar(
        select(Champion).where(Champion.contact_id == contact.id, Champion.ended_at.is_(None))
    )
    if known is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "This contact is a champion.",
            argument="contactId",
            existing=("Champion", known.id),
        )
    row = Champion(
        id=uuid7(),
        tenant_id=contact.tenant_id,
        account_id=contact.account_id,
        contact_id=contact.id,
        since_on=since,
        evidence_note=evidence_note,
        named_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        ChampionNamed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=contact.id,
            since_on=since,
        )
    )
    await tx.session.flush()
    return row


async def end_champion(
    tx: Tx,
    champion_id: UUID,
    *,
    reason: ChampionEnd,
    note: str | None = None,
    expected_version: int | None = None,
) -> Champion:
    """Record that a contact speaks up for the company no more, and why."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(Champion, champion_id, "champion", lock=True)
    must_be_current(row.version, expected_version)
    must_be_text(note, "note")
    if reason is ChampionEnd.ERASED:
        raise Refused(
            Code.INVALID, "The erasure of the contact gives this reason.", argument="reason"
        )
    if row.ended_at is not None:
        raise Refused(Code.ALREADY_DONE, "This contact is a champion no more.", argument="id")
    _end(tx, row, reason)
    row.end_note = note
    await tx.session.flush()
    return row


async def forget_contact(tx: Tx, contact_id: UUID) -> None:
    """End what a contact who is erased was asked for: the champion, and the open reference calls."""
    named = await tx.session.scalars(
        select(Champion)
        .where(Champion.contact_id == contact_id, Champion.ended_at.is_(None))
        .with_for_update()
    )
    for row in named.all():
        _end(tx, row, ChampionEnd.ERASED)
    asked = await tx.session.scalars(
        select(ReferenceCall)
        .where(
            ReferenceCall.contact_id == contact_id,
            ReferenceCall.state.in_((CallState.REQUESTED, CallState.AGREED)),
        )
        .with_for_update()
    )
    for call in asked.all():
        cancel(tx, call, None)
    await tx.session.flush()


def _end(tx: Tx, row: Champion, reason: ChampionEnd) -> None:
    row.ended_at, row.end_reason = tx.at, reason
    tx.record(
        ChampionEnded(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            contact_id=row.contact_id,
            reason=reason,
        )
    )
