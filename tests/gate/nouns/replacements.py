"""Replacements for the probes of the gate: one with an open offer, and one whose guard arrived."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import accounts, guards, replacements, shifts
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.replacements import Replacement, ShiftOffer
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard
from tests.gate.nouns.shifts import HOUR, published_shift


def _tx(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _able(api: Api, office: Office) -> accounts.User:
    """A guard with a pass and the qualification that posts here require."""
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        await guards.set_profile(
            tx, user.id, pass_colour=guards.PassColour.GREY, pass_expires_on=date(2099, 1, 1)
        )
        await guards.grant_qualification(tx, user.id, "bhv")
    return user


async def _needed(api: Api, office: Office, *, starts: timedelta = HOUR) -> UUID:
    """A replacement whose guard reported to be absent."""
    shift_id = await published_shift(
        api, office, user=await fresh_guard(api, office), starts=starts
    )
    async with transaction(api.make) as session:
        return (await replacements.report_absence(_tx(api, office, session), shift_id)).id


async def _offered(api: Api, office: Office) -> UUID:
    """An open offer."""
    user = await _able(api, office)
    replacement_id = await _needed(api, office)
    async with transaction(api.make) as session:
        await replacements.look_at_replacement(session, replacement_id, at=api.state.now())
        offers = select(ShiftOffer.id).where(ShiftOffer.replacement_id == replacement_id)
        found = await session.scalars(offers.where(ShiftOffer.user_id == user.id))
        all_found = (await session.scalars(offers)).all()
        return found.first() or all_found[0]


async def _found(api: Api, office: Office, *, starts: timedelta = HOUR) -> UUID:
    """A replacement with another guard."""
    replacement_id = await _needed(api, office, starts=starts)
    user = await _able(api, office)
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        await replacements.assign_replacement(tx, replacement_id, user.id)
    return replacement_id


async def furnish(api: Api, office: Office) -> None:
    """Seek one guard by offers, and let another one arrive."""
    await _offered(api, office)
    replacement_id = await _found(api, office, starts=-0.5 * HOUR)
    async with transaction(api.make) as session:
        row = await session.get_one(Replacement, replacement_id)
        await shifts.clock_in(_tx(api, office, session), row.shift_id)


def _id(kind: str, row_id: UUID) -> str:
    return ids.write(kind, row_id)


async def _to_report(api: Api, office: Office) -> dict[str, Any]:
    shift_id = await published_shift(api, office, user=await fresh_guard(api, office))
    return {"shiftId": _id("Shift", shift_id)}


async def _to_answer(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("ShiftOffer", await _offered(api, office))}


async def _to_set_out(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("Replacement", await _found(api, office)), "arrivesAt": None}


async def _to_take_over(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("Replacement", await _needed(api, office))}


async def _to_resume(api: Api, office: Office) -> dict[str, Any]:
    replacement_id = await _needed(api, office)
    async with transaction(api.make) as session:
        await replacements.take_over(_tx(api, office, session), replacement_id)
    return {"id": _id("Replacement", replacement_id)}


async def _to_assign(api: Api, office: Office) -> dict[str, Any]:
    user = await _able(api, office)
    replacement_id = await _needed(api, office)
    return {"id": _id("Replacement", replacement_id), "userId": _id("User", user.id)}


DOABLE = {
    "acceptShiftOffer": _to_answer,
    "assignReplacement": _to_assign,
    "declineShiftOffer": _to_answer,
    "reportAbsence": _to_report,
    "reportOnTheWay": _to_set_out,
    "resumeReplacementOffers": _to_resume,
    "takeOverReplacement": _to_take_over,
}
LAST_FACTS = {"replacementChanges": "replacement.arrived"}
