"""Raise entries of the RAID log, review them, hand them over and close them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.parameters import ParameterScope, required_in
from domain.raid import events
from domain.raid.model import RaidEntry, RaidKind
from domain.raid.parameters import INTERVALS
from domain.raid.rules import must_be_assessed, must_have, next_review


class RaidDraft(NamedTuple):
    """What is to be entered: a risk with impact and likelihood, an action with a due time, and so on."""

    kind: RaidKind
    words: str
    owner_id: UUID
    impact: int | None = None
    likelihood: int | None = None
    rationale: str | None = None
    due_at: datetime | None = None
    internal: bool = False
    meeting_id: UUID | None = None


async def raise_entry(tx: Tx, account_id: UUID, draft: RaidDraft) -> RaidEntry:
    """Enter a risk, an action, an issue or a decision; an action becomes a commitment with an owner and a due time."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    await commitments.must_be_colleague(tx, draft.owner_id, account.id)
    must_be_line(draft.words, "words")
    must_be_text(draft.rationale, "rationale")
    must_be_assessed(draft.kind, impact=draft.impact, likelihood=draft.likelihood)
    must_have(draft.kind, RaidKind.DECISION, draft.rationale, "rationale")
    must_have(draft.kind, RaidKind.ACTION, draft.due_at, "dueAt")
    made = None
    if draft.due_at is not None:
        made = await commitments.make(
            tx,
            account.id,
            kind=CommitmentKind.ACTION_ITEM,
            words=draft.words,
            owner_id=draft.owner_id,
            due_at=draft.due_at,
            internal=draft.internal,
        )
    row = RaidEntry(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=draft.kind,
        words=draft.words,
        impact=draft.impact,
        likelihood=draft.likelihood,
        rationale=draft.rationale,
        owner_id=draft.owner_id,
        commitment_id=None if made is None else made.id,
        meeting_id=draft.meeting_id,
        internal=draft.internal,
        raised_at=tx.at,
        reviewed_at=tx.at,
        review_due_at=await _review_due(tx, account, draft.kind),
    )
    tx.session.add(row)
    tx.record(
        events.RaidRaised(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            raid_kind=row.kind,
            impact=row.impact,
            likelihood=row.likelihood,
            review_due_at=row.review_due_at,
            internal=row.internal,
        )
    )
    await tx.session.flush()
    return row


async def review(
    tx: Tx,
    entry_id: UUID,
    *,
    impact: int | None = None,
    likelihood: int | None = None,
    expected_version: int | None = None,
) -> RaidEntry:
    """Review an open entry, and assess it again where values are given; the next review is counted from now."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _open(tx, entry_id, expected_version)
    account = await tx.session.get_one(Account, row.account_id)
    assessed = (
        row.impact if impact is None else impact,
        row.likelihood if likelihood is None else likelihood,
    )
    must_be_assessed(row.kind, impact=assessed[0], likelihood=assessed[1])
    before = _assessment(row)
    row.impact, row.likelihood = assessed
    row.reviewed_at, row.review_late_at = tx.at, None
    row.review_due_at = await _review_due(tx, account, row.kind)
    tx.record(
        events.RaidReviewed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            raid_kind=row.kind,
            before=before,
            after=_assessment(row),
            internal=row.internal,
        )
    )
    await tx.session.flush()
    return row


async def hand_over(
    tx: Tx, entry_id: UUID, *, owner_id: UUID, expected_version: int | None = None
) -> RaidEntry:
    """Hand an open entry over to another user of the company; an action goes with its commitment."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _open(tx, entry_id, expected_version)
    await commitments.must_be_colleague(tx, owner_id, row.account_id)
    if owner_id == row.owner_id:
        raise Refused(Code.ALREADY_DONE, "This user owns it already.", argument="ownerUserId")
    made = await _open_commitment(tx, row)
    if made is not None and made.owner_id != owner_id:
        with naming_only("ownerUserId"):
            await commitments.hand_over(tx, made.id, owner_id=owner_id)
    tx.record(
        events.RaidHandedOver(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=row.owner_id,
            after=owner_id,
        )
    )
    row.owner_id = owner_id
    await tx.session.flush()
    return row


async def close(
    tx: Tx, entry_id: UUID, *, outcome: str, expected_version: int | None = None
) -> RaidEntry:
    """Close an entry with its outcome; the open commitment of an action is finished."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(outcome, "outcome")
    row = await _open(tx, entry_id, expected_version)
    made = await _open_commitment(tx, row)
    if made is not None:
        with naming_only("outcome"):
            await commitments.finish(tx, made.id, note=outcome)
    before = (row.review_due_at, row.review_late_at)
    row.closed_at, row.outcome = tx.at, outcome
    row.review_due_at = row.review_late_at = None
    tx.record(
        events.RaidClosed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            raid_kind=row.kind,
            review_due_at_before=before[0],
            review_late_at_before=before[1],
            internal=row.internal,
        )
    )
    await tx.session.flush()
    return row


async def _open(tx: Tx, entry_id: UUID, expected_version: int | None) -> RaidEntry:
    row = await tx.get(RaidEntry, entry_id, "entry of the RAID log", lock=True)
    must_be_current(row.version, expected_version)
    if row.closed_at is not None:
        raise Refused(Code.ALREADY_DONE, "This entry is closed.", argument="id")
    return row


async def _open_commitment(tx: Tx, row: RaidEntry) -> Commitment | None:
    if row.commitment_id is None:
        return None
    made = await tx.session.get_one(Commitment, row.commitment_id)
    return made if made.done_at is None and made.withdrawn_at is None else None


async def _review_due(tx: Tx, account: Account, kind: RaidKind) -> datetime | None:
    if kind not in INTERVALS:
        return None
    scope = ParameterScope(account.tenant_id, account.id)
    found = await required_in(tx.session, scope, INTERVALS[kind], at=tx.at)
    return next_review(tx.at, found.number, account.time_zone)


def _assessment(row: RaidEntry) -> dict[str, Any]:
    days = (row.review_due_at, row.review_late_at)
    due, late = (None if day is None else day.isoformat() for day in days)
    return {
        "impact": row.impact,
        "likelihood": row.likelihood,
        "review_due_at": due,
        "review_late_at": late,
    }
