"""Fixes as devices hand them in, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import positions
from domain.credentials import Device as DeviceRow
from domain.positions import Outcome, Reading, Reason
from schema.bounds import each_by_itself
from schema.duties import Device, DeviceId
from schema.thin import answers, shows, takes
from schema.verbs import Ask, verb


@takes
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


@shows(RefusedFix)
class FixRefused:
    """A fix that was not taken."""

    index: Annotated[int, "Which, from 0."]
    reason: Annotated[Reason, "Why."]


@dataclass(frozen=True, slots=True)
class Taken:
    """A report's row is its device; counts are None when the answer is repeated under its key."""

    row: DeviceRow
    outcome: Outcome | None = None


@shows(Taken)
class PositionReport:
    """What became of the fixes of a report: each is stored now, known already, or refused."""

    @answers(Device)
    @staticmethod
    def device(row: strawberry.Parent[Taken]) -> DeviceRow:
        """The device."""
        return row.row

    @answers(int | None)
    @staticmethod
    def accepted(row: strawberry.Parent[Taken]) -> int | None:
        """How many were stored; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.accepted

    @answers(int | None)
    @staticmethod
    def duplicates(row: strawberry.Parent[Taken]) -> int | None:
        """How many were known; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.duplicates

    @answers(list[FixRefused])
    @staticmethod
    def refused(row: strawberry.Parent[Taken]) -> list[RefusedFix]:
        """Which were not taken, and why."""
        return [] if row.outcome is None else [RefusedFix(*each) for each in row.outcome.refused]


@strawberry.type
class FixMutation:
    """The verb about fixes."""

    @verb(PositionReport, again=Taken)
    @staticmethod
    async def report_positions(
        ask: Ask,
        device_id: Annotated[DeviceId, "Your device."],
        fixes: Annotated[list[FixInput], "The fixes, 1,000 at most, in any order."],
        sent_at: Annotated[datetime | None, "What the device's clock says now."] = None,
    ) -> Taken:
        """Hand in where your device was; each fix counts once, however often it is sent."""
        readings = [Reading(**vars(each)) for each in fixes]
        skew_s = float("nan") if sent_at is None else (ask.at - sent_at).total_seconds()
        device, outcome = await positions.report(
            ask.session, ask.actor, device_id, readings, skew_s=skew_s, at=ask.at
        )
        return Taken(device, outcome)
