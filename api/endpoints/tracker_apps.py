"""Endpoints for apps on phones that report positions: Traccar, OsmAnd, OwnTracks and GPSLogger."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.endpoints import tracker_formats
from api.endpoints.device_reports import (
    REFUSED,
    UNKNOWN_DEVICE,
    body_of,
    call_for_help,
    device_of,
    json_response,
    note_alive,
    note_refusal,
    refusal_noted,
    take_fixes,
)
from api.endpoints.tracker_values import TrackerMessage
from api.identity.authenticator import bearer
from api.state import AppState
from api.support.errors import HttpRefusal
from domain import positions
from domain.positions import REASON_TEXT, FixSource, IngestOutcome, Reason

STATUS = {Reason.OFF_DUTY: 409, Reason.FROM_THE_FUTURE: 409, Reason.TOO_OLD: 410}
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


async def traccar(request: Request, state: AppState) -> Response:
    """Store a message of Traccar Client: JSON since version 9, a query or form with speeds in knots before."""
    if not _is_json(request):
        return await _of_query(request, state, FixSource.TRACCAR, tracker_formats.KNOT_MPS)
    body = await body_of(request)
    try:
        name, message = tracker_formats.traccar(body, now=state.now())
    except UNREADABLE as error:
        REFUSED.labels("traccar", "unreadable").inc()
        raise HttpRefusal(
            400, f"That is no message of Traccar Client: {error}", "BAD_REQUEST"
        ) from None
    device = await device_of(state, name)
    if device is None:
        raise HttpRefusal(404, UNKNOWN_DEVICE, "NOT_FOUND")
    await _store_message(state, device, message, FixSource.TRACCAR)
    return Response(status_code=200)


async def osmand(request: Request, state: AppState) -> Response:
    """Store a message of OsmAnd: a query or form with speeds in metres per second."""
    return await _of_query(request, state, FixSource.OSMAND, 1.0)


async def _of_query(
    request: Request, state: AppState, source: FixSource, speed_unit_mps: float
) -> Response:
    given = await _parameters(request)
    device = await device_of(state, _text(given.get("id")) or _text(given.get("deviceid")))
    if device is None:
        raise HttpRefusal(400, UNKNOWN_DEVICE, "BAD_REQUEST")
    with_unit = partial(tracker_formats.osmand, speed_unit_mps=speed_unit_mps, now=state.now())
    message = await _read_message(state, device, source, lambda: with_unit(given))
    await _store_message(state, device, message, source)
    return Response(status_code=200)


async def gpslogger(request: Request, state: AppState) -> Response:
    """Store a message of GPSLogger."""
    given = await _parameters(request)
    device = await device_of(state, _presented_token(request) or _text(given.get("key")))
    if device is None:
        raise HttpRefusal(401, UNKNOWN_DEVICE, "UNAUTHENTICATED", www_authenticate="Basic")
    message = await _read_message(
        state, device, FixSource.GPSLOGGER, lambda: tracker_formats.gpslogger(given)
    )
    await _store_message(state, device, message, FixSource.GPSLOGGER)
    return Response(status_code=200)


async def owntracks(request: Request, state: AppState) -> Response:
    """Store a message of OwnTracks."""
    device = await device_of(state, _presented_token(request))
    if device is None:
        raise HttpRefusal(401, UNKNOWN_DEVICE, "UNAUTHENTICATED", www_authenticate="Basic")
    body, now = await body_of(request), state.now()
    message = await _read_message(
        state, device, FixSource.OWNTRACKS, lambda: tracker_formats.owntracks(body, now=now)
    )
    await _store_message(state, device, message, FixSource.OWNTRACKS)
    return json_response([])


async def _read_message(
    state: AppState, device_id: UUID, source: FixSource, read: Callable[[], TrackerMessage]
) -> TrackerMessage:
    """Decode a message with `read`; count and record the refusal of one that cannot be decoded."""
    try:
        return read()
    except tracker_formats.Encrypted:
        no = HttpRefusal(400, "Turn the app's encryption off: HTTPS is enough.", "BAD_REQUEST")
    except UNREADABLE as error:
        words = "too deep" if isinstance(error, RecursionError) else str(error)
        no = HttpRefusal(
            400, f"That is no message of {source.name.title()}: {words}", "BAD_REQUEST"
        )
    raise await refusal_noted(state, device_id, source, Reason.UNREADABLE, no)


async def _store_message(
    state: AppState, device_id: UUID, message: TrackerMessage, source: FixSource
) -> None:
    """Store a message. Refused fixes are refused in the response, so that the app keeps and shows them.

    A fix that can never be accepted (too old, or from off duty while another duty is active) is refused once and
    acknowledged when it is resent, because most apps send nothing new before their oldest message is accepted.
    """
    await note_alive(state, device_id, message.alive, source)
    outcome = await take_fixes(state, device_id, message.fixes, source) if message.fixes else None
    if message.panic:
        at: Any = next((fix.at for fix in message.fixes if fix is not None), None)
        await call_for_help(state, device_id, at or message.alive or state.now(), source)
    if outcome is None or not outcome.refused:
        return
    reason = outcome.refused[-1][1]
    await note_refusal(state, device_id, source, reason, REASON_TEXT[reason], len(outcome.refused))
    if await _was_refused_before(state, device_id, message, outcome):
        return
    raise HttpRefusal(STATUS.get(reason, 400), REASON_TEXT[reason], "BAD_REQUEST")


async def _was_refused_before(
    state: AppState, device_id: UUID, message: TrackerMessage, outcome: IngestOutcome
) -> bool:
    """Whether every refused fix was refused before and can never be accepted."""
    post = await state.intake.post(device_id)
    on_duty = post is not None and post.on_duty(positions.ms_of(state.now()))
    before = []
    for index, reason in outcome.refused:
        fix = message.fixes[index]
        lost = reason is Reason.TOO_OLD or (reason is Reason.OFF_DUTY and on_duty)
        known = fix is not None and lost and state.intake.refused_before(device_id, fix.at)
        before.append(known)
    return all(before)


def _presented_token(request: Request) -> str | None:
    """Return the token in the `Authorization` header: a bearer token, or the password of any user name."""
    header = request.headers.get("authorization")
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return bearer(header)
    try:
        return b64decode(rest.strip(), validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


async def _parameters(request: Request) -> Mapping[str, Any]:
    """Return the parameters of the URL and of the body, a form or a JSON object."""
    given: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        body = await body_of(request)
        try:
            if _is_json(request) or body.lstrip()[:1] in {b"{", b"["}:
                fields = msgspec.json.decode(body) if body.strip() else {}
                if not isinstance(fields, dict):
                    raise HttpRefusal(400, "The body is a JSON object.", "BAD_REQUEST")
                return given | fields
            given |= parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            raise HttpRefusal(
                400, "The body is no form and no JSON object.", "BAD_REQUEST"
            ) from None
    return given


def _text(given: Any) -> str | None:
    return None if given is None or isinstance(given, dict | list) else str(given)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return request.method == "POST" and kind == "application/json"
