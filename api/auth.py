"""Who is asking: a bearer token or an API key becomes an actor, whose rights are read anew every few seconds."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from api.keys import Keys
from api.oidc import Oidc
from domain import accounts, credentials
from domain.actor import Actor
from domain.db import Sessions, transaction

FRESH_S = 4.0  # rights end within 5 s of being taken away
KEPT = 10_000
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody known, and until when (seconds since 1970) at the latest."""

    actor: Actor
    expires_at: float | None
    ingest_only: bool = False
    """A device, which hands in measurements and asks nothing."""


class Authenticator:
    """Tells who presents a token. Answers, also the negative ones, are remembered for a few seconds."""

    def __init__(
        self, make: Sessions, keys: Keys, now: Callable[[], datetime], oidc: Oidc | None = None
    ) -> None:
        self._make = make
        self._keys = keys
        self._now = now
        self._oidc = oidc
        self._known: OrderedDict[str, tuple[float, Identity | None]] = OrderedDict()

    async def identify(self, presented: str) -> Identity | None:
        """Who presents this token or key; None when it is good for nothing (any more)."""
        if not presented or len(presented) > _LONGEST:
            return None
        tick = time.monotonic()
        seen_at, identity = self._known.get(presented, (-FRESH_S, None))
        if tick - seen_at >= FRESH_S:
            identity = await self._look_up(presented)
            self._known[presented] = (tick, identity)
            self._known.move_to_end(presented)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        if identity is None:
            return None
        if identity.expires_at is not None and self._now().timestamp() >= identity.expires_at:
            return None
        return identity

    async def _look_up(self, presented: str) -> Identity | None:
        at = self._now()
        if presented.startswith("wb_"):
            async with transaction(self._make) as session:
                actor = await accounts.actor_of_key(session, presented, at=at)
                if actor is not None:
                    key_id = UUID(actor.subject.removeprefix("key:"))
                    await accounts.note_key_use(session, key_id, at=at)
            return None if actor is None else Identity(actor, None)
        if presented.startswith("wd_"):
            async with self._make() as session:
                actor = await credentials.actor_of_device(session, presented)
            return None if actor is None else Identity(actor, None, ingest_only=True)
        claims = self._keys.read(presented)
        if claims is None:
            return await self._look_up_elsewhere(presented)
        async with self._make() as session:
            if claims.sign_in_id is not None and not await credentials.is_current(
                session, claims.sign_in_id, at=at
            ):
                return None
            actor = await accounts.actor_of_user(session, claims.user_id, only=claims.only)
        return None if actor is None else Identity(actor, claims.expires_at)

    async def _look_up_elsewhere(self, presented: str) -> Identity | None:
        """Whom an identity provider's token names."""
        told = None if self._oidc is None else await self._oidc.read(presented)
        if told is None:
            return None
        async with self._make() as session:
            user_id = await credentials.user_of_address(
                session, company=told.company, email=told.email
            )
            actor = None if user_id is None else await accounts.actor_of_user(session, user_id)
        return None if actor is None else Identity(actor, told.expires_at)


def bearer(header: str | None) -> str | None:
    """The token in an `Authorization` header, or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def traced(actor: Actor, trace_id: str) -> Actor:
    """The same actor, acting in this request: facts name the trace."""
    return replace(actor, trace_id=trace_id)
