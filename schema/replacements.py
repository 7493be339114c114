"""Replacements of absent guards and offers of their shifts: lists and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, replacements, shifts
from domain.evidence import Grade
from domain.replacements import (
    AbsenceCause,
    OfferState,
    ReplacementState,
)
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.mutations import GlobalIdOf
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import (
    RESTRICTED,
    enum,
    from_row,
    relation,
    relations,
    resolver,
    subscription,
)
from schema.shifts import Shift
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    ReplacementState,
    "ReplacementState",
    sought="Another guard is sought.",
    found="Another guard has the shift.",
    on_the_way="The other guard is on the way.",
    arrived="A guard clocked in at the post.",
    unfilled="The shift ended, and nobody came.",
    withdrawn="No replacement is needed: the shift was cancelled, or the guard was there after all.",
)
enum(
    AbsenceCause,
    "AbsenceCause",
    reported="The guard, or the office, said so.",
    no_show="Nobody was there a quarter of an hour after the start.",
)
enum(
    OfferState,
    "ShiftOfferState",
    open="Not answered; the shift is still to be had.",
    accepted="The guard took the shift.",
    declined="The guard does not take the shift.",
    closed="Closed by the system: another guard took the shift, or it is no longer offered.",
)
ReplacementRow = strawberry.Parent[replacements.Replacement]
OfferRow = strawberry.Parent[replacements.ShiftOffer]
ReplacementId = Annotated[UUID, GlobalIdOf("Replacement")]
ShiftOfferId = Annotated[UUID, GlobalIdOf("ShiftOffer")]


@from_row(replacements.Replacement)
class Replacement(Node):
    """A guard is absent from a shift, and another one has to come."""

    cause: Annotated[AbsenceCause, "How the absence became known."]
    state: Annotated[ReplacementState, "State of the replacement."]
    number: Annotated[
        int | None, "Pseudonymous number of the absent guard; null: the shift had no guard."
    ]
    known_at: Annotated[datetime, "Time at which the absence became known."]
    replacing_number: Annotated[
        int | None, "Pseudonymous number of the guard who takes over; null: nobody yet."
    ]
    found_at: Annotated[datetime | None, "Time at which another guard was found."]
    on_the_way_at: Annotated[
        datetime | None, "Time at which the other guard was first reported on the way."
    ]
    arrives_at: Annotated[
        datetime | None, "Time at which the guard is expected; null: unknown, or nobody yet."
    ]
    arrived_at: Annotated[datetime | None, "Time of the clock-in, as corrected."]
    arrival_grade: Annotated[Grade | None, "Grade of the evidence of the clock-in."]
    withdrawn_at: Annotated[datetime | None, "Time at which no replacement was needed any more."]
    by_hand_since: Annotated[
        datetime | None, "Time at which a dispatcher took over from the system.", RESTRICTED
    ]
    wave: Annotated[int, "Number of waves of offers that were made.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    @relation("Account")
    @staticmethod
    async def account(row: ReplacementRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: ReplacementRow, info: Info) -> accounts.Site | None:
        """Site of the shift."""
        return await info.context.get(accounts.Site, row.site_id)

    @resolver(Shift | None)
    @staticmethod
    async def shift(row: ReplacementRow, info: Info) -> shifts.Shift | None:
        """Shift that the guard is absent from."""
        return await info.context.get(shifts.Shift, row.shift_id)

    @resolver(User | None)
    @staticmethod
    async def user(row: ReplacementRow, info: Info) -> accounts.User | None:
        """User who is absent. Null for clients, and for a shift that had no guard."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(User | None)
    @staticmethod
    async def replacing_user(row: ReplacementRow, info: Info) -> accounts.User | None:
        """User who takes over. Null for clients, and while nobody was found."""
        return await info.context.get(accounts.User, row.replacing_user_id)

    @relations("ShiftOffer")
    @staticmethod
    async def offers(row: ReplacementRow, info: Info) -> list[Any]:
        """Offers of the shift, by wave; none for clients."""
        offer = replacements.ShiftOffer
        return await info.context.children(
            offer.replacement_id, row.id, order=(offer.wave, offer.id)
        )


@from_row(replacements.ShiftOffer)
class ShiftOffer(Node):
    """The shift of an absent guard, offered to another guard."""

    state: Annotated[OfferState, "State of the offer."]
    wave: Annotated[int, "Number of the wave in which it was made last."]
    offered_at: Annotated[datetime, "Time at which it was made."]
    closed_at: Annotated[datetime | None, "Time at which it was answered or closed; null: open."]
    from_at: Annotated[datetime, "Time at which the shift begins."]
    until_at: Annotated[datetime, "Time at which the shift ends."]
    site_name: Annotated[str, "Name of the site, when it was offered."]
    post_name: Annotated[str, "Name of the post, when it was offered."]
    travel_minutes: Annotated[
        int | None, "Minutes that the guard needs to prepare and travel; null: unknown."
    ]

    @resolver(User | None)
    @staticmethod
    async def user(row: OfferRow, info: Info) -> accounts.User | None:
        """Guard to whom it was made."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(Replacement | None)
    @staticmethod
    async def replacement(row: OfferRow, info: Info) -> replacements.Replacement | None:
        """Replacement that it was made for. Null for guards."""
        return await info.context.get(replacements.Replacement, row.replacement_id)


@query_fields
class ReplacementQuery:
    """Queries of replacements."""

    @lists(
        ShiftOffer,
        replacements.ShiftOffer.offered_at,
        replacements.ShiftOffer.id,
        descending=True,
    )
    @staticmethod
    def shift_offers(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[OfferState] | None, "Only offers in these states."] = None,
    ) -> Rows:
        """Offers of shifts, the newest first; guards see those that were made to them, clients none."""
        query = visible(info, replacements.ShiftOffer, account_id)
        return among(query, replacements.ShiftOffer.state, states)

    @lists(Replacement, replacements.Replacement.known_at, replacements.Replacement.id)
    @staticmethod
    def replacements(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only replacements at this site."] = None,
        shift_id: Annotated[strawberry.ID | None, "Only replacements of this shift."] = None,
        states: Annotated[
            list[ReplacementState] | None, "Only replacements in these states."
        ] = None,
    ) -> Rows:
        """Replacements, by the time at which the absence became known; guards see their own."""
        row = replacements.Replacement
        query = visible(info, row, account_id)
        query = naming(info, query, row.site_id, "Site", site_id)
        query = naming(info, query, row.shift_id, "Shift", shift_id)
        return among(query, row.state, states)


@subscription_fields
class ReplacementSubscription:
    """Subscriptions to replacements."""

    @subscription(FeedEvent)
    def replacement_changes(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the replacements of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Replacements of an account as they are needed, found, on the way, arrived and lost."""
        return facts_named(info, account_id, after, "replacement.")
