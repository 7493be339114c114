"""The agenda and the summary of a meeting as commitments of its organiser."""

from collections.abc import Sequence

from sqlalchemy import select

from domain import commitments
from domain.access import Tx
from domain.accounts.model import Account
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.errors import naming_only
from domain.meetings.model import Meeting
from domain.meetings.rules import agenda_due_at, summary_due_at

_WORDS = {
    "nl": {CommitmentKind.AGENDA: "Agenda van", CommitmentKind.SUMMARY: "Verslag van"},
    "en": {CommitmentKind.AGENDA: "Agenda of", CommitmentKind.SUMMARY: "Summary of"},
}


async def promise_papers(tx: Tx, account: Account, meeting: Meeting) -> None:
    """Make commitments of the agenda, where it is not sent yet, and of the summary."""
    due = {CommitmentKind.SUMMARY: summary_due_at(meeting.ends_at)}
    if meeting.agenda is None:
        due[CommitmentKind.AGENDA] = agenda_due_at(meeting.starts_at)
    for kind, due_at in due.items():
        with naming_only():
            await commitments.make(
                tx,
                meeting.account_id,
                kind=kind,
                words=f"{_WORDS[account.language][kind]} {meeting.title}",
                owner_id=meeting.organiser_id,
                due_at=due_at,
                meeting_id=meeting.id,
            )


async def finish_paper(tx: Tx, meeting: Meeting, kind: CommitmentKind) -> None:
    """Finish the commitment of the agenda or the summary, if it is open."""
    for each in await _open_papers(tx, meeting):
        if each.kind is kind:
            with naming_only("id"):
                await commitments.finish(tx, each.id)


async def drop_papers(tx: Tx, meeting: Meeting, reason: str) -> None:
    """Withdraw what is no longer due; what is late stays late, and is done with that."""
    for each in await _open_papers(tx, meeting):
        with naming_only():
            if tx.at > each.due_at:
                await commitments.finish(tx, each.id, note=reason)
            else:
                await commitments.withdraw(tx, each.id, reason=reason)


async def _open_papers(tx: Tx, meeting: Meeting) -> Sequence[Commitment]:
    query = select(Commitment).where(
        Commitment.meeting_id == meeting.id,
        Commitment.kind.in_((CommitmentKind.AGENDA, CommitmentKind.SUMMARY)),
        Commitment.done_at.is_(None),
        Commitment.withdrawn_at.is_(None),
    )
    return (await tx.session.scalars(query.order_by(Commitment.id))).all()
