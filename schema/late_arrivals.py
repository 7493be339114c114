"""Arrivals that a device handed in after the verdict, as client and company see them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import incidents
from domain.duties import Duty as DutyRow
from domain.incidents import Decision
from schema.core.context import Info
from schema.core.types import enum, from_row, resolver
from schema.duties import Duty

enum(
    Decision, "LateArrivalDecision",
    pending="Nobody has decided yet: the verdict stands.",
    accepted="Somebody confirmed it, and it counts.", declined="It does not count.",
)  # fmt: skip


@from_row(incidents.LateArrival)
class LateArrival:
    """What a device handed in late of an arrival that would have kept a broken promise, and what was decided."""

    arrived_at: Annotated[datetime, "When the guard was on site, by the device."]
    offered_at: Annotated[datetime, "When that came in and was put up for a decision."]
    late_s: Annotated[int, "How long after they were made the fixes came in."]
    guard: Annotated[int, "Whose device it was: what you know the guard by."]
    fixes: Annotated[list[datetime], "The instants of the fixes."]
    decision: Annotated[Decision, "Whether it counts."]
    decided_at: Annotated[
        datetime | None, "When that was decided; by whom and why is in the ledger."
    ]

    @resolver(Duty | None)
    @staticmethod
    async def duty(row: strawberry.Parent[incidents.LateArrival], info: Info) -> DutyRow | None:
        """The duty, with the device that was carried."""
        duty: DutyRow | None = await info.context.loaders.of_type["Duty"].load(row.duty_id)
        return duty
