"""The root of every question: who asks, one thing by its id, and the lists with their filters."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy import select

from domain import accounts, agreements, incidents, sla
from domain.accounts import ApiKey as KeyRow
from domain.actor import Role
from domain.agreements import Priority, PromiseKind, TicketKind
from domain.compensation import Credit as CreditRow
from domain.incidents import Status
from domain.ledger import Entry
from domain.messages.model import Message as MessageRow
from domain.messages.model import MessageState
from domain.sla import State
from schema import ids
from schema.accounts import Account, Site, Tenant, User
from schema.agreements import Agreement
from schema.calendars import Calendar
from schema.context import Context, Info
from schema.credits import Credit
from schema.fence import seen
from schema.ids import Node
from schema.incidents import Incident
from schema.keys import ApiKey
from schema.ledger import LedgerEntry, ledger_page
from schema.messages import Message
from schema.pages import (
    After,
    Before,
    Connection,
    First,
    Last,
    Order,
    Page,
    Window,
    page,
)
from schema.promises import Promise
from schema.thin import answers, shows

AccountFilter = Annotated[strawberry.ID | None, "Only of this client."]


@shows(Context)
class Viewer:
    """Who asks."""

    @answers(Role)
    @staticmethod
    def role(ctx: strawberry.Parent[Context]) -> Role:
        """What you may do."""
        return ctx.actor.role

    @answers(str)
    @staticmethod
    def subject(ctx: strawberry.Parent[Context]) -> str:
        """How the ledger names you: `user:…`, `key:…` or `system:…`."""
        return ctx.actor.subject

    @answers(bool)
    @staticmethod
    def reaches_all_accounts(ctx: strawberry.Parent[Context]) -> bool:
        """Whether you reach every client of the company."""
        return ctx.actor.accounts is None

    @answers(Tenant | None)
    @staticmethod
    async def tenant(ctx: strawberry.Parent[Context], info: Info) -> Any:
        """Your security company."""
        return await info.context.loaders.tenant.load(ctx.actor.tenant_id)

    @answers(User | None)
    @staticmethod
    async def user(ctx: strawberry.Parent[Context], info: Info) -> Any:
        """The user you are; null for keys and the system."""
        kind, _, row_id = ctx.actor.subject.partition(":")
        return await info.context.loaders.user.load(UUID(row_id)) if kind == "user" else None


def _account(query: Any, model: Any, account_id: str | None) -> Any:
    if account_id is None:
        return query
    return query.where(model.account_id == ids.known(account_id, "Account"))


@strawberry.type(description="What can be asked.")
class Query:
    """What can be asked."""

    @answers(Viewer)
    @staticmethod
    def viewer(info: Info) -> Context:
        """Who you are to the server."""
        return info.context

    @answers(Node | None)
    @staticmethod
    async def node(info: Info, id: Annotated[strawberry.ID, "Its global id."]) -> Any:
        """Anything by its id; null when there is no such thing, or it is not yours."""
        found = ids.read(id)
        loader = None if found is None else info.context.loaders.of_type.get(found[0])
        return None if found is None or loader is None else await loader.load(found[1])

    @answers(Account | None)
    @staticmethod
    async def account(info: Info, id: Annotated[strawberry.ID, "Its id."]) -> Any:
        """One client."""
        return await _one(info, "Account", id)

    @answers(Site | None)
    @staticmethod
    async def site(info: Info, id: Annotated[strawberry.ID, "Its id."]) -> Any:
        """One place."""
        return await _one(info, "Site", id)

    @answers(Incident | None)
    @staticmethod
    async def incident(info: Info, id: Annotated[strawberry.ID, "Its id."]) -> Any:
        """One ticket."""
        return await _one(info, "Incident", id)

    @answers(Promise | None)
    @staticmethod
    async def promise(info: Info, id: Annotated[strawberry.ID, "Its id."]) -> Any:
        """One promise on the clock."""
        return await _one(info, "Promise", id)

    @answers(Agreement | None)
    @staticmethod
    async def agreement(info: Info, id: Annotated[strawberry.ID, "Its id."]) -> Any:
        """One agreement."""
        return await _one(info, "Agreement", id)

    @answers(Connection[Account])
    @staticmethod
    async def accounts(
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Clients, by name."""
        order = Order((accounts.Account.name, accounts.Account.id))
        return await _rows(info, accounts.Account, order, Window(first, after, last, before))

    @answers(Connection[Site])
    @staticmethod
    async def sites(
        info: Info,
        account_id: AccountFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Places under guard, by name."""
        order = Order((accounts.Site.name, accounts.Site.id))
        query = _account(_seen(info, accounts.Site), accounts.Site, account_id)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Incident])
    @staticmethod
    async def incidents(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only at this place."] = None,
        statuses: Annotated[list[Status] | None, "Only those that stand so."] = None,
        priorities: Annotated[list[Priority] | None, "Only these priorities."] = None,
        kinds: Annotated[list[TicketKind] | None, "Only such tickets."] = None,
        opened_from: Annotated[datetime | None, "Opened at this instant or later."] = None,
        opened_before: Annotated[datetime | None, "Opened before this instant."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Tickets, newest first."""
        row = incidents.Incident
        query = _account(_seen(info, row), row, account_id)
        if site_id is not None:
            query = query.where(row.site_id == ids.known(site_id, "Site"))
        query = _in(query, row.status, statuses)
        query = _in(query, row.priority, priorities)
        query = _in(query, row.kind, kinds)
        if opened_from is not None:
            query = query.where(row.opened_at >= opened_from)
        if opened_before is not None:
            query = query.where(row.opened_at < opened_before)
        order = Order((row.opened_at, row.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Promise])
    @staticmethod
    async def promises(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[State] | None, "Only those that stand so."] = None,
        kinds: Annotated[list[PromiseKind] | None, "Only such promises."] = None,
        due_before: Annotated[datetime | None, "Due before this instant."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Promises on the clock, the latest made first."""
        row = sla.Promise
        query = _account(_seen(info, row), row, account_id)
        query = _in(query, row.state, states)
        query = _in(query, row.kind, kinds)
        if due_before is not None:
            query = query.where(row.due_at < due_before)
        order = Order((row.id,), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Agreement])
    @staticmethod
    async def agreements(
        info: Info,
        account_id: AccountFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Agreements, by reference."""
        row = agreements.Agreement
        query = _account(_seen(info, row), row, account_id)
        order = Order((row.reference, row.id))
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Credit])
    @staticmethod
    async def credits(
        info: Info,
        account_id: AccountFilter = None,
        decided_from: Annotated[datetime | None, "Decided at this instant or later."] = None,
        decided_before: Annotated[datetime | None, "Decided before this instant."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Credits, newest first."""
        query = _account(_seen(info, CreditRow), CreditRow, account_id)
        if decided_from is not None:
            query = query.where(CreditRow.decided_at >= decided_from)
        if decided_before is not None:
            query = query.where(CreditRow.decided_at < decided_before)
        order = Order((CreditRow.decided_at, CreditRow.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Message])
    @staticmethod
    async def messages(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[MessageState] | None, "Only those that came so far."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Messages to contacts, newest first."""
        query = _in(
            _account(_seen(info, MessageRow), MessageRow, account_id), MessageRow.state, states
        )
        order = Order((MessageRow.queued_at, MessageRow.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[User])
    @staticmethod
    async def users(
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Those who sign in, by address."""
        order = Order((accounts.User.email, accounts.User.id))
        return await _rows(info, accounts.User, order, Window(first, after, last, before))

    @answers(Connection[ApiKey])
    @staticmethod
    async def api_keys(
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Keys of partner systems, newest first; nobody but who manages access sees any."""
        order = Order((KeyRow.id,), descending=True)
        return await _rows(info, KeyRow, order, Window(first, after, last, before))

    @answers(list[Calendar])
    @staticmethod
    async def calendars(info: Info) -> list[Any]:
        """The working calendars, by name."""
        from domain.calendars import Calendar as CalendarRow

        async with info.context.sessions() as session:
            query = _seen(info, CalendarRow).order_by(CalendarRow.name).limit(1000)
            return list(await session.scalars(query))

    @answers(Connection[LedgerEntry])
    @staticmethod
    async def ledger(
        info: Info,
        account_id: AccountFilter = None,
        kinds: Annotated[list[str] | None, "Only these kinds of facts."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """What happened, oldest first. Its cursors are the subscriptions' too."""
        query = _in(_account(_seen(info, Entry), Entry, account_id), Entry.kind, kinds)
        return await ledger_page(info.context, query, Window(first, after, last, before))


async def _one(info: Info, type_name: str, text: str) -> Any:
    row_id = ids.known(text, type_name)
    return None if row_id is None else await info.context.loaders.of_type[type_name].load(row_id)


def _seen(info: Info, model: Any) -> Any:
    return select(model).where(seen(info.context.actor, model))


def _in(query: Any, column: Any, values: list[Any] | None) -> Any:
    return query if values is None else query.where(column.in_(values))


async def _rows(info: Info, model: Any, order: Order, window: Window) -> Page:
    return await page(info.context, _seen(info, model), order, window)
