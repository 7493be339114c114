"""Endpoints below `/alarms` for alarm centres: JSON, or the frame of an alarm system as ANSI/SIA DC-09 has it.

A 2xx means that the alarm is committed or was known already. A frame is answered with a frame: 200 with ACK, NAK or
DUH. One with a wrong checksum or length gets a 400 without a frame, because the standard answers nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints import request_body
from api.endpoints.caller import signed_in
from api.endpoints.device_reports import json_response
from api.identity.authenticator import Identity
from api.state import AppState
from api.support.errors import HttpRefusal, is_away, plain
from api.support.rate_limit import RateLimit
from domain import alarms
from domain.access import Tx
from domain.access.rls import ScopedSessions
from domain.alarms import AlarmDraft, AlarmKind
from domain.core.db import is_busy, transaction
from domain.core.errors import Code, Refused

MOST_BYTES = 16 * 1024
READ_S = 10.0
ONE_SENDER = RateLimit(per_s=50, burst=1_000)
"""Alarms of one sender: a storm sets off hundreds of systems at once."""
FRAMES = Counter("waarborg_alarm_frames_total", "Frames of alarm systems.", ["answer"])
_STATUS = {Code.NOT_ALLOWED: 403, Code.NOT_FOUND: 404, Code.ALREADY_EXISTS: 409}
log = structlog.get_logger()
Take = Callable[[AppState, Identity, bytes], Awaitable[Response]]


class AlarmMessage(msgspec.Struct, forbid_unknown_fields=True):
    """An alarm as an alarm centre sends it in JSON."""

    number: str
    system: str
    kind: AlarmKind
    code: str | None = None
    zone: str | None = None
    details: str | None = None
    at: datetime | None = None


def routes() -> list[Route]:
    """Return the routes below `/alarms`."""
    return [
        Route("/alarms", _answering(_json), methods=["POST"]),
        Route("/alarms/dc09", _answering(_frame), methods=["POST"]),
    ]


def _answering(take: Take) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state: AppState = request.app.state.waarborg
        try:
            identity = await signed_in(request)
            sender = identity.actor.subject
            wait_s = await state.throttle.wait_s(f"alarms:{sender}", 1, ONE_SENDER)
            _must_not_wait(wait_s)
            body = await request_body.read(request, most=MOST_BYTES, within_s=READ_S)
            return await take(state, identity, body)
        except HttpRefusal as refused:
            return json_response({"errors": [refused.error]}, refused.status, refused.headers)
        except Refused as failed:
            refusal = failed.refusal
            no = plain(refusal.message, str(refusal.code))
            return json_response({"errors": [no]}, _STATUS.get(refusal.code, 400))
        except Exception as error:
            if isinstance(error, DBAPIError) and is_busy(error):
                busy = plain("Another alarm is being stored; send it again.", "BUSY")
                return json_response({"errors": [busy]}, 503, {"retry-after": "1"})
            if not is_away(error):
                raise
            log.warning("alarms.not_stored", error=repr(error))
            away = plain("It could not be stored; send it again.", "UNAVAILABLE")
            return json_response({"errors": [away]}, 503, {"retry-after": "2"})

    return endpoint


def _must_not_wait(wait_s: float) -> None:
    if wait_s > 0:
        raise HttpRefusal(429, "Too many at once.", "BUSY", retry_after=f"{wait_s + 1:.0f}")


async def _json(state: AppState, identity: Identity, body: bytes) -> Response:
    try:
        sent = msgspec.json.decode(body, type=AlarmMessage)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HttpRefusal(400, f"Send {{number, system, kind, …}}. ({error})") from None
    if sent.at is not None and sent.at.tzinfo is None:
        raise HttpRefusal(400, "at needs its offset from UTC, such as Z.")
    draft = AlarmDraft(
        number=sent.number,
        kind=sent.kind,
        system_number=sent.system,
        event_code=sent.code,
        zone=sent.zone,
        details=sent.details,
        happened_at=sent.at,
    )
    async with transaction(ScopedSessions(state.requests, identity.actor)) as session:
        alarm = await alarms.receive_alarm(Tx(session, identity.actor, state.now()), draft)
        shown = _shown(alarm)
    return json_response(shown)


async def _frame(state: AppState, identity: Identity, body: bytes) -> Response:
    try:
        frame = alarms.read_frame(body)
    except alarms.BrokenFrame as error:
        FRAMES.labels("none").inc()
        raise HttpRefusal(400, str(error)) from None
    at = state.now()
    async with transaction(ScopedSessions(state.requests, identity.actor)) as session:
        taken = await alarms.take_frame(Tx(session, identity.actor, at), frame)
    FRAMES.labels(str(taken.answer).lower()).inc()
    answer = alarms.answer_frame(taken.answer, frame, at=at)
    headers = {"cache-control": "no-store"}
    return Response(answer, 200, headers, "application/octet-stream")


def _shown(alarm: alarms.Alarm) -> dict[str, Any]:
    return {
        "id": str(alarm.id),
        "number": alarm.sender_number,
        "state": str(alarm.state),
        "receivedAt": alarm.received_at,
    }
