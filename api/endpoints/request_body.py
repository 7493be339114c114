"""Read the body of a request, bounded in time and in bytes, before and after decompression."""

import asyncio
import zlib
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from api.support.errors import HttpRefusal

CODINGS = {"gzip", "x-gzip", "deflate"}


async def read(request: Request, *, most: int, within_s: float) -> bytes:
    """Return the whole body, decompressed according to its `Content-Encoding`. Raises `HttpRefusal`."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in CODINGS | {"identity", ""}:
        message = f"A body is packed with gzip or deflate, or not at all; not with {coding[:40]!r}."
        raise HttpRefusal(
            415, message, "UNSUPPORTED_MEDIA_TYPE", accept_encoding="gzip, deflate, identity"
        )
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):  # a half-sent request is otherwise held for ever
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise HttpRefusal(408, "The request did not come.", connection="close") from None
    except ClientDisconnect:
        raise HttpRefusal(400, "The request was cut off.") from None
    return unpacked(bytes(body), most) if coding in CODINGS else bytes(body)


def unpacked(body: bytes, most: int) -> bytes:
    """Decompress a gzip or deflate body; refuse one of more than `most` bytes, a damaged one and an incomplete one."""
    found = b""
    while True:
        unpacker = _unpacker(body)
        try:
            found += unpacker.decompress(body, most + 1 - len(found))
        except zlib.error:
            raise HttpRefusal(400, "The body cannot be unpacked.") from None
        if len(found) > most:
            raise _too_large(most)
        if not unpacker.eof:
            raise HttpRefusal(400, "The packed body is not whole.")
        body = unpacker.unused_data
        if not body.strip(b"\0"):
            return found


def _unpacker(body: bytes) -> "zlib._Decompress":
    """For gzip and zlib; `deflate` without a zlib header is sent, too."""
    if body[:2] != b"\x1f\x8b":
        with suppress(zlib.error):
            zlib.decompressobj(wbits=15).decompress(body[:2])
            return zlib.decompressobj(wbits=15)
        return zlib.decompressobj(wbits=-15)
    return zlib.decompressobj(wbits=31)


def _too_large(most: int) -> HttpRefusal:
    return HttpRefusal(413, f"A request has at most {most} bytes.", connection="close")
