"""Find the caller of an endpoint by the bearer token of the request."""

from typing import NamedTuple

from starlette.requests import Request

from api.identity.authenticator import Identity, bearer
from api.state import AppState
from api.support.errors import HttpRefusal


class Caller(NamedTuple):
    """The identity that sends a request, and its token."""

    identity: Identity
    token: str


async def caller_of(request: Request, *, enrolling: bool = False) -> Caller:
    """Return the caller, also a device. Raises `HttpRefusal` (401) without a valid token or API key.

    A user who must set up a second factor first is returned with `enrolling` only.
    """
    caller = await caller_if_any(request, enrolling=enrolling)
    if caller is None:
        raise no_token()
    return caller


async def caller_if_any(request: Request, *, enrolling: bool = False) -> Caller | None:
    """Return the caller as `caller_of` does; None for a request without a token."""
    state: AppState = request.app.state.waarborg
    presented = bearer(request.headers.get("authorization"))
    if presented is None:
        return None
    identity = await state.authenticator.identify(presented, enrolling=enrolling)
    if identity is None:
        reason = state.authenticator.why_not(presented)
        raise _refusal(
            reason or "Sign in first: this token or key is not valid, or not valid any more."
        )
    return Caller(identity, presented)


async def signed_in(request: Request, *, enrolling: bool = False) -> Identity:
    """Return who sends a token or an API key, as `caller_of` does; devices are refused as well."""
    identity = (await caller_of(request, enrolling=enrolling)).identity
    if identity.ingest_only:
        raise _refusal("Sign in first: a device's token hands in measurements only.")
    return identity


def no_token() -> HttpRefusal:
    """Make the refusal of a request that shows no token."""
    return _refusal("Sign in first: send Authorization: Bearer with a token or an API key.")


def _refusal(words: str) -> HttpRefusal:
    return HttpRefusal(401, words, "UNAUTHENTICATED", www_authenticate='Bearer realm="waarborg"')
