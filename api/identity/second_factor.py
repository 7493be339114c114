"""The second step of signing in: a code of an authenticator app, a recovery code, or a passkey."""

import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from api.endpoints.auth_requests import FactorAsk
from api.identity.challenges import Challenges
from api.identity.tokens import Keys
from api.identity.webauthn import RelyingParty, challenge_in, credential_id_in
from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit, RedisWithFallback
from domain import credentials, factors
from domain.accounts import User
from domain.core.db import Sessions, transaction
from domain.core.encryption import SecretCipher
from domain.core.settings import Settings
from domain.credentials import Candidate, Requester
from domain.factors import Enrolled

OF_A_PAIR = RateLimit(per_s=1 / 60, burst=5)  # of a user and a client address
OF_A_USER = RateLimit(per_s=1 / 60, burst=30)  # codes of an app: there are a million
_WRONG = "That is not the second factor: the code is wrong, or was used already."


class SecondFactor:
    """Asks for second factors and checks them."""

    def __init__(
        self, make: Sessions, keys: Keys, throttle: RedisWithFallback, settings: Settings
    ) -> None:
        self._make = make
        self._throttle = throttle
        self._challenges = Challenges(keys.secret("second factor"))
        self.party = RelyingParty(settings)
        self.vault = SecretCipher.of(settings, "second factors")

    async def needed(self, candidate: Candidate, has: Enrolled, *, at: datetime) -> HttpRefusal:
        """The answer to a right password of somebody with a second factor: a challenge, and what may be sent for it."""
        user = candidate.user
        proof = self._challenges.new(_password_about(candidate), at=at)
        payload: dict[str, Any] = {
            "challenge": f"wc_{urlsafe_b64encode(user.id.bytes + proof).decode()}",
            "methods": has.methods,
        }
        if has.passkey:
            async with self._make() as session:
                known = await factors.passkeys_of(session, user.id)
            about = _about(b"second factor", user.id)
            payload["passkey"] = self.party.request_options(
                self._challenges.new(about, at=at), known
            )
        words = "Send a second factor to /auth/second-factor, with this `challenge`."
        return HttpRefusal(401, words, "SECOND_FACTOR_NEEDED").with_more(**payload)

    async def proven(
        self, ask: FactorAsk, requester: Requester, *, at: datetime
    ) -> tuple[User, str]:
        """Return the user who answers a challenge with a second factor, and the factor. Raises `HttpRefusal`."""
        candidate = await self._challenged(ask.challenge, at)
        if candidate is None:
            words = "This challenge is not valid, or not valid any more: sign in with the password again."
            raise HttpRefusal(401, words, "UNAUTHENTICATED")
        method = await self.checked(candidate.user, ask, requester, at=at)
        return candidate.user, method

    async def checked(
        self, user: User, ask: FactorAsk, requester: Requester, *, at: datetime
    ) -> str:
        """By which factor this user is known; raises `HttpRefusal` for a wrong one, and for too many."""
        await self._slow_down(user, ask, requester)
        method = await self._method(user, ask, at)
        if method is None:
            raise HttpRefusal(401, _WRONG, "SECOND_FACTOR_WRONG")
        return method

    async def _method(self, user: User, ask: FactorAsk, at: datetime) -> str | None:
        async with transaction(self._make) as session:
            if ask.code is not None:
                fits = await factors.use_code(session, user, self.vault, ask.code, at=at)
                return "password+totp" if fits else None
            if ask.recovery_code is not None:
                fits = await factors.use_recovery_code(session, user, ask.recovery_code, at=at)
                return "password+recovery" if fits else None
        if ask.passkey is None:
            return None
        about = _about(b"second factor", user.id)
        found = await self._by_passkey(ask.passkey, about, user.id, verified=False, at=at)
        return None if found is None else "password+passkey"

    def options(self, *, at: datetime) -> dict[str, Any]:
        """Return the options with which a browser requests a passkey, instead of address and password."""
        return self.party.request_options(self._challenges.new(b"passkey sign-in", at=at))

    async def by_passkey(
        self, credential: dict[str, Any], requester: Requester, *, at: datetime
    ) -> User:
        """Return the user who signs in with a passkey alone. Raises `HttpRefusal`."""
        key = f"passkey:address:{throttle_name(requester.address)}"
        _refuse(await self._throttle.wait_s(key, 1, RateLimit(per_s=0.5, burst=30)))
        about = b"passkey sign-in"
        user_id = await self._by_passkey(credential, about, None, verified=True, at=at)
        async with self._make() as session:
            user = None if user_id is None else await session.get(User, user_id)
        if user is None or user.disabled_at is not None:
            raise HttpRefusal(401, "This passkey is not known here.", "UNAUTHENTICATED")
        return user

    def creation_options(
        self, user: User, company: str, known: list[factors.Passkey], *, at: datetime
    ) -> dict[str, Any]:
        """Return the options with which a browser creates a passkey for this user."""
        challenge = self._challenges.new(_about(b"register", user.id), at=at)
        return self.party.creation_options(user, company, challenge, known)

    async def registered(
        self, user: User, name: str, credential: dict[str, Any], *, at: datetime
    ) -> factors.Passkey:
        """Add the passkey that an authenticator made for this user. Raises `HttpRefusal` when it made none."""
        challenge = challenge_in(credential)
        about = _about(b"register", user.id)
        made = None
        if self._challenges.given_at(challenge, about, at=at) is not None:
            made = self.party.created(credential, challenge)
        if made is None:
            words = "That is no passkey for this challenge; ask for options again."
            raise HttpRefusal(422, words, "INVALID")
        async with transaction(self._make) as session:
            return await factors.add_passkey(session, user, name=name, at=at, **made._asdict())

    async def _by_passkey(
        self,
        credential: dict[str, Any],
        about: bytes,
        user_id: UUID | None,
        *,
        verified: bool,
        at: datetime,
    ) -> UUID | None:
        """Return the user with the passkey that answered a challenge; None for a wrong or repeated answer."""
        challenge = challenge_in(credential)
        given_at = self._challenges.given_at(challenge, about, at=at)
        if given_at is None:
            return None
        async with transaction(self._make) as session:
            passkey = await factors.passkey_of(session, credential_id_in(credential))
            if passkey is None or (user_id is not None and passkey.user_id != user_id):
                return None
            count = self.party.asserted(credential, challenge, passkey, verified=verified)
            if count is None or not await factors.note_passkey_use(
                session, passkey, sign_count=count, challenged_at=given_at, at=at
            ):
                return None
            return passkey.user_id

    async def _challenged(self, text: str, at: datetime) -> Candidate | None:
        """Return the user with the password that this challenge followed; None when the password was changed since."""
        try:
            raw = urlsafe_b64decode(text.removeprefix("wc_").encode("ascii"))
            user_id = UUID(bytes=raw[:16])
        except ValueError:
            return None
        async with self._make() as session:
            candidate = await credentials.password_of(session, user_id)
        if candidate is None:
            return None
        given = self._challenges.given_at(raw[16:], _password_about(candidate), at=at)
        return None if given is None else candidate

    async def _slow_down(self, user: User, ask: FactorAsk, requester: Requester) -> None:
        """Refuse who tries too often from one address; codes of an app also over all addresses."""
        kind = (
            "code" if ask.code is not None else "other"
        )  # guessed codes spend nothing of the rest
        pair = f"factor:{kind}:{user.id}:{throttle_name(requester.address)}"
        wait_s = await self._throttle.wait_s(pair, 1, OF_A_PAIR)
        if ask.code is not None:
            total = await self._throttle.wait_s(f"factor:{user.id}", 1, OF_A_USER)
            wait_s = max(wait_s, total)
        _refuse(wait_s)


def _refuse(wait_s: float) -> None:
    if wait_s > 0:
        words = "Too many attempts; wait a moment."
        raise HttpRefusal(429, words, "RATE_LIMITED", retry_after=str(math.ceil(wait_s)))


def _about(purpose: bytes, user_id: UUID) -> bytes:
    return purpose + b" " + user_id.bytes


def _password_about(candidate: Candidate) -> bytes:
    """Return the subject of a proven password: this user with this password, so that a new password ends the proof."""
    digest = sha256(candidate.hash.encode()).digest()
    return _about(b"password", candidate.user.id) + digest
