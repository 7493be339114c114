"""The paths below `/auth`: JSON in, JSON out, POST only; and the keys that our tokens are signed with."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.endpoints import request_body
from api.endpoints.auth_requests import (
    DeviceAsk,
    ForgottenAsk,
    InvitationAsk,
    LoginAsk,
    PasswordAsk,
    RefreshAsk,
)
from api.endpoints.caller import signed_in
from api.state import AppState
from api.support.errors import HttpRefusal, plain
from domain import credentials
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.errors import Code, Refused
from domain.credentials import Requester
from schema.core import ids
from schema.core.refusals import refusal_of

MOST_BYTES = 8 * 1024
READ_S = 10.0

T = TypeVar("T")
Ask = Callable[[Request], Awaitable[dict[str, Any] | None]]
_STATUS = {Code.NOT_FOUND: 404, Code.NOT_ALLOWED: 403}


def routes() -> list[Route]:
    """The paths below `/auth`, and the keys that tokens are signed with."""
    from api.endpoints import second_factor  # which takes from here how requests are read

    posts: dict[str, Ask] = {
        "/auth/login": _login,
        "/auth/refresh": _refresh,
        "/auth/logout": _logout,
        "/auth/password": _password,
        "/auth/forgotten": _forgotten,
        "/auth/invitations": _invite,
        "/auth/devices": _enrol,
        "/auth/devices/{device_id}/revoke": _revoke,
        **second_factor.paths(),
    }
    return [
        *(Route(path, _answering(ask), methods=["POST"]) for path, ask in posts.items()),
        Route("/.well-known/jwks.json", _jwks),
    ]


def _answering(ask: Ask) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            payload = await ask(request)
            return _json(204 if payload is None else 200, payload)
        except HttpRefusal as denied:
            return _json(denied.status, {"errors": [denied.error]}, denied.headers)
        except (Refused, DBAPIError) as error_or_no:
            refusal = (
                error_or_no.refusal if isinstance(error_or_no, Refused) else refusal_of(error_or_no)
            )
            if refusal is None:
                raise
            error = plain(refusal.message, refusal.code, argument=refusal.argument)
            return _json(_STATUS.get(refusal.code, 422), {"errors": [error]})

    return endpoint


async def _login(request: Request) -> dict[str, Any]:
    ask = await read(request, LoginAsk)
    return await state_of(request).login.sign_in(
        ask, requester_of(request), at=state_of(request).now()
    )


async def _refresh(request: Request) -> dict[str, Any]:
    ask = await read(request, RefreshAsk)
    return await state_of(request).login.renew(
        ask, requester_of(request), at=state_of(request).now()
    )


async def _logout(request: Request) -> None:
    ask = await read(request, RefreshAsk)
    await state_of(request).login.sign_out(ask, at=state_of(request).now())


async def _password(request: Request) -> None:
    ask = await read(request, PasswordAsk)
    actor = None if ask.invitation is not None else await _actor(request)
    state = state_of(request)
    await state.login.set_password(ask, actor, requester_of(request), at=state.now())


async def _forgotten(request: Request) -> dict[str, Any]:
    ask = await read(request, ForgottenAsk)
    state = state_of(request)
    await state.login.forgotten(ask, requester_of(request), at=state.now())
    return {"message": "If there is a user with this address, a letter is on its way."}


async def _invite(request: Request) -> dict[str, Any]:
    state, actor = state_of(request), await _actor(request)
    ask = await read(request, InvitationAsk)
    user_id = wanted(ask.user_id, "User", "userId")
    lifetime = timedelta(hours=state.settings.invitation_hours)
    async with transaction(state.scoped(actor)) as session:
        row = await credentials.invite(Tx(session, actor, state.now()), user_id, lifetime=lifetime)
    return {"expiresAt": row.expires_at}


async def _enrol(request: Request) -> dict[str, Any]:
    state, actor = state_of(request), await _actor(request)
    ask = await read(request, DeviceAsk)
    async with transaction(state.scoped(actor)) as session:
        device, secret = await credentials.enrol(Tx(session, actor, state.now()), name=ask.name)
    return {"id": ids.write("Device", device.id), "name": device.name, "token": secret}


async def _revoke(request: Request) -> None:
    state, actor = state_of(request), await _actor(request)
    device_id = wanted(request.path_params["device_id"], "Device", "id")
    async with transaction(state.scoped(actor)) as session:
        await credentials.revoke_device(Tx(session, actor, state.now()), device_id)


def wanted(text: str, type_name: str, argument: str) -> UUID:
    """The row that a global id, or the bare UUID of an older client, names; refused like one that is not there."""
    try:
        return UUID(text)
    except ValueError:
        return ids.wanted(text, type_name, argument)


async def _jwks(request: Request) -> Response:
    headers = {"cache-control": "public, max-age=300"}
    return _json(200, state_of(request).keys.jwks(), headers)


def state_of(request: Request) -> AppState:
    """Return the state of the process."""
    state: AppState = request.app.state.waarborg
    return state


def requester_of(request: Request) -> Requester:
    """From where somebody asks."""
    address = state_of(request).proxies.client_of(request.scope)
    return Requester(address, request.headers.get("user-agent", ""))


async def _actor(request: Request) -> Actor:
    return (await signed_in(request)).actor


async def read(request: Request, kind: type[T]) -> T:
    """The JSON body. Only JSON: a page of somebody else's cannot send it without asking the browser first."""
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise HttpRefusal(415, "Send application/json.", "UNSUPPORTED_MEDIA_TYPE")
    try:
        body = await request_body.read(request, most=MOST_BYTES, within_s=READ_S)
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise HttpRefusal(
            400, f"That is not what is asked for here: {reason}", "BAD_REQUEST"
        ) from None


def _json(status: int, payload: Any, headers: dict[str, str] | None = None) -> Response:
    headers = {"cache-control": "no-store"} | (headers or {})
    if payload is None:
        return Response(status_code=status, headers=headers)
    return Response(msgspec.json.encode(payload), status, headers, "application/json")
