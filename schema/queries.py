"""Root queries: the actor, objects by id, and lists with filters."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts
from domain.access import Role
from domain.accounts import Account as AccountRow
from domain.accounts import ApiKey as KeyRow
from domain.accounts import Site as SiteRow
from domain.accounts import User as UserRow
from domain.agreements import Agreement as AgreementRow
from domain.calendars import Calendar as CalendarRow
from domain.catalogue import must_be_kinds
from domain.compensation import Credit as CreditRow
from domain.core import short_numbers
from domain.core.ledger import LedgerRow
from domain.messages.model import Message as MessageRow
from domain.messages.model import MessageState
from schema.accounts import Account
from schema.agreements import Agreement
from schema.api_keys import ApiKey
from schema.calendars import Calendar
from schema.company import Tenant
from schema.core import ids
from schema.core.context import Context, Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.pagination import After, Before, Connection, First, Last, Page, PageArguments
from schema.core.roots import query_fields
from schema.core.types import from_row, resolver
from schema.credits import Credit
from schema.incidents import Incident
from schema.ledger import LedgerEntry, ledger_page
from schema.messages import Message
from schema.promises import Promise
from schema.sites import Site
from schema.users import User


@from_row(Context)
class Viewer:
    """Actor of the request: a user, an API key or the system."""

    @resolver(Role)
    @staticmethod
    def role(ctx: strawberry.Parent[Context]) -> Role:
        """Role of the actor, which decides the rights."""
        return ctx.actor.role

    @resolver(str)
    @staticmethod
    def subject(ctx: strawberry.Parent[Context]) -> str:
        """Name of the actor in the ledger: `user:…`, `key:…` or `system:…`."""
        return ctx.actor.subject

    @resolver(bool)
    @staticmethod
    def reaches_all_accounts(ctx: strawberry.Parent[Context]) -> bool:
        """Whether the actor has access to every account of the company."""
        return ctx.actor.accounts is None

    @resolver(Tenant | None)
    @staticmethod
    async def tenant(ctx: strawberry.Parent[Context], info: Info) -> Any:
        """Security company of the actor."""
        return await info.context.get(accounts.Tenant, ctx.actor.tenant_id)

    @resolver(User | None)
    @staticmethod
    async def user(ctx: strawberry.Parent[Context], info: Info) -> Any:
        """User behind the request; null for API keys and the system."""
        kind, _, row_id = ctx.actor.subject.partition(":")
        return await info.context.get(UserRow, UUID(row_id)) if kind == "user" else None


@query_fields
class Query:
    """All queries of this API."""

    @resolver(Viewer)
    @staticmethod
    def viewer(info: Info) -> Context:
        """Actor of this request, with its role and rights."""
        return info.context

    @resolver(Node | None)
    @staticmethod
    async def node(info: Info, id: Annotated[strawberry.ID, "Global id of the object."]) -> Any:
        """Object with this global id; null when it does not exist or is not visible to you."""
        found = ids.read(id)
        return None if found is None else await info.context.node(*found)

    @resolver(Account | None)
    @staticmethod
    async def account(info: Info, id: Annotated[strawberry.ID, "Global id of the account."]) -> Any:
        """One account; null when not visible to you."""
        return await _one(info, "Account", id)

    @resolver(Site | None)
    @staticmethod
    async def site(info: Info, id: Annotated[strawberry.ID, "Global id of the site."]) -> Any:
        """One site; null when not visible to you."""
        return await _one(info, "Site", id)

    @resolver(Incident | None)
    @staticmethod
    async def incident(
        info: Info, id: Annotated[strawberry.ID, "Global id of the incident."]
    ) -> Any:
        """One incident; null when not visible to you."""
        return await _one(info, "Incident", id)

    @resolver(Promise | None)
    @staticmethod
    async def promise(info: Info, id: Annotated[strawberry.ID, "Global id of the promise."]) -> Any:
        """One promise on an incident; null when not visible to you."""
        return await _one(info, "Promise", id)

    @resolver(Agreement | None)
    @staticmethod
    async def agreement(
        info: Info, id: Annotated[strawberry.ID, "Global id of the agreement."]
    ) -> Any:
        """One agreement; null when not visible to you."""
        return await _one(info, "Agreement", id)

    @lists(Account, AccountRow.name, AccountRow.id)
    @staticmethod
    def accounts(
        info: Info,
    ) -> Rows:
        """Accounts visible to you, by name."""
        return visible(info, AccountRow)

    @lists(Site, SiteRow.name, SiteRow.id)
    @staticmethod
    def sites(
        info: Info,
        account_id: AccountFilter = None,
    ) -> Rows:
        """Guarded sites visible to you, by name."""
        return visible(info, SiteRow, account_id)

    @lists(Agreement, AgreementRow.reference, AgreementRow.id)
    @staticmethod
    def agreements(
        info: Info,
        account_id: AccountFilter = None,
    ) -> Rows:
        """Agreements visible to you, by reference."""
        return visible(info, AgreementRow, account_id)

    @lists(Credit, CreditRow.decided_at, CreditRow.id, descending=True)
    @staticmethod
    def credits(
        info: Info,
        account_id: AccountFilter = None,
        decided_from: Annotated[
            datetime | None, "Only credits decided at this instant or later."
        ] = None,
        decided_before: Annotated[
            datetime | None, "Only credits decided before this instant."
        ] = None,
        search: Annotated[
            str | None, "Only the credit with this number: `CRD-000123` or `123`."
        ] = None,
    ) -> Rows:
        """Credits visible to you, newest first."""
        query = visible(info, CreditRow, account_id)
        if search is not None:
            query = query.where(
                CreditRow.number == (short_numbers.parse_number(short_numbers.CREDIT, search) or 0)
            )
        if decided_from is not None:
            query = query.where(CreditRow.decided_at >= decided_from)
        if decided_before is not None:
            query = query.where(CreditRow.decided_at < decided_before)
        return query

    @lists(Message, MessageRow.queued_at, MessageRow.id, descending=True)
    @staticmethod
    def messages(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[
            list[MessageState] | None, "Only messages in one of these states."
        ] = None,
    ) -> Rows:
        """Messages to contacts, newest first."""
        return among(visible(info, MessageRow, account_id), MessageRow.state, states)

    @lists(User, UserRow.name, UserRow.id)
    @staticmethod
    def users(
        info: Info,
    ) -> Rows:
        """Users visible to you, by name."""
        return visible(info, UserRow)

    @lists(ApiKey, KeyRow.id, descending=True)
    @staticmethod
    def api_keys(
        info: Info,
    ) -> Rows:
        """API keys of partner systems, newest first; empty without the right to manage access."""
        return visible(info, KeyRow)

    @resolver(list[Calendar])
    @staticmethod
    async def calendars(info: Info) -> list[Any]:
        """Calendars of working hours, by name."""
        async with info.context.sessions() as session:
            query = visible(info, CalendarRow).order_by(CalendarRow.name).limit(1000)
            return list(await session.scalars(query))

    @resolver(Connection[LedgerEntry])
    @staticmethod
    async def ledger(
        info: Info,
        account_id: AccountFilter = None,
        kinds: Annotated[list[str] | None, "Only facts of these kinds."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Facts of the ledger, oldest first. Its cursors are also valid for subscriptions."""
        must_be_kinds(kinds, "kinds")
        query = among(visible(info, LedgerRow, account_id), LedgerRow.kind, kinds)
        return await ledger_page(info.context, query, PageArguments(first, after, last, before))


async def _one(info: Info, type_name: str, text: str) -> Any:
    row_id = ids.known(text, type_name)
    return None if row_id is None else await info.context.node(type_name, row_id)
