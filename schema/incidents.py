"""Incidents of all kinds, with their updates and pauses."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, compensation, files, incidents, occurrences
from domain.core.ledger import LedgerRow
from domain.incidents import IncidentOutcome, PauseCause, Source, Status
from domain.promises import Promise as PromiseRow
from schema.accounts import Account
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.enums import Priority, TicketKind
from schema.core.ids import Node
from schema.core.loaders import MOST
from schema.core.relations import to_many, to_one
from schema.core.types import enum, from_row, relation, relations, resolver
from schema.evidence import ArrivalEvidence
from schema.late_arrivals import LateArrival
from schema.sites import Site
from schema.users import User

enum(
    Status,
    "IncidentStatus",
    new="New: reported, not acknowledged yet.",
    acknowledged="Acknowledged by a person of the company.",
    in_progress="In progress: work has started.",
    paused="Paused: the clocks do not run, for a recorded cause.",
    resolved="Resolved: the work is done in the company's view.",
    closed="Closed: the work is done in the view of company and client.",
)
enum(
    Source,
    "IncidentSource",
    guard="Reported by a guard.",
    client="Reported by the client.",
    system="Reported by the software itself.",
    partner="Reported by a partner's system.",
    alarm_centre="Reported by an alarm centre.",
)
enum(
    PauseCause,
    "PauseCause",
    waiting_on_client="The client must act before work can continue.",
    access_denied="The guard was not given access.",
    force_majeure="Force majeure: events beyond anybody's control.",
)

enum(
    IncidentOutcome,
    "IncidentOutcome",
    solved="The cause was found and solved.",
    false_alarm="False alarm: nothing was wrong.",
    called_off="Called off: no further work is needed.",
    duplicate="Another incident covers the same event.",
)

Row = strawberry.Parent[incidents.Incident]
_PROMISE_ORDER = (PromiseRow.started_at, PromiseRow.term_id, PromiseRow.part)
UpdateRow = strawberry.Parent[incidents.IncidentUpdate]


@from_row(incidents.IncidentUpdate)
class IncidentUpdate(Node):
    """Update text on an incident, by a person or system."""

    at: Annotated[datetime, "Time at which the update was added."]
    body: Annotated[str, "Text of the update, as it was entered."]
    client_visible: Annotated[
        bool, ("Whether the update is visible to the client and restarts the next-update clock.")
    ]

    @resolver(str, reads=("account_id", "author"))
    @staticmethod
    def author(row: UpdateRow, info: Info) -> Any:
        """Author: `user:…`, `key:…` or `system:…`. Clients see staff of the company as `guard:<number>` or `staff`."""
        return shown(info, row.account_id, row.author)


@from_row(incidents.Pause)
class Pause(Node):
    """Interval in which the clocks of an incident did not run, with its cause."""

    from_at: Annotated[datetime, "Time at which the pause started."]
    until_at: Annotated[datetime | None, "Time at which the pause ended; null while it lasts."]
    cap_at: Annotated[
        datetime,
        "Time at which the pause ends automatically, because the total of an incident's pauses is limited.",
    ]
    cause: Annotated[PauseCause, "Cause of the pause, which is always required."]
    note: Annotated[str | None, "Additional explanation of the pause; null when there is none."]


@from_row(incidents.Incident)
class Incident(Node):
    """Incident at a client's site: an event or a request, with the clocks of its promises."""

    @resolver(str, reads=("number",))
    @staticmethod
    def number(row: Row) -> str:
        """Number for people, such as `INC-000123`; counted per company, found by `incidents(search)`."""
        return row.reference

    kind: Annotated[TicketKind, "Kind of the incident, such as alarm or complaint."]
    service: Annotated[
        str | None,
        "Service that the incident concerns, such as reception; null when not stated.",
        "WITH_ROW",
    ]
    category: Annotated[
        str | None, "Finer category, defined by the company; null when there is none."
    ]
    priority: Annotated[Priority, "Urgency, which selects the targets of the promises."]
    source: Annotated[Source, "Type of person or system that reported it."]
    reporter: Annotated[str, "Name of the reporter, as it was given."]
    summary: Annotated[str, "Summary in one line of what happened."]
    status: Annotated[Status, "Status of the incident in its lifecycle."]
    opened_at: Annotated[datetime, "Time at which the incident was reported to the company."]
    occurred_at: Annotated[
        datetime | None, "Time at which it happened, as somebody stated; null when nobody did."
    ]
    agreed_at: Annotated[
        datetime | None, "Date and time agreed for this incident; null when there is none."
    ]
    acknowledged_at: Annotated[
        datetime | None, "Time at which the incident was acknowledged; null before."
    ]
    arrived_at: Annotated[datetime | None, "Time at which a guard arrived on site; null before."]
    resolved_at: Annotated[datetime | None, "Time at which the incident was resolved; null before."]
    outcome: Annotated[IncidentOutcome | None, "Outcome of the incident; null while it is open."]
    closed_at: Annotated[datetime | None, "Time at which the incident was closed; null before."]
    reopened_count: Annotated[int, "Number of times the incident was reopened."]
    reassigned_count: Annotated[int, "Number of times the incident was reassigned."]
    external_source: Annotated[
        str | None, "External system from which the incident was imported; null for none."
    ]
    external_id: Annotated[
        str | None, "Number of the incident in the external system; null for none."
    ]
    version: Annotated[
        int, "Version of the row, raised by every change; pass it as `expectedVersion`."
    ]

    @resolver(int | None)
    @staticmethod
    def time_to_acknowledge_s(row: Row) -> int | None:
        """Elapsed seconds from opened to acknowledged (wall-clock time)."""
        return incidents.times(row).to_acknowledge_s

    @resolver(int | None)
    @staticmethod
    def time_to_arrive_s(row: Row) -> int | None:
        """Elapsed seconds from opened to the arrival on site (wall-clock time)."""
        return incidents.times(row).to_arrive_s

    @resolver(int | None)
    @staticmethod
    def time_to_resolve_s(row: Row) -> int | None:
        """Elapsed seconds from opened to resolved (wall-clock time)."""
        return incidents.times(row).to_resolve_s

    @resolver(bool | None)
    @staticmethod
    def first_contact_resolution(row: Row) -> bool | None:
        """Whether it was resolved without reassignment, reopening or a second client contact; null while open."""
        return incidents.first_contact_resolution(row)

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account of the client that the incident concerns.",
    )
    site = to_one(Site, accounts.Site, "site_id", "Site at which it happened.")
    assignee = to_one(
        User,
        accounts.User,
        "assignee_id",
        "User of the company who handles it; null for nobody, and for readers who may not see the company's users.",
    )

    @resolver(list[LateArrival])
    @staticmethod
    async def late_arrivals(row: Row, info: Info) -> list[incidents.LateArrival]:
        """Arrivals reported too late by a device to count automatically, with the decisions about them."""
        return incidents.late_arrivals(
            await info.context.children(LedgerRow.subject_id, row.id, order=(LedgerRow.id,))
        )

    @resolver(ArrivalEvidence | None)
    @staticmethod
    async def arrival_evidence(row: Row, info: Info) -> incidents.ArrivalEvidence | None:
        """Evidence of the arrival, with its grade and the reasons; null before, and for arrivals without a grade."""
        facts = await info.context.children(LedgerRow.subject_id, row.id, order=(LedgerRow.id,))
        return incidents.arrival_evidence(facts, row.arrived_at)

    updates = to_many(
        IncidentUpdate,
        incidents.IncidentUpdate.incident_id,
        "Latest updates, newest first; clients see only those marked visible to them.",
        order=(incidents.IncidentUpdate.at, incidents.IncidentUpdate.id),
        descending=True,
        size="last",
        size_words="Number of updates from the end, at most 100.",
        default=20,
    )

    @resolver(list[Pause])
    @staticmethod
    async def pauses(row: Row, info: Info) -> list[incidents.Pause]:
        """Intervals in which the clocks did not run, oldest first."""
        return await info.context.children(
            incidents.Pause.incident_id, row.id, order=(incidents.Pause.from_at,)
        )

    promises = to_many(
        "Promise",
        PromiseRow.unit_id,
        "Promises on this incident, by start; clients do not see internal ones.",
        order=_PROMISE_ORDER,
        size="first",
        size_words="Maximum number of promises to return, at most 100.",
        default=20,
    )

    @relations("File")
    @staticmethod
    async def files(row: Row, info: Info) -> list[Any]:
        """Photos and documents of the incident, oldest first; clients do not see internal ones."""
        attachment = files.FileAttachment
        attached = await info.context.children(
            attachment.subject_id, row.id, order=(attachment.id,), first=MOST
        )
        return await info.context.get_all(files.File, [each.file_id for each in attached])

    @relation("OccurrenceEntry")
    @staticmethod
    async def occurrence_entry(row: Row, info: Info) -> Any:
        """Entry of the occurrence log from which the incident was opened; null for others."""
        return await info.context.get_by(occurrences.OccurrenceEntry.incident_id, row.id)

    @resolver(datetime | None)
    @staticmethod
    async def next_due_at(row: Row, info: Info) -> datetime | None:
        """Earliest `dueAt` of the running promises visible to you; null when there is none."""
        found = await info.context.children(
            PromiseRow.unit_id, row.id, order=_PROMISE_ORDER, first=MOST
        )
        return min(
            (p.announced_due_at for p in found if p.announced_due_at is not None), default=None
        )

    @relations("Credit")
    @staticmethod
    async def credits(row: Row, info: Info) -> list[Any]:
        """Credits of the client for promises broken on this incident."""
        return await info.context.children(
            compensation.Credit.unit_id, row.id, order=(compensation.Credit.id,), first=MOST
        )
