"""The caller of an endpoint: the identity behind a request's bearer token."""

from typing import NamedTuple

from starlette.requests import Request

from api.identity.authenticator import Identity, bearer
from api.state import AppState
from api.support.errors import HttpRefusal


class Caller(NamedTuple):
    """The identity that sent a request, and its token."""

    identity: Identity
    token: str


async def caller_of(request: Request, *, enrolling: bool = False) -> Caller:
    """Return the caller with a valid token or API key, devices included. Raises `HttpRefusal` (401) otherwise.

    Users who must set up a second factor first are accepted only with `enrolling`.
    """
    state: AppState = request.app.state.waarborg
    presented = bearer(request.headers.get("authorization"))
    if presented is None:
        raise no_token()
    identity = await state.authenticator.identify(presented, enrolling=enrolling)
    if identity is None:
        reason = state.authenticator.why_not(presented)
        raise _refusal(reason or "Sign in first: this token or key is invalid or expired.")
    return Caller(identity, presented)


async def signed_in(request: Request, *, enrolling: bool = False) -> Identity:
    """Return the identity of the caller as `caller_of` does, but refuse devices."""
    identity = (await caller_of(request, enrolling=enrolling)).identity
    if identity.ingest_only:
        raise _refusal("Sign in first: a device's token may only send measurements.")
    return identity


def no_token() -> HttpRefusal:
    """Make the refusal for a request without a token."""
    return _refusal("Sign in first: send Authorization: Bearer with a token or an API key.")


def _refusal(message: str) -> HttpRefusal:
    return HttpRefusal(401, message, "UNAUTHENTICATED", www_authenticate='Bearer realm="waarborg"')
