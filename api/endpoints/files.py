"""Bytes of files over plain HTTP, by signed addresses: `PUT` of an upload, `GET` of a copy with ranges."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import randint
from urllib.parse import quote

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.execution.fair_queue import FairQueue
from api.state import AppState
from api.support import byte_range
from api.support.errors import HttpRefusal, plain
from domain import files
from domain.access import Actor
from domain.core.db import transaction
from domain.core.errors import Code, Refused
from domain.files import CopyKind, DecoderBusy, Download, File, LinkSigner, Unacceptable, WrongSize
from realtime.position_ingest import AWAY
from schema.core import ids

log = structlog.get_logger()

TURN_S, CHUNK_S, BODY_S = 45.0, 20.0, 240.0
"""How long an upload waits for its turn, may send nothing, and may take; the protocol gives up after their sum."""
_turns = FairQueue(64, per_actor=4)
"""Uploads of one process that are received at a time, and of one uploader: one who sends slowly delays no other."""
MOST_WAITING = 400
"""Uploads of one process that wait for their turn: each holds up to 300 KB that came before it."""
_STATUS = {Code.NOT_FOUND: 404, Code.ALREADY_DONE: 409}
_NOT_NOW: tuple[type[Exception], ...] = (DecoderBusy, OSError, *AWAY)
_GONE = "This address has expired; ask for a new one."


def routes() -> list[Route]:
    """The paths of files."""
    return [
        Route("/uploads/{file_id:uuid}", _answering(_upload), methods=["PUT"]),
        *(
            Route(f"/files/{{file_id:uuid}}/{kind}", _answering(_download), methods=["GET"])
            for kind in CopyKind
        ),
    ]


def _answering(
    take: Callable[[Request, AppState], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await take(request, request.app.state.waarborg)
        except HttpRefusal as no:
            answer, status, headers = no.error, no.status, no.headers
        except Refused as no:
            code = no.refusal.code
            answer, status, headers = plain(str(no), str(code)), _STATUS.get(code, 422), {}
        except _NOT_NOW as error:
            log.warning("files.not_stored", error=repr(error))
            answer = plain("The file cannot be stored or read now; try again.", "UNAVAILABLE")
            status, headers = 503, {"retry-after": "5"}
        if request.method == "PUT":
            headers = {"connection": "close", **headers}  # the rest of a body is not waited for
        body = msgspec.json.encode({"errors": [answer]})
        return Response(body, status, {"cache-control": "no-store", **headers}, "application/json")

    return endpoint


def _must_be_signed(request: Request, state: AppState) -> None:
    """Refuse a path without a valid signature, and one that has expired."""
    given = request.query_params
    expires, signature = given.get("expires", ""), given.get("signature", "")
    if not LinkSigner(state.cursor_secret).is_valid(request.url.path, expires, signature):
        raise HttpRefusal(403, "The signature of this address is not valid.", "NOT_ALLOWED")
    if files.is_over(expires, at=state.now()):
        raise HttpRefusal(410, _GONE, "EXPIRED")


async def _upload(request: Request, state: AppState) -> Response:
    """Receive the bytes of a started upload; 201 means that they are on disk and checked."""
    _must_be_signed(request, state)
    async with transaction(state.sessions) as session:
        file = await files.awaited(session, request.path_params["file_id"])
    _must_fit(request, file)
    settings = state.settings
    uploader = replace(Actor.system(file.tenant_id, "files"), subject=file.uploaded_by)
    async with (
        _turn(uploader),
        files.folder_of_upload(files.incoming(settings)) as folder,
    ):
        received = await _received(request, folder, file)
        try:
            stored = await files.store(
                state.sessions,
                files.store_of(settings),
                file,
                received,
                scan=bool(settings.files_scan_command),
                at=state.now(),
            )
        except Unacceptable as no:
            raise HttpRefusal(422, f"The file is refused. {no}", "INVALID") from None
    body = msgspec.json.encode(_description(stored))
    return Response(body, 201, {"cache-control": "no-store"}, "application/json")


@asynccontextmanager
async def _turn(uploader: Actor) -> AsyncIterator[None]:
    """Hold a turn for the length of the block; refuse what would wait too long, so that it comes again later."""
    if _turns.waiting >= MOST_WAITING:
        raise _too_busy()
    try:
        async with asyncio.timeout(TURN_S):
            await _turns.acquire(uploader)
    except TimeoutError:
        raise _too_busy() from None
    try:
        yield
    finally:
        _turns.release(uploader)


def _too_busy() -> HttpRefusal:
    """Refuse for some seconds, not the same for everybody: who is refused together does not come back together."""
    words = "Many files come in at this moment; send this one again, to the same address."
    return HttpRefusal(503, words, "UNAVAILABLE", retry_after=str(randint(5, 20)))  # noqa: S311 - spreads load


def _description(file: File) -> dict[str, object]:
    return {
        "id": ids.write("File", file.id),
        "sha256": file.sha256,
        "sizeBytes": file.size_bytes,
        "mediaType": file.media_type,
        "state": file.state.name,
    }


def _must_fit(request: Request, file: File) -> None:
    """Refuse by the head what cannot be the announced bytes, before any of them is read."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", ""}:
        words = "Send the bytes as they are, without content-encoding."
        raise HttpRefusal(415, words, "UNSUPPORTED_MEDIA_TYPE", accept_encoding="identity")
    length = request.headers.get("content-length")
    if length is None or length == str(file.size_bytes):
        return
    raise _wrong_size(file, too_many=int(length) > file.size_bytes)


def _wrong_size(file: File, *, too_many: bool) -> HttpRefusal:
    words = f"{'More' if too_many else 'Fewer'} bytes came than the {file.size_bytes:,} announced."
    return HttpRefusal(413 if too_many else 400, words, "INVALID")


async def _received(request: Request, folder: Path, file: File) -> files.ReceivedFile:
    try:
        async with asyncio.timeout(BODY_S):
            return await files.receive(_chunks(request), folder, size_bytes=file.size_bytes)
    except WrongSize as wrong:
        raise _wrong_size(file, too_many=wrong.too_many) from None
    except TimeoutError:
        raise HttpRefusal(408, "The file did not come.") from None
    except ClientDisconnect:
        raise HttpRefusal(400, "The upload was cut off.") from None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `TimeoutError` when nothing comes for too long."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(CHUNK_S):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        yield chunk


async def _download(request: Request, state: AppState) -> Response:
    """Send a copy of a file, or the part of it that is asked for."""
    _must_be_signed(request, state)
    kind = CopyKind(request.url.path.rpartition("/")[2])
    async with transaction(state.sessions) as session:
        found = await files.download_of(session, request.path_params["file_id"], kind)
    if found is None:
        raise HttpRefusal(404, "There is no such file, or it was deleted.", "NOT_FOUND")
    copy, headers = found.copy, _headers(found, kind)
    etag = headers["etag"]
    if request.headers.get("if-none-match") in {etag, "*"}:
        return Response(status_code=304, headers=headers)
    part = None
    if request.headers.get("if-range", etag) == etag:
        part = _part(request, copy.size_bytes)
    whole = byte_range.ByteRange(0, copy.size_bytes - 1)
    sent = part or whole
    headers["content-length"] = str(sent.length)
    if part is not None:
        headers["content-range"] = f"bytes {part.first}-{part.last}/{copy.size_bytes}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=copy.media_type)
    body = files.store_of(state.settings).read(copy.address, sent.first, sent.last)
    return StreamingResponse(body, status, headers, copy.media_type)


def _part(request: Request, size: int) -> byte_range.ByteRange | None:
    try:
        return byte_range.wanted(request.headers.get("range"), size)
    except byte_range.NotSatisfiable:
        words = f"The file has {size:,} bytes."
        raise HttpRefusal(416, words, "INVALID", content_range=f"bytes */{size}") from None


def _headers(found: Download, kind: CopyKind) -> dict[str, str]:
    """Headers of a copy; nothing of it is run, whatever a browser takes it for."""
    shown = kind is not CopyKind.ORIGINAL and found.copy.media_type.startswith("image/")
    name = quote(files.name_of_download(found.name, found.copy.media_type), safe="")
    return {
        "etag": f'"{found.copy.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=900",
        "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
