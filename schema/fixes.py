"""Position reports of devices, and the result for each fix."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import positions
from domain.credentials import Device as DeviceRow
from domain.positions import IngestOutcome, Reason, ReceivedFix
from schema.core.bounds import each_by_itself
from schema.core.mutations import MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.types import from_row, input_type, resolver
from schema.duties import Device, DeviceId


@input_type
class FixInput:
    """One GPS fix; omit what is unknown."""

    at: Annotated[datetime, "Time of the fix, by the device's clock."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "Accuracy of the position, in metres."] = None
    speed_mps: Annotated[float | None, "Speed in metres per second."] = None
    heading_deg: Annotated[float | None, "Heading in degrees, clockwise from true north."] = None
    altitude_m: Annotated[float | None, "Altitude in metres above the ellipsoid."] = None
    battery_pct: Annotated[float | None, "Charge of the battery, in percent."] = None
    charging: Annotated[bool | None, "Whether the device is being charged."] = None
    mock: Annotated[
        bool | None, "Whether the device reports the position as simulated (mock location)."
    ] = None


each_by_itself(FixInput)  # an invalid fix does not refuse the others


@dataclass(frozen=True, slots=True)
class RefusedFix:
    """Refused fix of a report, by its index."""

    index: int
    reason: Reason


@from_row(RefusedFix)
class FixRefused:
    """Fix that was refused, with the reason."""

    index: Annotated[int, "Index of the fix in the report, from 0."]
    reason: Annotated[Reason, "Reason for which the fix was refused."]


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """Result of a position report: its row is the device; counts are None in a repeated response."""

    row: DeviceRow
    outcome: IngestOutcome | None = None


@from_row(ReportReceipt)
class PositionReport:
    """Result of a position report: each fix was stored, already known, or refused."""

    @resolver(Device)
    @staticmethod
    def device(row: strawberry.Parent[ReportReceipt]) -> DeviceRow:
        """Device that reported the positions."""
        return row.row

    @resolver(int | None)
    @staticmethod
    def accepted(row: strawberry.Parent[ReportReceipt]) -> int | None:
        """Number of stored fixes; null when the response is repeated for the same idempotency key."""
        return None if row.outcome is None else row.outcome.accepted

    @resolver(int | None)
    @staticmethod
    def duplicates(row: strawberry.Parent[ReportReceipt]) -> int | None:
        """Number of fixes known already; null when the response is repeated for the same idempotency key."""
        return None if row.outcome is None else row.outcome.duplicates

    @resolver(list[FixRefused])
    @staticmethod
    def refused(row: strawberry.Parent[ReportReceipt]) -> list[RefusedFix]:
        """Refused fixes, each with its reason."""
        return [] if row.outcome is None else [RefusedFix(*each) for each in row.outcome.refused]


@mutation_fields
class FixMutation:
    """Mutation that reports fixes."""

    @mutation(PositionReport, again=ReportReceipt)
    @staticmethod
    async def report_positions(
        ask: MutationContext,
        device_id: Annotated[DeviceId, "Your own enrolled device."],
        fixes: Annotated[list[FixInput], "Fixes in any order, at most 1,000."],
        sent_at: Annotated[
            datetime | None, "Current time by the device's clock, to correct its offset."
        ] = None,
    ) -> ReportReceipt:
        """Report positions of your device. A fix that is sent several times counts once."""
        readings = [ReceivedFix(**vars(each)) for each in fixes]
        skew_s = float("nan") if sent_at is None else (ask.at - sent_at).total_seconds()
        device, outcome = await positions.report(ask.tx, device_id, readings, skew_s=skew_s)
        return ReportReceipt(device, outcome)
