"""Shifts for the probes of the gate: one that ran and was corrected, one open, one planned, and their pattern."""

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from domain import accounts, guards, shifts
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.shifts import AttendanceKind, PatternDraft, Shift, ShiftPattern
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard
from tests.gate.nouns.posts import post

HOUR = timedelta(hours=1)
_DAYS = count(1)


def _system(api: Api, office: Office, session: Any, at: datetime | None = None) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), at or api.state.now())


async def planned_shift(
    api: Api, office: Office, *, user: accounts.User | None = None, starts: timedelta = HOUR
) -> UUID:
    """A planned shift of eight hours from an hour from now, by default."""
    found = await post(api, office)
    begins = api.state.now() + starts
    async with transaction(api.make) as session:
        tx = _system(api, office, session)
        if user is not None:
            await guards.grant_qualification(tx, user.id, "bhv")
        change = await shifts.plan_one(
            tx, found.id, from_at=begins, until_at=begins + 8 * HOUR,
            user_id=None if user is None else user.id,
        )  # fmt: skip
    return change.shift_ids[0]


async def published_shift(
    api: Api, office: Office, *, user: accounts.User | None = None, starts: timedelta = HOUR
) -> UUID:
    """A published shift."""
    shift_id = await planned_shift(api, office, user=user, starts=starts)
    async with transaction(api.make) as session:
        await shifts.publish(_system(api, office, session), [shift_id])
    return shift_id


async def running_shift(api: Api, office: Office) -> UUID:
    """A shift that began in time an hour ago."""
    user = await fresh_guard(api, office)
    shift_id = await published_shift(api, office, user=user, starts=-HOUR)
    async with transaction(api.make) as session:
        now = api.state.now()
        await shifts.clock_in(_system(api, office, session), shift_id, at=now - HOUR)
    return shift_id


async def _pattern(api: Api, office: Office) -> ShiftPattern:
    found = await post(api, office)
    draft = PatternDraft("FREQ=DAILY", date(2026, 3, 1), time(22), time(6))
    async with transaction(api.make) as session:
        return await shifts.add_pattern(_system(api, office, session), found.id, draft)


async def furnish(api: Api, office: Office) -> None:
    """Put a shift of each kind into the roster."""
    await planned_shift(api, office)
    await published_shift(api, office)
    shift_id = await running_shift(api, office)
    async with transaction(api.make) as session:
        now = api.state.now()
        await shifts.correct_attendance(
            _system(api, office, session), shift_id, AttendanceKind.CLOCK_IN,
            at=now - 0.9 * HOUR, reason="The bus was late.",
        )  # fmt: skip
    pattern = await _pattern(api, office)
    async with transaction(api.make) as session:
        day = date(2026, 3, next(_DAYS) % 28 + 1)
        await shifts.plan_from_pattern(
            _system(api, office, session), pattern.id, first_on=day, last_on=day
        )


def _id(shift_id: UUID) -> str:
    return ids.write(Shift.__name__, shift_id)


async def _planned(api: Api, office: Office) -> dict[str, Any]:
    found = await post(api, office)
    return {
        "postId": ids.write("Post", found.id), "userId": None,
        "fromAt": "2026-03-10T08:00:00+00:00", "untilAt": "2026-03-10T16:00:00+00:00",
    }  # fmt: skip


async def _patterned(api: Api, office: Office) -> dict[str, Any]:
    found = await post(api, office)
    return {
        "postId": ids.write("Post", found.id), "rule": "FREQ=DAILY", "startsOn": "2026-03-01",
        "endsOn": None, "localStart": "22:00:00", "localEnd": "06:00:00", "seats": 1, "userId": None,
    }  # fmt: skip


async def _from_pattern(api: Api, office: Office) -> dict[str, Any]:
    pattern = await _pattern(api, office)
    return {
        "patternId": ids.write("ShiftPattern", pattern.id), "firstOn": "2026-03-10",
        "lastOn": "2026-03-11",
    }  # fmt: skip


async def _to_end(api: Api, office: Office) -> dict[str, Any]:
    pattern = await _pattern(api, office)
    return {"id": ids.write("ShiftPattern", pattern.id), "endsOn": "2026-12-31"}


async def _to_publish(api: Api, office: Office) -> dict[str, Any]:
    return {"shiftIds": [_id(await planned_shift(api, office))]}


async def _to_assign(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        await guards.grant_qualification(_system(api, office, session), user.id, "bhv")
    shift_id = await published_shift(api, office)
    return {"id": _id(shift_id), "userId": ids.write("User", user.id)}


async def _to_confirm(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    return {"id": _id(await published_shift(api, office, user=user))}


async def _to_cancel(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id(await published_shift(api, office))}


_NOW_WITHOUT_POSITION: dict[str, Any] = dict.fromkeys(
    ("at", "lat", "lon", "accuracyM", "measuredAt", "sentAt", "mock")
)


async def _to_begin(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    shift_id = await published_shift(api, office, user=user, starts=-HOUR)
    return {"id": _id(shift_id), **_NOW_WITHOUT_POSITION}


async def _to_leave(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id(await running_shift(api, office)), **_NOW_WITHOUT_POSITION}


async def _to_correct(api: Api, office: Office) -> dict[str, Any]:
    at = api.state.now() - 0.5 * HOUR
    return {"id": _id(await running_shift(api, office)), "kind": "CLOCK_IN", "at": at.isoformat()}


DOABLE = {
    "addShiftPattern": _patterned,
    "assignShift": _to_assign,
    "cancelShift": _to_cancel,
    "clockIn": _to_begin,
    "clockOut": _to_leave,
    "confirmShift": _to_confirm,
    "correctAttendance": _to_correct,
    "endShiftPattern": _to_end,
    "planShift": _planned,
    "planShifts": _from_pattern,
    "publishShifts": _to_publish,
}
LAST_FACTS = {"shiftChanges": "shift.no_show"}
