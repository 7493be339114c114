"""Tickets and promises are listed and filtered by when they are due, as people are told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from domain import accounts, agreements, calendars, incidents
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft, TicketKind
from domain.calendars import CalendarSpec
from domain.core.db import transaction
from domain.reports import data
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.build import T0, minutes

HOURS = CalendarSpec("Europe/Amsterdam", hours=(((540, 1020),),) * 5 + ((), ()))
FRIDAY = datetime(2036, 3, 7, 8, tzinfo=UTC)  # 09:00 in Amsterdam, ahead of every sweeper
CLOSING, OPENING = "2036-03-07T16:00:00Z", "2036-03-10T08:00:00Z"
LISTED = """query ($first: Int, $after: String, $before: String, $due: DateTime, $by: IncidentOrder,
  $site: ID) {
  incidents(first: $first, after: $after, before: $before, dueBefore: $due, orderBy: $by, siteId: $site) {
    totalCount pageInfo { endCursor startCursor } nodes { number nextDueAt } } }"""
PROMISES = """query ($due: DateTime) { duePromises(dueBefore: $due) { nodes { name dueAt breachesAt } }
  promises(dueBefore: $due) { nodes { name } } }"""


async def office_hours(api: Api, office: Office, *, internal: bool = False) -> None:
    """An inquiry is resolved within eight working hours, Friday 09:00 to 17:00."""
    actor = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        hours = await calendars.define(Tx(session, actor, T0), name="office", spec=HOURS)
        draft = PromiseDraft(
            "office", PromiseKind.RESOLUTION, hours.id, {Priority.LOW: Target(elapsed_s=8 * 3_600)},
            ticket_kinds=(TicketKind.INQUIRY,),
        )  # fmt: skip
        ours = replace(
            draft, name="ours", internal=True, targets={Priority.LOW: Target(elapsed_s=3_600)}
        )
        await agreements.sign(
            Tx(session, actor, T0),
            office.world.account.id,
            title="Office",
            signed_on=date(2025, 12, 1),
            reference=f"{office.world.agreement.reference}-o",
            terms=TermsDraft((draft, ours) if internal else (draft,)),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
        )


async def inquiry(api: Api, office: Office, at: datetime = FRIDAY) -> incidents.Incident:
    """A question of the client."""
    return await build.incident(
        api.make, office.world, priority=Priority.LOW, kind=TicketKind.INQUIRY, at=at
    )


def z(instants: list[str | None]) -> list[str | None]:
    return [each and each.replace("+00:00", "Z") for each in instants]


async def numbers(api: Api, token: str, **given: Any) -> list[str]:
    page = (await api.data(token, LISTED, **given))["incidents"]
    return [each["number"] for each in page["nodes"]]


async def test_a_filter_by_due_goes_by_closing_time_and_not_by_the_next_opening(api: Api) -> None:
    office = await asking.office(api, promises=())
    await office_hours(api, office)
    ticket = await inquiry(api, office)
    for due, there in (
        (CLOSING, False),
        ("2036-03-07T16:00:01Z", True),
        ("2036-03-08T12:00:00Z", True),
        (OPENING, True),
    ):
        found = await api.data(office.client, PROMISES, due=due)
        for name in ("duePromises", "promises"):
            named = [each["name"] for each in found[name]["nodes"]]
            assert ("office" in named) is there, (name, due)
        assert (ticket.reference in await numbers(api, office.client, due=due)) is there, due
    found = await api.data(office.client, PROMISES)
    [told] = [each for each in found["duePromises"]["nodes"] if each["name"] == "office"]
    assert z([told["dueAt"], told["breachesAt"]]) == [CLOSING, OPENING]


async def test_tickets_are_listed_by_the_next_due_clock_page_by_page(
    api: Api, office: Office
) -> None:
    await office_hours(api, office)
    made = [
        await build.incident(api.make, office.world, priority=priority, at=FRIDAY)
        for priority in (Priority.LOW, Priority.CRITICAL, Priority.HIGH)
    ]
    weekend = await inquiry(api, office)
    done = await build.incident(api.make, office.world, priority=Priority.HIGH, at=FRIDAY)
    async with transaction(api.make) as session:
        await incidents.resolve(
            Tx(session, office.world.staff, FRIDAY + minutes(1)), done.id, resolution="Done."
        )
    stranger = await asking.office(api)
    await build.incident(api.make, stranger.world, priority=Priority.CRITICAL, at=FRIDAY)

    whole = (await api.data(office.client, LISTED, by="NEXT_DUE"))["incidents"]
    due = [each["nextDueAt"] for each in whole["nodes"]]
    assert due == sorted(due)
    listed = [each["number"] for each in whole["nodes"]]
    assert set(listed) == {each.reference for each in (*made, weekend)}
    assert listed[0] == made[1].reference
    assert whole["totalCount"] == 4
    first = (await api.data(office.client, LISTED, by="NEXT_DUE", first=2))["incidents"]
    rest = await numbers(
        api, office.client, by="NEXT_DUE", first=2, after=first["pageInfo"]["endCursor"]
    )
    assert [each["number"] for each in first["nodes"]] + rest == listed
    end = whole["pageInfo"]["endCursor"]
    assert await numbers(api, office.client, by="NEXT_DUE", before=end) == listed[:-1]
    newest = (await api.data(office.client, LISTED, first=1))["incidents"]["pageInfo"]
    other = await api.ask(office.client, LISTED, by="NEXT_DUE", after=newest["endCursor"])
    assert other["errors"][0]["extensions"]["code"] == "CURSOR_INVALID"
    assert await numbers(api, office.client) == [
        each.reference for each in sorted([*made, weekend, done], key=lambda i: i.id)[::-1]
    ]


async def test_objectives_of_the_company_order_the_list_of_its_staff_only(api: Api) -> None:
    office = await asking.office(api, promises=())
    await office_hours(api, office, internal=True)
    await inquiry(api, office)
    asked: dict[str, Any] = {}
    for who in ("client", "dispatcher"):
        page = (await api.data(getattr(office, who), LISTED, by="NEXT_DUE"))["incidents"]
        asked[who] = z([each["nextDueAt"] for each in page["nodes"]])
    assert asked == {"client": [CLOSING], "dispatcher": ["2036-03-07T09:00:00Z"]}
    assert await numbers(api, office.client, due="2036-03-07T12:00:00Z") == []
    assert len(await numbers(api, office.dispatcher, due="2036-03-07T12:00:00Z")) == 1


async def test_who_sees_no_promises_or_sites_does_not_find_incidents_by_them(
    api: Api, office: Office
) -> None:
    await office_hours(api, office)
    ticket = await inquiry(api, office)
    manager = Actor.system(office.world.tenant.id, "test")
    asked: dict[str, Any] = {
        "none": {}, "due": {"due": OPENING}, "order": {"by": "NEXT_DUE"},
        "site": {"site": ids.write("Site", ticket.site_id)},
    }  # fmt: skip
    for scopes, found in (
        (["incidents:read"], {"none"}),
        (["incidents:read", "sites:read"], {"none", "site"}),
        (["incidents:read", "promises:read"], {"none", "due", "order"}),
    ):
        async with transaction(api.make) as session:
            _, key = await accounts.issue_api_key(
                Tx(session, manager, T0), name=",".join(scopes), scopes=scopes, all_accounts=True
            )
        for label, given in asked.items():
            page = (await api.data(key, LISTED, **given))["incidents"]
            there = [each["number"] for each in page["nodes"]] == [ticket.reference]
            assert (there, page["totalCount"]) == (label in found, int(label in found)), label


async def test_a_report_names_closing_time(api: Api) -> None:
    office = await asking.office(api, promises=())
    await office_hours(api, office)
    ticket = await inquiry(api, office)
    async with api.make() as session:
        parts = await data.parts_of(
            session, office.world.account, since=FRIDAY - timedelta(days=1), at=FRIDAY + minutes(1)
        )
    [told] = [part.due_at for part in parts if part.incident_id == ticket.id]
    assert told is not None
    assert z([told.isoformat()]) == [CLOSING]


async def test_a_page_by_due_costs_the_same_however_many_tickets_there_are(
    api: Api, office: Office
) -> None:
    await inquiry(api, office)
    async with transaction(api.make) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_sort = off"))
        plan = "\n".join(
            await session.scalars(
                text(
                    "EXPLAIN SELECT w.unit_id FROM promise_watch w JOIN incident i ON i.id = w.unit_id"
                    " WHERE w.tenant_id = :tenant AND w.first_due_at IS NOT NULL"
                    " ORDER BY w.first_due_at, w.unit_id LIMIT 51"
                ),
                {"tenant": office.world.tenant.id},
            )
        )
    assert "ix_promise_watch_first_due_at" in plan
    assert "Sort" not in plan
