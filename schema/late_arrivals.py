"""Arrivals that a device reported after the verdict, as visible to client and company."""

from datetime import datetime
from typing import Annotated

from domain import incidents
from domain.duties import Duty as DutyRow
from domain.incidents import Decision
from schema.core.relations import to_one
from schema.core.types import enum, from_row
from schema.duties import Duty

enum(
    Decision,
    "LateArrivalDecision",
    pending="Not decided yet: the verdict does not change.",
    accepted="Accepted by a person: the arrival counts.",
    declined="Declined by a person: the arrival does not count.",
)


@from_row(incidents.LateArrival)
class LateArrival:
    """Arrival reported late by a device, which would have kept a broken promise, with the decision about it."""

    arrived_at: Annotated[datetime, "Time of arrival on site, by the device."]
    offered_at: Annotated[
        datetime, "Time at which the report was received and offered for a decision."
    ]
    late_s: Annotated[int, "Seconds from the fixes to their receipt."]
    guard: Annotated[int, "Pseudonymous number of the guard with the device."]
    fixes: Annotated[list[datetime], "Times of the fixes that prove the arrival."]
    decision: Annotated[Decision, "Decision on whether the arrival counts."]
    decided_at: Annotated[
        datetime | None, "Time of the decision; the ledger has the person and the reason."
    ]

    duty = to_one(Duty, DutyRow, "duty_id", "Duty on which the device was carried.")
