"""Lists of incidents and promises, with filters by attribute and due time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import strawberry
from sqlalchemy import and_, false, func
from sqlalchemy.orm import InstrumentedAttribute, with_expression

from domain.access import Right
from domain.agreements import Priority, PromiseKind, TicketKind
from domain.incidents import Incident as IncidentRow
from domain.incidents import Status, matching
from domain.promises import Promise as PromiseRow
from domain.promises import PromiseWatch, State
from schema.core.argument_groups import ArgumentGroup
from schema.core.context import Info
from schema.core.lists import AccountFilter, Ordered, Rows, among, lists, naming, visible
from schema.core.pagination import Order
from schema.core.roots import query_fields
from schema.core.types import enum
from schema.incidents import Incident
from schema.promises import Promise


class IncidentOrder(StrEnum):
    """Order in which incidents are listed."""

    NEWEST = "newest"
    NEXT_DUE = "next_due"


enum(
    IncidentOrder,
    "IncidentOrder",
    newest="By opening time, the last opened first.",
    next_due="By `nextDueAt`, the earliest first; only incidents where it is not null.",
)
NEWEST = Order((IncidentRow.opened_at, IncidentRow.id), descending=True)


def _next_due(info: Info) -> InstrumentedAttribute[Any] | None:
    """Choose the column that `nextDueAt` shows the actor, or None for an actor who sees no promises.

    The company's internal objectives count only for actors who see them.
    """
    actor = info.context.actor
    if not actor.may(Right.READ_PROMISES):
        return None
    sees_all = actor.may(Right.READ_INTERNAL)
    return PromiseWatch.first_due_at if sees_all else PromiseWatch.client_due_at


@dataclass(frozen=True)
class IncidentFilters(ArgumentGroup):
    """Attributes by which a list of incidents is filtered."""

    account_id: AccountFilter = None
    site_id: Annotated[strawberry.ID | None, "Only incidents at this site."] = None
    statuses: Annotated[list[Status] | None, "Only incidents in one of these statuses."] = None
    priorities: Annotated[list[Priority] | None, "Only incidents with one of these priorities."] = (
        None
    )
    kinds: Annotated[list[TicketKind] | None, "Only incidents of these kinds."] = None
    opened_from: Annotated[datetime | None, "Only incidents opened at this instant or later."] = (
        None
    )
    opened_before: Annotated[datetime | None, "Only incidents opened before this instant."] = None
    search: Annotated[
        str | None,
        (
            "Only incidents with this number (`INC-000123`, `123`, or an external one), "
            "or with this text in summary or reporter."
        ),
    ] = None
    external_source: Annotated[str | None, "Only incidents imported from this system."] = None
    external_id: Annotated[str | None, "Only incidents with this number in another system."] = None
    assignee_id: Annotated[
        strawberry.ID | None,
        "Only incidents assigned to this user. Only readers who see the company's users may name somebody else.",
    ] = None
    due_before: Annotated[
        datetime | None, "Only incidents with a `nextDueAt` before this instant."
    ] = None


@query_fields
class ClockedQuery:
    """Queries of lists of incidents and promises."""

    @lists(Incident, *NEWEST.columns, descending=True)
    @staticmethod
    def incidents(
        info: Info,
        by: IncidentFilters,
        order_by: Annotated[
            IncidentOrder,
            "Order of the list; a cursor is valid only for the order it was made with.",
        ] = IncidentOrder.NEWEST,
    ) -> Rows | Ordered:
        """Incidents, newest first unless another order is requested."""
        query = visible(info, IncidentRow, by.account_id)
        query = naming(info, query, IncidentRow.site_id, "Site", by.site_id)
        query = naming(info, query, IncidentRow.assignee_id, "User", by.assignee_id)
        query = among(query, IncidentRow.status, by.statuses)
        query = among(query, IncidentRow.priority, by.priorities)
        query = among(query, IncidentRow.kind, by.kinds)
        if by.opened_from is not None:
            query = query.where(IncidentRow.opened_at >= by.opened_from)
        if by.opened_before is not None:
            query = query.where(IncidentRow.opened_at < by.opened_before)
        if by.external_source is not None:
            query = query.where(IncidentRow.external_source == by.external_source)
        if by.external_id is not None:
            query = query.where(IncidentRow.external_id == by.external_id)
        if by.search is not None:
            query = query.where(matching(by.search))
        if by.due_before is None and order_by is IncidentOrder.NEWEST:
            return query
        due = _next_due(info)
        if due is None:
            return query.where(false())
        # Conditions on the watch stand next to that on the tenant, with which the index of this order begins.
        # It is joined instead of compared in WHERE, where a filter that no row passes would drop the condition.
        query = query.join(
            PromiseWatch,
            and_(
                PromiseWatch.unit_id == IncidentRow.id,
                PromiseWatch.tenant_id == info.context.actor.tenant_id,
            ),
        ).where(due.is_not(None) if by.due_before is None else due < by.due_before)
        if order_by is IncidentOrder.NEWEST:
            return query
        query = query.options(with_expression(IncidentRow.watched_due_at, due))
        return Ordered(query, Order((due, PromiseWatch.unit_id), keys=("watched_due_at", "id")))

    @lists(Promise, PromiseRow.announced_due_at, PromiseRow.id)
    @staticmethod
    def due_promises(
        info: Info,
        account_id: AccountFilter = None,
        kinds: Annotated[list[PromiseKind] | None, "Only promises of these kinds."] = None,
        due_before: Annotated[
            datetime | None, "Only promises with a `dueAt` before this instant."
        ] = None,
    ) -> Rows:
        """Running promises, the next one due first."""
        query = visible(info, PromiseRow, account_id)
        query = among(query, PromiseRow.kind, kinds)
        query = query.where(PromiseRow.announced_due_at.is_not(None))
        return (
            query if due_before is None else query.where(PromiseRow.announced_due_at < due_before)
        )

    @lists(Promise, PromiseRow.id, descending=True)
    @staticmethod
    def promises(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[State] | None, "Only promises in one of these states."] = None,
        kinds: Annotated[list[PromiseKind] | None, "Only promises of these kinds."] = None,
        due_before: Annotated[
            datetime | None, "Only promises with a `dueAt` before this instant."
        ] = None,
    ) -> Rows:
        """Promises on incidents, the latest made first."""
        query = visible(info, PromiseRow, account_id)
        query = among(query, PromiseRow.state, states)
        query = among(query, PromiseRow.kind, kinds)
        if due_before is not None:
            due = func.coalesce(PromiseRow.announced_due_at, PromiseRow.due_at)
            query = query.where(due < due_before)
        return query
