"""Sign-in with passwords, refresh tokens and passkeys; setting passwords, also by invitation."""

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
RESETS_OF_AN_ADDRESS = RateLimit(per_s=1 / 1200, burst=3)  # mails to one mailbox
RESETS_OF_A_CLIENT = RateLimit(per_s=1 / 60, burst=10)
HASHES_AT_ONCE = 2  # each takes 64 MiB and 0.1 s of CPU

_NOBODY = "The address or the password is wrong."
_CURRENT = "The current password is wrong."
_SEVERAL = (
    "The password matches several users: choose one of `choices`, and send its `user` as well."
)


class SignInService:
    """Signs users in and changes passwords, with throttling and a limited number of concurrent hashes."""

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
        """Return tokens for an email address and password. An unknown address takes as long as a wrong password.

        Several users, also of several companies, may have the same address. The password is compared with all of
        them; when it matches several, the refusal lists them as choices.
        """

        async def check() -> list[Candidate] | None:
            async with self._make() as session:
                found = await credentials.candidates(session, ask.email)
            matches = await self._matching(found, ask.password)
            return [each for each in matches if _is_chosen(each, ask)] or None

        device = self._device(ask.device, ask.email)
        matches = await self._attempts.judge(
            ask.email, requester.address, check, wrong=_NOBODY, device=device
        )
        if len(matches) > 1:
            choices = [
                {
                    "user": ids.write("User", user.id),
                    "company": company,
                    "name": user.name,
                    "role": user.role.name,
                }
                for user, _, company in matches
            ]
            raise HttpRefusal(409, _SEVERAL, "CHOOSE_USER").with_more(choices=choices)
        method = await self._first_step(matches[0], ask, requester, at)
        payload = await self._begin(matches[0].user, requester, method, at)
        return payload | {"device": self._new_device(ask.email)}

    async def second_step(
        self, ask: FactorAsk, requester: Requester, *, at: datetime
    ) -> dict[str, Any]:
        """Return tokens for the challenge of a correct password and a second factor."""
        user, method = await self.second.proven(ask, requester, at=at)
        payload = await self._begin(user, requester, method, at)
        return payload | {"device": self._new_device(user.email)}

    async def by_passkey(
        self, credential: dict[str, Any], requester: Requester, *, at: datetime
    ) -> dict[str, Any]:
        """Return tokens for a passkey with user verification, without a password."""
        user = await self.second.by_passkey(credential, requester, at=at)
        return await self._begin(user, requester, "passkey", at)

    async def _first_step(
        self, candidate: Candidate, ask: LoginAsk, requester: Requester, at: datetime
    ) -> str:
        """Return the sign-in method. Raises `HttpRefusal` when a second factor is missing or wrong."""
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
        payload = self._tokens(renewed, at)
        if must_enrol(self._settings, user.role, method):
            payload["secondFactorNeeded"] = True
        return payload

    async def renew(self, ask: RefreshAsk, requester: Requester, *, at: datetime) -> dict[str, Any]:
        """Exchange a refresh token for a new pair of tokens."""
        async with transaction(self._make) as session:
            renewed = await credentials.renew(session, ask.refresh_token, requester, at=at)
        if renewed is None:
            raise HttpRefusal(401, "This refresh token is invalid or expired.", "UNAUTHENTICATED")
        return self._tokens(renewed, at)

    async def sign_out(self, ask: RefreshAsk, *, at: datetime) -> None:
        """End the session of a refresh token; its access tokens become invalid within seconds."""
        async with transaction(self._make) as session:
            await credentials.end(session, ask.refresh_token, at=at)

    async def set_password(
        self, ask: PasswordAsk, actor: Actor | None, requester: Requester, *, at: datetime
    ) -> None:
        """Set a password and end all sessions of the user."""
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
        """Use an invitation to set a password.

        Raises `HttpRefusal` for an invalid invitation, and `Refused` for a weak password, which does not use it up.
        """
        async with self._make() as session:
            user = await credentials.invited_user(session, invitation, at=at)
        if user is not None:
            check_password(password, email=user.email)
            hash = await self._hash(password)  # before the transaction, because hashing is slow
            async with transaction(self._make) as session:
                user = await credentials.accept(session, invitation, at=at)
                if user is not None:
                    await credentials.change_password(session, user, hash=hash, at=at)
        if user is None:
            raise HttpRefusal(401, "This invitation is invalid or expired.", "UNAUTHENTICATED")

    async def forgotten(self, ask: ForgottenAsk, requester: Requester, *, at: datetime) -> None:
        """Send password reset mails to an address. The response and its timing do not reveal whether a user exists."""
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
        """Return the signed-in user if `current` is their password. Raises `HttpRefusal` otherwise."""
        kind, _, user_id = ("", "", "") if actor is None else actor.subject.partition(":")
        if kind != "user":
            raise HttpRefusal(401, "Sign in, or use an invitation.", "UNAUTHENTICATED")

        async def check() -> list[Candidate] | None:
            async with self._make() as session:
                found = await credentials.password_of(session, UUID(user_id))
            return await self._matching([] if found is None else [found], current) or None

        matches = await self._attempts.judge(user_id, requester.address, check, wrong=_CURRENT)
        return matches[0].user

    async def _matching(self, found: list[Candidate], password: str) -> list[Candidate]:
        """Return the candidates whose password matches; hashes with outdated parameters are replaced."""
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
            new_hash = await self._hash(password)
            async with transaction(self._make) as session:
                await credentials.rehash(
                    session, candidate.user.id, was=candidate.hash, hash=new_hash
                )
        return True

    async def _compare(self, hash: str, password: str) -> bool:
        async with self._hashes:
            return await asyncio.to_thread(credentials.fits, hash, password)

    async def _hash(self, password: str) -> str:
        async with self._hashes:
            return await asyncio.to_thread(credentials.hash_of, password)

    def _new_device(self, email: str) -> str:
        """Return a device token for a client that signed in; it only selects a separate count of attempts."""
        salt = secrets.token_bytes(12)
        return urlsafe_b64encode(salt + self._device_mac(salt, email)).decode()

    def _device(self, presented: str | None, email: str) -> str | None:
        """Return the id of a known device, to count its attempts; None when the token is invalid for this address."""
        try:
            raw = urlsafe_b64decode((presented or "").encode("ascii"))
        except ValueError:
            return None
        salt, mac = raw[:12], raw[12:]
        matches = len(raw) == 28 and hmac.compare_digest(mac, self._device_mac(salt, email))
        return salt.hex() if matches else None

    def _device_mac(self, salt: bytes, email: str) -> bytes:
        payload = salt + email.strip().lower().encode(errors="replace")
        return hmac.digest(self._device_key, payload, "sha256")[:16]

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
    """Return whether a candidate matches the requested company and user, if given."""
    if ask.company is not None and candidate.company != ask.company:
        return False
    if ask.user is None:
        return True
    return ask.user in {ids.write("User", candidate.user.id), str(candidate.user.id)}
