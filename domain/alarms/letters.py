"""Letters about alarms: the order to a guard, and to the client's contacts who comes and who is there."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal
from uuid import UUID

from domain import messages
from domain.access import Tx
from domain.accounts.model import Site, Tenant
from domain.alarms.model import ENDED, Alarm, AlarmKind
from domain.core.sequencing import SequencedEvent
from domain.messages.model import Urgency

_FOLDER = Path(__file__).parent / "templates"


class AlarmOrderLetter(messages.Variables, frozen=True, kw_only=True):
    """To a guard: an alarm to go to."""

    template: ClassVar[str] = "alarm_order"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = _FOLDER
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    site: str
    alarm_kind: AlarmKind
    place: str | None
    received_at: datetime
    arrives_at: datetime | None


class AlarmLetter(messages.Variables, frozen=True, kw_only=True):
    """To the client: a guard was sent to an alarm, or is there. That it came in, and its end, the incident tells."""

    template: ClassVar[str] = "alarm_response"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = _FOLDER
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    step: Literal["dispatched", "arrived"]
    site: str
    alarm_kind: AlarmKind
    place: str | None
    received_at: datetime
    arrives_at: datetime | None
    arrived_at: datetime | None


async def tell_alarm(tx: Tx, fact: SequencedEvent) -> None:
    """Write to the guard who was sent, and to the client's contacts; once for each guard and arrival."""
    alarm = await tx.session.get_one(Alarm, fact.subject_id)
    step = fact.kind.removeprefix("alarm.")
    if step == "arrived" and alarm.arrived_at != fact.at:
        return  # a better proof replaced it
    if step == "dispatched" and (alarm.state in ENDED or alarm.number != fact.body["guard"]):
        return  # it is no longer so
    site = await tx.session.get_one(Site, alarm.site_id)
    tenant = await tx.session.get_one(Tenant, alarm.tenant_id)
    shared = {
        "company": tenant.name,
        "site": site.name,
        "alarm_kind": alarm.kind,
        "place": alarm.zone_name or alarm.zone,
        "received_at": alarm.received_at,
        "arrives_at": alarm.arrives_at if step == "dispatched" else None,
    }
    if step == "dispatched" and alarm.user_id is not None:
        await _order(tx, alarm, alarm.user_id, fact, shared)
    which = f":{fact.body['guard']}" if step == "dispatched" else ""
    await messages.compose(
        tx,
        alarm.account_id,
        intent=f"alarm:{alarm.id}:{step}{which}",
        template=AlarmLetter,
        variables={
            **shared,
            "step": step,
            "arrived_at": alarm.arrived_at if step == "arrived" else None,
        },
    )


async def _order(
    tx: Tx, alarm: Alarm, user_id: UUID, fact: SequencedEvent, shared: Mapping[str, object]
) -> None:
    await messages.compose_to_users(
        tx,
        [user_id],
        account_id=alarm.account_id,
        intent=f"alarm_order:{alarm.id}:{fact.seq}",
        template=AlarmOrderLetter,
        variables=shared,
    )
