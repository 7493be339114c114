"""Touchpoints: planned contacts with clients, for the company's own staff."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from domain import accounts, touchpoints
from domain.touchpoints import TouchpointKind
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import ContactId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver

enum(
    TouchpointKind,
    "TouchpointKind",
    formal_review="Formal review of the service, prepared and minuted.",
    check_in="Check-in: a short conversation about the service.",
    social="Social meeting without an agenda.",
)

Row = strawberry.Parent[touchpoints.Touchpoint]
TouchpointId = Annotated[UUID, GlobalIdOf("Touchpoint")]


@from_row(touchpoints.Touchpoint)
class Touchpoint(Node):
    """Planned contact with a client; one of each kind is open at a time."""

    kind: Annotated[TouchpointKind, "Kind of contact, such as a check-in."]
    due_on: Annotated[date, "Day by which contact is due, by tier and activity of the account."]
    done_at: Annotated[datetime | None, "Time at which contact was made; null before."]
    done_by: Annotated[str | None, "User who made the contact, as named in the ledger."]

    @resolver(bool)
    @staticmethod
    async def is_overdue(row: Row, info: Info) -> bool:
        """Whether the due day is over, on the client's calendar, without contact."""
        if row.done_at is not None:
            return False
        account = await info.context.get(accounts.Account, row.account_id)
        zone = "UTC" if account is None else account.time_zone
        return row.due_on < info.context.at.astimezone(ZoneInfo(zone)).date()

    account = to_one(
        Account, accounts.Account, "account_id", "Account of the client to be contacted."
    )

    contact = to_one(
        Contact, accounts.Contact, "contact_id", "Contact person with whom it took place."
    )


@query_fields
class TouchpointQuery:
    """Queries of touchpoints."""

    @lists(Touchpoint, touchpoints.Touchpoint.due_on, touchpoints.Touchpoint.id)
    @staticmethod
    def touchpoints(
        info: Info,
        account_id: AccountFilter = None,
        overdue: Annotated[
            bool, "Only those without contact and with a due day that is over in UTC."
        ] = False,
        is_open: Annotated[
            bool | None, "True: only those still to be made; false: only those made; null: all."
        ] = None,
    ) -> Rows:
        """Planned contacts, the earliest due first; empty for clients."""
        row = touchpoints.Touchpoint
        query = visible(info, row, account_id)
        if overdue:
            query = query.where(row.done_at.is_(None), row.due_on < info.context.at.date())
        if is_open is not None:
            query = query.where(row.done_at.is_(None) if is_open else row.done_at.is_not(None))
        return query


@mutation_fields
class TouchpointMutation:
    """Mutations of touchpoints."""

    @mutation(Touchpoint)
    @staticmethod
    async def complete_touchpoint(
        ask: MutationContext,
        id: Annotated[TouchpointId, "Planned contact that was made."],
        contact_id: Annotated[ContactId | None, "Contact person with whom it took place."] = None,
    ) -> touchpoints.Touchpoint:
        """Record that contact was made, and plan the next of its kind."""
        return await touchpoints.complete(ask.tx, id, contact_id=contact_id)
