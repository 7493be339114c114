"""Subscriptions to facts, resumable by cursor, with the objects they concern in their current state."""

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy import or_
from strawberry.dataloader import DataLoader

from domain import accounts, incidents, promises, surveys
from domain.access import Actor
from domain.agreements import PromiseKind
from domain.catalogue import must_be_kinds
from domain.core import cursor
from domain.core.db import Sessions
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from domain.fact_ids import named_in
from realtime.feed import Facts, Gap
from realtime.source import GapReason
from schema.accounts import Account
from schema.core import ids
from schema.core.actor_name import shown
from schema.core.context import Context, Info
from schema.core.roots import subscription_fields
from schema.core.scalars import Json
from schema.core.types import enum, from_row, relation, resolver, subscription
from schema.credits import Credit
from schema.incidents import Incident
from schema.ledger import subject, subject_id
from schema.promises import Promise
from schema.timeline import timeline_facts

enum(
    GapReason,
    "GapReason",
    too_slow="The client read too slowly. Subscribe again with this cursor.",
    restored="The ledger was restored from a backup: events you received may not exist any more. Read `ledger` again.",
    too_far=(
        "More events were missed than a subscription replays. Read `ledger` from this "
        "cursor, then subscribe again."
    ),
)


_cursor = lru_cache(1024)(cursor.of_seq)
"""Many shared subscriptions deliver the same fact."""


@dataclass(frozen=True, slots=True)
class Item:
    """Fact, or the notice that ends a subscription, with the tenant and the position after it."""

    tenant_id: UUID
    seq: int
    fact: SequencedEvent | None = None
    gap: GapReason | None = None

    # Read directly, because resolvers would cost 10 µs for each of these fields per event.
    @property
    def kind(self) -> str:
        """Kind of the fact."""
        return "feed.gap" if self.fact is None else self.fact.kind

    @property
    def at(self) -> datetime | None:
        """Time at which the event happened."""
        return None if self.fact is None else self.fact.at

    @property
    def recorded_at(self) -> datetime | None:
        """Time at which the fact was recorded."""
        return None if self.fact is None else self.fact.recorded_at

    @property
    def body(self) -> dict[str, Any] | None:
        """Details of the fact."""
        return None if self.fact is None else self.fact.body


Row = strawberry.Parent[Item]


@from_row(Item)
class FeedEvent:
    """Event of the ledger as it happens, or (with `gap`) the notice that this subscription ends here."""

    gap: Annotated[
        GapReason | None,
        (
            "Reason for which the subscription ends; every event up to `cursor` was sent, "
            "none beyond it. Null for events."
        ),
    ]
    kind: Annotated[
        str, "Kind of the fact, such as `incident.acknowledged`; `feed.gap` for the notice."
    ]
    at: Annotated[datetime | None, "Time at which the event happened."]
    recorded_at: Annotated[datetime | None, "Time at which the fact was recorded."]
    body: Annotated[Json | None, "Details of the fact; the fields depend on the kind."]

    @resolver(str | None)
    @staticmethod
    def actor(row: Row, info: Info) -> Any:
        """Actor: `user:…`, `key:…` or `system:…`. Clients see staff of the company as `guard:<number>` or `staff`."""
        return None if row.fact is None else shown(info, row.fact.account_id, row.fact.actor)

    @resolver(str)
    @staticmethod
    def cursor(row: Row, info: Info) -> str:
        """Position in the ledger; pass it as `after` to continue later."""
        link = None if row.fact is None else row.fact.link
        return _cursor(info.context.secret, row.tenant_id, row.seq, link)

    @resolver(strawberry.ID | None)
    @staticmethod
    def subject_id(row: Row) -> str | None:
        """Global id of the object that the fact is about; `node(id)` returns it."""
        return None if row.fact is None else subject_id(row.fact)

    @resolver(Json | None)
    @staticmethod
    def ids(row: Row) -> Any:
        """Global ids of the rows that the body refers to, by the names of the body's fields."""
        return None if row.fact is None else named_in(row.fact.kind, row.fact.body, ids.write)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> Any:
        """Account that the event concerns, in its current state."""
        if row.fact is None or row.fact.account_id is None:
            return None
        return await info.context.get(accounts.Account, row.fact.account_id)

    @resolver(Incident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """Incident that the event concerns, in its current state."""
        if row.fact is None:
            return None
        about = row.fact.body.get("incident_id")
        if about is not None:
            return await info.context.get(incidents.Incident, UUID(about))
        return await subject(info, row.fact, "Incident")

    @resolver(Promise | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> Any:
        """Promise that the event concerns, in its current state."""
        if row.fact is None:
            return None
        about = row.fact.body.get("promise_id")
        if about is not None:
            return await info.context.get(promises.Promise, UUID(about))
        return await subject(info, row.fact, "Promise")

    @resolver(Credit | None)
    @staticmethod
    async def credit(row: Row, info: Info) -> Any:
        """Credit that the event concerns, in its current state."""
        return None if row.fact is None else await subject(info, row.fact, "Credit")

    @relation("SurveyScores")
    @staticmethod
    async def survey_scores(row: Row, info: Info) -> Any:
        """Scores of the account's surveys after an answer; null for other events."""
        if row.fact is None or row.fact.kind not in surveys.SCORE_FACTS:
            return None
        return await info.context.load(_scores_of_accounts, row.fact.account_id)


def _scores_of_accounts(
    make: Sessions, actor: Actor
) -> DataLoader[UUID | None, surveys.MeasuredSurveys]:
    """Make a loader of scores: events that are answered together show one reading, so that no later one is older."""

    async def batch(keys: list[UUID | None]) -> Sequence[surveys.MeasuredSurveys]:
        async with make() as session:
            return [
                await surveys.measured(session, actor, surveys.ScoreScope(account_id=key))
                for key in keys
            ]

    return DataLoader(batch)


def facts_of(ctx: Context, actor: Actor, after: str | None, **asked: Any) -> Facts:
    """Return the facts of a subscription; `after` is a cursor."""

    def shown(item: SequencedEvent | Gap) -> Item:
        if isinstance(item, Gap):
            return Item(actor.tenant_id, item.after, gap=item.reason)
        return Item(actor.tenant_id, item.seq, fact=item)

    place = None if after is None else cursor.position_of(ctx.secret, actor.tenant_id, after)
    return Facts(ctx.hub, ctx.sessions, actor, after=place, shown=shown, **asked)


def facts_named(
    info: Info, account_id: strawberry.ID | None, after: str | None, *prefixes: str
) -> Facts:
    """Return the facts with kinds that begin with a prefix, of one account or of all that the actor can access."""
    return facts_of(
        info.context,
        info.context.actor,
        after,
        account_id=None if account_id is None else ids.wanted(account_id, "Account", "accountId"),
        where=or_(*(LedgerRow.kind.startswith(prefix) for prefix in prefixes)),
        only=lambda fact: fact.kind.startswith(prefixes),
    )


After = Annotated[
    str | None,
    "Cursor after which to continue, without gap or repeat; null starts with events from now on.",
]


@subscription_fields
class Subscription:
    """All subscriptions of this API."""

    @subscription(FeedEvent)
    def account_events(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the events of."],
        kinds: Annotated[list[str] | None, "Only facts of these kinds; null for all."] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """All events of one account, in order."""
        ctx: Context = info.context
        must_be_kinds(kinds, "kinds")
        account = ids.wanted(account_id, "Account", "accountId")
        return facts_of(ctx, ctx.actor, after, account_id=account, kinds=kinds)

    @subscription(FeedEvent)
    def breaches(
        self,
        info: Info,
        after: After = None,
        account_ids: Annotated[
            list[strawberry.ID] | None, "Only events of these accounts; null for all accounts."
        ] = None,
        kinds: Annotated[
            list[PromiseKind] | None, "Only promises of these kinds; null for all."
        ] = None,
        at_risk: Annotated[bool, "Whether to include promises that become at risk."] = False,
    ) -> AsyncIterable[Item]:
        """Broken promises across accounts, for operations staff."""
        ctx: Context = info.context
        actor, account = ctx.actor, None
        if account_ids is not None:
            listed = frozenset(ids.wanted(each, "Account", "accountIds") for each in account_ids)
            reach = listed if actor.accounts is None else listed & actor.accounts
            actor = replace(actor, accounts=reach)
            account = next(iter(reach)) if len(reach) == 1 else None
        facts = {"promise.breached", "promise.at_risk"} if at_risk else {"promise.breached"}

        def only(fact: SequencedEvent) -> bool:
            return kinds is None or fact.body.get("promise_kind") in kinds

        return facts_of(ctx, actor, after, account_id=account, kinds=facts, only=only)

    @subscription(FeedEvent)
    def credits(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts, for operations staff."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Credits as they are proposed, decided, granted and adjusted."""
        return facts_named(info, account_id, after, "credit.")

    @subscription(FeedEvent)
    def survey_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Invitations, answers and corrections of surveys; `surveyScores` has the scores after an answer."""
        return facts_named(info, account_id, after, "survey.")

    @subscription(FeedEvent)
    async def incident_timeline(
        self,
        info: Info,
        id: Annotated[strawberry.ID, "Incident to follow the events of."],
        after: Annotated[
            str | None,
            "Cursor after which to continue, without gap or repeat; null starts with the first event of the incident.",
        ] = None,
    ) -> AsyncIterable[Item]:
        """Complete history of one incident with its promises and credits: past events first, then each new one."""
        ctx: Context = info.context
        incident = ids.wanted(id, "Incident", "id")
        row = await ctx.get(incidents.Incident, incident)
        if row is None:
            raise Refused(Code.NOT_FOUND, "No such incident.", argument="id")
        about = str(incident)

        def only(fact: SequencedEvent) -> bool:
            return fact.subject_id == incident or fact.body.get("incident_id") == about

        start = cursor.of_seq(ctx.secret, ctx.actor.tenant_id, 0) if after is None else after
        return facts_of(
            ctx,
            ctx.actor,
            start,
            account_id=row.account_id,
            only=only,
            where=timeline_facts(incident),
        )
