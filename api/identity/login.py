"""Signing in: what a password, a refresh token and an invitation are good for."""

import asyncio
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from api.endpoints.auth_requests import FactorAsk, ForgottenAsk, LoginAsk, PasswordAsk, RefreshAsk
from api.identity.authenticator import must_enrol
from api.identity.second_factor import SecondFactor
from api.identity.sign_in_throttle import Attempts
from api.identity.tokens import Keys
from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit, RedisWithFallback
from domain import credentials, factors
from domain.access import Actor
from domain.accounts import User
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.credentials import LONGEST, Candidate, Renewed, Requester, check_password
from schema.core import ids

ACCESS = timedelta(minutes=15)
RESETS_OF_AN_ADDRESS = RateLimit(per_s=1 / 1200, burst=3)  # letters to one mailbox
RESETS_OF_A_CLIENT = RateLimit(per_s=1 / 60, burst=10)
HASHES_AT_ONCE = 2  # 64 MiB and 0.1 s of processor each

_NOBODY = "The address or the password is wrong."
_CURRENT = "The current password is wrong."
_SEVERAL = (
    "The password is right for several users: choose one of `choices`, and send its `user` along."
)


class SignInService:
    """Sign-in with keys, throttles, and a bounded number of password hashes at a time."""

    def __init__(self, make: Sessions, keys: Keys, redis: Redis, settings: Settings) -> None:
        self._make = make
        self._keys = keys
        self._settings = settings
        self._throttle = RedisWithFallback(redis)
        self._attempts = Attempts(self._throttle)
        self._hashes = asyncio.Semaphore(HASHES_AT_ONCE)
        self.second = SecondFactor(make, keys, self._throttle, settings)
        self._device_key = keys.secret("known device")
        self._decoy: str | None = None

    async def sign_in(self, ask: LoginAsk, requester: Requester, *, at: datetime) -> dict[str, Any]:
        """Tokens for an address and its password. An unknown address takes as long as a wrong password.

        One address may be several users, also of several companies: the password is compared with all of theirs, and
        when it is right for several, the answer lists these and asks to choose.
        """

        async def check() -> list[Candidate] | None:
            async with self._make() as session:
                found = await credentials.candidates(session, ask.email)
            fits = await self._fitting(found, ask.password)
            return [each for each in fits if _is_chosen(each, ask)] or None

        device = self._device(ask.device, ask.email)
        fits = await self._attempts.judge(
            ask.email, requester.address, check, wrong=_NOBODY, device=device
        )
        if len(fits) > 1:
            choices = [
                {
                    "user": ids.write("User", user.id),
                    "company": company,
                    "name": user.name,
                    "role": user.role.name,
                }
                for user, _, company in fits
            ]
            raise HttpRefusal(409, _SEVERAL, "CHOOSE_USER").with_more(choices=choices)
        method = await self._first_step(fits[0], ask, requester, at)
        response = await self._begin(fits[0].user, requester, method, at)
        return response | {"device": self._new_device(ask.email)}

    async def second_step(
        self, ask: FactorAsk, requester: Requester, *, at: datetime
    ) -> dict[str, Any]:
        """Tokens for the challenge of a right password and a second factor."""
        user, method = await self.second.proven(ask, requester, at=at)
        response = await self._begin(user, requester, method, at)
        return response | {"device": self._new_device(user.email)}

    async def by_passkey(
        self, credential: dict[str, Any], requester: Requester, *, at: datetime
    ) -> dict[str, Any]:
        """Tokens for a passkey alone, which knew its owner."""
        user = await self.second.by_passkey(credential, requester, at=at)
        return await self._begin(user, requester, "passkey", at)

    async def _first_step(
        self, candidate: Candidate, ask: LoginAsk, requester: Requester, at: datetime
    ) -> str:
        """By what the user is known; raises `HttpRefusal` when a second factor is needed, or wrong."""
        async with self._make() as session:
            has = await factors.enrolled(session, candidate.user.id)
        if not has.any:
            return "password"
        if ask.code is None and ask.recovery_code is None:
            raise await self.second.needed(candidate, has, at=at)
        given = FactorAsk("", ask.code, ask.recovery_code)
        return await self.second.checked(candidate.user, given, requester, at=at)

    async def _begin(
        self, user: User, requester: Requester, method: str, at: datetime
    ) -> dict[str, Any]:
        async with transaction(self._make) as session:
            renewed = await credentials.begin(session, user, requester, method=method, at=at)
        response = self._tokens(renewed, at)
        if must_enrol(self._settings, user.role, method):
            response["secondFactorNeeded"] = True
        return response

    async def renew(self, ask: RefreshAsk, requester: Requester, *, at: datetime) -> dict[str, Any]:
        """The next pair of tokens."""
        async with transaction(self._make) as session:
            renewed = await credentials.renew(session, ask.refresh_token, requester, at=at)
        if renewed is None:
            raise HttpRefusal(
                401, "This refresh token is not valid, or not valid any more.", "UNAUTHENTICATED"
            )
        return self._tokens(renewed, at)

    async def sign_out(self, ask: RefreshAsk, *, at: datetime) -> None:
        """End the session of a refresh token; its access tokens end within seconds."""
        async with transaction(self._make) as session:
            await credentials.end(session, ask.refresh_token, at=at)

    async def set_password(
        self, ask: PasswordAsk, actor: Actor | None, requester: Requester, *, at: datetime
    ) -> None:
        """Set a password; every session of the user ends."""
        if ask.invitation is not None:
            await self.set_by_invitation(ask.invitation, ask.password, at=at)
            return
        user = await self.themselves(actor, ask.current or "", requester)
        check_password(ask.password, email=user.email)
        hash = await self._hash(ask.password)
        async with transaction(self._make) as session:
            await credentials.change_password(
                session, user, hash=hash, at=at, keep_devices=ask.keep_devices
            )

    async def set_by_invitation(self, invitation: str, password: str, *, at: datetime) -> None:
        """Use up an invitation and set the password; raises `HttpRefusal`, or `Refused` and leaves the invitation."""
        async with self._make() as session:
            user = await credentials.invited_user(session, invitation, at=at)
        if user is not None:
            check_password(password, email=user.email)
            hash = await self._hash(password)  # before the transaction: a hash takes its time
            async with transaction(self._make) as session:
                user = await credentials.accept(session, invitation, at=at)
                if user is not None:
                    await credentials.change_password(session, user, hash=hash, at=at)
        if user is None:
            raise HttpRefusal(
                401, "This invitation is not valid, or not valid any more.", "UNAUTHENTICATED"
            )

    async def forgotten(self, ask: ForgottenAsk, requester: Requester, *, at: datetime) -> None:
        """Send letters with which another password can be set; nothing tells whether there is such a user."""
        began = asyncio.get_running_loop().time()
        address = throttle_name(requester.address)
        if await self._throttle.wait_s(f"reset:client:{address}", 1, RESETS_OF_A_CLIENT) > 0:
            raise HttpRefusal(429, "Too many attempts; wait a moment.", "RATE_LIMITED")
        mailbox = ask.email.strip().lower()[:400]
        if await self._throttle.wait_s(f"reset:to:{mailbox}", 1, RESETS_OF_AN_ADDRESS) == 0:
            lifetime = timedelta(minutes=self._settings.password_reset_minutes)
            async with transaction(self._make) as session:
                await credentials.ask_reset(session, mailbox, at=at, lifetime=lifetime)
        await asyncio.sleep(began + 0.3 - asyncio.get_running_loop().time())

    async def themselves(self, actor: Actor | None, current: str, requester: Requester) -> User:
        """Return the signed-in user, after a check of the current password."""
        kind, _, user_id = ("", "", "") if actor is None else actor.subject.partition(":")
        if kind != "user":
            raise HttpRefusal(401, "Sign in, or use an invitation.", "UNAUTHENTICATED")

        async def check() -> list[Candidate] | None:
            async with self._make() as session:
                found = await credentials.password_of(session, UUID(user_id))
            return await self._fitting([] if found is None else [found], current) or None

        fits = await self._attempts.judge(user_id, requester.address, check, wrong=_CURRENT)
        return fits[0].user

    async def _fitting(self, found: list[Candidate], password: str) -> list[Candidate]:
        """Return the users with this password; renew hashes made with outdated parameters."""
        if self._decoy is None:
            self._decoy = await self._hash("nobody's password")
        if len(password) > LONGEST:
            return []
        if not found:
            await self._compare(self._decoy, password)
        return [each for each in found if await self._is_right(each, password)]

    async def _is_right(self, candidate: Candidate, password: str) -> bool:
        if not await self._compare(candidate.hash, password):
            return False
        if credentials.is_outdated(candidate.hash):
            anew = await self._hash(password)
            async with transaction(self._make) as session:
                await credentials.rehash(session, candidate.user.id, was=candidate.hash, hash=anew)
        return True

    async def _compare(self, hash: str, password: str) -> bool:
        async with self._hashes:
            return await asyncio.to_thread(credentials.fits, hash, password)

    async def _hash(self, password: str) -> str:
        async with self._hashes:
            return await asyncio.to_thread(credentials.hash_of, password)

    def _new_device(self, email: str) -> str:
        """Return the mark of a client that signed in: its attempts are counted separately, nothing else."""
        salt = secrets.token_bytes(12)
        return urlsafe_b64encode(salt + self._device_mac(salt, email)).decode()

    def _device(self, presented: str | None, email: str) -> str | None:
        """The known device that this is, to count its attempts by; None for none of ours, or of another address."""
        try:
            raw = urlsafe_b64decode((presented or "").encode("ascii"))
        except ValueError:
            return None
        salt, mac = raw[:12], raw[12:]
        fits = len(raw) == 28 and hmac.compare_digest(mac, self._device_mac(salt, email))
        return salt.hex() if fits else None

    def _device_mac(self, salt: bytes, email: str) -> bytes:
        response = salt + email.strip().lower().encode(errors="replace")
        return hmac.digest(self._device_key, response, "sha256")[:16]

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


def _is_chosen(candidate: Candidate, ask: LoginAsk) -> bool:
    """Whether this is the user that was asked for; all are when nothing was."""
    if ask.company is not None and candidate.company != ask.company:
        return False
    if ask.user is None:
        return True
    return ask.user in {ids.write("User", candidate.user.id), str(candidate.user.id)}
