"""The default promises of an agreement."""

from collections.abc import Mapping
from uuid import UUID

from domain.agreements.model import Priority, PromiseKind, TicketKind
from domain.agreements.rules import CreditDraft, PromiseDraft, Target

_MINUTE, _HOUR = 60, 3_600


def seed_matrix(
    calendar_version_id: UUID, earns: Mapping[Priority | None, CreditDraft] | None = None
) -> tuple[PromiseDraft, ...]:
    """Return the default promises: first response, resolution and update per priority, around the clock.

    Incidents get a first response within 4 hours whatever their priority; 8 hours applies to other kinds only.
    Inquiries and requests get one within 2 hours. Critical incidents are resolved within 1 hour by an internal
    objective, and within 2 hours by contract: the internal aim is stricter than the promise.
    """

    def table(critical: int, high: int, medium: int, low: int) -> dict[Priority, Target]:
        seconds = (critical, high, medium, low)
        return {p: Target(elapsed_s=s) for p, s in zip(Priority, seconds, strict=True)}

    urgent = (TicketKind.INCIDENT, TicketKind.ALARM)
    asked = (TicketKind.INQUIRY, TicketKind.SERVICE_REQUEST)
    other = (TicketKind.COMPLAINT, TicketKind.MAINTENANCE, TicketKind.ENHANCEMENT)

    def promise(
        name: str,
        kind: PromiseKind,
        targets: dict[Priority, Target],
        *,
        kinds: tuple[TicketKind, ...] = (),
        internal: bool = False,
    ) -> PromiseDraft:
        return PromiseDraft(
            name,
            kind,
            calendar_version_id,
            targets,
            ticket_kinds=kinds,
            internal=internal,
            credits={} if internal else dict(earns or {}),
        )

    response = PromiseKind.FIRST_RESPONSE
    return (
        promise(
            "first_response",
            response,
            table(15 * _MINUTE, _HOUR, 4 * _HOUR, 4 * _HOUR),
            kinds=urgent,
        ),
        promise(
            "first_response_other",
            response,
            table(15 * _MINUTE, _HOUR, 4 * _HOUR, 8 * _HOUR),
            kinds=other,
        ),
        promise(
            "answer",
            response,
            table(15 * _MINUTE, _HOUR, 2 * _HOUR, 2 * _HOUR),
            kinds=asked,
        ),
        promise(
            "next_update",
            PromiseKind.NEXT_UPDATE,
            table(30 * _MINUTE, 2 * _HOUR, 4 * _HOUR, 24 * _HOUR),
        ),
        promise(
            "resolution",
            PromiseKind.RESOLUTION,
            table(2 * _HOUR, 4 * _HOUR, 24 * _HOUR, 72 * _HOUR),
        ),
        promise(
            "resolution_objective",
            PromiseKind.RESOLUTION,
            {Priority.CRITICAL: Target(elapsed_s=_HOUR)},
            kinds=urgent,
            internal=True,
        ),
        promise(
            "arrival",
            PromiseKind.ARRIVAL,
            {
                Priority.CRITICAL: Target(elapsed_s=20 * _MINUTE),
                Priority.HIGH: Target(elapsed_s=45 * _MINUTE),
            },
            kinds=(TicketKind.ALARM,),
        ),
    )
