"""Alarms, alarm systems and keys for the probes of the gate."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from domain import alarms, guards
from domain.access import Actor, Role, Tx
from domain.accounts import ApiKey
from domain.alarms import AlarmDraft, AlarmKind, AlarmOutcome, AlarmZone, InspectedItem
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard


def _tx(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _told(api: Api, office: Office) -> UUID:
    """An alarm that nobody was sent to."""
    async with transaction(api.make) as session:
        draft = AlarmDraft(uuid4().hex, AlarmKind.BURGLARY, site_id=office.world.site.id)
        return (await alarms.receive_alarm(_tx(api, office, session), draft)).id


async def _guard(api: Api, office: Office) -> UUID:
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        await guards.set_profile(
            _tx(api, office, session), user.id, pass_colour=guards.PassColour.GREY,
            pass_expires_on=date(2099, 1, 1),
        )  # fmt: skip
    return user.id


async def _sent(api: Api, office: Office) -> UUID:
    """An alarm that a guard was sent to."""
    alarm_id, user_id = await _told(api, office), await _guard(api, office)
    async with transaction(api.make) as session:
        await alarms.dispatch_alarm(_tx(api, office, session), alarm_id, user_id)
    return alarm_id


async def _there(api: Api, office: Office) -> UUID:
    """An alarm with somebody on site."""
    alarm_id = await _sent(api, office)
    async with transaction(api.make) as session:
        await alarms.arrive_at_alarm(_tx(api, office, session), alarm_id)
    return alarm_id


async def _seen(api: Api, office: Office) -> UUID:
    """An alarm whose site was inspected."""
    alarm_id = await _there(api, office)
    async with transaction(api.make) as session:
        await alarms.inspect_alarm(
            _tx(api, office, session), alarm_id, [InspectedItem("Doors", is_fine=True)]
        )
    return alarm_id


async def _key(api: Api, office: Office, *, out: bool = False) -> UUID:
    user_id = await _guard(api, office) if out else None
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        key = await alarms.register_key(tx, office.world.site.id, label=uuid4().hex)
        if user_id is not None:
            await alarms.issue_key(tx, key.id, user_id)
    return key.id


async def _centre(api: Api, office: Office) -> UUID:
    """The API key of an alarm centre."""
    async with transaction(api.make) as session:
        key = ApiKey(
            tenant_id=office.world.tenant.id, name="Centre", prefix=uuid4().hex[:12],
            secret_sha256=b"-", role=Role.PARTNER, account_ids=[office.world.account.id],
            scopes=["alarms:write"], created_at=api.state.now(),
        )  # fmt: skip
        session.add(key)
        await session.flush()
        return key.id


async def _system(api: Api, office: Office) -> UUID:
    key_id = await _centre(api, office)
    async with transaction(api.make) as session:
        row = await alarms.set_alarm_system(
            _tx(api, office, session), key_id, number="AB12", site_id=office.world.site.id,
            zones=[AlarmZone("1", "Door")],
        )  # fmt: skip
        return row.id


async def furnish(api: Api, office: Office) -> None:
    """Let one alarm be reported and another one wait, register a system, and issue a key."""
    alarm_id = await _seen(api, office)
    async with transaction(api.make) as session:
        await alarms.report_alarm(
            _tx(api, office, session), alarm_id, outcome=AlarmOutcome.CONFIRMED, report="A thief"
        )
    await _told(api, office)
    await _system(api, office)
    await _key(api, office, out=True)


def _id(kind: str, row_id: UUID) -> str:
    return ids.write(kind, row_id)


async def _to_receive(api: Api, office: Office) -> dict[str, Any]:
    return {
        "number": uuid4().hex, "kind": "FIRE", "siteId": office.site, "systemNumber": None,
        "happenedAt": None,
    }  # fmt: skip


async def _to_dispatch(api: Api, office: Office) -> dict[str, Any]:
    alarm_id = await _told(api, office)
    return {"id": _id("Alarm", alarm_id), "userId": _id("User", await _guard(api, office))}


async def _to_answer(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("Alarm", await _sent(api, office))}


async def _to_set_out(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("Alarm", await _sent(api, office)), "arrivesAt": None}


async def _to_inspect(api: Api, office: Office) -> dict[str, Any]:
    return {
        "id": _id("Alarm", await _there(api, office)),
        "items": [{"item": "Doors", "isFine": True}],
    }


async def _to_report(api: Api, office: Office) -> dict[str, Any]:
    return {
        "id": _id("Alarm", await _seen(api, office)), "outcome": "CONFIRMED", "report": "A thief",
        "falseAlarmCause": None,
    }  # fmt: skip


async def _to_call_off(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("Alarm", await _told(api, office)), "reason": "Called off"}


async def _to_note(api: Api, office: Office) -> dict[str, Any]:
    alarm_id = await _sent(api, office)
    return {"id": _id("Alarm", alarm_id), "number": "PL1", "toldAt": api.state.now().isoformat()}


async def _to_set_system(api: Api, office: Office) -> dict[str, Any]:
    return {
        "keyId": _id("ApiKey", await _centre(api, office)), "number": "CD34",
        "siteId": office.site,
    }  # fmt: skip


async def _to_retire(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("AlarmSystem", await _system(api, office))}


async def _to_register(api: Api, office: Office) -> dict[str, Any]:
    return {"siteId": office.site, "label": uuid4().hex}


async def _to_issue(api: Api, office: Office) -> dict[str, Any]:
    key_id = await _key(api, office)
    return {"id": _id("RegisteredKey", key_id), "userId": _id("User", await _guard(api, office))}


async def _to_return(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("RegisteredKey", await _key(api, office, out=True))}


async def _to_withdraw(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("RegisteredKey", await _key(api, office))}


DOABLE = {
    "acceptAlarm": _to_answer,
    "callOffAlarm": _to_call_off,
    "declineAlarm": _to_answer,
    "dispatchAlarm": _to_dispatch,
    "inspectAlarm": _to_inspect,
    "issueKey": _to_issue,
    "notePolice": _to_note,
    "receiveAlarm": _to_receive,
    "registerKey": _to_register,
    "reportAlarm": _to_report,
    "reportAlarmEnRoute": _to_set_out,
    "reportAlarmOnSite": _to_answer,
    "retireAlarmSystem": _to_retire,
    "returnKey": _to_return,
    "setAlarmSystem": _to_set_system,
    "withdrawKey": _to_withdraw,
}
LAST_FACTS = {"alarmChanged": "alarm.reported"}
