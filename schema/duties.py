"""Guards on duty: what they carry, and when they are at work for which client."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, positions
from domain.credentials import Device as DeviceRow
from domain.duties import Duty as DutyRow
from domain.positions import REASON_TEXT, Reason
from schema.accounts import Account, Site, User
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, SiteId, mutation
from schema.core.types import enum, from_row, resolver

enum(
    Reason, "FixRefusal",  # type: ignore[type-var]
    fine="Nothing wrong.", unreadable=REASON_TEXT[Reason.UNREADABLE],
    impossible_place=REASON_TEXT[Reason.IMPOSSIBLE_PLACE], impossible_value=REASON_TEXT[Reason.IMPOSSIBLE_VALUE],
    from_the_future=REASON_TEXT[Reason.FROM_THE_FUTURE], too_old=REASON_TEXT[Reason.TOO_OLD],
    off_duty=REASON_TEXT[Reason.OFF_DUTY],
)  # fmt: skip


DeviceId = Annotated[UUID, GlobalIdOf("Device")]
DutyId = Annotated[UUID, GlobalIdOf("Duty")]

DeviceParent = strawberry.Parent[DeviceRow]
DutyParent = strawberry.Parent[DutyRow]


@from_row(DeviceRow)
class Device(Node):
    """What a guard carries, and what hands in where it is."""

    name: Annotated[str, "What its owner calls it."]
    enrolled_at: Annotated[datetime, "Since when it hands in fixes."]
    revoked_at: Annotated[datetime | None, "Since when it may not any more."]
    refusals: Annotated[int, "How much of what it handed in was refused, since it was enrolled."]
    refused_at: Annotated[datetime | None, "When something of it was refused last."]
    refused_message: Annotated[str | None, "Why, in words, as the device was told."]

    @resolver(Reason | None)
    @staticmethod
    def refused_for(row: DeviceParent) -> Reason | None:
        """Why something of it was refused last."""
        return None if row.refused_for is None else Reason[row.refused_for.upper()]

    @resolver(float)
    @staticmethod
    def clock_behind_s(row: DeviceParent) -> float:
        """How far its clock is behind ours, as it said last (`sentAt`); its instants are corrected by that."""
        return row.clock_ms / 1000

    @resolver(User | None)
    @staticmethod
    async def user(row: DeviceParent, info: Info) -> accounts.User | None:
        """Whose it is."""
        return await info.context.loaders.user.load(row.user_id)


@from_row(DutyRow)
class Duty(Node):
    """A guard at work for a client; only meanwhile is it known where the guard's device is."""

    number: Annotated[int, "What you know the guard by: the same at this client every time."]
    from_at: Annotated[datetime, "From when."]
    until_at: Annotated[datetime, "Until when."]
    ended_at: Annotated[datetime | None, "When it ended; null while it is to come or lasts."]
    grace_s: Annotated[int, "How long the guard may be on the way to the place."]
    silent_after_s: Annotated[int, "After how long without a fix the device counts as silent."]
    tour: Annotated[str | None, "The mobile shift over several clients that it is part of."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: DutyParent, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: DutyParent, info: Info) -> accounts.Site | None:
        """The place where the guard is expected; null for one who goes round all of the client's places."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @resolver(User | None)
    @staticmethod
    async def user(row: DutyParent, info: Info) -> accounts.User | None:
        """The guard. Null for clients."""
        return await info.context.loaders.user.load(row.user_id)


@strawberry.type
class DutyQuery:
    """Questions about guards on duty."""

    @lists(Device, DeviceRow.enrolled_at, DeviceRow.id, descending=True)
    @staticmethod
    def devices(
        info: Info,
    ) -> Rows:
        """What guards carry, newest first; the company's own people see it."""
        return visible(info, DeviceRow)

    @lists(Duty, DutyRow.from_at, DutyRow.id, descending=True)
    @staticmethod
    def duties(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only for this client."] = None,
        running: Annotated[bool, "Only those that have not ended."] = False,
    ) -> Rows:
        """Who is on duty, was or will be, the latest first."""
        query = visible(info, DutyRow, account_id)
        return query.where(DutyRow.ended_at.is_(None)) if running else query


@strawberry.type
class DutyMutation:
    """Verbs about guards on duty."""

    @mutation(Duty)
    @staticmethod
    async def assign_device(
        ask: MutationContext,
        device_id: Annotated[DeviceId, "What the guard carries."],
        account_id: Annotated[AccountId, "The client."],
        from_at: Annotated[datetime, "From when; also in the past."],
        until_at: Annotated[datetime, "Until when, 31 days later at most."],
        site_id: Annotated[SiteId | None, "The place where the guard is expected."] = None,
        grace_s: Annotated[int, "How long the guard may be on the way there."] = 900,
        silent_after_s: Annotated[int, "After how long without a fix it is silent."] = 300,
        tour: Annotated[
            str | None, "The name of a mobile shift: its duties may overlap at different places."
        ] = None,
    ) -> DutyRow:
        """Put the owner of a device on duty. A guard is on duty at one place at a time, except on one tour."""
        return await positions.assign(
            ask.session, ask.actor, device_id, account_id, from_at=from_at, until_at=until_at,
            site_id=site_id, grace_s=grace_s, silent_after_s=silent_after_s, tour=tour, at=ask.at,
        )  # fmt: skip

    @mutation(Duty)
    @staticmethod
    async def end_duty(ask: MutationContext, id: Annotated[DutyId, "The duty."]) -> DutyRow:
        """Let a guard go; where the guard is from then on is not known."""
        return await positions.end(ask.session, ask.actor, id, at=ask.at)
