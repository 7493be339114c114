"""Alarms and alarm systems: lists and the feed."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, alarms, incidents
from domain.alarms import (
    AlarmKind,
    AlarmOutcome,
    AlarmState,
    FalseAlarmCause,
    InspectedItem,
)
from domain.evidence import Grade
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.mutations import GlobalIdOf
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import (
    RESTRICTED,
    enum,
    from_row,
    relation,
    resolver,
    subscription,
)
from schema.sites import Site
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    AlarmKind,
    "AlarmKind",
    burglary="Somebody broke in, or tampered with the system.",
    hold_up="Somebody pressed a hold-up or panic button.",
    fire="Fire, smoke or heat.",
    medical="Somebody needs medical help, or an emergency without further detail.",
    water="Water where none should be.",
    technical="Gas, frost, power or another technical cause.",
    other="An alarm of another kind.",
)
enum(
    AlarmState,
    "AlarmState",
    received="Nobody was sent yet, or whoever was sent declined.",
    dispatched="A guard was sent, and has not answered.",
    accepted="The guard goes there.",
    en_route="The guard is on the way.",
    on_site="Somebody is on site.",
    inspected="The site was inspected.",
    reported="The response is over, with its outcome.",
    called_off="The alarm needed no response any more.",
)
enum(
    AlarmOutcome,
    "AlarmOutcome",
    confirmed="Something was wrong at the site.",
    nothing_found="Nothing was found, and no cause is known.",
    false_alarm="The alarm was false, by a known or an unknown cause.",
)
enum(
    FalseAlarmCause,
    "FalseAlarmCause",
    user_error="Somebody used the system wrongly.",
    defect="A part of the system is defective.",
    weather="Wind, storm, lightning or frost.",
    animal="A pet, bird or other animal set it off.",
    cleaning="Cleaners or workers set it off.",
    unknown="The cause is not known.",
)
_ALARM, _SYSTEM = alarms.Alarm, alarms.AlarmSystem
AlarmRow = strawberry.Parent[alarms.Alarm]
SystemRow = strawberry.Parent[alarms.AlarmSystem]
AlarmId = Annotated[UUID, GlobalIdOf("Alarm")]
AlarmSystemId = Annotated[UUID, GlobalIdOf("AlarmSystem")]


@from_row(InspectedItem)
class AlarmInspection:
    """One item of an inspection."""

    item: Annotated[str, "Item of the checklist, or a further one."]
    is_fine: Annotated[bool, "Whether it was in order."]
    note: Annotated[str | None, "What was seen; null: nothing to say."]


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone of an alarm system."""

    number: str
    name: str


@from_row(ZoneRow)
class AlarmSystemZone:
    """Part of a site that a system watches."""

    number: Annotated[str, "Number that the system sends."]
    name: Annotated[str, "What the zone watches."]


@from_row(alarms.AlarmSystem)
class AlarmSystem(Node):
    """Alarm system at a site, under the number by which an alarm centre knows it."""

    number: Annotated[str, "Number of the alarm system at the alarm centre, in upper case."]
    qualifications: Annotated[list[str], "Qualifications that a guard needs who is sent there."]
    checklist: Annotated[list[str], "Items that every inspection answers."]
    retired_at: Annotated[datetime | None, "Time from which the number stands for no site."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[AlarmSystemZone])
    @staticmethod
    def zones(row: SystemRow) -> list[ZoneRow]:
        """Zones with their names."""
        return [ZoneRow(each["number"], each["name"]) for each in row.zones]

    @relation("Account")
    @staticmethod
    async def account(row: SystemRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: SystemRow, info: Info) -> accounts.Site | None:
        """Site that the number stands for."""
        return await info.context.get(accounts.Site, row.site_id)


@from_row(alarms.Alarm)
class Alarm(Node):
    """Alarm that an alarm centre or the office reported, and the response to it."""

    kind: Annotated[AlarmKind, "Kind of alarm, by what its sensor is for."]
    state: Annotated[AlarmState, "How far the response is."]
    sender_number: Annotated[str, "Number that the sender gave it."]
    event_code: Annotated[str | None, "Code of the event, as Contact ID or SIA has it."]
    zone: Annotated[str | None, "Number of the zone."]
    zone_name: Annotated[str | None, "What the zone watches, by the alarm system's register."]
    details: Annotated[str | None, "Further words of the sender."]
    happened_at: Annotated[datetime | None, "Time of the alarm, as the sender says."]
    received_at: Annotated[datetime, "Time at which it was received; the promise counts from it."]
    number: Annotated[int | None, "Pseudonymous number of the guard; null: nobody was sent."]
    dispatched_at: Annotated[datetime | None, "Time at which the guard was sent."]
    distance_m: Annotated[
        int | None, "Straight distance when the guard was sent, in metres.", RESTRICTED
    ]
    arrives_at: Annotated[
        datetime | None, "Time at which the guard is expected; null: unknown, or nobody yet."
    ]
    accepted_at: Annotated[datetime | None, "Time at which the guard accepted."]
    en_route_at: Annotated[datetime | None, "Time at which the guard set out."]
    arrived_at: Annotated[datetime | None, "Time at which somebody was on site."]
    arrival_grade: Annotated[Grade | None, "Grade of the evidence of the arrival."]
    inspected_at: Annotated[datetime | None, "Time of the inspection."]
    reported_at: Annotated[datetime | None, "Time of the report, which ends the response."]
    outcome: Annotated[AlarmOutcome | None, "What the response found; null before the report."]
    false_alarm_cause: Annotated[FalseAlarmCause | None, "Cause, for a false alarm."]
    report: Annotated[str | None, "Report of the guard."]
    called_off_at: Annotated[datetime | None, "Time at which it needed no response any more."]
    police_number: Annotated[str | None, "Number of the police's note."]
    police_at: Annotated[datetime | None, "Time at which the police was informed."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[AlarmInspection])
    @staticmethod
    def inspection(row: AlarmRow) -> list[InspectedItem]:
        """Items of the inspection; none before it."""
        return [
            InspectedItem(each["item"], each["is_fine"], each["note"]) for each in row.inspection
        ]

    @relation("Account")
    @staticmethod
    async def account(row: AlarmRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: AlarmRow, info: Info) -> accounts.Site | None:
        """Site of the alarm."""
        return await info.context.get(accounts.Site, row.site_id)

    @relation("Incident")
    @staticmethod
    async def incident(row: AlarmRow, info: Info) -> incidents.Incident | None:
        """Incident that the alarm opened."""
        return await info.context.get(incidents.Incident, row.incident_id)

    @resolver(User | None)
    @staticmethod
    async def user(row: AlarmRow, info: Info) -> accounts.User | None:
        """Guard who was sent. Null for clients, and while nobody was."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(AlarmSystem | None)
    @staticmethod
    async def system(row: AlarmRow, info: Info) -> alarms.AlarmSystem | None:
        """Alarm system that it came from. Null for clients, and for an alarm at a site that the sender named."""
        return await info.context.get(alarms.AlarmSystem, row.system_id)


@query_fields
class AlarmQuery:
    """Queries of alarms."""

    @lists(Alarm, _ALARM.received_at, _ALARM.id, descending=True)
    @staticmethod
    def alarms(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only alarms at this site."] = None,
        states: Annotated[list[AlarmState] | None, "Only alarms in these states."] = None,
    ) -> Rows:
        """Alarms, the newest first; guards see those that they were sent to, API keys those they reported."""
        row = _ALARM
        query = naming(info, visible(info, row, account_id), row.site_id, "Site", site_id)
        return among(query, row.state, states)

    @lists(AlarmSystem, _SYSTEM.number, _SYSTEM.id)
    @staticmethod
    def alarm_systems(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only alarm systems at this site."] = None,
    ) -> Rows:
        """Alarm systems, by their number; for the office."""
        row = _SYSTEM
        return naming(info, visible(info, row, account_id), row.site_id, "Site", site_id)


@subscription_fields
class AlarmSubscription:
    """Subscriptions to alarms."""

    @subscription(FeedEvent)
    def alarm_changed(
        self,
        info: Info,
        account_id: Annotated[strawberry.ID, "Account to follow the alarms of."],
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Alarms of an account as they come in, and every step of the response."""
        return facts_named(info, account_id, after, "alarm.")
