"""Until when a promise is kept, as people are told: closing time, not the next opening."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain import agreements, calendars
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.calendars import CalendarSpec
from domain.core.db import transaction
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.build import T0

OFFICE = CalendarSpec("Europe/Amsterdam", hours=(((540, 1020),),) * 5 + ((), ()))
FRIDAY = datetime(2026, 3, 6, 8, tzinfo=UTC)  # 09:00 in Amsterdam
DUE = "{ promises(first: 50) { nodes { name dueAt breachesAt } } }"
RESOLVE = """mutation ($input: ResolveIncidentInput!) { resolveIncident(input: $input) {
  ... on Refusal { code message } ... on Incident { status outcome promises { name state } } } }"""


@pytest.mark.parametrize(
    ("target", "due", "breach"),
    [
        (Target(elapsed_s=8 * 3_600), "2026-03-06T16:00:00Z", "2026-03-09T08:00:00Z"),
        (Target(elapsed_s=7 * 3_600), "2026-03-06T15:00:00Z", "2026-03-06T15:00:00Z"),
        (Target(elapsed_s=40 * 3_600), "2026-03-12T16:00:00Z", "2026-03-13T08:00:00Z"),
        (Target(business_days=1), "2026-03-09T08:00:00Z", "2026-03-09T08:00:00Z"),
    ],
)
async def test_a_deadline_at_closing_time_is_told_as_closing_time(
    api: Api, office: Office, target: Target, due: str, breach: str
) -> None:
    world = office.world
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        hours = await calendars.define(Tx(session, actor, T0), name="office", spec=OFFICE)
        draft = PromiseDraft(
            "office", PromiseKind.RESOLUTION, hours.id, {Priority.LOW: target},
            ticket_kinds=(agreements.TicketKind.INQUIRY,),
        )  # fmt: skip
        await agreements.sign(
            Tx(session, actor, T0),
            world.account.id,
            reference=f"{world.agreement.reference}-o",
            title="Office",
            signed_on=date(2025, 12, 1),
            terms=TermsDraft((draft,)),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
    await build.incident(
        api.make, world, priority=Priority.LOW, kind=agreements.TicketKind.INQUIRY, at=FRIDAY
    )
    found: dict[str, Any] = {
        each["name"]: each for each in (await api.data(office.client, DUE))["promises"]["nodes"]
    }
    told = [found["office"][name].replace("+00:00", "Z") for name in ("dueAt", "breachesAt")]
    assert told == [due, breach]


async def test_calling_an_incident_off_ends_its_clocks(api: Api, office: Office) -> None:
    ticket = await build.incident(
        api.make, office.world, kind=agreements.TicketKind.ALARM, at=datetime.now(UTC)
    )
    given = {
        "id": ids.write("Incident", ticket.id),
        "resolution": "Called off.",
        "outcome": "CALLED_OFF",
    }
    told = (await api.data(office.dispatcher, RESOLVE, input=given))["resolveIncident"]
    assert (told["status"], told["outcome"]) == ("RESOLVED", "CALLED_OFF")
    states = {each["name"]: each["state"] for each in told["promises"]}
    assert states["arrival"] == states["resolution"] == "CANCELLED"
    refused = await api.data(office.client, RESOLVE, input=given)
    assert refused["resolveIncident"]["code"] == "NOT_ALLOWED"
