"""Mutations of alarm systems."""

from typing import Annotated

from domain import alarms
from domain.alarms import AlarmZone
from schema.alarms import AlarmSystem, AlarmSystemId
from schema.core.mutations import ApiKeyId, MutationContext, SiteId, mutation
from schema.core.roots import mutation_fields
from schema.core.types import input_type


@input_type
class AlarmZoneInput:
    """Part of a site that a system watches, with its number."""

    number: Annotated[str, "Number that the system sends."]
    name: Annotated[str, "What the zone watches."]


@mutation_fields
class AlarmSystemMutation:
    """Mutations of alarm systems."""

    @mutation(AlarmSystem)
    @staticmethod
    async def set_alarm_system(
        ask: MutationContext,
        key_id: Annotated[
            ApiKeyId, "API key of the alarm centre; it must reach the site's client."
        ],
        number: Annotated[str, "Number by which the alarm centre knows the system."],
        site_id: Annotated[SiteId, "Site that the number stands for."],
        zones: Annotated[
            list[AlarmZoneInput] | None, "Zones with their names; null: unchanged."
        ] = None,
        qualifications: Annotated[
            list[str] | None, "Qualifications that a guard needs there; null: unchanged."
        ] = None,
        checklist: Annotated[
            list[str] | None, "Items that every inspection answers; null: unchanged."
        ] = None,
    ) -> alarms.AlarmSystem:
        """Register the number of an alarm system, or change its zones, qualifications and checklist."""
        return await alarms.set_alarm_system(
            ask.tx,
            key_id,
            number=number,
            site_id=site_id,
            zones=None if zones is None else [AlarmZone(each.number, each.name) for each in zones],
            qualifications=qualifications,
            checklist=checklist,
        )

    @mutation(AlarmSystem)
    @staticmethod
    async def retire_alarm_system(
        ask: MutationContext, id: Annotated[AlarmSystemId, "Alarm system that is not retired."]
    ) -> alarms.AlarmSystem:
        """End that a number stands for a site; alarms under it are refused from now on."""
        return await alarms.retire_alarm_system(ask.tx, id)
