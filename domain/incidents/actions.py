"""Change incidents: each action locks the row, refuses or changes, records the fact and evaluates the promises."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Role, Tx
from domain.agreements.model import Priority
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line, must_be_text
from domain.incidents import events
from domain.incidents.lifecycle import (
    acknowledge_row,
    assigned_to,
    evaluated,
    load_for_update,
    must_be_open,
    record_event,
)
from domain.incidents.model import (
    CALLED_OFF,
    OPEN,
    Incident,
    IncidentOutcome,
    IncidentUpdate,
    Pause,
    PauseCause,
    Status,
)
from domain.incidents.rules import REOPENED_WITHIN, allowance_left
from domain.promises import pause_allowance


async def acknowledge(
    tx: Tx, incident_id: UUID, *, expected_version: int | None = None
) -> Incident:
    """Acknowledge a new incident; the first-response clock stops at `tx.at`."""
    incident = await load_for_update(tx, incident_id, expected_version)
    if incident.status is not Status.NEW:
        raise Refused(
            Code.INCIDENT_NOT_NEW, f"The incident is {incident.status}, not new.", argument="id"
        )
    acknowledge_row(tx, incident)
    return await evaluated(tx, incident)


async def start_work(tx: Tx, incident_id: UUID, *, expected_version: int | None = None) -> Incident:
    """Record that somebody works on the incident; this also acknowledges a new incident."""
    incident = await load_for_update(tx, incident_id, expected_version)
    if incident.status not in {Status.NEW, Status.ACKNOWLEDGED}:
        raise Refused(
            Code.ALREADY_DONE, f"The incident is already {incident.status}.", argument="id"
        )
    if incident.status is Status.NEW:
        acknowledge_row(tx, incident)
    incident.status = Status.IN_PROGRESS
    record_event(tx, incident, events.WorkStarted)
    return await evaluated(tx, incident)


async def update(
    tx: Tx,
    incident_id: UUID,
    *,
    body: str,
    client_visible: bool = True,
    expected_version: int | None = None,
) -> Incident:
    """Add an update to an incident; a client-visible update of the company restarts the next-update clock."""
    incident = await load_for_update(tx, incident_id, expected_version, right=Right.REPORT)
    if incident.status is Status.CLOSED:
        raise Refused(
            Code.INCIDENT_NOT_OPEN, "The incident is closed; reopen it first.", argument="id"
        )
    must_be_text(body, "body")
    if tx.actor.is_client:
        client_visible = True
        incident.client_contact_count += 1
    row = IncidentUpdate(
        id=uuid7(),
        tenant_id=incident.tenant_id,
        account_id=incident.account_id,
        incident_id=incident.id,
        at=tx.at,
        author=tx.actor.subject,
        body=body,
        client_visible=client_visible,
        words_unread=tx.actor.is_client,
    )
    tx.session.add(row)
    record_event(
        tx,
        incident,
        events.Updated,
        update_id=row.id,
        client_visible=client_visible,
        from_us=not tx.actor.is_client and tx.actor.role is not Role.SYSTEM,
    )
    return await evaluated(tx, incident)


async def pause(
    tx: Tx,
    incident_id: UUID,
    *,
    cause: PauseCause,
    note: str | None = None,
    expected_version: int | None = None,
) -> Incident:
    """Pause the clocks for a cause that the client can read; the total duration of an incident's pauses is limited."""
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_open(incident)
    must_be_text(note, "note")
    if incident.status is Status.PAUSED:
        raise Refused(Code.ALREADY_DONE, "The incident is already paused.", argument="id")
    before = await tx.session.scalars(select(Pause).where(Pause.incident_id == incident.id))
    left = allowance_left(before, await pause_allowance(tx.session, incident.id))
    if not left:
        raise Refused(
            Code.PAUSES_USED_UP, "The pause allowance of this incident is used up.", argument="id"
        )
    tx.session.add(
        Pause(
            tenant_id=incident.tenant_id,
            account_id=incident.account_id,
            incident_id=incident.id,
            from_at=tx.at,
            cap_at=tx.at + left,
            cause=cause,
            note=note,
            resumed_status=incident.status,
        )
    )
    incident.status = Status.PAUSED
    record_event(tx, incident, events.ClocksPaused, cause=cause)
    return await evaluated(tx, incident)


async def resume(tx: Tx, incident_id: UUID, *, expected_version: int | None = None) -> Incident:
    """Resume the clocks of a paused incident."""
    incident = await load_for_update(tx, incident_id, expected_version)
    if incident.status is not Status.PAUSED:
        raise Refused(
            Code.INCIDENT_NOT_PAUSED,
            f"The incident is {incident.status}, not paused.",
            argument="id",
        )
    await _resume(tx, incident)
    return await evaluated(tx, incident)


async def end_capped_pauses(
    session: AsyncSession, *, at: datetime, limit: int = 200, only: UUID | None = None
) -> int:
    """Resume incidents (or `only` that one) whose pause allowance is used up, as of that time; return how many."""
    mine = Incident.status == Status.PAUSED
    due = await session.scalars(
        select(Incident)
        .join(Pause, Pause.incident_id == Incident.id)
        .where(
            Pause.until_at.is_(None),
            Pause.cap_at <= at,
            mine if only is None else and_(mine, Incident.id == only),
        )
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True, of=Incident)
    )
    found = due.all()
    for incident in found:
        tx = Tx(session, Actor.system(incident.tenant_id, "sweeper"), at)
        await _resume(tx, incident)
        await evaluated(tx, incident)
    return len(found)


async def resolve(
    tx: Tx,
    incident_id: UUID,
    *,
    resolution: str,
    outcome: IncidentOutcome = IncidentOutcome.SOLVED,
    expected_version: int | None = None,
) -> Incident:
    """Record that the problem is solved and how; `resolution` is the last client-visible update.

    Every clock of the incident except that of its closure ends here. Promises that are no longer needed and not late
    are cancelled: the arrival, and after a call-off or for a duplicate everything but the first response and the
    updates.
    """
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_open(incident)
    must_be_text(resolution, "resolution")
    if incident.status is Status.PAUSED:
        await _resume(tx, incident)
    if incident.status is Status.NEW:
        acknowledge_row(tx, incident)
    tx.session.add(
        IncidentUpdate(
            tenant_id=incident.tenant_id,
            account_id=incident.account_id,
            incident_id=incident.id,
            at=tx.at,
            author=tx.actor.subject,
            body=resolution,
            client_visible=True,
        )
    )
    incident.status, incident.resolved_at, incident.outcome = Status.RESOLVED, tx.at, outcome
    if outcome in CALLED_OFF:
        record_event(tx, incident, events.CalledOff, outcome=outcome)
    record_event(tx, incident, events.Resolved)
    return await evaluated(tx, incident)


async def close(tx: Tx, incident_id: UUID, *, expected_version: int | None = None) -> Incident:
    """Close a resolved incident."""
    incident = await load_for_update(tx, incident_id, expected_version)
    if incident.status is not Status.RESOLVED:
        raise Refused(
            Code.INCIDENT_NOT_RESOLVED,
            f"The incident is {incident.status}; resolve it before closing it.",
            argument="id",
        )
    incident.status, incident.closed_at = Status.CLOSED, tx.at
    record_event(tx, incident, events.Closed)
    return await evaluated(tx, incident)


async def reopen(
    tx: Tx, incident_id: UUID, *, reason: str, expected_version: int | None = None
) -> Incident:
    """Reopen an ended incident; the clocks continue with the time already elapsed. The client may do this too."""
    incident = await load_for_update(tx, incident_id, expected_version, right=Right.REPORT)
    if incident.status in OPEN:
        raise Refused(
            Code.INCIDENT_NOT_RESOLVED,
            f"The incident is {incident.status}, still open.",
            argument="id",
        )
    must_be_text(reason, "reason")
    ended_at = incident.closed_at or incident.resolved_at or tx.at
    if not tx.actor.may(Right.HANDLE) and tx.at - ended_at > REOPENED_WITHIN:
        raise Refused(
            Code.INCIDENT_NOT_OPEN,
            f"It ended more than {REOPENED_WITHIN.days} days ago. Open a new incident.",
            argument="id",
        )
    before = {
        "outcome_before": incident.outcome,
        "resolved_at_before": incident.resolved_at,
        "closed_at_before": incident.closed_at,
    }
    incident.status = Status.IN_PROGRESS
    incident.resolved_at = incident.closed_at = incident.outcome = None
    incident.reopened_count += 1
    record_event(tx, incident, events.Reopened, reason=reason, **before)
    return await evaluated(tx, incident)


async def change_priority(
    tx: Tx,
    incident_id: UUID,
    *,
    priority: Priority,
    reason: str,
    expected_version: int | None = None,
) -> Incident:
    """Change the priority of an incident; its promises keep their start and their pauses."""
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_open(incident)
    if incident.priority is priority:
        raise Refused(
            Code.ALREADY_DONE, f"The priority is already {priority}.", argument="priority"
        )
    must_be_text(reason, "reason")
    before, incident.priority = incident.priority, priority
    record_event(tx, incident, events.Prioritised, before=before, priority=priority, reason=reason)
    return await evaluated(tx, incident)


async def reassign(
    tx: Tx, incident_id: UUID, *, to: str, expected_version: int | None = None
) -> Incident:
    """Reassign an incident to another person or team."""
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_open(incident)
    must_be_line(to, "to")
    before = await assigned_to(tx.session, incident)
    incident.reassigned_count += 1
    record_event(tx, incident, events.Reassigned, before=before, to=to)
    return await evaluated(tx, incident)


async def _resume(tx: Tx, incident: Incident) -> None:
    """End the current pause, at the end of the allowance when that has passed."""
    running = (
        await tx.session.scalars(
            select(Pause).where(Pause.incident_id == incident.id, Pause.until_at.is_(None))
        )
    ).one()
    # Two concurrent mutations read the time before they wait for the row: the later one may hold the earlier time.
    running.until_at = max(running.from_at, min(tx.at, running.cap_at))
    incident.status = running.resumed_status
    kind = events.ClocksResumed if running.until_at < running.cap_at else events.ResumedAtAllowance
    record_event(tx.as_of(running.until_at), incident, kind)
