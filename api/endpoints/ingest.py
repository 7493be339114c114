"""Endpoints below `/ingest` that receive positions of devices: our own JSON, and the formats of tracker apps.

A 2xx status means that the fixes are committed or were known; apps keep other messages, show them, and send them again.
Refusals are counted, and the device's record holds the reason.
A device sends its token as bearer token, as password, or as device identifier if the app supports neither.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints import position_format, request_body, tracker_formats
from api.endpoints.tracker_values import TrackerMessage, is_panic
from api.identity.authenticator import bearer
from api.state import AppState
from api.support.errors import HttpRefusal, plain
from domain import positions
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.positions import MAX_FIXES, REASON_TEXT, FixSource, IngestOutcome, Reason, ReceivedFix
from realtime.position_ingest import AWAY, IngestBusy

log = structlog.get_logger()

MOST_BYTES = 512 * 1024
READ_S = 15.0
FIXES = Counter("waarborg_fixes_total", "Fixes handed in by devices.", ["outcome"])
REFUSED = Counter(
    "waarborg_ingest_refusals_total", "Messages of devices that were refused.", ["app", "reason"]
)
STATUS = {Reason.OFF_DUTY: 409, Reason.FROM_THE_FUTURE: 409, Reason.TOO_OLD: 410}


_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
_UNKNOWN = "Unknown device: the token is invalid or revoked."


def routes() -> list[Route]:
    """Return the routes below `/ingest`."""
    both = ["GET", "POST"]
    return [
        Route("/ingest/positions", _endpoint(_positions), methods=["POST"]),
        Route("/ingest/traccar", _endpoint(_traccar), methods=both),
        Route("/ingest/osmand", _endpoint(_osmand), methods=both),
        Route("/ingest/owntracks", _endpoint(_owntracks), methods=["POST"]),
        Route("/ingest/gpslogger", _endpoint(_gpslogger), methods=both),
    ]


def _endpoint(
    take: Callable[[Request, AppState], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await take(request, request.app.state.waarborg)
        except HttpRefusal as refusal:
            answer, status, headers = refusal.error, refusal.status, refusal.headers
        except IngestBusy:
            answer, status = plain("The server is overloaded; send it again.", "BUSY"), 503
            headers = {"retry-after": "2"}
        except AWAY as error:
            # Nothing was stored: the app keeps the message and sends it again.
            log.warning("ingest.not_stored", error=repr(error))
            answer = plain("The message could not be stored; send it again.", "UNAVAILABLE")
            status = 503
            headers = {"retry-after": "5"}
        return _json({"errors": [answer]}, status, headers)

    return endpoint


async def _positions(request: Request, state: AppState) -> Response:
    now = state.now()
    device = await _device(state, bearer(request.headers.get("authorization")))
    if device is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED", www_authenticate="Bearer")
    body = await _body(request)
    try:
        batch: position_format.PositionBatch | position_format.Loose = position_format.decode(body)
        readings: list[ReceivedFix | None] = batch.fixes  # type: ignore[assignment]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        try:
            batch, readings = _one_by_one(body)
        except HttpRefusal as refusal:
            raise await _recorded(
                state, device, FixSource.BATCH, Reason.UNREADABLE, refusal
            ) from None
    _bounded(readings)
    skew_s = float("nan") if batch.sent_at is None else (now - batch.sent_at).total_seconds()
    if not readings:
        await _store_signs_of_life(state, device, (now,), FixSource.BATCH)
    outcome = await _take(state, device, readings, FixSource.BATCH, skew_s=skew_s)
    if b"alarm" in body or b"\\u" in body:  # avoids checking every fix of reports without alarms
        calls = [r.at for r in readings if r is not None and is_panic(r.alarm)]
        if calls:
            await _panic(state, device, max(calls, key=positions.ms_of), FixSource.BATCH)
    if outcome.refused:
        reason = outcome.refused[-1][1]
        await _note(
            state, device, FixSource.BATCH, reason, REASON_TEXT[reason], len(outcome.refused)
        )
    refused = [
        {"index": index, "reason": reason.name, "message": REASON_TEXT[reason]}
        for index, reason in outcome.refused
    ]
    message = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "refused": refused}
    return _json(message)


def _one_by_one(body: bytes) -> tuple[position_format.Loose, list[ReceivedFix | None]]:
    """Decode the fixes one by one, because some of them are invalid."""
    try:
        loose = position_format.decode_loose(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise HttpRefusal(
            400, f"Send {{fixes: [{{at, lat, lon, …}}]}}. ({reason})", "BAD_REQUEST"
        ) from None
    _bounded(loose.fixes)  # before decoding: 250,000 invalid fixes took 0.7 s
    return loose, [position_format.read_one(raw) for raw in loose.fixes]


async def _traccar(request: Request, state: AppState) -> Response:
    """Receive from Traccar Client: JSON from version 9 on, before that a query or form with speeds in knots."""
    if not _is_json(request):
        return await _of_query(request, state, FixSource.TRACCAR, tracker_formats.KNOT_MPS)
    body = await _body(request)
    try:
        name, message = tracker_formats.traccar(body, now=state.now())
    except _UNREADABLE as error:
        REFUSED.labels("traccar", "unreadable").inc()
        raise HttpRefusal(
            400, f"The body is not a message of Traccar Client: {error}", "BAD_REQUEST"
        ) from None
    device = await _device(state, name)
    if device is None:
        raise HttpRefusal(404, _UNKNOWN, "NOT_FOUND")
    await _store_message(state, device, message, FixSource.TRACCAR)
    return Response(status_code=200)


async def _osmand(request: Request, state: AppState) -> Response:
    """Receive from the OsmAnd app, which sends the same parameters with speeds in metres per second."""
    return await _of_query(request, state, FixSource.OSMAND, 1.0)


async def _of_query(
    request: Request, state: AppState, source: FixSource, speed_unit_mps: float
) -> Response:
    parameters = await _parameters(request)
    device = await _device(state, _text(parameters.get("id")) or _text(parameters.get("deviceid")))
    if device is None:
        raise HttpRefusal(400, _UNKNOWN, "BAD_REQUEST")
    with_unit = partial(tracker_formats.osmand, speed_unit_mps=speed_unit_mps, now=state.now())
    message = await _decoded(state, device, source, lambda: with_unit(parameters))
    await _store_message(state, device, message, source)
    return Response(status_code=200)


async def _gpslogger(request: Request, state: AppState) -> Response:
    parameters = await _parameters(request)
    device = await _device(state, _token_of(request) or _text(parameters.get("key")))
    if device is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED", www_authenticate="Basic")
    message = await _decoded(
        state, device, FixSource.GPSLOGGER, lambda: tracker_formats.gpslogger(parameters)
    )
    await _store_message(state, device, message, FixSource.GPSLOGGER)
    return Response(status_code=200)


async def _owntracks(request: Request, state: AppState) -> Response:
    device = await _device(state, _token_of(request))
    if device is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED", www_authenticate="Basic")
    body, now = await _body(request), state.now()
    message = await _decoded(
        state, device, FixSource.OWNTRACKS, lambda: tracker_formats.owntracks(body, now=now)
    )
    await _store_message(state, device, message, FixSource.OWNTRACKS)
    return _json([])


async def _decoded(
    state: AppState, device_id: UUID, source: FixSource, read: Callable[[], TrackerMessage]
) -> TrackerMessage:
    """Decode an app's message; record and refuse it when it is invalid."""
    try:
        return read()
    except tracker_formats.Encrypted:
        refusal = HttpRefusal(
            400, "Turn off encryption in the app: HTTPS is enough.", "BAD_REQUEST"
        )
    except _UNREADABLE as error:
        reason_text = "too deep" if isinstance(error, RecursionError) else str(error)
        refusal = HttpRefusal(
            400, f"This is not a message of {source.name.title()}: {reason_text}", "BAD_REQUEST"
        )
    raise await _recorded(state, device_id, source, Reason.UNREADABLE, refusal)


async def _store_message(
    state: AppState, device_id: UUID, message: TrackerMessage, source: FixSource
) -> None:
    """Store the content of an app's message. A refusal has an error status, so that the app keeps and shows it.

    A fix that can never be accepted (too old, or from off duty during another shift) is refused once and acknowledged
    when it is sent again, because most apps send nothing else until their oldest message is acknowledged.
    """
    await _store_signs_of_life(state, device_id, message.alive, source)
    outcome = await _take(state, device_id, message.fixes, source) if message.fixes else None
    if message.panic:
        at: Any = next((fix.at for fix in message.fixes if fix is not None), None)
        await _panic(state, device_id, at or message.alive or state.now(), source)
    if outcome is None or not outcome.refused:
        return
    reason = outcome.refused[-1][1]
    await _note(state, device_id, source, reason, REASON_TEXT[reason], len(outcome.refused))
    if await _never_acceptable(state, device_id, message, outcome):
        return
    raise HttpRefusal(STATUS.get(reason, 400), REASON_TEXT[reason], "BAD_REQUEST")


async def _never_acceptable(
    state: AppState, device_id: UUID, message: TrackerMessage, outcome: IngestOutcome
) -> bool:
    """Return whether all refused fixes were refused before and can never be accepted."""
    post = await state.intake.post(device_id)
    on_duty = post is not None and post.on_duty(positions.ms_of(state.now()))
    before = []
    for index, reason in outcome.refused:
        fix = message.fixes[index]
        lost = reason is Reason.TOO_OLD or (reason is Reason.OFF_DUTY and on_duty)
        known = fix is not None and lost and state.intake.refused_before(device_id, fix.at)
        before.append(known)
    return all(before)


async def _store_signs_of_life(
    state: AppState, device_id: UUID, at: Sequence[datetime], source: FixSource
) -> None:
    """Store signs of life as fixes without a position; they are ignored outside a shift."""
    nowhere = float("nan")
    signs = [ReceivedFix(at=each, lat=nowhere, lon=nowhere) for each in at]
    if signs and await state.intake.take(device_id, signs, source) is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED")


async def _panic(
    state: AppState,
    device_id: UUID,
    sent_at: int | datetime | Sequence[datetime],
    source: FixSource,
) -> None:
    """Raise a panic alarm. Refused when nobody can be alarmed, so that the app shows the failure."""
    at = sent_at[0] if isinstance(sent_at, Sequence) else sent_at
    try:
        async with transaction(state.sessions) as session:
            await positions.call_for_help(
                session, device_id, told_ms=positions.ms_of(at), at=state.now()
            )
    except Refused as refused:
        refusal = HttpRefusal(409, refused.refusal.message, "BAD_REQUEST")
        raise await _recorded(state, device_id, source, Reason.OFF_DUTY, refusal) from None


async def _recorded(
    state: AppState, device_id: UUID, source: FixSource, reason: Reason, refusal: HttpRefusal
) -> HttpRefusal:
    await _note(state, device_id, source, reason, str(refusal), 1)
    return refusal


async def _note(
    state: AppState,
    device_id: UUID,
    source: FixSource,
    reason: Reason,
    reason_text: str,
    count: int,
) -> None:
    """Count a refusal and store it in the device's record."""
    REFUSED.labels(source.name.lower(), reason.name.lower()).inc()
    await state.intake.note_refusal(device_id, reason, reason_text, count)


async def _take(
    state: AppState,
    device_id: UUID,
    readings: Sequence[ReceivedFix | None],
    source: FixSource,
    *,
    skew_s: float = float("nan"),
) -> IngestOutcome:
    """Ingest the valid fixes, and add the invalid ones to the refusals of the outcome."""
    _bounded(readings)
    unread = [index for index, reading in enumerate(readings) if reading is None]
    read: Sequence[ReceivedFix] = readings if not unread else [r for r in readings if r is not None]  # type: ignore[assignment]
    outcome = await state.intake.take(device_id, read, source, skew_s=skew_s)
    if outcome is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED")
    if unread:
        place = [index for index, reading in enumerate(readings) if reading is not None]
        refused = [(place[index], reason) for index, reason in outcome.refused]
        refused += [(index, Reason.UNREADABLE) for index in unread]
        outcome = outcome._replace(refused=tuple(sorted(refused)))
    FIXES.labels("accepted").inc(outcome.accepted)
    if outcome.duplicates:
        FIXES.labels("duplicate").inc(outcome.duplicates)
    for _index, reason in outcome.refused:
        FIXES.labels(reason.name.lower()).inc()
    return outcome


def _bounded(fixes: Sequence[object]) -> None:
    if len(fixes) > MAX_FIXES:
        raise HttpRefusal(413, f"A report may have at most {MAX_FIXES} fixes.", "BAD_REQUEST")


async def _device(state: AppState, presented: str | None) -> UUID | None:
    """The device that shows this token."""
    identity = await state.authenticator.identify(presented) if presented else None
    if identity is None or not identity.ingest_only:
        return None
    return UUID(identity.actor.subject.removeprefix("device:"))


def _token_of(request: Request) -> str | None:
    """Return the token in the Authorization header: a bearer token, or the password of any user name."""
    header = request.headers.get("authorization")
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return bearer(header)
    try:
        return b64decode(rest.strip(), validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


async def _parameters(request: Request) -> Mapping[str, Any]:
    """Return the parameters of the query, and of a form or a JSON object in the body."""
    parameters: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        body = await _body(request)
        try:
            if _is_json(request) or body.lstrip()[:1] in {b"{", b"["}:
                message = msgspec.json.decode(body) if body.strip() else {}
                if not isinstance(message, dict):
                    raise HttpRefusal(400, "The body must be a JSON object.", "BAD_REQUEST")
                return parameters | message
            parameters |= parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            raise HttpRefusal(
                400, "The body is neither a form nor a JSON object.", "BAD_REQUEST"
            ) from None
    return parameters


def _text(parameters: Any) -> str | None:
    return None if parameters is None or isinstance(parameters, dict | list) else str(parameters)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return request.method == "POST" and kind == "application/json"


async def _body(request: Request) -> bytes:
    return await request_body.read(request, most=MOST_BYTES, within_s=READ_S)


def _json(message: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _encode(message),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/json",
    )
