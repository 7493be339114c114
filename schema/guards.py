"""Guards: their work profiles and qualifications, and bars by clients."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, guards
from domain.guards import PassColour
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row, relation, relations, resolver
from schema.users import User

enum(
    PassColour,
    "PassColour",
    grey="Grey: a fully qualified guard.",
    blue="Blue: limited work, such as events or operating a control room.",
    green="Green: trainee, at most twelve months.",
    yellow="Yellow: private investigation work.",
    orange="Orange: hospitality and clubs.",
)

ProfileRow = strawberry.Parent[guards.GuardProfile]
QualificationRow = strawberry.Parent[guards.Qualification]
BarRow = strawberry.Parent[guards.GuardBar]
GuardBarId = Annotated[UUID, GlobalIdOf("GuardBar")]


@from_row(guards.GuardProfile)
class GuardProfile(Node):
    """Work profile of a user who guards. Office staff and the guard see it, clients do not."""

    employee_number: Annotated[str | None, "Number of the employee, unique in the company."]
    pass_colour: Annotated[PassColour | None, "Colour of the pass; null: no pass is known."]
    pass_expires_on: Annotated[date | None, "Last day on which the pass is valid."]
    languages: Annotated[list[str], "Languages that the guard speaks, as ISO 639-1 codes."]
    contract_minutes: Annotated[
        int | None, "Working time a week by contract, in minutes; null: unknown."
    ]
    home_lat: Annotated[
        float | None, "Latitude of the region where the guard lives, to a hundredth of a degree."
    ]
    home_lon: Annotated[
        float | None, "Longitude of the region where the guard lives, to a hundredth of a degree."
    ]
    hour_cost_cents: Annotated[
        int | None, "Cost of an hour of work to the company, in cents of its currency.", RESTRICTED
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    user = to_one(User, accounts.User, "user_id", "User who is the guard.")

    @relations("Qualification")
    @staticmethod
    async def qualifications(row: ProfileRow, info: Info) -> list[Any]:
        """Qualifications of the guard, by name."""
        return await info.context.children(
            guards.Qualification.user_id, row.user_id, order=(guards.Qualification.name,)
        )


@from_row(guards.Qualification)
class Qualification(Node):
    """Qualification that a guard holds."""

    name: Annotated[str, "Name of the qualification, as posts require it."]
    expires_on: Annotated[date | None, "Last day on which it is valid; null: no end."]

    user = to_one(User, accounts.User, "user_id", "User who holds the qualification.")


@from_row(guards.GuardBar)
class GuardBar(Node):
    """A client does not want a guard at its sites. Office staff see it, clients and guards do not."""

    barred_at: Annotated[datetime, "Time from which the guard is barred."]
    lifted_at: Annotated[datetime | None, "Time at which the bar was lifted; null: it stands."]

    @relation("Account")
    @staticmethod
    async def account(row: BarRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(User | None)
    @staticmethod
    async def user(row: BarRow, info: Info) -> accounts.User | None:
        """User who is barred."""
        return await info.context.get(accounts.User, row.user_id)


@query_fields
class GuardQuery:
    """Queries of profiles of guards."""

    @lists(GuardProfile, guards.GuardProfile.id)
    @staticmethod
    def guard_profiles(
        info: Info,
        user_id: Annotated[strawberry.ID | None, "Only the profile of this user."] = None,
    ) -> Rows:
        """Work profiles of guards; a guard sees the own one, clients none."""
        query = visible(info, guards.GuardProfile)
        return naming(info, query, guards.GuardProfile.user_id, "User", user_id)

    @lists(GuardBar, guards.GuardBar.barred_at, guards.GuardBar.id)
    @staticmethod
    def guard_bars(
        info: Info,
        account_id: AccountFilter = None,
        user_id: Annotated[strawberry.ID | None, "Only bars of this guard."] = None,
        stands: Annotated[bool, "Only bars that were not lifted."] = False,
    ) -> Rows:
        """Bars of guards by clients, by the time at which they began; for office staff."""
        query = visible(info, guards.GuardBar, account_id)
        if stands:
            query = query.where(guards.GuardBar.lifted_at.is_(None))
        return naming(info, query, guards.GuardBar.user_id, "User", user_id)

    @lists(Qualification, guards.Qualification.name, guards.Qualification.id)
    @staticmethod
    def qualifications(
        info: Info,
        user_id: Annotated[strawberry.ID | None, "Only qualifications of this user."] = None,
        expires_before: Annotated[
            date | None, "Only those with a last day before this one."
        ] = None,
    ) -> Rows:
        """Qualifications of guards, by name; a guard sees the own ones, clients none."""
        query = visible(info, guards.Qualification)
        if expires_before is not None:
            query = query.where(guards.Qualification.expires_on < expires_before)
        return naming(info, query, guards.Qualification.user_id, "User", user_id)


@mutation_fields
class GuardMutation:
    """Mutations of guards."""

    @mutation(GuardProfile)
    @staticmethod
    async def set_guard_profile(
        ask: MutationContext,
        user_id: Annotated[UserId, "User of the company's staff who guards."],
        employee_number: Annotated[str | None, "Number of the employee, unique."] = UNSET,
        pass_colour: Annotated[PassColour | None, "Colour of the pass of the guard."] = UNSET,
        pass_expires_on: Annotated[date | None, "Last day on which the pass is valid."] = UNSET,
        languages: Annotated[
            list[str] | None, "Languages that the guard speaks, as ISO 639-1 codes."
        ] = UNSET,
        contract_minutes: Annotated[int | None, "Working time a week, in minutes."] = UNSET,
        home_lat: Annotated[
            float | None, "Latitude of the home; a hundredth of a degree is kept."
        ] = UNSET,
        home_lon: Annotated[
            float | None, "Longitude of the home; a hundredth of a degree is kept."
        ] = UNSET,
        hour_cost_cents: Annotated[
            int | None, "Cost of an hour of work to the company, in cents."
        ] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> guards.GuardProfile:
        """Make or change the profile of a guard. Arguments that are omitted stay as they are."""
        given = {
            "employee_number": employee_number,
            "pass_colour": pass_colour,
            "pass_expires_on": pass_expires_on,
            "languages": languages,
            "contract_minutes": contract_minutes,
            "home_lat": home_lat,
            "home_lon": home_lon,
            "hour_cost_cents": hour_cost_cents,
        }
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await guards.set_profile(
            ask.tx, user_id, expected_version=expected_version, **changes
        )

    @mutation(Qualification)
    @staticmethod
    async def grant_qualification(
        ask: MutationContext,
        user_id: Annotated[UserId, "User of the company's staff who guards."],
        name: Annotated[str, "Name of the qualification, as posts require it."],
        expires_on: Annotated[date | None, "Last day on which it is valid; null: no end."] = None,
    ) -> guards.Qualification:
        """Record that a guard holds a qualification, and until which day; a past day ends it."""
        return await guards.grant_qualification(ask.tx, user_id, name, expires_on=expires_on)

    @mutation(GuardBar)
    @staticmethod
    async def bar_guard(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that asked for it."],
        user_id: Annotated[UserId, "Guard who is barred."],
    ) -> guards.GuardBar:
        """Keep a guard from the sites of a client; shifts that are planned stay as they are."""
        return await guards.bar_guard(ask.tx, account_id, user_id)

    @mutation(GuardBar)
    @staticmethod
    async def lift_guard_bar(
        ask: MutationContext, id: Annotated[GuardBarId, "Bar that no longer holds."]
    ) -> guards.GuardBar:
        """Let a guard work at the sites of a client again."""
        return await guards.lift_bar(ask.tx, id)
