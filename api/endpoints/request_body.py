"""Reading of request bodies, with limits of time, size and decompressed size."""

import asyncio
import zlib
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from api.support.errors import HttpRefusal

CODINGS = {"gzip", "x-gzip", "deflate"}


async def read(request: Request, *, most: int, within_s: float) -> bytes:
    """Read a whole body and decompress it if it has a content encoding. Raises `HttpRefusal`."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in CODINGS | {"identity", ""}:
        message = (
            f"The content encoding {coding[:40]!r} is not supported; use gzip, deflate or none."
        )
        raise HttpRefusal(
            415, message, "UNSUPPORTED_MEDIA_TYPE", accept_encoding="gzip, deflate, identity"
        )
    body = bytearray()
    try:
        async with asyncio.timeout(
            within_s
        ):  # without it, an incomplete request would be kept for ever
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise HttpRefusal(
            408, "The request was not received in time.", connection="close"
        ) from None
    except ClientDisconnect:
        raise HttpRefusal(400, "The request was interrupted.") from None
    return unpacked(bytes(body), most) if coding in CODINGS else bytes(body)


def unpacked(body: bytes, most: int) -> bytes:
    """Decompress a gzip or deflate body. Raises `HttpRefusal` when it is too large, damaged or truncated."""
    found = b""
    while True:
        decompressor = _decompressor(body)
        try:
            found += decompressor.decompress(body, most + 1 - len(found))
        except zlib.error:
            raise HttpRefusal(400, "The body cannot be decompressed.") from None
        if len(found) > most:
            raise _too_large(most)
        if not decompressor.eof:
            raise HttpRefusal(400, "The compressed body is truncated.")
        body = decompressor.unused_data
        if not body.strip(b"\0"):
            return found


def _decompressor(body: bytes) -> "zlib._Decompress":
    """Return a decompressor for gzip, zlib, or raw deflate data, which some clients send as `deflate`."""
    if body[:2] != b"\x1f\x8b":
        with suppress(zlib.error):
            zlib.decompressobj(wbits=15).decompress(body[:2])
            return zlib.decompressobj(wbits=15)
        return zlib.decompressobj(wbits=-15)
    return zlib.decompressobj(wbits=31)


def _too_large(most: int) -> HttpRefusal:
    return HttpRefusal(413, f"A request may have at most {most} bytes.", connection="close")
