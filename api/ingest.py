"""Where devices hand in positions, below `/ingest`: our own JSON, and what phones' apps speak.

Every 2xx means committed (or known already, or of no use): apps keep what is not answered so and send it again.
A device shows its token: as bearer, as password, or, for apps that know neither, as the identifier they send.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import bodies, phones
from api.auth import bearer
from api.errors import plain
from api.state import State
from domain.positions import MOST, WORDS, Outcome, Reading, Reason, Source
from realtime.intake import AWAY, Busy

log = structlog.get_logger()

MOST_BYTES = 512 * 1024
READ_S = 15.0
FIXES = Counter("waarborg_fixes_total", "Fixes handed in by devices.", ["outcome"])


Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Batch(msgspec.Struct, rename="camel", gc=False):
    """Our own format: fixes in any order, and the device's clock when it sends them."""

    fixes: list[Reading]
    sent_at: Instant | None = None


class _Loose(msgspec.Struct, rename="camel"):
    fixes: list[msgspec.Raw]
    sent_at: Instant | None = None


class _No(Exception):
    def __init__(self, status: int, message: str, code: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.error, self.headers = status, plain(message, code), headers


_decode = msgspec.json.Decoder(Batch).decode
_decode_loose = msgspec.json.Decoder(_Loose).decode
_decode_one = msgspec.json.Decoder(Reading).decode
_encode = msgspec.json.Encoder().encode
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
    take: Callable[[Request, State], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await take(request, request.app.state.waarborg)
        except _No as no:
            answer, status, headers = no.error, no.status, no.headers
        except Busy:
            answer, status = plain("Too much comes in at once.", "BUSY"), 503
            headers = {"retry-after": "2"}
        except AWAY as error:
            # Nothing of it is stored: the app keeps it and sends it again.
            log.warning("ingest.not_stored", error=repr(error))
            answer, status = plain("It could not be stored; send it again.", "UNAVAILABLE"), 503
            headers = {"retry-after": "5"}
        return _json({"errors": [answer]}, status, headers)

    return endpoint


async def _positions(request: Request, state: State) -> Response:
    device = await _device(state, bearer(request.headers.get("authorization")))
    if device is None:
        raise _No(401, _UNKNOWN, "UNAUTHENTICATED", **{"www-authenticate": "Bearer"})
    body = await _body(request)
    try:
        batch: Batch | _Loose = _decode(body)
        readings: list[Reading | None] = batch.fixes  # type: ignore[assignment]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        batch, readings = _one_by_one(body)
    _bounded(readings)
    now = state.now()
    skew_s = float("nan") if batch.sent_at is None else (now - batch.sent_at).total_seconds()
    outcome = await _take(state, device, readings, Source.BATCH, skew_s=skew_s)
    refused = [
        {"index": index, "reason": reason.name, "message": WORDS[reason]}
        for index, reason in outcome.refused
    ]
    told = {"accepted": outcome.accepted, "duplicates": outcome.duplicates, "refused": refused}
    return _json(told)


def _one_by_one(body: bytes) -> tuple[_Loose, list[Reading | None]]:
    """The fixes that can be read, when not all can."""
    try:
        loose = _decode_loose(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise _No(
            400, f"Send {{fixes: [{{at, lat, lon, …}}]}}. ({reason})", "BAD_REQUEST"
        ) from None
    _bounded(loose.fixes)  # 250,000 that cannot be read: it took 0.7 s to find out

    def read(raw: msgspec.Raw) -> Reading | None:
        try:
            return _decode_one(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
            return None

    return loose, [read(raw) for raw in loose.fixes]


async def _traccar(request: Request, state: State) -> Response:
    """Traccar Client: JSON from version 9 on, before that a query or form with speeds in knots."""
    if not _is_json(request):
        return await _of_query(request, state, Source.TRACCAR, phones.KNOT_MPS)
    try:
        name, fixes = phones.traccar(await _body(request))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _No(400, f"That is no message of Traccar Client: {error}", "BAD_REQUEST") from None
    device = await _device(state, name)
    if device is None:
        raise _No(404, _UNKNOWN, "NOT_FOUND")
    await _take(state, device, fixes, Source.TRACCAR)
    return Response(status_code=200)


async def _osmand(request: Request, state: State) -> Response:
    """The OsmAnd app, which sends the same words with speeds in metres a second."""
    return await _of_query(request, state, Source.OSMAND, 1.0)


async def _of_query(
    request: Request, state: State, source: Source, speed_unit_mps: float
) -> Response:
    given = await _given(request)
    device = await _device(state, given.get("id") or given.get("deviceid"))
    if device is None:
        raise _No(400, _UNKNOWN, "BAD_REQUEST")
    fixes = phones.osmand(given, speed_unit_mps=speed_unit_mps, now=state.now())
    await _take(state, device, fixes, source)
    return Response(status_code=200)


async def _gpslogger(request: Request, state: State) -> Response:
    given = await _given(request)
    device = await _device(state, _shown(request) or given.get("key"))
    if device is None:
        raise _No(401, _UNKNOWN, "UNAUTHENTICATED", **{"www-authenticate": "Basic"})
    await _take(state, device, phones.gpslogger(given), Source.GPSLOGGER)
    return Response(status_code=200)


async def _owntracks(request: Request, state: State) -> Response:
    device = await _device(state, _shown(request))
    if device is None:
        raise _No(401, _UNKNOWN, "UNAUTHENTICATED", **{"www-authenticate": "Basic"})
    try:
        fixes = phones.owntracks(await _body(request))
    except phones.Encrypted:
        raise _No(400, "Turn the app's encryption off: HTTPS is enough.", "BAD_REQUEST") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _No(400, f"That is no message of OwnTracks: {error}", "BAD_REQUEST") from None
    await _take(state, device, fixes, Source.OWNTRACKS)
    return _json([])


async def _take(
    state: State,
    device_id: UUID,
    readings: Sequence[Reading | None],
    source: Source,
    *,
    skew_s: float = float("nan"),
) -> Outcome:
    """Hand in what could be read; what could not is refused beside it."""
    _bounded(readings)
    unread = [index for index, reading in enumerate(readings) if reading is None]
    read: Sequence[Reading] = readings if not unread else [r for r in readings if r is not None]  # type: ignore[assignment]
    outcome = await state.intake.take(device_id, read, source, skew_s=skew_s)
    if outcome is None:
        raise _No(401, _UNKNOWN, "UNAUTHENTICATED")
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
    if len(fixes) > MOST:
        raise _No(413, f"A report has at most {MOST} fixes.", "BAD_REQUEST")


async def _device(state: State, presented: str | None) -> UUID | None:
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


async def _given(request: Request) -> Mapping[str, str]:
    """The parameters of the address, and of a form in the body."""
    given = dict(request.query_params)
    if request.method == "POST":
        body = await _body(request)
        try:
            given |= parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200)
        except (UnicodeDecodeError, ValueError):
            raise _No(400, "The body is no form.", "BAD_REQUEST") from None
    return given


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return request.method == "POST" and kind == "application/json"


async def _body(request: Request) -> bytes:
    try:
        return await bodies.read(request, most=MOST_BYTES, within_s=READ_S)
    except bodies.BadBody as bad:
        raise _No(bad.status, bad.message, bad.code, **bad.headers) from None


def _json(told: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        _encode(told), status, {"cache-control": "no-store", **(headers or {})}, "application/json"
    )
