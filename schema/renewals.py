"""Renewals of agreements: the list, the dossier, the decision and the feed."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, agreements, renewals
from domain.access import Tx
from domain.renewals import RenewalOutcome, RenewalReason
from schema.accounts import Account
from schema.agreements import Agreement
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    RenewalOutcome,
    "RenewalOutcome",
    renewed="Renewed until another day, by a decision.",
    renewed_tacitly="Renewed because nobody gave notice in time.",
    ended="Ended with its fixed duration, by a decision.",
    lapsed="Its fixed duration ended without a decision and without a renewal.",
    withdrawn="The agreement has no fixed duration any more, or it ended.",
)
enum(
    RenewalReason,
    "RenewalReason",
    value="Value of the service for the client.",
    service="Quality of the service, good or bad.",
    price="Price of the service.",
    competitor="Offer of a competitor.",
    budget="Budget of the client.",
    closure="Site that the client opens or closes.",
    other="Another reason, which the note gives.",
)
Row = strawberry.Parent[renewals.Renewal]
RenewalId = Annotated[UUID, GlobalIdOf("Renewal")]


@from_row(renewals.Renewal)
class Renewal(Node):
    """Renewal of an agreement at the end of its fixed duration; its clock runs to the last day for notice."""

    fixed_until: Annotated[date, "Last day of the fixed duration."]
    notice_by: Annotated[date, "Last day on which notice can be given."]
    opened_at: Annotated[datetime, "Time from which it is followed."]
    days_left: Annotated[
        int | None, "Step that was raised last: 180, 90, 60 or 30 days; null before the first."
    ]
    notice_passed_at: Annotated[
        datetime | None, "Time at which it was found that nobody gave notice."
    ]
    outcome: Annotated[RenewalOutcome | None, "Outcome of the renewal; null while it is open."]
    decided_at: Annotated[datetime | None, "Time of the outcome; null while it is open."]
    decided_by: Annotated[str | None, "Who decided it, as named in the ledger.", RESTRICTED]
    reason: Annotated[RenewalReason | None, "Main reason for the outcome, as the client gave it."]
    note: Annotated[str | None, "Note on the outcome."]
    price_change_bps: Annotated[
        int | None, "Change of the price in hundredths of a percent, such as 350 for 3.5 %."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Agreement | None)
    @staticmethod
    async def agreement(row: Row, info: Info) -> agreements.Agreement | None:
        """Agreement that is to be renewed."""
        return await info.context.get(agreements.Agreement, row.agreement_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@from_row(renewals.RenewalDossier)
class RenewalDossier:
    """What the client got for its money in the year before now, and the promises of the year before that."""

    from_at: Annotated[datetime, "Beginning of the year, inclusive."]
    until_at: Annotated[datetime, "End of the year, exclusive: now."]
    promises_kept: Annotated[int, "Promises under the agreement that were kept in the year."]
    promises_decided: Annotated[int, "Promises under the agreement with a verdict in the year."]
    promises_kept_before: Annotated[int, "Promises that were kept in the year before."]
    promises_decided_before: Annotated[int, "Promises with a verdict in the year before."]
    commitments_kept: Annotated[int, "Commitments due in the year that were done in time."]
    commitments_due: Annotated[int, "Commitments to the client that were due in the year."]
    incidents_resolved: Annotated[int, "Incidents that were resolved in the year."]
    meetings_held: Annotated[int, "Meetings with the client that took place in the year."]
    open_warnings: Annotated[int, "Early warnings about the relationship that are open now."]
    open_risks: Annotated[int, "Risks in the RAID log that are open now."]
    yearly_fee_cents: Annotated[Long | None, "Twelve monthly fees, in cents.", RESTRICTED]
    credits_cents: Annotated[Long | None, "Credits granted in the year, in cents.", RESTRICTED]
    invoiced_cents: Annotated[Long | None, "Net amount invoiced in the year, in cents.", RESTRICTED]
    currency: Annotated[str | None, "Currency of the terms in force.", RESTRICTED]


@query_fields
class RenewalQuery:
    """Queries of renewals."""

    @resolver(RenewalDossier | None, work=200)
    @staticmethod
    async def renewal_dossier(
        info: Info, id: Annotated[strawberry.ID, "Renewal that is to be prepared."]
    ) -> renewals.RenewalDossier | None:
        """Figures for the renewal of an agreement; null for an unknown renewal."""
        row = await info.context.get(renewals.Renewal, ids.wanted(id, "Renewal", "id"))
        if row is None:
            return None
        ctx = info.context
        async with ctx.sessions() as session:
            return await renewals.dossier_of(Tx(session, ctx.actor, ctx.at), row)

    @lists(Renewal, renewals.Renewal.notice_by, renewals.Renewal.id)
    @staticmethod
    def renewals(
        info: Info,
        account_id: AccountFilter = None,
        is_open: Annotated[
            bool | None, "True: only those without an outcome; false: only those with one."
        ] = None,
    ) -> Rows:
        """Renewals of agreements, by the last day for notice; empty for clients."""
        row = renewals.Renewal
        query = visible(info, row, account_id)
        if is_open is None:
            return query
        return query.where(row.outcome.is_(None) if is_open else row.outcome.is_not(None))


@mutation_fields
class RenewalMutation:
    """Mutations of renewals."""

    @mutation(Renewal)
    @staticmethod
    async def decide_renewal(
        ask: MutationContext,
        id: Annotated[RenewalId, "Renewal without an outcome."],
        outcome: Annotated[RenewalOutcome, "`RENEWED` or `ENDED`; the others follow from time."],
        reason: Annotated[RenewalReason, "Main reason, as the client gave it."],
        note: Annotated[str | None, "Note on the outcome."] = None,
        renewed_until: Annotated[
            date | None, "New last day, which a renewed agreement needs."
        ] = None,
        price_change_bps: Annotated[
            int | None, "Change of the price in hundredths of a percent, from -10,000 to 100,000."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> renewals.Renewal:
        """Decide a renewal; the agreement gets its new last day, or ends with its fixed duration."""
        return await renewals.decide(
            ask.tx,
            id,
            outcome=outcome,
            reason=reason,
            note=note,
            renewed_until=renewed_until,
            price_change_bps=price_change_bps,
            expected_version=expected_version,
        )


@subscription_fields
class RenewalSubscription:
    """Subscriptions about renewals."""

    @subscription(FeedEvent)
    def renewal_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Renewals as their steps are due and as they are decided."""
        return facts_named(info, account_id, after, "renewal.")
