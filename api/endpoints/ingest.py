"""Where devices hand in positions, below `/ingest`: our own JSON, and what phones' apps speak.

Every 2xx means committed or known already: apps keep what is not answered so, show it, and send it again.
What is refused is counted, and the device's record says why.
A device shows its token: as bearer, as password, or, for apps that know neither, as the identifier they send.
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
_UNKNOWN = "Unknown device: the token is not good (any more)."


def routes() -> list[Route]:
    """The paths below `/ingest`."""
    both = ["GET", "POST"]
    return [
        Route("/ingest/positions", _answering(_positions), methods=["POST"]),
        Route("/ingest/traccar", _answering(_traccar), methods=both),
        Route("/ingest/osmand", _answering(_osmand), methods=both),
        Route("/ingest/owntracks", _answering(_owntracks), methods=["POST"]),
        Route("/ingest/gpslogger", _answering(_gpslogger), methods=both),
    ]


def _answering(
    take: Callable[[Request, AppState], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await take(request, request.app.state.waarborg)
        except HttpRefusal as no:
            answer, status, headers = no.error, no.status, no.headers
        except IngestBusy:
            answer, status = plain("Too much comes in at once.", "BUSY"), 503
            headers = {"retry-after": "2"}
        except AWAY as error:
            # Nothing of it is stored: the app keeps it and sends it again.
            log.warning("ingest.not_stored", error=repr(error))
            answer, status = plain("It could not be stored; send it again.", "UNAVAILABLE"), 503
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
        except HttpRefusal as no:
            raise await _noted(state, device, FixSource.BATCH, Reason.UNREADABLE, no) from None
    _bounded(readings)
    skew_s = float("nan") if batch.sent_at is None else (now - batch.sent_at).total_seconds()
    if not readings:
        await _lives(state, device, (now,), FixSource.BATCH)
    outcome = await _take(state, device, readings, FixSource.BATCH, skew_s=skew_s)
    if b"alarm" in body or b"\\u" in body:  # nothing is looked for fix by fix in most reports
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
    told = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "refused": refused}
    return _json(told)


def _one_by_one(body: bytes) -> tuple[position_format.Loose, list[ReceivedFix | None]]:
    """The fixes that can be read, when not all can."""
    try:
        loose = position_format.decode_loose(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise HttpRefusal(
            400, f"Send {{fixes: [{{at, lat, lon, …}}]}}. ({reason})", "BAD_REQUEST"
        ) from None
    _bounded(loose.fixes)  # 250,000 that cannot be read: it took 0.7 s to find out
    return loose, [position_format.read_one(raw) for raw in loose.fixes]


async def _traccar(request: Request, state: AppState) -> Response:
    """Traccar Client: JSON from version 9 on, before that a query or form with speeds in knots."""
    if not _is_json(request):
        return await _of_query(request, state, FixSource.TRACCAR, tracker_formats.KNOT_MPS)
    body = await _body(request)
    try:
        name, told = tracker_formats.traccar(body, now=state.now())
    except _UNREADABLE as error:
        REFUSED.labels("traccar", "unreadable").inc()
        raise HttpRefusal(
            400, f"That is no message of Traccar Client: {error}", "BAD_REQUEST"
        ) from None
    device = await _device(state, name)
    if device is None:
        raise HttpRefusal(404, _UNKNOWN, "NOT_FOUND")
    await _phone(state, device, told, FixSource.TRACCAR)
    return Response(status_code=200)


async def _osmand(request: Request, state: AppState) -> Response:
    """The OsmAnd app, which sends the same words with speeds in metres a second."""
    return await _of_query(request, state, FixSource.OSMAND, 1.0)


async def _of_query(
    request: Request, state: AppState, source: FixSource, speed_unit_mps: float
) -> Response:
    given = await _given(request)
    device = await _device(state, _text(given.get("id")) or _text(given.get("deviceid")))
    if device is None:
        raise HttpRefusal(400, _UNKNOWN, "BAD_REQUEST")
    with_unit = partial(tracker_formats.osmand, speed_unit_mps=speed_unit_mps, now=state.now())
    told = await _understood(state, device, source, lambda: with_unit(given))
    await _phone(state, device, told, source)
    return Response(status_code=200)


async def _gpslogger(request: Request, state: AppState) -> Response:
    given = await _given(request)
    device = await _device(state, _shown(request) or _text(given.get("key")))
    if device is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED", www_authenticate="Basic")
    told = await _understood(
        state, device, FixSource.GPSLOGGER, lambda: tracker_formats.gpslogger(given)
    )
    await _phone(state, device, told, FixSource.GPSLOGGER)
    return Response(status_code=200)


async def _owntracks(request: Request, state: AppState) -> Response:
    device = await _device(state, _shown(request))
    if device is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED", www_authenticate="Basic")
    body, now = await _body(request), state.now()
    told = await _understood(
        state, device, FixSource.OWNTRACKS, lambda: tracker_formats.owntracks(body, now=now)
    )
    await _phone(state, device, told, FixSource.OWNTRACKS)
    return _json([])


async def _understood(
    state: AppState, device_id: UUID, source: FixSource, read: Callable[[], TrackerMessage]
) -> TrackerMessage:
    """What a phone says; refused, and written down, when it cannot be read."""
    try:
        return read()
    except tracker_formats.Encrypted:
        no = HttpRefusal(400, "Turn the app's encryption off: HTTPS is enough.", "BAD_REQUEST")
    except _UNREADABLE as error:
        words = "too deep" if isinstance(error, RecursionError) else str(error)
        no = HttpRefusal(
            400, f"That is no message of {source.name.title()}: {words}", "BAD_REQUEST"
        )
    raise await _noted(state, device_id, source, Reason.UNREADABLE, no)


async def _phone(state: AppState, device_id: UUID, told: TrackerMessage, source: FixSource) -> None:
    """Store what a phone's message says. What is refused is answered as such, so that the app keeps and shows it.

    A fix that no later message can save (from off duty while another duty lasts, or too old) is refused once; sent
    again it is acknowledged, because most apps send nothing else before their oldest message has been taken.
    """
    await _lives(state, device_id, told.alive, source)
    outcome = await _take(state, device_id, told.fixes, source) if told.fixes else None
    if told.panic:
        at: Any = next((fix.at for fix in told.fixes if fix is not None), None)
        await _panic(state, device_id, at or told.alive or state.now(), source)
    if outcome is None or not outcome.refused:
        return
    reason = outcome.refused[-1][1]
    await _note(state, device_id, source, reason, REASON_TEXT[reason], len(outcome.refused))
    if await _for_good(state, device_id, told, outcome):
        return
    raise HttpRefusal(STATUS.get(reason, 400), REASON_TEXT[reason], "BAD_REQUEST")


async def _for_good(
    state: AppState, device_id: UUID, told: TrackerMessage, outcome: IngestOutcome
) -> bool:
    """Whether all that is refused was refused before, and nothing can change that."""
    post = await state.intake.post(device_id)
    on_duty = post is not None and post.on_duty(positions.ms_of(state.now()))
    before = []
    for index, reason in outcome.refused:
        fix = told.fixes[index]
        lost = reason is Reason.TOO_OLD or (reason is Reason.OFF_DUTY and on_duty)
        known = fix is not None and lost and state.intake.refused_before(device_id, fix.at)
        before.append(known)
    return all(before)


async def _lives(
    state: AppState, device_id: UUID, at: Sequence[datetime], source: FixSource
) -> None:
    """Store signs of life; outside a duty nobody wants to know."""
    nowhere = float("nan")
    signs = [ReceivedFix(at=each, lat=nowhere, lon=nowhere) for each in at]
    if signs and await state.intake.take(device_id, signs, source) is None:
        raise HttpRefusal(401, _UNKNOWN, "UNAUTHENTICATED")


async def _panic(
    state: AppState,
    device_id: UUID,
    told_at: int | datetime | Sequence[datetime],
    source: FixSource,
) -> None:
    """Call for help; refused, so that the app shows it, when nobody can be called."""
    at = told_at[0] if isinstance(told_at, Sequence) else told_at
    try:
        async with transaction(state.sessions) as session:
            await positions.call_for_help(
                session, device_id, told_ms=positions.ms_of(at), at=state.now()
            )
    except Refused as refused:
        no = HttpRefusal(409, refused.refusal.message, "BAD_REQUEST")
        raise await _noted(state, device_id, source, Reason.OFF_DUTY, no) from None


async def _noted(
    state: AppState, device_id: UUID, source: FixSource, reason: Reason, no: HttpRefusal
) -> HttpRefusal:
    await _note(state, device_id, source, reason, str(no), 1)
    return no


async def _note(
    state: AppState, device_id: UUID, source: FixSource, reason: Reason, words: str, count: int
) -> None:
    """Count a refusal and write it down in the device's record."""
    REFUSED.labels(source.name.lower(), reason.name.lower()).inc()
    await state.intake.note_refusal(device_id, reason, words, count)


async def _take(
    state: AppState,
    device_id: UUID,
    readings: Sequence[ReceivedFix | None],
    source: FixSource,
    *,
    skew_s: float = float("nan"),
) -> IngestOutcome:
    """Hand in what could be read; what could not is refused beside it."""
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


def _shown(request: Request) -> str | None:
    """The token in the Authorization header: as bearer, or as password of any user name."""
    header = request.headers.get("authorization")
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return bearer(header)
    try:
        return b64decode(rest.strip(), validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


async def _given(request: Request) -> Mapping[str, Any]:
    """The parameters of the address, and of a form or a JSON object in the body."""
    given: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        body = await _body(request)
        try:
            if _is_json(request) or body.lstrip()[:1] in {b"{", b"["}:
                told = msgspec.json.decode(body) if body.strip() else {}
                if not isinstance(told, dict):
                    raise HttpRefusal(400, "The body is a JSON object.", "BAD_REQUEST")
                return given | told
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


async def _body(request: Request) -> bytes:
    return await request_body.read(request, most=MOST_BYTES, within_s=READ_S)


def _json(told: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _encode(told), status, {"cache-control": "no-store", **(headers or {})}, "application/json"
    )
