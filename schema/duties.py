"""Duties of guards for accounts, and the devices they carry."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, positions
from domain.credentials import Device as DeviceRow
from domain.duties import Duty as DutyRow
from domain.positions import REASON_TEXT, Reason
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, SiteId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver
from schema.sites import Site
from schema.users import User

enum(
    Reason,
    "FixRefusal",  # type: ignore[type-var]
    fine="No refusal: the fix was accepted.",
    unreadable=REASON_TEXT[Reason.UNREADABLE],
    impossible_place=REASON_TEXT[Reason.IMPOSSIBLE_PLACE],
    impossible_value=REASON_TEXT[Reason.IMPOSSIBLE_VALUE],
    from_the_future=REASON_TEXT[Reason.FROM_THE_FUTURE],
    too_old=REASON_TEXT[Reason.TOO_OLD],
    off_duty=REASON_TEXT[Reason.OFF_DUTY],
)


DeviceId = Annotated[UUID, GlobalIdOf("Device")]
DutyId = Annotated[UUID, GlobalIdOf("Duty")]

DeviceParent = strawberry.Parent[DeviceRow]
DutyParent = strawberry.Parent[DutyRow]


@from_row(DeviceRow)
class Device(Node):
    """Device of a guard that reports positions."""

    name: Annotated[str, "Name of the device, given by its owner."]
    enrolled_at: Annotated[
        datetime, "Time at which the device was enrolled and could report positions."
    ]
    revoked_at: Annotated[
        datetime | None, "Time from which the device may no longer report positions."
    ]
    refusals: Annotated[int, "Number of refused fixes since the device was enrolled."]
    refused_at: Annotated[datetime | None, "Time of the last refused fix."]
    refused_message: Annotated[
        str | None, "Explanation of the last refusal, as returned to the device."
    ]

    @resolver(Reason | None)
    @staticmethod
    def refused_for(row: DeviceParent) -> Reason | None:
        """Reason of the last refused fix."""
        return None if row.refused_for is None else Reason[row.refused_for.upper()]

    @resolver(float)
    @staticmethod
    def clock_behind_s(row: DeviceParent) -> float:
        """Seconds by which the clock of the device is behind the server, by its last report (`sentAt`).

        Times are corrected by it.
        """
        return row.clock_ms / 1000

    user = to_one(User, accounts.User, "user_id", "User to whom the device belongs.")


@from_row(DutyRow)
class Duty(Node):
    """Duty of a guard for an account. The position of the guard's device is known only during a duty."""

    number: Annotated[int, "Pseudonymous number of the guard, constant within one account."]
    from_at: Annotated[datetime, "Time at which the duty starts."]
    until_at: Annotated[datetime, "Planned end of the duty."]
    ended_at: Annotated[
        datetime | None, "Time at which the duty ended; null while it is planned or running."
    ]
    grace_s: Annotated[int, "Seconds that the guard may take to reach the site."]
    silent_after_s: Annotated[int, "Seconds without a fix after which the device counts as silent."]
    tour: Annotated[
        str | None, "Tour of which the duty is part: a mobile shift across several accounts."
    ]

    account = to_one(Account, accounts.Account, "account_id", "Account for which the guard works.")

    site = to_one(
        Site,
        accounts.Site,
        "site_id",
        "Site at which the guard is expected; null for a guard who patrols all sites of the account.",
    )

    user = to_one(User, accounts.User, "user_id", "User who is the guard. Null for clients.")


@query_fields
class DutyQuery:
    """Queries of duties and devices."""

    @lists(Device, DeviceRow.enrolled_at, DeviceRow.id, descending=True)
    @staticmethod
    def devices(
        info: Info,
    ) -> Rows:
        """Devices of guards, newest first; visible to the company's own staff."""
        return visible(info, DeviceRow)

    @lists(Duty, DutyRow.from_at, DutyRow.id, descending=True)
    @staticmethod
    def duties(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only duties for this account."] = None,
        running: Annotated[bool, "Only duties that have not ended; false for all duties."] = False,
    ) -> Rows:
        """Past, current and planned duties of guards, the latest first."""
        query = visible(info, DutyRow, account_id)
        return query.where(DutyRow.ended_at.is_(None)) if running else query


@mutation_fields
class DutyMutation:
    """Mutations of duties and devices."""

    @mutation(Duty)
    @staticmethod
    async def assign_device(
        ask: MutationContext,
        device_id: Annotated[DeviceId, "Device that the guard carries."],
        account_id: Annotated[AccountId, "Account for which the guard works."],
        from_at: Annotated[datetime, "Start of the duty; may be in the past."],
        until_at: Annotated[datetime, "End of the duty, at most 31 days after the start."],
        site_id: Annotated[
            SiteId | None, "Site at which the guard is expected; null for all sites of the account."
        ] = None,
        grace_s: Annotated[
            int | None,
            "Seconds that the guard may take to reach the site; null: as the parameter `duties.grace`.",
        ] = None,
        silent_after_s: Annotated[
            int | None,
            "Seconds without a fix after which the device counts as silent; null: as `duties.silent_after`.",
        ] = None,
        tour: Annotated[
            str | None, "Name of the mobile shift; its duties may overlap at different sites."
        ] = None,
    ) -> DutyRow:
        """Put the owner of a device on duty. A guard is on duty at one site at a time, except within one tour."""
        return await positions.assign(
            ask.tx,
            device_id,
            account_id,
            from_at=from_at,
            until_at=until_at,
            site_id=site_id,
            grace_s=grace_s,
            silent_after_s=silent_after_s,
            tour=tour,
        )

    @mutation(Duty)
    @staticmethod
    async def end_duty(ask: MutationContext, id: Annotated[DutyId, "Duty to be ended."]) -> DutyRow:
        """End a duty; the position of the guard is not recorded from then on."""
        return await positions.end(ask.tx, id)
