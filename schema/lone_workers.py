"""Guards who work alone: welfare checks, signs of distress, and their mutations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, incidents, lone_workers, shifts
from domain.incidents import OPEN
from domain.lone_workers import DistressCause
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, relation, resolver
from schema.shifts import Shift, ShiftId
from schema.sites import Site
from schema.users import User

enum(
    DistressCause,
    "DistressCause",
    panic="The guard pressed the panic button.",
    no_movement="The phone did not move for longer than its app allows.",
    missed_check="The guard did not confirm a welfare check in time.",
)
_WATCH, _SIGN = lone_workers.WelfareWatch, lone_workers.DistressSign
WatchRow = strawberry.Parent[lone_workers.WelfareWatch]
SignRow = strawberry.Parent[lone_workers.DistressSign]
WelfareWatchId = Annotated[UUID, GlobalIdOf("WelfareWatch")]
DistressSignId = Annotated[UUID, GlobalIdOf("DistressSign")]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where a guard in distress was last."""

    lat: float
    lon: float
    at: datetime


@from_row(PlaceRow)
class DistressPosition:
    """Where a guard in distress was last; shown until the incident is resolved."""

    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    at: Annotated[datetime, "Time of the position."]


@from_row(lone_workers.WelfareWatch)
class WelfareWatch(Node):
    """Welfare checks during one shift: the guard confirms to be well before each is due."""

    number: Annotated[int, "Pseudonymous number of the guard at this client."]
    every_s: Annotated[int, "Seconds between two checks."]
    grace_s: Annotated[int, "Seconds after a check is due until it counts as missed."]
    started_at: Annotated[datetime, "Time from which the guard is checked on."]
    due_at: Annotated[datetime, "Time until which the guard confirms next."]
    ended_at: Annotated[datetime | None, "Time at which the checks ended."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(bool)
    @staticmethod
    def is_missed(row: WatchRow) -> bool:
        """Whether the guard missed the check, and has not confirmed since."""
        return row.look_at is None and row.ended_at is None

    @resolver(User | None)
    @staticmethod
    async def user(row: WatchRow, info: Info) -> accounts.User | None:
        """Guard who works alone."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(Shift | None)
    @staticmethod
    async def shift(row: WatchRow, info: Info) -> shifts.Shift | None:
        """Shift of the guard."""
        return await info.context.get(shifts.Shift, row.shift_id)


@from_row(lone_workers.DistressSign)
class DistressSign(Node):
    """Sign that a guard may be in distress; all signs of one emergency share its incident."""

    cause: Annotated[DistressCause, "Event that raised the sign."]
    number: Annotated[int | None, "Pseudonymous number of the guard at this client."]
    happened_at: Annotated[datetime, "Time of the event, or at which the check was due."]
    told_at: Annotated[datetime, "Time at which it was received or found."]
    withdrawn_at: Annotated[
        datetime | None,
        "Time at which the guard said that it was nothing; the incident stays open.",
    ]
    ended_at: Annotated[datetime | None, "Time at which it ended, after the incident was resolved."]

    @resolver(DistressPosition | None)
    @staticmethod
    async def position(row: SignRow, info: Info) -> PlaceRow | None:
        """Last position, while the incident is open; null afterwards, and where none is known."""
        incident = await info.context.get(incidents.Incident, row.incident_id)
        if incident is None or incident.status not in OPEN:
            return None
        if row.lat is None or row.lon is None or row.position_at is None:
            return None
        return PlaceRow(row.lat, row.lon, row.position_at)

    @resolver(User | None)
    @staticmethod
    async def user(row: SignRow, info: Info) -> accounts.User | None:
        """Guard who may be in distress."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(Shift | None)
    @staticmethod
    async def shift(row: SignRow, info: Info) -> shifts.Shift | None:
        """Shift of the guard."""
        return await info.context.get(shifts.Shift, row.shift_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: SignRow, info: Info) -> accounts.Site | None:
        """Site of the shift."""
        return await info.context.get(accounts.Site, row.site_id)

    @relation("Incident")
    @staticmethod
    async def incident(row: SignRow, info: Info) -> incidents.Incident | None:
        """Critical incident, which only the office resolves."""
        return await info.context.get(incidents.Incident, row.incident_id)


@query_fields
class LoneWorkerQuery:
    """Queries of guards who work alone."""

    @lists(WelfareWatch, _WATCH.started_at, _WATCH.id, descending=True)
    @staticmethod
    def welfare_watches(
        info: Info,
        account_id: AccountFilter = None,
        shift_id: Annotated[strawberry.ID | None, "Only checks of this shift."] = None,
    ) -> Rows:
        """Welfare checks, the newest first; guards see their own, clients none."""
        return naming(info, visible(info, _WATCH, account_id), _WATCH.shift_id, "Shift", shift_id)

    @lists(DistressSign, _SIGN.told_at, _SIGN.id, descending=True)
    @staticmethod
    def distress_signs(
        info: Info,
        account_id: AccountFilter = None,
        shift_id: Annotated[strawberry.ID | None, "Only signs of this shift."] = None,
    ) -> Rows:
        """Signs of distress, the newest first; guards see their own, clients none."""
        return naming(info, visible(info, _SIGN, account_id), _SIGN.shift_id, "Shift", shift_id)


@mutation_fields
class LoneWorkerMutation:
    """Mutations of guards who work alone."""

    @mutation(WelfareWatch)
    @staticmethod
    async def start_welfare_checks(
        ask: MutationContext, shift_id: Annotated[ShiftId, "Running shift of one guard."]
    ) -> lone_workers.WelfareWatch:
        """Check on the guard of a running shift, as this guard or as the office; parameters say how often."""
        return await lone_workers.start_checks(ask.tx, shift_id)

    @mutation(WelfareWatch)
    @staticmethod
    async def confirm_welfare(
        ask: MutationContext, id: Annotated[WelfareWatchId, "Checks that have not ended."]
    ) -> lone_workers.WelfareWatch:
        """Confirm that the guard is well; distress that is open stays open."""
        return await lone_workers.confirm_welfare(ask.tx, id)

    @mutation(WelfareWatch)
    @staticmethod
    async def end_welfare_checks(
        ask: MutationContext, id: Annotated[WelfareWatchId, "Checks that have not ended."]
    ) -> lone_workers.WelfareWatch:
        """End the checks of a shift; they end with the shift by themselves."""
        return await lone_workers.end_checks(ask.tx, id)

    @mutation(DistressSign)
    @staticmethod
    async def withdraw_distress(
        ask: MutationContext, id: Annotated[DistressSignId, "Sign with an incident that is open."]
    ) -> lone_workers.DistressSign:
        """Say that it was nothing: the office sees it, and the incident stays open until somebody resolves it."""
        return await lone_workers.withdraw_distress(ask.tx, id)
