"""Ledger of facts, in one order, with a cursor to continue from."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import Select

from domain import accounts
from domain.access.facts import hidden_words
from domain.catalogue import subject_type
from domain.core import cursor, sequencing
from domain.core.erasable_text import ErasableText, is_commitment
from domain.core.ledger import LedgerRow
from domain.fact_ids import named_in
from schema.accounts import Account
from schema.core import ids
from schema.core.actor_name import shown
from schema.core.context import Context, Info
from schema.core.pagination import Page, PageArguments, arranged
from schema.core.relations import to_one
from schema.core.scalars import Json
from schema.core.types import from_row, resolver

Row = strawberry.Parent[LedgerRow]


def subject_id(fact: Any) -> str:
    """Return the global id of the object that a fact is about."""
    return ids.write(subject_type(fact.kind) or "Node", fact.subject_id)


async def subject(info: Info, fact: Any, type_name: str) -> Any:
    """Return the row that a fact is about, in its current state, when it has this type."""
    if subject_type(fact.kind) != type_name:
        return None
    return await info.context.node(type_name, fact.subject_id)


@from_row(LedgerRow)
class LedgerEntry:
    """Fact in the ledger, written in the same transaction as the change it records. Facts never change."""

    kind: Annotated[str, "Kind of the fact, such as `incident.acknowledged`."]
    at: Annotated[datetime, "Time at which the event happened."]
    recorded_at: Annotated[datetime, "Time at which the fact was recorded."]
    body: Annotated[
        Json,
        (
            "Details of the fact; the fields depend on the kind and are no copies of "
            "rows. Free text is present as `sha256:…` only; its text is in `words`."
        ),
    ]
    trace_id: Annotated[
        str | None, "Trace id of the request that caused it, as in the server's log."
    ]

    @resolver(str)
    @staticmethod
    def actor(row: Row, info: Info) -> Any:
        """Actor: `user:…`, `key:…` or `system:…`. Clients see staff of the company as `guard:<number>` or `staff`."""
        return shown(info, row.account_id, row.actor)

    @resolver(Json)
    @staticmethod
    async def words(row: Row, info: Info) -> Any:
        """Free text behind the `sha256:…` values of the body, such as the reason; null where erased or hidden."""
        commitments = {field: value for field, value in row.body.items() if is_commitment(value)}
        hidden = hidden_words(info.context.actor, row.kind)
        found = await asyncio.gather(
            *(
                _nothing()
                if field in hidden
                else info.context.get_by(ErasableText.commitment, value)
                for field, value in commitments.items()
            )
        )
        return {
            field: None if each is None else each.words
            for field, each in zip(commitments, found, strict=True)
        }

    @resolver(strawberry.ID)
    @staticmethod
    def subject_id(row: Row) -> str:
        """Global id of the object that the fact is about; `node(id)` returns it."""
        return subject_id(row)

    @resolver(Json)
    @staticmethod
    def ids(row: Row) -> Any:
        """Global ids of the rows that the body refers to, by the names of the body's fields."""
        return named_in(row.kind, row.body, ids.write)

    @resolver(str | None)
    @staticmethod
    def cursor(row: Row, info: Info) -> str | None:
        """Position in the ledger, valid for `ledger` and for subscriptions; null until the fact is numbered."""
        if row.seq is None:
            return None
        return _cursor_of(info.context, row)

    @resolver(str | None)
    @staticmethod
    def hash(row: Row) -> str | None:
        """SHA-256 over the previous fact and this one, in hex; null until the fact is numbered."""
        return None if row.hash is None else row.hash.hex()

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account that the fact concerns; null for internal matters of the company.",
    )


async def _nothing() -> None:
    """Return null for text that is not visible."""


async def ledger_page(ctx: Context, query: Select[Any], window: PageArguments) -> Page:
    """Return a page of facts; a cursor beyond the end of the ledger is refused."""
    after = await _place(ctx, window.after, "after")
    before = await _place(ctx, window.before, "before")
    query = query.where(LedgerRow.seq.is_not(None))
    query = query if after is None else query.where(LedgerRow.seq > after)
    query = query if before is None else query.where(LedgerRow.seq < before)
    size = window.size
    query = query.order_by(LedgerRow.seq.desc() if window.backward else LedgerRow.seq).limit(
        size + 1
    )
    async with ctx.sessions() as session:
        rows = list(await session.scalars(query))
    return arranged(rows, window, lambda row: _cursor_of(ctx, row))


def _cursor_of(ctx: Context, row: LedgerRow) -> str:
    """Return the cursor of a numbered fact."""
    return cursor.of_seq(ctx.secret, row.tenant_id, row.seq or 0, sequencing.link_of(row.hash))


async def _place(ctx: Context, token: str | None, argument: str) -> int | None:
    if token is None:
        return None
    at = cursor.position_of(ctx.secret, ctx.actor.tenant_id, token)
    return await ctx.hub.check_cursor(at, argument=argument)
