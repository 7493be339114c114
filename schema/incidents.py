"""Tickets of all kinds: what happened, what was said, when the clocks were held, and what may be done."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, incidents
from domain.incidents import IncidentOutcome, PauseCause, Source, Status
from schema.accounts import Account, Site, User
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.enums import Priority, TicketKind
from schema.core.ids import Node
from schema.core.lazy_types import ItsCredit, ItsPromise
from schema.core.loaders import Some
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, SiteId, mutation
from schema.core.pagination import MOST, checked
from schema.core.types import enum, from_row, resolver
from schema.late_arrivals import LateArrival

enum(
    Status, "IncidentStatus",
    new="Reported, nobody has confirmed it yet.", acknowledged="Somebody has confirmed it.",
    in_progress="Somebody is at work.", paused="The clocks stand still, for a recorded cause.",
    resolved="Done, as we see it.", closed="Done, as everybody sees it.",
)  # fmt: skip
enum(
    Source, "IncidentSource",
    guard="A guard.", client="The client.", system="The software itself.",
    partner="A partner's system.", alarm_centre="An alarm centre.",
)  # fmt: skip
enum(
    PauseCause, "PauseCause",
    waiting_on_client="The client has to do something first.", access_denied="We were not let in.",
    force_majeure="Beyond anybody's power.",
)  # fmt: skip

enum(
    IncidentOutcome, "IncidentOutcome",
    solved="What was wrong is solved.", false_alarm="Nothing was wrong.",
    called_off="It was called off: nothing more is needed.",
    duplicate="Another incident covers it.",
)  # fmt: skip

Row = strawberry.Parent[incidents.Incident]
UpdateRow = strawberry.Parent[incidents.IncidentUpdate]


@from_row(incidents.IncidentUpdate)
class IncidentUpdate(Node):
    """Something said on a ticket."""

    at: Annotated[datetime, "When."]
    body: Annotated[str, "What."]
    client_visible: Annotated[bool, "Whether the client sees it, and its update clock starts anew."]

    @resolver(str)
    @staticmethod
    def author(row: UpdateRow, info: Info) -> Any:
        """By whom: `user:…`, `key:…`, `system:…`; for the company's people clients read `guard:<number>` or `staff`."""
        return shown(info, row.account_id, row.author)


@from_row(incidents.Pause)
class Pause(Node):
    """A stretch in which a ticket's clocks stood still, and why."""

    from_at: Annotated[datetime, "From when."]
    until_at: Annotated[datetime | None, "Until when; null while it lasts."]
    cap_at: Annotated[datetime, "When it ends by itself: a ticket's pauses together are capped."]
    cause: Annotated[PauseCause, "Why; there is no pause without a cause."]
    note: Annotated[str | None, "More about it."]


@from_row(incidents.Incident)
class Incident(Node):
    """A ticket: something happened or is asked at a client's site, and its promises run clocks."""

    @resolver(str)
    @staticmethod
    def number(row: Row) -> str:
        """Its number for people, such as `INC-000123`: counted per company, found by `incidents(search)`."""
        return row.reference

    kind: Annotated[TicketKind, "What sort of ticket."]
    category: Annotated[str | None, "A finer sort, of the company's own making."]
    priority: Annotated[Priority, "How urgent."]
    source: Annotated[Source, "Who or what reported it."]
    reporter: Annotated[str, "The reporter's name."]
    summary: Annotated[str, "One line of what happened."]
    status: Annotated[Status, "Where it stands."]
    opened_at: Annotated[datetime, "When it was reported."]
    agreed_at: Annotated[datetime | None, "The date promised for this very ticket."]
    acknowledged_at: Annotated[datetime | None, "When somebody confirmed it."]
    arrived_at: Annotated[datetime | None, "When somebody arrived on site."]
    resolved_at: Annotated[datetime | None, "When it was done."]
    outcome: Annotated[IncidentOutcome | None, "How it ended; null while it is open."]
    closed_at: Annotated[datetime | None, "When it was closed."]
    reopened_count: Annotated[int, "How often it came back."]
    reassigned_count: Annotated[int, "How often it changed hands."]
    external_source: Annotated[str | None, "The system it was read from."]
    external_id: Annotated[str | None, "Its number there."]
    version: Annotated[int, "Raised by every change; give it back as `expectedVersion`."]

    @resolver(int | None)
    @staticmethod
    def time_to_acknowledge_s(row: Row) -> int | None:
        """Wall-clock seconds from opened to acknowledged."""
        return incidents.times(row).to_acknowledge_s

    @resolver(int | None)
    @staticmethod
    def time_to_arrive_s(row: Row) -> int | None:
        """Wall-clock seconds from opened to somebody on site."""
        return incidents.times(row).to_arrive_s

    @resolver(int | None)
    @staticmethod
    def time_to_resolve_s(row: Row) -> int | None:
        """Wall-clock seconds from opened to resolved."""
        return incidents.times(row).to_resolve_s

    @resolver(bool | None)
    @staticmethod
    def first_contact_resolution(row: Row) -> bool | None:
        """Resolved without changing hands, coming back or a second contact by the client; null while open."""
        return incidents.first_contact_resolution(row)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: Row, info: Info) -> accounts.Site | None:
        """The place."""
        return await info.context.loaders.site.load(row.site_id)

    @resolver(User | None)
    @staticmethod
    async def assignee(row: Row, info: Info) -> accounts.User | None:
        """Which of the company's people handles it; null for nobody, and for who does not see the company's people."""
        if row.assignee_id is None:
            return None
        return await info.context.loaders.user.load(row.assignee_id)

    @resolver(list[LateArrival])
    @staticmethod
    async def late_arrivals(row: Row, info: Info) -> list[incidents.LateArrival]:
        """Arrivals that a device handed in too late to count by itself, and what was decided about them."""
        return incidents.late_arrivals(await info.context.loaders.facts_of_subject.load(row.id))

    @resolver(list[IncidentUpdate])
    @staticmethod
    async def updates(
        row: Row, info: Info, last: Annotated[int, "How many, 100 at most."] = 20
    ) -> list[incidents.IncidentUpdate]:
        """The last things said, newest first; clients see what is meant for them."""
        some = Some(row.id, checked(last, "last"))
        return await info.context.loaders.updates_of_incident.load(some)

    @resolver(list[Pause])
    @staticmethod
    async def pauses(row: Row, info: Info) -> list[incidents.Pause]:
        """When the clocks stood still, oldest first."""
        return await info.context.loaders.pauses_of_incident.load(row.id)

    @resolver(list[ItsPromise])
    @staticmethod
    async def promises(
        row: Row, info: Info, first: Annotated[int, "How many, 100 at most."] = 20
    ) -> list[Any]:
        """The promises on the clock, by start; clients see what was promised to them."""
        some = Some(row.id, checked(first, "first"))
        return await info.context.loaders.promises_of_incident.load(some)

    @resolver(datetime | None)
    @staticmethod
    async def next_due_at(row: Row, info: Info) -> datetime | None:
        """The first `dueAt` of the promises that you see and whose clocks run; null when there is none."""
        found = await info.context.loaders.promises_of_incident.load(Some(row.id, MOST))
        return min(
            (p.announced_due_at for p in found if p.announced_due_at is not None), default=None
        )

    @resolver(list[ItsCredit])
    @staticmethod
    async def credits(row: Row, info: Info) -> list[Any]:
        """What the client gets back for promises broken here."""
        return await info.context.loaders.credits_of_incident.load(Some(row.id, MOST))


@strawberry.type
class IncidentMutation:
    """Verbs about tickets. Each happens now; the promises are judged in the same transaction."""

    @mutation(Incident)
    @staticmethod
    async def open_incident(
        ask: MutationContext,
        site_id: Annotated[SiteId, "The place."],
        priority: Annotated[Priority, "How urgent."],
        summary: Annotated[str, "One line of what happened."],
        source: Annotated[
            Source,
            "Who or what reports it: CLIENT for clients, GUARD for guards, PARTNER or ALARM_CENTRE for partners.",
        ],
        reporter: Annotated[
            str, "The reporter's name; of clients and guards their own name is taken."
        ],
        kind: Annotated[TicketKind, "What sort of ticket."] = TicketKind.INCIDENT,
        category: Annotated[str | None, "A finer sort."] = None,
        agreed_at: Annotated[
            datetime | None,
            "A date that the company agreed for this very ticket. Not for who only reports.",
        ] = None,
        external_source: Annotated[
            str | None, "The system it comes from. Not for clients and guards."
        ] = None,
        external_id: Annotated[
            str | None,
            "Its number there, yours alone: sent again it is refused with `existingId`. Not for clients and guards.",
        ] = None,
    ) -> incidents.Incident:
        """Report something; its promises start to run."""
        return await incidents.open_incident(
            ask.session, ask.actor, site_id=site_id, priority=priority, summary=summary,
            source=source, reporter=reporter, kind=kind, category=category, agreed_at=agreed_at,
            external_source=external_source, external_id=external_id, at=ask.at,
            client_limit=ask.ctx.client_limit,
        )  # fmt: skip

    @mutation(Incident)
    @staticmethod
    async def acknowledge_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Confirm a new ticket; the response clock stops now."""
        return await incidents.acknowledge(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def start_work_on_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say that somebody is at work; that also confirms a new ticket."""
        return await incidents.start_work(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def arrive_at_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say that somebody is on site; the arrival clock stops now."""
        return await incidents.arrive(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def update_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        body: Annotated[str, "What there is to say."],
        client_visible: Annotated[
            bool, "Whether the client sees it; then the update clock starts anew."
        ] = True,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say something on a ticket."""
        return await incidents.update(
            ask.session, ask.actor, id, body=body, client_visible=client_visible, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Incident)
    @staticmethod
    async def pause_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        cause: Annotated[PauseCause, "Why."],
        note: Annotated[str | None, "More about it."] = None,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Hold the clocks, for a recorded cause and not for ever."""
        return await incidents.pause(
            ask.session, ask.actor, id, cause=cause, note=note, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Incident)
    @staticmethod
    async def resume_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Let the clocks run again."""
        return await incidents.resume(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def resolve_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        resolution: Annotated[str, "How it was resolved; the client reads it."],
        outcome: Annotated[
            IncidentOutcome, "How it ended; called off and duplicate cancel what is not late."
        ] = IncidentOutcome.SOLVED,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say that it is done; its clocks end now, and an arrival that is not late is cancelled."""
        return await incidents.resolve(
            ask.session, ask.actor, id, resolution=resolution, outcome=outcome, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Incident)
    @staticmethod
    async def close_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Put a resolved ticket away."""
        return await incidents.close(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def reopen_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        reason: Annotated[str, "Why it is not done after all."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Take a resolved or closed ticket up again; the resolution clock runs on."""
        return await incidents.reopen(
            ask.session, ask.actor, id, reason=reason, at=ask.at, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def change_incident_priority(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        priority: Annotated[Priority, "How urgent it is now."],
        reason: Annotated[str, "Why."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Make it more or less urgent; targets follow, counted from the original start."""
        return await incidents.change_priority(
            ask.session, ask.actor, id, priority=priority, reason=reason, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Incident)
    @staticmethod
    async def reassign_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        to: Annotated[str, "Who takes it over."],
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Hand a ticket over."""
        return await incidents.reassign(
            ask.session, ask.actor, id, to=to, at=ask.at, expected_version=expected_version
        )
