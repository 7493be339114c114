"""Alarm systems of alarm centres, and which site each number stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx, visible_to
from domain.accounts.model import ApiKey, Site
from domain.alarms import events
from domain.alarms.model import AlarmSystem
from domain.core.base import JSON, uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line

_SHOWN = ("site_id", "number", "zones", "qualifications", "checklist")
_MOST = 500


@dataclass(frozen=True, slots=True)
class AlarmZone:
    """A zone of an alarm system: the number that it sends, and what it watches."""

    number: str
    name: str


async def set_alarm_system(
    tx: Tx,
    key_id: UUID,
    *,
    number: str,
    site_id: UUID,
    zones: Sequence[AlarmZone] | None = None,
    qualifications: Sequence[str] | None = None,
    checklist: Sequence[str] | None = None,
) -> AlarmSystem:
    """Let a number of an alarm centre stand for a site, with its zones, what a guard must hold, and the checklist.

    What is None stays as it is; a new number begins without.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(number, "number")
    site = await tx.get(Site, site_id, "site", argument="siteId")
    key = await tx.session.scalar(
        select(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.tenant_id == tx.actor.tenant_id)
        .with_for_update(key_share=True)
    )
    may_reach = key is not None and (key.account_ids is None or site.account_id in key.account_ids)
    if key is None or key.revoked_at is not None or not may_reach:
        raise Refused(
            Code.NOT_FOUND, "No such API key that reaches the site's client.", argument="keyId"
        )
    _must_be_few(zones or (), qualifications or (), checklist or ())
    known = await tx.session.scalar(
        select(AlarmSystem)
        .where(
            AlarmSystem.key_id == key_id,
            AlarmSystem.number == number.upper(),
            AlarmSystem.retired_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    if known is not None and not tx.actor.can_access(known.account_id):
        raise Refused(Code.ALREADY_EXISTS, "This number is in use.", argument="number")
    if known is not None and known.site_id != site.id:
        raise Refused(
            Code.ALREADY_EXISTS,
            "This number stands for another site; retire it there first.",
            argument="number",
            existing=("AlarmSystem", known.id),
        )
    before = None if known is None else _plain(known)
    row = known or AlarmSystem(
        id=uuid7(),
        tenant_id=site.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        key_id=key_id,
        number=number.upper(),
        zones=[],
        qualifications=[],
        checklist=[],
    )
    if zones is not None:
        row.zones = [{"number": each.number.upper(), "name": each.name} for each in zones]
    if qualifications is not None:
        row.qualifications = list(qualifications)
    if checklist is not None:
        row.checklist = list(checklist)
    tx.session.add(row)
    tx.record(
        events.AlarmSystemSet(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=before,
            after=_plain(row),
        )
    )
    await tx.session.flush()
    return row


async def retire_alarm_system(tx: Tx, system_id: UUID) -> AlarmSystem:
    """End that a number stands for a site; alarms under it are refused from now on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(
        AlarmSystem, system_id, "alarm system", lock=True, among=visible_to(tx.actor, AlarmSystem)
    )
    if row.retired_at is not None:
        raise Refused(Code.ALREADY_DONE, "This alarm system was retired.", argument="id")
    row.retired_at = tx.at
    tx.record(events.AlarmSystemRetired(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


def _plain(row: AlarmSystem) -> JSON:
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in values_of(row, _SHOWN).items()
    }


def _must_be_few(
    zones: Sequence[AlarmZone], qualifications: Sequence[str], checklist: Sequence[str]
) -> None:
    for argument, lines in (
        ("zones", [*(each.number for each in zones), *(each.name for each in zones)]),
        ("qualifications", qualifications),
        ("checklist", checklist),
    ):
        if len(lines) > _MOST:
            raise Refused(Code.INVALID, f"{argument} has too many entries.", argument=argument)
        for line in lines:
            must_be_line(line, argument)
    numbers = [each.number.upper() for each in zones]
    if len(set(numbers)) != len(numbers):
        raise Refused(Code.INVALID, "A zone number is given twice.", argument="zones")
