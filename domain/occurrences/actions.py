"""Log what happens at sites, correct entries, and open an incident from one."""

from uuid import UUID

from sqlalchemy import and_, func, select

from domain import incidents
from domain.access import Right, Tx, visible_to, workable_by
from domain.accounts.model import Site, User
from domain.agreements.model import Priority
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import LINE, cleaned, must_be_line, must_be_text
from domain.incidents import Incident, Source
from domain.occurrences import events
from domain.occurrences.model import OccurrenceCorrection, OccurrenceEntry, OccurrenceKind
from domain.occurrences.rules import (
    EntryState,
    OccurrenceDraft,
    must_be_loggable,
    must_be_within_shift,
    state_of,
)
from domain.shifts.model import Shift

_CONTROL_ROOM = "control room"


async def log_entry(
    tx: Tx,
    draft: OccurrenceDraft,
    *,
    shift_id: UUID | None = None,
    site_id: UUID | None = None,
) -> OccurrenceEntry:
    """Log what happened on a shift or at a site: a guard on the own work, a dispatcher anywhere."""
    tx.actor.must(Right.ATTEND)
    if (shift_id is None) is (site_id is None):
        raise Refused(Code.INVALID, "Name a shift or a site: one of both.", argument="shiftId")
    happened_at = must_be_loggable(draft, at=tx.at)
    shift = None
    if shift_id is not None:
        shift = await _shift(tx, shift_id)
        must_be_within_shift(happened_at, shift.from_at, shift.until_at)
    site = await _site(tx, site_id or (shift.site_id if shift else None), is_given=shift is None)
    row = OccurrenceEntry(
        id=uuid7(),
        tenant_id=site.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        shift_id=shift_id,
        user_id=tx.actor.user_id,
        kind=draft.kind,
        words=draft.words,
        internal=draft.internal,
        happened_at=happened_at,
        logged_at=tx.at,
        logged_by=tx.actor.subject,
    )
    tx.session.add(row)
    tx.record(
        events.OccurrenceLogged(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            site_id=row.site_id,
            shift_id=row.shift_id,
            entry_kind=row.kind,
            happened_at=row.happened_at,
            words=row.words,
            internal=row.internal,
        )
    )
    await tx.session.flush()
    return row


async def correct_entry(
    tx: Tx,
    entry_id: UUID,
    *,
    reason: str,
    kind: OccurrenceKind | None = None,
    words: str | None = None,
    internal: bool | None = None,
    expected_version: int | None = None,
) -> OccurrenceEntry:
    """Correct an entry with a reason, as its author or the office; what it said before stays readable.

    A report that was signed before keeps what the entry said then.
    """
    must_be_line(reason, "reason")
    must_be_text(words, "words")
    row = await _entry(tx, entry_id)
    must_be_current(row.version, expected_version)
    if not tx.actor.may(Right.ROSTER) and row.user_id != tx.actor.user_id:
        raise Refused(Code.NOT_ALLOWED, "Only its author and the office can correct an entry.")
    before = state_of(row)
    after = EntryState(
        before.kind if kind is None else kind,
        before.words if words is None else words,
        before.internal if internal is None else internal,
    )
    if after == before:
        raise Refused(Code.ALREADY_DONE, "That is what the entry says.", argument="words")
    known = select(func.count()).where(OccurrenceCorrection.entry_id == row.id)
    tx.session.add(
        OccurrenceCorrection(
            id=uuid7(),
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            entry_id=row.id,
            place=(await tx.session.scalar(known) or 0) + 1,
            earlier_kind=before.kind,
            earlier_words=before.words,
            earlier_internal=before.internal,
            reason=reason,
            corrected_at=tx.at,
            corrected_by=tx.actor.subject,
        )
    )
    row.kind, row.words, row.internal = after
    tx.record(
        events.OccurrenceCorrected(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            kind_before=before.kind,
            kind_after=after.kind,
            words_before=before.words,
            words_after=after.words,
            internal_before=before.internal,
            internal_after=after.internal,
            reason=reason,
            internal=before.internal or after.internal,
        )
    )
    await tx.session.flush()
    return row


async def open_from_entry(
    tx: Tx, entry_id: UUID, *, priority: Priority, summary: str | None = None
) -> OccurrenceEntry:
    """Open an incident from an entry, once; without a summary the words of the entry are it."""
    row = await _entry(tx, entry_id)
    if row.incident_id is not None:
        raise Refused(
            Code.ALREADY_DONE,
            "An incident was opened from this entry: see existingId.",
            argument="id",
            existing=("Incident", row.incident_id),
        )
    must_be_line(summary, "summary")
    author = await tx.session.get(User, row.user_id) if row.user_id else None
    occurred = incidents.StatedOccurrence(
        row.happened_at, f"It was in the occurrence log since {row.logged_at:%Y-%m-%d %H:%M} UTC."
    )
    with naming_only("summary", "priority"):
        incident: Incident = await incidents.open_incident(
            tx,
            site_id=row.site_id,
            priority=priority,
            summary=cleaned(row.words, LINE) if summary is None else summary,
            source=Source.GUARD,
            reporter=author.name if author else _CONTROL_ROOM,
            occurred=occurred,
        )
    row.incident_id = incident.id
    tx.record(
        events.OccurrenceBecameIncident(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            incident_id=incident.id,
            internal=row.internal,
        )
    )
    await tx.session.flush()
    return row


async def _entry(tx: Tx, entry_id: UUID) -> OccurrenceEntry:
    tx.actor.must(Right.ATTEND)
    return await tx.get(
        OccurrenceEntry, entry_id, "entry", lock=True, among=visible_to(tx.actor, OccurrenceEntry)
    )


async def _shift(tx: Tx, shift_id: UUID) -> Shift:
    """Return a shift that was published: any for the office, one's own for a guard."""
    reach = visible_to(tx.actor, Shift)
    if not tx.actor.may(Right.ROSTER):
        reach = and_(reach, Shift.user_id == tx.actor.user_id)
    shift = await tx.get(Shift, shift_id, "shift", argument="shiftId", among=reach)
    if shift.published_at is None or shift.cancelled_at is not None:
        raise Refused(Code.INVALID, "The shift is not published, or cancelled.", argument="shiftId")
    return shift


async def _site(tx: Tx, site_id: UUID | None, *, is_given: bool) -> Site:
    """Return the site of an entry: one of the own work where it was named, else that of the shift."""
    wanted = site_id or UUID(int=0)
    if not is_given:
        return await tx.session.get_one(Site, wanted)
    return await tx.get(Site, wanted, "site", argument="siteId", among=workable_by(tx.actor, Site))
