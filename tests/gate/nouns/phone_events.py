"""Batches of guard apps for the probes of the gate: one that a guard sent."""

from typing import Any
from uuid import uuid4

from domain import phone_events
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.phone_events import PhoneEventDraft, PhoneEventKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard
from tests.gate.nouns.shifts import published_shift


async def furnish(api: Api, office: Office) -> None:
    """Let the app of a guard clock in."""
    user = await fresh_guard(api, office)
    shift_id = await published_shift(api, office, user=user)
    now = api.state.now()
    async with transaction(api.make) as session:
        guard = Actor(office.world.tenant.id, Role.GUARD, f"user:{user.id}")
        draft = PhoneEventDraft("1", PhoneEventKind.CLOCK_IN, now, 5.0, "a", shift_id=shift_id)
        await phone_events.upload_events(
            Tx(session, guard, now), api.state.desk.vault, device="phone", sent_at=now,
            uptime_s=5.0, boot="a", drafts=[draft],
        )  # fmt: skip


async def _uploaded(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    shift_id = await published_shift(api, office, user=user)
    now = api.state.now().isoformat()
    event = {
        "id": uuid4().hex, "kind": "CLOCK_IN", "at": now, "uptimeSeconds": 5.0, "boot": "a",
        "shiftId": ids.write("Shift", shift_id),
    }  # fmt: skip
    return {"device": "phone", "sentAt": now, "uptimeSeconds": 5.0, "boot": "a", "events": [event]}


DOABLE = {"uploadPhoneEvents": _uploaded}
