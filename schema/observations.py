"""Observations: what people note about the relationship with a client."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, health
from domain.health import OBSERVATION_RULES as RULES
from domain.health import ObservationKind
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import AccountId, ContactId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row

enum(
    ObservationKind,
    "ObservationKind",
    **{str(kind): f"{rule.meaning[0].upper()}{rule.meaning[1:]}." for kind, rule in RULES.items()},
)
Row = strawberry.Parent[health.Observation]
ObservationId = Annotated[UUID, GlobalIdOf("Observation")]


@from_row(health.Observation)
class Observation(Node):
    """What a person observed about the relationship with a client; it never changes."""

    kind: Annotated[ObservationKind, "Thing that the author observed."]
    at: Annotated[datetime, "Time at which it was so."]
    value: Annotated[int | None, "Number that was observed; the kind says what it means."]
    total: Annotated[int | None, "Number that the value is a part of, such as people invited."]
    note: Annotated[str | None, "What else there is to say."]
    recorded_at: Annotated[datetime, "Time at which it was recorded."]
    recorded_by: Annotated[str, "Actor who recorded it, as named in the ledger.", RESTRICTED]
    withdrawn_at: Annotated[datetime | None, "Time at which it was withdrawn; null: it counts."]

    account = to_one(Account, accounts.Account, "account_id", "Account that it is about.")

    contact = to_one(
        Contact, accounts.Contact, "contact_id", "Contact whom it is about; null for none."
    )


@query_fields
class ObservationQuery:
    """Queries of observations."""

    @lists(Observation, health.Observation.at, health.Observation.id, descending=True)
    @staticmethod
    def observations(
        info: Info,
        account_id: AccountFilter = None,
        kind: Annotated[ObservationKind | None, "Only observations of this kind."] = None,
    ) -> Rows:
        """Observations about clients, the latest first; empty for clients."""
        query = visible(info, health.Observation, account_id)
        return query if kind is None else query.where(health.Observation.kind == kind)


@mutation_fields
class ObservationMutation:
    """Mutations of observations."""

    @mutation(Observation)
    @staticmethod
    async def record_observation(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account that it is about."],
        kind: Annotated[ObservationKind, "Thing that the author observed."],
        value: Annotated[int | None, "Number, for the kinds that have one."] = None,
        total: Annotated[int | None, "Number of people invited, for meetings."] = None,
        contact_id: Annotated[ContactId | None, "Contact of the client whom it is about."] = None,
        note: Annotated[str | None, "What else there is to say."] = None,
        at: Annotated[datetime | None, "Time at which it was so; now by default."] = None,
    ) -> health.Observation:
        """Record what was observed about the relationship with a client."""
        draft = health.ObservationDraft(kind, value, total, contact_id, note, at)
        return await health.record_observation(ask.tx, account_id, draft)

    @mutation(Observation)
    @staticmethod
    async def withdraw_observation(
        ask: MutationContext,
        id: Annotated[ObservationId, "Observation that was wrong."],
        reason: Annotated[str, "Why it was wrong."],
    ) -> health.Observation:
        """Withdraw an observation: it counts no longer, and both facts remain."""
        return await health.withdraw_observation(ask.tx, id, reason=reason)
