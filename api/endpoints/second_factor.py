"""The paths below `/auth` about second factors: signing in with them, and enrolling and removing one's own."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from api.endpoints.auth import Ask, read, requester_of, state_of, wanted
from api.endpoints.auth_requests import (
    CodeAsk,
    CurrentAsk,
    FactorAsk,
    NewPasskeyAsk,
    NothingAsk,
    PasskeyAsk,
)
from api.endpoints.caller import signed_in
from api.identity.authenticator import Identity
from api.support.errors import HttpRefusal
from domain import credentials, factors
from domain.accounts import Tenant, User
from domain.core.db import transaction
from schema.core import ids


def paths() -> dict[str, Ask]:
    """The paths and what answers them."""
    return {
        "/auth/second-factor": _second_factor,
        "/auth/passkey/options": _options,
        "/auth/passkey": _passkey,
        "/auth/factors": _list,
        "/auth/totp": _begin_totp,
        "/auth/totp/confirm": _confirm_totp,
        "/auth/totp/remove": _remove_totp,
        "/auth/recovery-codes": _recovery_codes,
        "/auth/passkeys/options": _creation_options,
        "/auth/passkeys": _add_passkey,
        "/auth/passkeys/{passkey_id}/remove": _remove_passkey,
    }


async def _second_factor(request: Request) -> dict[str, Any]:
    ask, state = await read(request, FactorAsk), state_of(request)
    return await state.login.second_step(ask, requester_of(request), at=state.now())


async def _options(request: Request) -> dict[str, Any]:
    await read(request, NothingAsk)
    state = state_of(request)
    return state.login.second.options(at=state.now())


async def _passkey(request: Request) -> dict[str, Any]:
    ask, state = await read(request, PasskeyAsk), state_of(request)
    return await state.login.by_passkey(ask.credential, requester_of(request), at=state.now())


async def _list(request: Request) -> dict[str, Any]:
    """Return the caller's own second factors, and whether one must be set up first."""
    await read(request, NothingAsk)
    identity = await signed_in(request, enrolling=True)
    user_id = _own_id(identity)
    async with state_of(request).sessions() as session:
        has = await factors.enrolled(session, user_id)
        known = await factors.passkeys_of(session, user_id)
    return {
        "secondFactorNeeded": identity.enrol_only,
        "totp": has.totp,
        "recoveryCodes": has.recovery,
        "passkeys": [
            {
                "id": ids.write("Passkey", each.id),
                "name": each.name,
                "addedAt": each.added_at,
                "usedAt": each.used_at,
            }
            for each in known
        ],
    }


async def _begin_totp(request: Request) -> dict[str, Any]:
    ask, state = await read(request, CurrentAsk), state_of(request)
    user, _ = await _themselves(request, ask.current)
    async with transaction(state.sessions) as session:
        company = await session.get_one(Tenant, user.tenant_id)
        vault = state.login.second.vault
        secret = await factors.begin_totp(session, user, vault, at=state.now())
    uri = factors.uri_of(secret, email=user.email, company=company.name)
    return {"secret": factors.base32(secret), "uri": uri, "qr": _drawn(uri)}


async def _confirm_totp(request: Request) -> dict[str, Any]:
    ask, state = await read(request, CodeAsk), state_of(request)
    identity = await signed_in(request, enrolling=True)
    async with transaction(state.sessions) as session:
        user = await session.get_one(User, _own_id(identity))
        vault = state.login.second.vault
        await factors.confirm_totp(session, user, vault, ask.code, at=state.now())
        await credentials.strengthen(session, identity.sign_in_id, "password+totp")
        codes = await factors.new_recovery_codes(session, user, at=state.now())
    state.authenticator.forget(request.headers.get("authorization"))
    return {"recoveryCodes": codes}


async def _remove_totp(request: Request) -> None:
    ask, state = await read(request, CurrentAsk), state_of(request)
    user, _ = await _themselves(request, ask.current)
    async with transaction(state.sessions) as session:
        await factors.remove_totp(session, user, at=state.now())


async def _recovery_codes(request: Request) -> dict[str, Any]:
    ask, state = await read(request, CurrentAsk), state_of(request)
    user, _ = await _themselves(request, ask.current)
    async with transaction(state.sessions) as session:
        if not (await factors.enrolled(session, user.id)).any:
            raise HttpRefusal(
                422, "Recovery codes stand in for a second factor: set one up.", "INVALID"
            )
        codes = await factors.new_recovery_codes(session, user, at=state.now())
    return {"recoveryCodes": codes}


async def _creation_options(request: Request) -> dict[str, Any]:
    ask, state = await read(request, CurrentAsk), state_of(request)
    user, _ = await _themselves(request, ask.current)
    async with state.sessions() as session:
        company = await session.get_one(Tenant, user.tenant_id)
        known = await factors.passkeys_of(session, user.id)
    return state.login.second.creation_options(user, company.name, known, at=state.now())


async def _add_passkey(request: Request) -> dict[str, Any]:
    """Add a passkey; who has no recovery codes yet gets some."""
    ask, state = await read(request, NewPasskeyAsk), state_of(request)
    identity = await signed_in(request, enrolling=True)
    async with state.sessions() as session:
        user = await session.get_one(User, _own_id(identity))
    at = state.now()
    made = await state.login.second.registered(user, ask.name, ask.credential, at=at)
    async with transaction(state.sessions) as session:
        await credentials.strengthen(session, identity.sign_in_id, "password+passkey")
        has = await factors.enrolled(session, user.id)
        codes = None if has.recovery else await factors.new_recovery_codes(session, user, at=at)
    state.authenticator.forget(request.headers.get("authorization"))
    return {"id": ids.write("Passkey", made.id), "name": made.name, "recoveryCodes": codes}


async def _remove_passkey(request: Request) -> None:
    ask, state = await read(request, CurrentAsk), state_of(request)
    user, _ = await _themselves(request, ask.current)
    passkey_id = wanted(request.path_params["passkey_id"], "Passkey", "id")
    async with transaction(state.sessions) as session:
        await factors.remove_passkey(session, user, passkey_id, at=state.now())


async def _themselves(request: Request, current: str) -> tuple[User, Identity]:
    """Return the signed-in user after a check of the password, so that a stolen token changes no factors."""
    identity = await signed_in(request, enrolling=True)
    login = state_of(request).login
    return await login.themselves(identity.actor, current, requester_of(request)), identity


def _drawn(uri: str) -> str:
    """A QR code of this text as an SVG in a `data:` URI, dark on light in every colour scheme."""
    import segno  # only where somebody sets up an app

    return str(segno.make_qr(uri, error="m").svg_data_uri(border=4, light="white"))


def _own_id(identity: Identity) -> UUID:
    user_id = identity.actor.user_id
    if user_id is None:
        raise HttpRefusal(403, "Only people have second factors.", "FORBIDDEN")
    return user_id
