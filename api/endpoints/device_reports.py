"""Store what devices report: fixes, signs of life and calls for help; count and record what is refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from api.endpoints import request_body
from api.state import AppState
from api.support.errors import HttpRefusal
from domain import positions
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.positions import MAX_FIXES, FixSource, IngestOutcome, Reason, ReceivedFix

MOST_BYTES = 512 * 1024
READ_S = 15.0
FIXES = Counter("waarborg_fixes_total", "Fixes handed in by devices.", ["outcome"])
REFUSED = Counter(
    "waarborg_ingest_refusals_total", "Messages of devices that were refused.", ["app", "reason"]
)
_encode = msgspec.json.Encoder().encode
UNKNOWN_DEVICE = "Unknown device: the token is not valid, or not valid any more."


async def note_alive(
    state: AppState, device_id: UUID, at: Sequence[datetime], source: FixSource
) -> None:
    """Store signs of life; they are ignored outside a duty."""
    nowhere = float("nan")
    signs = [ReceivedFix(at=each, lat=nowhere, lon=nowhere) for each in at]
    if signs and await state.intake.take(device_id, signs, source) is None:
        raise HttpRefusal(401, UNKNOWN_DEVICE, "UNAUTHENTICATED")


async def call_for_help(
    state: AppState,
    device_id: UUID,
    sent_at: int | datetime | Sequence[datetime],
    source: FixSource,
) -> None:
    """Raise a panic alarm; refuse it when nobody can be alerted, so that the app shows the failure."""
    at = sent_at[0] if isinstance(sent_at, Sequence) else sent_at
    try:
        async with transaction(state.sessions) as session:
            await positions.call_for_help(
                session, device_id, told_ms=positions.ms_of(at), at=state.now()
            )
    except Refused as refused:
        no = HttpRefusal(409, refused.refusal.message, "BAD_REQUEST")
        raise await refusal_noted(state, device_id, source, Reason.OFF_DUTY, no) from None


async def refusal_noted(
    state: AppState, device_id: UUID, source: FixSource, reason: Reason, no: HttpRefusal
) -> HttpRefusal:
    """Count and record a refusal, and return it to be raised."""
    await note_refusal(state, device_id, source, reason, str(no), 1)
    return no


async def note_refusal(
    state: AppState, device_id: UUID, source: FixSource, reason: Reason, words: str, count: int
) -> None:
    """Count a refusal, and write its reason to the record of the device."""
    REFUSED.labels(source.name.lower(), reason.name.lower()).inc()
    await state.intake.note_refusal(device_id, reason, words, count)


async def take_fixes(
    state: AppState,
    device_id: UUID,
    readings: Sequence[ReceivedFix | None],
    source: FixSource,
    *,
    skew_s: float = float("nan"),
) -> IngestOutcome:
    """Store the readable fixes; refuse the unreadable ones (None) in the same outcome."""
    must_be_few(readings)
    unread = [index for index, reading in enumerate(readings) if reading is None]
    read: Sequence[ReceivedFix] = readings if not unread else [r for r in readings if r is not None]  # type: ignore[assignment]
    outcome = await state.intake.take(device_id, read, source, skew_s=skew_s)
    if outcome is None:
        raise HttpRefusal(401, UNKNOWN_DEVICE, "UNAUTHENTICATED")
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


def must_be_few(fixes: Sequence[object]) -> None:
    """Refuse a report with too many fixes."""
    if len(fixes) > MAX_FIXES:
        raise HttpRefusal(413, f"A report may have at most {MAX_FIXES} fixes.", "BAD_REQUEST")


async def device_of(state: AppState, presented: str | None) -> UUID | None:
    """Return the device that a token belongs to; None for anything else."""
    identity = await state.authenticator.identify(presented) if presented else None
    if identity is None or not identity.ingest_only:
        return None
    return UUID(identity.actor.subject.removeprefix("device:"))


async def body_of(request: Request) -> bytes:
    """Read the body of a report, within its limits of size and time."""
    return await request_body.read(request, most=MOST_BYTES, within_s=READ_S)


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response that no cache keeps."""
    return Response(
        _encode(body), status, {"cache-control": "no-store", **(headers or {})}, "application/json"
    )
