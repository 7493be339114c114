"""Mutations of an incident's lifecycle, from opening to closing."""

from datetime import datetime
from typing import Annotated

from domain import incidents
from domain.core.errors import Code, Refused
from domain.incidents import IncidentOutcome, PauseCause, Source
from schema.core.enums import Priority, TicketKind
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, SiteId, mutation
from schema.core.roots import mutation_fields
from schema.incidents import Incident


@mutation_fields
class IncidentMutation:
    """Mutations of incidents. Each happens now; the promises are evaluated in the same transaction."""

    @mutation(Incident)
    @staticmethod
    async def open_incident(
        ask: MutationContext,
        site_id: Annotated[SiteId, "Site at which it happened."],
        priority: Annotated[Priority, "Urgency, which selects the targets of the promises."],
        summary: Annotated[str, "Summary in one line of what happened."],
        source: Annotated[
            Source,
            "Type of reporter: CLIENT for clients, GUARD for guards, PARTNER or ALARM_CENTRE for partners.",
        ],
        reporter: Annotated[
            str,
            "Name of the reporter; ignored for clients and guards, for whom their own name is used.",
        ],
        kind: Annotated[
            TicketKind, "Kind of the incident, such as alarm or complaint."
        ] = TicketKind.INCIDENT,
        category: Annotated[str | None, "Finer category, defined by the company."] = None,
        service: Annotated[
            str | None, "Service that it concerns, such as reception, as the agreement names it."
        ] = None,
        agreed_at: Annotated[
            datetime | None,
            "Date and time that the company agreed for this incident. Not for roles that only report.",
        ] = None,
        external_source: Annotated[
            str | None, "External system from which the incident comes. Not for clients and guards."
        ] = None,
        external_id: Annotated[
            str | None,
            (
                "Number in the external system, unique for you; a repeat is refused with "
                "`existingId`. Not for clients and guards."
            ),
        ] = None,
        occurred_at: Annotated[
            datetime | None,
            "Time at which it happened, if not now: at most 7 days ago; 366 for relationship managers and management.",
        ] = None,
        occurrence_reason: Annotated[
            str | None,
            "Reason why it is reported later; required when it happened more than 5 minutes ago.",
        ] = None,
    ) -> incidents.Incident:
        """Open an incident and start the clocks of its promises."""
        return await incidents.open_incident(
            ask.tx,
            site_id=site_id,
            priority=priority,
            summary=summary,
            source=source,
            reporter=reporter,
            kind=kind,
            category=category,
            service=service,
            agreed_at=agreed_at,
            external_source=external_source,
            external_id=external_id,
            client_limit=ask.ctx.client_limit,
            occurred=_stated(occurred_at, occurrence_reason),
        )

    @mutation(Incident)
    @staticmethod
    async def correct_incident_occurrence(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident of which the time of occurrence is corrected."],
        occurred_at: Annotated[
            datetime | None, "Time at which it happened; null when that is not known after all."
        ],
        reason: Annotated[str, "Reason for the correction."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Correct when an incident happened; promises that run from then are evaluated again.

        Staff who handle incidents may, and whoever opened the incident.
        """
        return await incidents.correct_occurrence(
            ask.tx, id, occurred_at=occurred_at, reason=reason, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def acknowledge_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be acknowledged."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Acknowledge a new incident; its response clock stops now."""
        return await incidents.acknowledge(ask.tx, id, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def start_work_on_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident on which work starts."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Record that work has started; a new incident is also acknowledged."""
        return await incidents.start_work(ask.tx, id, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def arrive_at_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident at which a guard arrived."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Record that a guard is on site; the arrival clock stops now."""
        return await incidents.arrive(ask.tx, id, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def update_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be updated."],
        body: Annotated[str, "Text of the update."],
        client_visible: Annotated[
            bool, "Whether the client can see the update; if so, the next-update clock restarts."
        ] = True,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Add an update to an incident."""
        return await incidents.update(
            ask.tx, id, body=body, client_visible=client_visible, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def pause_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be paused."],
        cause: Annotated[PauseCause, "Cause of the pause, which is always required."],
        note: Annotated[str | None, "Additional explanation of the pause."] = None,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Pause the clocks of an incident, for a recorded cause and a limited time."""
        return await incidents.pause(
            ask.tx, id, cause=cause, note=note, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def resume_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be resumed."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Resume a paused incident; its clocks run again."""
        return await incidents.resume(ask.tx, id, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def resolve_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be resolved."],
        resolution: Annotated[str, "Description of the resolution; the client can read it."],
        outcome: Annotated[
            IncidentOutcome,
            "Outcome of the incident; `CALLED_OFF` and `DUPLICATE` cancel promises that are not late.",
        ] = IncidentOutcome.SOLVED,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Resolve an incident: its clocks end now, and an arrival that is not late is cancelled."""
        return await incidents.resolve(
            ask.tx, id, resolution=resolution, outcome=outcome, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def close_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be closed."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Close an incident that is resolved."""
        return await incidents.close(ask.tx, id, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def reopen_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be reopened."],
        reason: Annotated[str, "Reason for reopening the incident."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Reopen a resolved or closed incident; the resolution clock continues."""
        return await incidents.reopen(ask.tx, id, reason=reason, expected_version=expected_version)

    @mutation(Incident)
    @staticmethod
    async def change_incident_priority(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be reprioritised."],
        priority: Annotated[Priority, "New priority of the incident."],
        reason: Annotated[str, "Reason for the change of priority."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Change the priority of an incident; the new targets count from the original start."""
        return await incidents.change_priority(
            ask.tx, id, priority=priority, reason=reason, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def reassign_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be handed over."],
        to: Annotated[str, "Name of the person or team that takes over."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Hand an incident over to another person or team."""
        return await incidents.reassign(ask.tx, id, to=to, expected_version=expected_version)


def _stated(at: datetime | None, reason: str | None) -> incidents.StatedOccurrence | None:
    """Return what was said of the occurrence; a reason without a time is refused."""
    if at is not None:
        return incidents.StatedOccurrence(at, reason)
    if reason is not None:
        raise Refused(
            Code.INVALID, "A reason needs a time: give occurredAt.", argument="occurredAt"
        )
    return None
