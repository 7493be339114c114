"""Endpoints below `/ingest` for positions of devices: our own JSON format, and the formats of tracker apps.

Every 2xx means that the report is committed or was known already: apps keep, show and resend everything else.
Refusals are counted, and the device's record names the reason.
A device sends its token as bearer token, as password, or, for apps that support neither, as the device identifier.
"""

from collections.abc import Awaitable, Callable

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints import position_format
from api.endpoints.device_reports import (
    UNKNOWN_DEVICE,
    body_of,
    call_for_help,
    device_of,
    json_response,
    must_be_few,
    note_alive,
    note_refusal,
    refusal_noted,
    take_fixes,
)
from api.endpoints.tracker_apps import gpslogger, osmand, owntracks, traccar
from api.endpoints.tracker_values import is_panic
from api.identity.authenticator import bearer
from api.state import AppState
from api.support.errors import HttpRefusal, plain
from domain import positions
from domain.positions import REASON_TEXT, FixSource, Reason, ReceivedFix
from realtime.position_ingest import AWAY, IngestBusy

log = structlog.get_logger()


def routes() -> list[Route]:
    """Return the routes below `/ingest`."""
    both = ["GET", "POST"]
    return [
        Route("/ingest/positions", _answering(_positions), methods=["POST"]),
        Route("/ingest/traccar", _answering(traccar), methods=both),
        Route("/ingest/osmand", _answering(osmand), methods=both),
        Route("/ingest/owntracks", _answering(owntracks), methods=["POST"]),
        Route("/ingest/gpslogger", _answering(gpslogger), methods=both),
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
        return json_response({"errors": [answer]}, status, headers)

    return endpoint


async def _positions(request: Request, state: AppState) -> Response:
    now = state.now()
    device = await device_of(state, bearer(request.headers.get("authorization")))
    if device is None:
        raise HttpRefusal(401, UNKNOWN_DEVICE, "UNAUTHENTICATED", www_authenticate="Bearer")
    body = await body_of(request)
    try:
        batch: position_format.PositionBatch | position_format.Loose = position_format.decode(body)
        readings: list[ReceivedFix | None] = batch.fixes  # type: ignore[assignment]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        try:
            batch, readings = _one_by_one(body)
        except HttpRefusal as no:
            raise await refusal_noted(
                state, device, FixSource.BATCH, Reason.UNREADABLE, no
            ) from None
    must_be_few(readings)
    skew_s = float("nan") if batch.sent_at is None else (now - batch.sent_at).total_seconds()
    if not readings:
        await note_alive(state, device, (now,), FixSource.BATCH)
    outcome = await take_fixes(state, device, readings, FixSource.BATCH, skew_s=skew_s)
    if (
        b"alarm" in body or b"\\u" in body
    ):  # most reports have no alarm: skip the loop over their fixes
        calls = [r.at for r in readings if r is not None and is_panic(r.alarm)]
        if calls:
            await call_for_help(state, device, max(calls, key=positions.ms_of), FixSource.BATCH)
    if outcome.refused:
        reason = outcome.refused[-1][1]
        await note_refusal(
            state, device, FixSource.BATCH, reason, REASON_TEXT[reason], len(outcome.refused)
        )
    refused = [
        {"index": index, "reason": reason.name, "message": REASON_TEXT[reason]}
        for index, reason in outcome.refused
    ]
    counts = {"accepted": outcome.accepted, "duplicates": outcome.duplicates}
    return json_response({**counts, "refused": refused})


def _one_by_one(body: bytes) -> tuple[position_format.Loose, list[ReceivedFix | None]]:
    """Decode fix by fix a report that cannot be decoded as a whole; an unreadable fix is None."""
    try:
        loose = position_format.decode_loose(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise HttpRefusal(
            400, f"Send {{fixes: [{{at, lat, lon, …}}]}}. ({reason})", "BAD_REQUEST"
        ) from None
    must_be_few(loose.fixes)  # decoding 250,000 unreadable fixes took 0.7 s
    return loose, [position_format.read_one(raw) for raw in loose.fixes]
