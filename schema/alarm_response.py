"""Mutations of alarms: report them, send guards, and state what guards do there."""

from datetime import datetime
from typing import Annotated

from domain import alarms
from domain.alarms import AlarmKind, AlarmOutcome, FalseAlarmCause, InspectedItem
from schema.alarms import Alarm, AlarmId
from schema.core.mutations import MutationContext, SiteId, UserId, mutation
from schema.core.roots import mutation_fields
from schema.core.types import input_type


@input_type
class InspectedItemInput:
    """One answer of the inspection of a site."""

    item: Annotated[str, "What was inspected: an item of the checklist, or a further one."]
    is_fine: Annotated[bool, "Whether it was in order."]
    note: Annotated[str | None, "What the guard saw there."] = None


@mutation_fields
class AlarmMutation:
    """Mutations of alarms."""

    @mutation(Alarm)
    @staticmethod
    async def receive_alarm(
        ask: MutationContext,
        number: Annotated[str, "Your number of the alarm; the same number is the same alarm."],
        kind: Annotated[AlarmKind, "What the alarm system detected."],
        site_id: Annotated[SiteId | None, "Site, where you give no number of a system."] = None,
        system_number: Annotated[
            str | None, "Number of the alarm system, for API keys that have it registered."
        ] = None,
        event_code: Annotated[str | None, "Code of the event, as Contact ID or SIA has it."] = None,
        zone: Annotated[str | None, "Number of the zone."] = None,
        details: Annotated[str | None, "Further words, one line."] = None,
        happened_at: Annotated[datetime | None, "Time of the alarm, within the last day."] = None,
    ) -> alarms.Alarm:
        """Report an alarm: its incident opens, and its promise starts. Sent again, it returns the alarm as it is."""
        draft = alarms.AlarmDraft(
            number=number,
            kind=kind,
            site_id=site_id,
            system_number=system_number,
            event_code=event_code,
            zone=zone,
            details=details,
            happened_at=happened_at,
        )
        return await alarms.receive_alarm(ask.tx, draft)

    @mutation(Alarm)
    @staticmethod
    async def dispatch_alarm(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm where nobody is on site yet."],
        user_id: Annotated[
            UserId | None, "Guard to send; null: the nearest who is free and qualified."
        ] = None,
    ) -> alarms.Alarm:
        """Send a guard to an alarm, also instead of another one; the guard and the client get a letter."""
        return await alarms.dispatch_alarm(ask.tx, id, user_id)

    @mutation(Alarm)
    @staticmethod
    async def accept_alarm(
        ask: MutationContext, id: Annotated[AlarmId, "Alarm that the guard was sent to."]
    ) -> alarms.Alarm:
        """Accept an alarm, as the guard who was sent or as the office."""
        return await alarms.accept_alarm(ask.tx, id)

    @mutation(Alarm)
    @staticmethod
    async def decline_alarm(
        ask: MutationContext, id: Annotated[AlarmId, "Alarm that the guard was sent to."]
    ) -> alarms.Alarm:
        """Decline an alarm, as the guard who was sent or as the office: somebody else has to be sent."""
        return await alarms.decline_alarm(ask.tx, id)

    @mutation(Alarm)
    @staticmethod
    async def report_alarm_en_route(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm that the guard sets out to."],
        arrives_at: Annotated[
            datetime | None, "Time at which the guard expects to be there; null: as computed."
        ] = None,
    ) -> alarms.Alarm:
        """Report that the guard is on the way, as this guard or as the office."""
        return await alarms.set_out(ask.tx, id, arrives_at=arrives_at)

    @mutation(Alarm)
    @staticmethod
    async def report_alarm_on_site(
        ask: MutationContext, id: Annotated[AlarmId, "Alarm that the guard arrived at."]
    ) -> alarms.Alarm:
        """Report that the guard is on site; positions inside the fence do so by themselves, with a better grade."""
        return await alarms.arrive_at_alarm(ask.tx, id)

    @mutation(Alarm)
    @staticmethod
    async def inspect_alarm(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm with somebody on site."],
        items: Annotated[
            list[InspectedItemInput], "Every item of the checklist; more are allowed."
        ],
    ) -> alarms.Alarm:
        """Record the inspection of the site."""
        found = [InspectedItem(each.item, each.is_fine, each.note) for each in items]
        return await alarms.inspect_alarm(ask.tx, id, found)

    @mutation(Alarm)
    @staticmethod
    async def report_alarm(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm at a site that was inspected."],
        outcome: Annotated[AlarmOutcome, "What the response found."],
        report: Annotated[str, "Report, which the client reads."],
        false_alarm_cause: Annotated[
            FalseAlarmCause | None, "Cause, for a false alarm and for nothing else."
        ] = None,
    ) -> alarms.Alarm:
        """Report the outcome, which ends the response and resolves the incident."""
        return await alarms.report_alarm(
            ask.tx, id, outcome=outcome, report=report, false_alarm_cause=false_alarm_cause
        )

    @mutation(Alarm)
    @staticmethod
    async def call_off_alarm(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm where nobody is on site yet."],
        reason: Annotated[str, "Reason, one line; the client reads it."],
    ) -> alarms.Alarm:
        """End the response, because the alarm centre or the client called it off; its promise ends."""
        return await alarms.call_off_alarm(ask.tx, id, reason=reason)

    @mutation(Alarm)
    @staticmethod
    async def note_police(
        ask: MutationContext,
        id: Annotated[AlarmId, "Alarm that the police was informed of."],
        number: Annotated[str, "Number of the police's note."],
        told_at: Annotated[datetime, "Time at which the police was informed."],
    ) -> alarms.Alarm:
        """Note that the police was informed; a later note replaces it, and both stand in the ledger."""
        return await alarms.note_police(ask.tx, id, number=number, told_at=told_at)
