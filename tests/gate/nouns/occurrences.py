"""Occurrence log for the probes of the gate: a corrected and an internal entry, and two reports of shifts."""

from typing import Any
from uuid import UUID

from domain import occurrences, shifts
from domain.access import Actor, Role, Tx
from domain.agreements.model import Priority
from domain.core.db import transaction
from domain.occurrences import OccurrenceDraft, OccurrenceEntry, OccurrenceKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard
from tests.gate.nouns.shifts import HOUR, published_shift, running_shift


def _system(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _entry(api: Api, office: Office, **more: Any) -> OccurrenceEntry:
    """An entry about the site of the office."""
    draft = OccurrenceDraft(OccurrenceKind.KEY, "Key 7 was handed out", **more)
    async with transaction(api.make) as session:
        return await occurrences.log_entry(
            _system(api, office, session), draft, site_id=office.world.site.id
        )


async def _ended(api: Api, office: Office) -> UUID:
    """A shift that began an hour ago and ended now, with an entry."""
    user = await fresh_guard(api, office)
    shift_id = await published_shift(api, office, user=user, starts=-HOUR)
    async with transaction(api.make) as session:
        tx = _system(api, office, session)
        await shifts.clock_in(tx, shift_id, at=tx.at - HOUR)
        guard = Tx(session, Actor(office.world.tenant.id, Role.GUARD, f"user:{user.id}"), tx.at)
        draft = OccurrenceDraft(OccurrenceKind.VISITOR, "A visitor for the director")
        await occurrences.log_entry(guard, draft, shift_id=shift_id)
        await shifts.clock_out(tx, shift_id)
    return shift_id


async def furnish(api: Api, office: Office) -> None:
    """Log entries, correct and open one as an incident, and sign the report of a shift."""
    row = await _entry(api, office)
    await _entry(api, office, internal=True)
    shift_id = await _ended(api, office)
    await running_shift(api, office)
    async with transaction(api.make) as session:
        tx = _system(api, office, session)
        await occurrences.correct_entry(tx, row.id, reason="It was key 8", words="Key 8")
        await occurrences.open_from_entry(tx, row.id, priority=Priority.LOW)
        await occurrences.sign_report(tx, shift_id, handover="Key 8 is still out")


async def _logged(_api: Api, office: Office) -> dict[str, Any]:
    return {
        "siteId": office.site, "shiftId": None, "kind": "PARCEL", "words": "A parcel for B",
        "happenedAt": None, "internal": False,
    }  # fmt: skip


async def _to_correct(api: Api, office: Office) -> dict[str, Any]:
    row = await _entry(api, office)
    return {
        "id": ids.write("OccurrenceEntry", row.id), "kind": "DEFECT", "words": "The lock is broken",
        "internal": True, "reason": "The wrong words",
    }  # fmt: skip


async def _to_open(api: Api, office: Office) -> dict[str, Any]:
    row = await _entry(api, office)
    return {"id": ids.write("OccurrenceEntry", row.id), "summary": None}


async def _to_sign(api: Api, office: Office) -> dict[str, Any]:
    return {"shiftId": ids.write("Shift", await _ended(api, office)), "handover": "All is well"}


DOABLE = {
    "logOccurrence": _logged,
    "correctOccurrenceEntry": _to_correct,
    "openIncidentFromEntry": _to_open,
    "signShiftReport": _to_sign,
}
LAST_FACTS = {"occurrenceLogged": "occurrence.became_incident"}
