"""Occurrence log: entries that are no incidents, their corrections, the mutations and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, files, incidents, occurrences, shifts
from domain.agreements.model import Priority
from domain.occurrences import OccurrenceKind
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.loaders import MOST
from schema.core.mutations import (
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    SiteId,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, relations, subscription
from schema.incidents import Incident
from schema.shifts import Shift, ShiftId
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    OccurrenceKind,
    "OccurrenceKind",
    visitor="A visitor came or left.",
    key="A key was handed out or came back.",
    parcel="A parcel was received or handed over.",
    defect="Something is broken or does not work.",
    observation="Something was noticed, such as an open window.",
    other="Something else that the next guard should know.",
)
EntryRow = strawberry.Parent[occurrences.OccurrenceEntry]
EntryId = Annotated[UUID, GlobalIdOf("OccurrenceEntry")]
EntryKind = Annotated[OccurrenceKind, "Kind of what happened."]
FromTime = Annotated[datetime | None, "Only what happened at this time or later."]
UntilTime = Annotated[datetime | None, "Only what happened before this time."]


@from_row(occurrences.OccurrenceEntry)
class OccurrenceEntry(Node):
    """Entry of the occurrence log: what was noted at a site and is no incident."""

    kind: EntryKind
    words: Annotated[str, "What happened, as it stands after corrections."]
    internal: Annotated[bool | None, "Whether the client does not see it.", RESTRICTED]
    happened_at: Annotated[datetime, "Time at which it happened."]
    logged_at: Annotated[datetime, "Time at which it was logged."]
    logged_by: Annotated[str, "Actor who logged it, as named in the ledger.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one("Account", accounts.Account, "account_id", "Account that it belongs to.")

    site = to_one(Site, accounts.Site, "site_id", "Site at which it happened.")

    shift = to_one(
        Shift, shifts.Shift, "shift_id", "Shift on which it happened; null for a site without one."
    )

    user = to_one(User, accounts.User, "user_id", "User who logged it. Null for clients.")

    incident = to_one(
        Incident,
        incidents.Incident,
        "incident_id",
        "Incident that was opened from it; null while none was.",
    )

    @relations("OccurrenceCorrection")
    @staticmethod
    async def corrections(row: EntryRow, info: Info) -> list[Any]:
        """What it said before each correction, in their order; clients do not see internal texts."""
        return await info.context.children(
            occurrences.OccurrenceCorrection.entry_id,
            row.id,
            order=(occurrences.OccurrenceCorrection.place,),
        )

    @relations("File")
    @staticmethod
    async def files(row: EntryRow, info: Info) -> list[Any]:
        """Photos and documents of it, oldest first; clients do not see internal ones."""
        attachment = files.FileAttachment
        attached = await info.context.children(
            attachment.subject_id, row.id, order=(attachment.id,), first=MOST
        )
        return await info.context.get_all(files.File, [each.file_id for each in attached])


@from_row(occurrences.OccurrenceCorrection)
class OccurrenceCorrection(Node):
    """What an entry of the occurrence log said before a correction, and the reason of the correction."""

    place: Annotated[int, "Number of the correction within its entry, from 1."]
    earlier_kind: Annotated[OccurrenceKind, "Kind of the entry before."]
    earlier_words: Annotated[str, "What the entry said before."]
    reason: Annotated[str, "Reason of the correction."]
    corrected_at: Annotated[datetime, "Time of the correction."]
    corrected_by: Annotated[str, "Actor who corrected it, as named in the ledger.", RESTRICTED]

    entry = to_one(
        OccurrenceEntry, occurrences.OccurrenceEntry, "entry_id", "Entry that was corrected."
    )


@query_fields
class OccurrenceQuery:
    """Queries of the occurrence log."""

    @lists(
        OccurrenceEntry,
        occurrences.OccurrenceEntry.happened_at,
        occurrences.OccurrenceEntry.id,
        descending=True,
    )
    @staticmethod
    def occurrence_entries(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only entries about this site."] = None,
        shift_id: Annotated[strawberry.ID | None, "Only entries about this shift."] = None,
        kinds: Annotated[list[OccurrenceKind] | None, "Only entries of these kinds."] = None,
        from_at: FromTime = None,
        until_at: UntilTime = None,
    ) -> Rows:
        """Entries of the occurrence log, the latest first; clients do not see internal ones."""
        row = occurrences.OccurrenceEntry
        query = visible(info, row, account_id)
        query = naming(info, query, row.site_id, "Site", site_id)
        query = naming(info, query, row.shift_id, "Shift", shift_id)
        if from_at is not None:
            query = query.where(row.happened_at >= from_at)
        if until_at is not None:
            query = query.where(row.happened_at < until_at)
        return among(query, row.kind, kinds)


@mutation_fields
class OccurrenceMutation:
    """Mutations of the occurrence log."""

    @mutation(OccurrenceEntry)
    @staticmethod
    async def log_occurrence(
        ask: MutationContext,
        kind: EntryKind,
        words: Annotated[str, "What happened, in words."],
        shift_id: Annotated[ShiftId | None, "Shift on which it happened: a guard's own."] = None,
        site_id: Annotated[SiteId | None, "Site at which it happened, without a shift."] = None,
        happened_at: Annotated[
            datetime | None, "Time at which it happened, at most two weeks ago; null: now."
        ] = None,
        internal: Annotated[bool, "Whether the client does not see it."] = False,
    ) -> occurrences.OccurrenceEntry:
        """Log something that is no incident: a guard on the own shift or site, the office anywhere."""
        draft = occurrences.OccurrenceDraft(kind, words, happened_at, internal)
        return await occurrences.log_entry(ask.tx, draft, shift_id=shift_id, site_id=site_id)

    @mutation(OccurrenceEntry)
    @staticmethod
    async def correct_occurrence_entry(
        ask: MutationContext,
        id: Annotated[EntryId, "Entry to be corrected."],
        reason: Annotated[str, "Reason of the correction, in one line."],
        kind: Annotated[OccurrenceKind | None, "Right kind; null: as it is."] = None,
        words: Annotated[str | None, "Right words; null: as they are."] = None,
        internal: Annotated[
            bool | None, "Whether the client does not see it; null: as it is."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> occurrences.OccurrenceEntry:
        """Correct an entry as its author or as the office; what it said before stays readable."""
        return await occurrences.correct_entry(
            ask.tx,
            id,
            reason=reason,
            kind=kind,
            words=words,
            internal=internal,
            expected_version=expected_version,
        )

    @mutation(OccurrenceEntry)
    @staticmethod
    async def open_incident_from_entry(
        ask: MutationContext,
        id: Annotated[EntryId, "Entry that proves to be an incident."],
        priority: Annotated[Priority, "Urgency of the incident."],
        summary: Annotated[
            str | None, "One line that says what it is; null: the words of the entry."
        ] = None,
    ) -> occurrences.OccurrenceEntry:
        """Open an incident from an entry, once; it happened when the entry says."""
        return await occurrences.open_from_entry(ask.tx, id, priority=priority, summary=summary)


@subscription_fields
class OccurrenceSubscription:
    """Subscriptions to the occurrence log."""

    @subscription(FeedEvent)
    def occurrence_logged(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Entries as they are logged, corrected and opened as incidents."""
        return facts_named(info, account_id, after, "occurrence.")
