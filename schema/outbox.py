"""Jobs of the outbox and deferred work, for operators of the software."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import messages
from domain.access import Right
from domain.accounts import Tenant as TenantRow
from domain.core.backlog import Backlog as BacklogRow
from domain.core.backlog import backlog
from domain.core.deferral import Deferral as DeferralRow
from domain.core.deferral import deferred
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox as OutboxRow
from domain.core.outbox import OutboxState
from schema.company import Tenant
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver

enum(
    OutboxState,
    "OutboxState",
    pending="Pending: waits for its first or next attempt.",
    done="Done: the job succeeded.",
    dead="Dead: given up after repeated failures.",
)

Row = strawberry.Parent[OutboxRow]
OutboxId = Annotated[UUID, GlobalIdOf("Outbox")]


@from_row(OutboxRow)
class Outbox(Node):
    """Job that follows from one fact and is executed once."""

    job: Annotated[str, "Name of the job, such as `send_message`."]
    state: Annotated[OutboxState, "State of the job."]
    attempts: Annotated[int, "Number of attempts so far."]
    due_at: Annotated[datetime, "Time of the next attempt."]
    done_at: Annotated[datetime | None, "Time at which the job succeeded; null before."]
    error: Annotated[str | None, "Error of the last attempt; null when there was none."]

    @resolver(str | None)
    @staticmethod
    async def fact(row: Row, info: Info) -> str | None:
        """Kind of the fact that caused the job, such as `message.queued`."""
        found: LedgerRow | None = await info.context.get_by(LedgerRow.id, row.fact_id)
        return None if found is None else found.kind


@from_row(BacklogRow)
class Backlog:
    """Backlog of jobs that are not done."""

    pending: Annotated[int, "Number of jobs that wait for their first or next attempt."]
    failed: Annotated[int, "Number of waiting jobs with at least one failed attempt."]
    oldest_due_at: Annotated[
        datetime | None, "Due time of the oldest waiting job; null when none waits."
    ]
    dead: Annotated[int, "Number of jobs that were given up."]
    oldest_at: Annotated[
        datetime | None,
        "Time at which the fact of the oldest waiting job was recorded; null when none waits.",
    ]
    oldest_s: Annotated[float, "Age of that fact, in seconds."]
    lag_s: Annotated[
        float,
        "Seconds since the fact of the oldest job without an attempt was recorded.",
    ]
    is_late: Annotated[bool, "Whether that lag is more than a minute."]


@from_row(DeferralRow)
class DeferredWork:
    """Periodic work (closing a month, an invoice, a report, …) that failed and waits for its next attempt."""

    part: Annotated[str, "Kind of work, such as `months`, `invoices` or `reports`."]
    attempts: Annotated[int, "Number of failed attempts so far."]
    since: Annotated[datetime, "Time of the first failure."]
    next_try_at: Annotated[datetime, "Time of the next attempt."]
    error: Annotated[str, "Error of the last attempt."]

    @resolver(strawberry.ID)
    @staticmethod
    def subject_id(row: strawberry.Parent[DeferralRow]) -> str:
        """Id of the row concerned, such as an agreement, incident or report plan, as logs and `doctor` print it."""
        return str(row.subject_id)


@from_row(messages.SuppressedAddress)
class Suppression:
    """E-mail address that bounced; no e-mail is sent to it until `liftSuppression`."""

    address: Annotated[str, "The suppressed e-mail address."]
    since: Annotated[datetime, "Time of the bounce."]
    error: Annotated[str | None, "Response of the receiving mail server; null when it was erased."]
    stopped: Annotated[int, "Number of messages stopped since the bounce."]


@query_fields
class OutboxQuery:
    """Queries of pending work."""

    @resolver(Backlog | None, work=100)
    @staticmethod
    async def backlog(info: Info) -> Any:
        """Backlog of jobs; null for roles that may not operate the software."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return None
        async with info.context.sessions() as session:
            mine = OutboxRow.tenant_id == actor.tenant_id
            return await backlog(session, mine, at=info.context.now())

    @resolver(list[DeferredWork])
    @staticmethod
    async def deferred_work(info: Info) -> Any:
        """Failed periodic work that waits for its next attempt, at most 100; empty without the right to operate."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return []
        async with info.context.sessions() as session:
            return await deferred(session, DeferralRow.tenant_id == actor.tenant_id)

    @resolver(list[Suppression])
    @staticmethod
    async def suppressed_addresses(info: Info) -> Any:
        """Suppressed e-mail addresses, longest first; empty for roles that may not operate the software."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return []
        async with info.context.sessions() as session:
            return await messages.suppressions(session, [actor.tenant_id])

    @lists(Outbox, OutboxRow.id)
    @staticmethod
    def outbox(
        info: Info,
        states: Annotated[
            list[OutboxState] | None,
            "Only jobs in one of these states; by default those that are not done.",
        ] = None,
    ) -> Rows:
        """Jobs of the outbox, oldest first; empty for roles that may not operate the software."""
        wanted = states or [OutboxState.PENDING, OutboxState.DEAD]
        return visible(info, OutboxRow).where(OutboxRow.state.in_(set(wanted)))


@mutation_fields
class OutboxMutation:
    """Mutations that retry jobs."""

    @mutation(Outbox)
    @staticmethod
    async def retry_consequence(
        ask: MutationContext, id: Annotated[OutboxId, "Job to try again."]
    ) -> OutboxRow:
        """Retry a job now that was given up or waits for its next attempt."""
        return await messages.retry(ask.tx, id)

    @mutation(Tenant)
    @staticmethod
    async def lift_suppression(
        ask: MutationContext, address: Annotated[str, "The suppressed e-mail address."]
    ) -> TenantRow:
        """Send e-mail to an address again after its problem was solved. Returns the company."""
        await messages.unsuppress(ask.tx, address)
        return await ask.session.get_one(TenantRow, ask.actor.tenant_id)

    @mutation(Tenant)
    @staticmethod
    async def retry_dead_consequences(ask: MutationContext) -> TenantRow:
        """Retry all jobs now that were given up. Returns the company that they belong to."""
        await messages.retry_all(ask.tx)
        return await ask.session.get_one(TenantRow, ask.actor.tenant_id)
