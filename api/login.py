"""Signing in: what a password, a refresh token and an invitation are good for, and how often one may try."""

import asyncio
import hashlib
import math
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from api.errors import plain
from api.keys import Keys
from api.throttle import Either, Rate
from domain import credentials
from domain.accounts import User
from domain.actor import Actor
from domain.credentials import Candidate, Renewed
from domain.credentials.rules import check_password
from domain.db import Sessions, transaction

ACCESS = timedelta(minutes=15)
OF_AN_ACCOUNT = Rate(per_s=1 / 60, burst=5)
OF_AN_ADDRESS = Rate(per_s=0.5, burst=30)
HASHES_AT_ONCE = 2  # 64 MiB and 0.1 s of processor each

_NOBODY = "The address or the password is wrong."


class Denied(Exception):
    """The answer is no, with this status."""

    def __init__(self, status: int, message: str, code: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.error, self.headers = status, plain(message, code), headers


class LoginAsk(msgspec.Struct, rename="camel"):
    """Who signs in. `company` is needed by those whose address several companies know."""

    email: str
    password: str
    company: str | None = None


class RefreshAsk(msgspec.Struct, rename="camel"):
    """A refresh token, to be renewed or ended."""

    refresh_token: str


class PasswordAsk(msgspec.Struct, rename="camel"):
    """A new password, by invitation, or by the current one of who is signed in."""

    password: str
    invitation: str | None = None
    current: str | None = None


class InvitationAsk(msgspec.Struct, rename="camel"):
    """Whom to invite; `userId` is the global id."""

    user_id: str


class DeviceAsk(msgspec.Struct):
    """What to call the device."""

    name: str


class Login:
    """What signing in takes: keys, throttles, and a bounded number of hashes at a time."""

    def __init__(self, make: Sessions, keys: Keys, redis: Redis) -> None:
        self._make = make
        self._keys = keys
        self._throttle = Either(redis)
        self._hashes = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy: str | None = None

    async def sign_in(self, ask: LoginAsk, address: str, *, at: datetime) -> dict[str, Any]:
        """Tokens for an address and its password. An unknown address takes as long as a wrong password."""
        await self._slow_down(ask.email, address)
        async with self._make() as session:
            found = await credentials.candidates(session, ask.email, company=ask.company)
        user = await self._proven(found[0] if len(found) == 1 else None, ask.password)
        if user is None:
            raise Denied(401, _NOBODY, "UNAUTHENTICATED")
        async with transaction(self._make) as session:
            renewed = await credentials.begin(session, user, at=at)
        return self._tokens(renewed, at)

    async def renew(self, ask: RefreshAsk, *, at: datetime) -> dict[str, Any]:
        """The next pair of tokens."""
        async with transaction(self._make) as session:
            renewed = await credentials.renew(session, ask.refresh_token, at=at)
        if renewed is None:
            raise Denied(401, "This refresh token is not good (any more).", "UNAUTHENTICATED")
        return self._tokens(renewed, at)

    async def sign_out(self, ask: RefreshAsk, *, at: datetime) -> None:
        """End the sign-in of a refresh token; its access tokens end within seconds."""
        async with transaction(self._make) as session:
            await credentials.end(session, ask.refresh_token, at=at)

    async def set_password(
        self, ask: PasswordAsk, actor: Actor | None, address: str, *, at: datetime
    ) -> None:
        """Set a password; every sign-in of the user ends."""
        if ask.invitation is not None:
            async with transaction(self._make) as session:
                user = await credentials.accept(session, ask.invitation, at=at)
                if user is None:
                    raise Denied(401, "This invitation is not good (any more).", "UNAUTHENTICATED")
                check_password(ask.password, email=user.email)
                hash = await self._hash(ask.password)
                await credentials.change_password(session, user, hash=hash, at=at)
            return
        user = await self._themselves(actor, ask.current or "", address)
        check_password(ask.password, email=user.email)
        hash = await self._hash(ask.password)
        async with transaction(self._make) as session:
            await credentials.change_password(session, user, hash=hash, at=at)

    async def _themselves(self, actor: Actor | None, current: str, address: str) -> User:
        """Who is signed in and knows the current password."""
        kind, _, user_id = ("", "", "") if actor is None else actor.subject.partition(":")
        if kind != "user":
            raise Denied(401, "Sign in, or use an invitation.", "UNAUTHENTICATED")
        await self._slow_down(user_id, address)
        async with self._make() as session:
            found = await credentials.password_of(session, UUID(user_id))
        user = await self._proven(found, current)
        if user is None:
            raise Denied(401, "The current password is wrong.", "UNAUTHENTICATED")
        return user

    async def _proven(self, found: Candidate | None, password: str) -> User | None:
        """The user, if the password is the right one; a hash with yesterday's parameters is made anew on the way."""
        if self._decoy is None:
            self._decoy = await self._hash("nobody's password")
        if len(password) > 1024:
            return None
        hash = self._decoy if found is None else found.hash
        async with self._hashes:
            fits = await asyncio.to_thread(credentials.fits, hash, password)
        if found is None or not fits:
            return None
        if credentials.is_outdated(found.hash):
            anew = await self._hash(password)
            async with transaction(self._make) as session:
                await credentials.rehash(session, found.user.id, was=found.hash, hash=anew)
        return found.user

    async def _hash(self, password: str) -> str:
        async with self._hashes:
            return await asyncio.to_thread(credentials.hash_of, password)

    async def _slow_down(self, account: str, address: str) -> None:
        """Refuse who tries too often: this account from anywhere, or this address anything."""
        named = hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]
        wait_s = max(
            await self._throttle.wait_s(f"login:address:{address}", 1, OF_AN_ADDRESS),
            await self._throttle.wait_s(f"login:account:{named}", 1, OF_AN_ACCOUNT),
        )
        if wait_s > 0:
            told = "Too many attempts; wait a moment."
            raise Denied(429, told, "RATE_LIMITED", **{"retry-after": str(math.ceil(wait_s))})

    def _tokens(self, renewed: Renewed, at: datetime) -> dict[str, Any]:
        access = self._keys.issue(
            renewed.user_id, at=at, lifetime=ACCESS, sign_in_id=renewed.sign_in_id
        )
        return {
            "accessToken": access,
            "tokenType": "Bearer",
            "expiresIn": int(ACCESS.total_seconds()),
            "refreshToken": renewed.refresh_token,
        }
