"""Touchpoints: planned contacts with clients, and which of them are overdue. For the company's own people."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from domain import accounts, touchpoints
from domain.touchpoints import TouchpointKind
from schema.accounts import Account, Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import ContactId, GlobalIdOf, MutationContext, mutation
from schema.core.types import enum, from_row, resolver

enum(
    TouchpointKind, "TouchpointKind",
    formal_review="A review of the service, prepared and minuted.",
    check_in="A short conversation about how it goes.",
    social="Meeting without an agenda.",
)  # fmt: skip

Row = strawberry.Parent[touchpoints.Touchpoint]
TouchpointId = Annotated[UUID, GlobalIdOf("Touchpoint")]


@from_row(touchpoints.Touchpoint)
class Touchpoint(Node):
    """A planned contact with a client; of each kind one is open at a time."""

    kind: Annotated[TouchpointKind, "What sort of contact."]
    due_on: Annotated[date, "By which day, as tier and activity say."]
    done_at: Annotated[datetime | None, "When it was made; null: it is still to be made."]
    done_by: Annotated[str | None, "Who made it, as the ledger names people."]

    @resolver(bool)
    @staticmethod
    async def is_overdue(row: Row, info: Info) -> bool:
        """Whether its day is over, on the client's calendar, and it was not made."""
        if row.done_at is not None:
            return False
        account = await info.context.loaders.account.load(row.account_id)
        zone = "UTC" if account is None else account.time_zone
        return row.due_on < info.context.at.astimezone(ZoneInfo(zone)).date()

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: Row, info: Info) -> accounts.Contact | None:
        """Whom it was with."""
        if row.contact_id is None:
            return None
        return await info.context.loaders.contact.load(row.contact_id)


@strawberry.type
class TouchpointQuery:
    """Questions about touchpoints."""

    @lists(Touchpoint, touchpoints.Touchpoint.due_on, touchpoints.Touchpoint.id)
    @staticmethod
    def touchpoints(
        info: Info,
        account_id: AccountFilter = None,
        overdue: Annotated[
            bool, "Only those whose day is over in UTC and that were not made."
        ] = False,
        is_open: Annotated[bool | None, "Only those still to be made, or only those made."] = None,
    ) -> Rows:
        """Planned contacts, the earliest due first. Clients see none."""
        row = touchpoints.Touchpoint
        query = visible(info, row, account_id)
        if overdue:
            query = query.where(row.done_at.is_(None), row.due_on < info.context.at.date())
        if is_open is not None:
            query = query.where(row.done_at.is_(None) if is_open else row.done_at.is_not(None))
        return query


@strawberry.type
class TouchpointMutation:
    """Verbs about touchpoints."""

    @mutation(Touchpoint)
    @staticmethod
    async def complete_touchpoint(
        ask: MutationContext,
        id: Annotated[TouchpointId, "The planned contact."],
        contact_id: Annotated[ContactId | None, "Whom it was with."] = None,
    ) -> touchpoints.Touchpoint:
        """Note that a contact was made; the next of its kind is planned from here."""
        return await touchpoints.complete(
            ask.session, ask.actor, id, contact_id=contact_id, at=ask.at
        )
