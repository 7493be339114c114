"""Notifications of platforms that a review was written, changed or deleted: the source is read at once.

Nothing of a notification is stored: what it says is read from the source, so one that is lost, repeated or late changes
nothing. An unknown source and a wrong signature get the same answer.
"""

import hmac
from base64 import b64encode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints import request_body
from api.state import AppState
from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit
from domain import reputation
from domain.core.db import transaction
from domain.reputation import ReviewSource, ReviewSourceKind

MOST_BYTES = 256 * 1024
READ_S = 10.0
ONE_ADDRESS = RateLimit(per_s=50, burst=500)
"""Notifications of one address: a platform sends those of many companies from few."""
_HEADERS = {"cache-control": "no-store"}


def routes() -> list[Route]:
    """One path for each source: its id is in the address that the platform is given."""
    return [Route("/reviews/notify/{source_id:uuid}", _notified, methods=["POST"])]


async def _notified(request: Request) -> Response:
    state: AppState = request.app.state.waarborg
    address = throttle_name(state.proxies.client_of(request.scope))
    wait_s = await state.throttle.wait_s(f"reviews:client:{address}", 1, ONE_ADDRESS)
    if wait_s > 0:
        return Response(status_code=429, headers=_HEADERS | {"retry-after": str(int(wait_s) + 1)})
    try:
        body = await request_body.read(request, most=MOST_BYTES, within_s=READ_S)
    except HttpRefusal as no:
        return Response(status_code=no.status, headers=_HEADERS | no.headers)
    source_id: UUID = request.path_params["source_id"]
    async with state.sessions() as session:
        source = await session.get(ReviewSource, source_id)
    if source is None or not _is_genuine(state, source, request, body):
        return Response(status_code=401, headers=_HEADERS)
    async with transaction(state.sessions) as session:
        await reputation.hasten(session, source.id, at=state.now())
    return Response(status_code=204, headers=_HEADERS)


def _is_genuine(state: AppState, source: ReviewSource, request: Request, body: bytes) -> bool:
    """Return whether a notification is from the platform: by its signature, or by the secret in its address."""
    secret = reputation.credentials_of(state.desk.vault, source).get("webhook_secret")
    if not secret:
        return False
    if source.kind is ReviewSourceKind.TRUSTPILOT:
        given = request.headers.get("x-trustpilot-signature", "").strip()
        digest = hmac.digest(secret.encode(), body, "sha256")
        return any(
            hmac.compare_digest(given.encode(), right)
            for right in (digest.hex().encode(), b64encode(digest))
        )
    if source.kind is ReviewSourceKind.GOOGLE:
        given = request.query_params.get("token", "")
        return hmac.compare_digest(given.encode(), secret.encode())
    return False
