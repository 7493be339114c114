"""Fixes as devices hand them in, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import positions
from domain.credentials import Device as DeviceRow
from domain.positions import IngestOutcome, Reason, ReceivedFix
from schema.core.bounds import each_by_itself
from schema.core.mutations import MutationContext, mutation
from schema.core.types import from_row, input_type, resolver
from schema.duties import Device, DeviceId


@input_type
class FixInput:
    """One fix; what is not known is left out."""

    at: Annotated[datetime, "When it was made, by the device."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "How far off it may be, in metres."] = None
    speed_mps: Annotated[float | None, "Metres a second."] = None
    heading_deg: Annotated[float | None, "Degrees from true north."] = None
    altitude_m: Annotated[float | None, "Metres above the ellipsoid."] = None
    battery_pct: Annotated[float | None, "Percent."] = None
    charging: Annotated[bool | None, "Whether it is being charged."] = None
    mock: Annotated[bool | None, "Whether the device says that the position is made up."] = None


each_by_itself(FixInput)  # one fix that cannot be does not refuse the others


@dataclass(frozen=True, slots=True)
class RefusedFix:
    """A fix that was not taken."""

    index: int
    reason: Reason


@from_row(RefusedFix)
class FixRefused:
    """A fix that was not taken."""

    index: Annotated[int, "Which, from 0."]
    reason: Annotated[Reason, "Why."]


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """A report's row is its device; counts are None when the answer is repeated under its key."""

    row: DeviceRow
    outcome: IngestOutcome | None = None


@from_row(ReportReceipt)
class PositionReport:
    """What became of the fixes of a report: each is stored now, known already, or refused."""

    @resolver(Device)
    @staticmethod
    def device(row: strawberry.Parent[ReportReceipt]) -> DeviceRow:
        """The device."""
        return row.row

    @resolver(int | None)
    @staticmethod
    def accepted(row: strawberry.Parent[ReportReceipt]) -> int | None:
        """How many were stored; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.accepted

    @resolver(int | None)
    @staticmethod
    def duplicates(row: strawberry.Parent[ReportReceipt]) -> int | None:
        """How many were known; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.duplicates

    @resolver(list[FixRefused])
    @staticmethod
    def refused(row: strawberry.Parent[ReportReceipt]) -> list[RefusedFix]:
        """Which were not taken, and why."""
        return [] if row.outcome is None else [RefusedFix(*each) for each in row.outcome.refused]


@strawberry.type
class FixMutation:
    """The verb about fixes."""

    @mutation(PositionReport, again=ReportReceipt)
    @staticmethod
    async def report_positions(
        ask: MutationContext,
        device_id: Annotated[DeviceId, "Your device."],
        fixes: Annotated[list[FixInput], "The fixes, 1,000 at most, in any order."],
        sent_at: Annotated[datetime | None, "What the device's clock says now."] = None,
    ) -> ReportReceipt:
        """Hand in where your device was; each fix counts once, however often it is sent."""
        readings = [ReceivedFix(**vars(each)) for each in fixes]
        skew_s = float("nan") if sent_at is None else (ask.at - sent_at).total_seconds()
        device, outcome = await positions.report(
            ask.session, ask.actor, device_id, readings, skew_s=skew_s, at=ask.at
        )
        return ReportReceipt(device, outcome)
