"""Subscriptions: facts as they happen, resumable by cursor, with what they are about loaded fresh."""

from collections.abc import AsyncIterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.access import Actor
from domain.agreements import PromiseKind
from domain.catalogue import must_be_kinds
from domain.core import cursor
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
from schema.core.scalars import Json
from schema.core.types import enum, from_row, resolver, subscription
from schema.credits import Credit
from schema.incidents import Incident
from schema.ledger import subject, subject_id
from schema.promises import Promise
from schema.timeline import timeline_facts

enum(
    GapReason, "GapReason",
    too_slow="You did not keep up. Subscribe again with this cursor.",
    restored="The ledger was restored from a backup: what you have may not have happened. Read `ledger` again.",
    too_far="More was missed than a feed replays. Read `ledger` from this cursor, then subscribe again.",
)  # fmt: skip


_cursor = lru_cache(1024)(cursor.of_seq)
"""Many groups tell the same fact."""


@dataclass(frozen=True, slots=True)
class Item:
    """A fact, or the notice that ends a feed, with the tenant and the place it leaves the reader at."""

    tenant_id: UUID
    seq: int
    fact: SequencedEvent | None = None
    gap: GapReason | None = None

    # Read off directly: a resolver of its own costs each of these 10 µs an event.
    @property
    def kind(self) -> str:
        """What happened."""
        return "feed.gap" if self.fact is None else self.fact.kind

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        return None if self.fact is None else self.fact.at

    @property
    def recorded_at(self) -> datetime | None:
        """When it was written down."""
        return None if self.fact is None else self.fact.recorded_at

    @property
    def body(self) -> dict[str, Any] | None:
        """What there is to say about it."""
        return None if self.fact is None else self.fact.body


Row = strawberry.Parent[Item]


@from_row(Item)
class FeedEvent:
    """A fact as it happens, or (when `gap` is not null) the notice that this feed ends here."""

    gap: Annotated[
        GapReason | None,
        "Why the feed ends; everything up to `cursor` has been told, nothing beyond it.",
    ]
    kind: Annotated[
        str, "What happened, such as `incident.acknowledged`; `feed.gap` for the notice."
    ]
    at: Annotated[datetime | None, "When it happened."]
    recorded_at: Annotated[datetime | None, "When it was written down."]
    body: Annotated[Json | None, "What there is to say about it; depends on the kind."]

    @resolver(str | None)
    @staticmethod
    def actor(row: Row, info: Info) -> Any:
        """Who: `user:…`, `key:…`, `system:…`; the company's people are `guard:<number>` or `staff` to clients."""
        return None if row.fact is None else shown(info, row.fact.account_id, row.fact.actor)

    @resolver(str)
    @staticmethod
    def cursor(row: Row, info: Info) -> str:
        """Where you are; give it as `after` when you come back."""
        link = None if row.fact is None else row.fact.link
        return _cursor(info.context.secret, row.tenant_id, row.seq, link)

    @resolver(strawberry.ID | None)
    @staticmethod
    def subject_id(row: Row) -> str | None:
        """The id of what it is about; `node(id)` finds it."""
        return None if row.fact is None else subject_id(row.fact)

    @resolver(Json | None)
    @staticmethod
    def ids(row: Row) -> Any:
        """The global ids of the rows that the body names, by the body's fields."""
        return None if row.fact is None else named_in(row.fact.kind, row.fact.body, ids.write)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> Any:
        """The client it concerns, as it is now."""
        if row.fact is None or row.fact.account_id is None:
            return None
        return await info.context.loaders.account.load(row.fact.account_id)

    @resolver(Incident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """The ticket it concerns, as it is now."""
        if row.fact is None:
            return None
        about = row.fact.body.get("incident_id")
        if about is not None:
            return await info.context.loaders.incident.load(UUID(about))
        return await subject(info, row.fact, "Incident")

    @resolver(Promise | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> Any:
        """The promise it concerns, as it is now."""
        if row.fact is None:
            return None
        about = row.fact.body.get("promise_id")
        if about is not None:
            return await info.context.loaders.promise.load(UUID(about))
        return await subject(info, row.fact, "Promise")

    @resolver(Credit | None)
    @staticmethod
    async def credit(row: Row, info: Info) -> Any:
        """The credit it is about, as it is now."""
        return None if row.fact is None else await subject(info, row.fact, "Credit")


def facts_of(ctx: Context, actor: Actor, after: str | None, **asked: Any) -> Facts:
    """Facts as the feeds of this schema tell them; `after` is a cursor."""

    def shown(told: SequencedEvent | Gap) -> Item:
        if isinstance(told, Gap):
            return Item(actor.tenant_id, told.after, gap=told.reason)
        return Item(actor.tenant_id, told.seq, fact=told)

    place = None if after is None else cursor.position_of(ctx.secret, actor.tenant_id, after)
    return Facts(ctx.hub, ctx.sessions, actor, after=place, shown=shown, **asked)


After = Annotated[
    str | None,
    "Go on behind this cursor, without gap or repeat; null starts with what happens now.",
]


@strawberry.type(description="What can be followed.")
class Subscription:
    """What can be followed."""

    @subscription(FeedEvent)
    def account_events(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "The client."],
        kinds: Annotated[list[str] | None, "Only these kinds of facts; null for all."] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Everything that happens about one client, in order."""
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
            list[strawberry.ID] | None, "Only about these clients; null for all of them."
        ] = None,
        kinds: Annotated[list[PromiseKind] | None, "Only such promises; null for all."] = None,
        at_risk: Annotated[bool, "Also when a promise comes at risk."] = False,
    ) -> AsyncIterable[Item]:
        """Broken promises across clients, for those who watch over them."""
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
            strawberry.ID | None, "The client; null for all of them, for those who watch over them."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Credits as they are proposed, decided, granted and adjusted."""
        ctx: Context = info.context
        account = None if account_id is None else ids.wanted(account_id, "Account", "accountId")
        return facts_of(
            ctx, ctx.actor, after, account_id=account, where=LedgerRow.kind.startswith("credit."),
            only=lambda fact: fact.kind.startswith("credit."),
        )  # fmt: skip

    @subscription(FeedEvent)
    async def incident_timeline(
        self,
        info: Info,
        id: Annotated[strawberry.ID, "The ticket."],
        after: Annotated[
            str | None,
            "Go on behind this cursor, without gap or repeat; null begins where the ticket does.",
        ] = None,
    ) -> AsyncIterable[Item]:
        """One ticket's whole story, with its promises and credits: what happened so far, then what happens."""
        ctx: Context = info.context
        incident = ids.wanted(id, "Incident", "id")
        row = await ctx.loaders.incident.load(incident)
        if row is None:
            raise Refused(Code.NOT_FOUND, "No such incident.", argument="id")
        about = str(incident)

        def only(fact: SequencedEvent) -> bool:
            return fact.subject_id == incident or fact.body.get("incident_id") == about

        start = cursor.of_seq(ctx.secret, ctx.actor.tenant_id, 0) if after is None else after
        return facts_of(
            ctx, ctx.actor, start, account_id=row.account_id, only=only,
            where=timeline_facts(incident),
        )  # fmt: skip
