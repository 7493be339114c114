"""Resolve a bearer token or an API key to an actor; the rights are read again every few seconds."""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from cachetools import FIFOCache

from api.identity.oidc import Oidc, ProviderIdentity, Untrusted
from api.identity.tokens import Claims, Keys
from domain import accounts, credentials
from domain.access import CLIENTS, Actor, Role
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings

FRESH_S = 4.0  # rights end within 5 s of being taken away
KEPT = 30_000  # more than there are connections: what is forgotten between two rounds is looked up in each
AT_ONCE = 500  # tokens looked up together
_LONGEST = 4096
_KEY, _DEVICE = "wb_", "wd_"


@dataclass(frozen=True, slots=True)
class Identity:
    """Authenticated caller, and the latest time (seconds since 1970) until which it is valid."""

    actor: Actor
    expires_at: float | None
    ingest_only: bool = False
    """Whether it is a device, which may report measurements only."""
    enrol_only: bool = False
    """Whether it is a user who must set up a second factor first, and may do nothing else."""
    sign_in_id: UUID | None = None


_ENROL = "Set up a second factor first: this installation asks staff for one. See /auth/totp and /auth/passkeys."


def must_enrol(settings: Settings, role: Role, method: str) -> bool:
    """Whether a session that began so is good for setting up a second factor only."""
    strong = method == "passkey" or "+" in method
    return settings.second_factor == "staff" and role not in CLIENTS and not strong


class CachedIdentity(NamedTuple):
    """Result of resolving a token, and its time; `claims` are those of our own tokens with a valid signature."""

    seen_at: float
    identity: Identity | None
    claims: Claims | None = None
    reason: str | None = None
    """Reason for refusing a token with a valid signature."""


_NEVER = CachedIdentity(float("-inf"), None)


def _digest(presented: str) -> bytes:
    """Return the cache key of a token: short for every input, and no secret."""
    return hashlib.blake2b(presented.encode(errors="surrogatepass"), digest_size=16).digest()


class Authenticator:
    """Tells who presents a token. Answers, also the negative ones, are remembered for a few seconds."""

    def __init__(
        self,
        make: Sessions,
        keys: Keys,
        now: Callable[[], datetime],
        oidc: Oidc | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._settings = settings
        self._make = make
        self._keys = keys
        self._now = now
        self._oidc = oidc
        self._known: FIFOCache[bytes, CachedIdentity] = FIFOCache(KEPT)

    async def identify(self, presented: str, *, enrolling: bool = False) -> Identity | None:
        """Return the identity behind a token or key; None when it is not valid, or not valid any more.

        Only with `enrolling` also somebody who must set up a second factor first.
        """
        if not presented or len(presented) > _LONGEST or "\0" in presented:
            return None
        known = self.known(presented)
        if time.monotonic() - known.seen_at >= FRESH_S:
            known = (await self._look_up([presented]))[presented]
        return self._still(known, enrolling=enrolling)

    def forget(self, header: str | None) -> None:
        """Resolve the token of this `Authorization` header again at the next request."""
        presented = bearer(header)
        if presented is not None:
            self._known.pop(_digest(presented), None)

    async def identify_all(
        self, presented: Collection[str], *, every_s: float
    ) -> dict[str, Identity | None]:
        """Return the identities behind tokens that were valid before; each is looked up again every `every_s`.

        Each time its share of them is looked up, those first that were seen longest ago: a thousand that came at
        the same moment do not come round at the same moment for ever.
        """
        tick = time.monotonic()
        known = {each: self.known(each) for each in presented}
        due = sum(tick - each.seen_at >= FRESH_S for each in known.values())
        share = int(len(known) * every_s / max(every_s, FRESH_S))
        oldest = sorted(known, key=lambda each: known[each].seen_at)[: max(due, share)]
        for start in range(0, len(oldest), AT_ONCE):
            known |= await self._look_up(oldest[start : start + AT_ONCE])
        return {each: self._still(found) for each, found in known.items()}

    def why_not(self, presented: str) -> str | None:
        """Return the reason for a refusal just made, where the caller may know it; None otherwise."""
        return self.known(presented).reason

    def known(self, presented: str) -> CachedIdentity:
        """Return the cached result for a token."""
        return self._known.get(_digest(presented), _NEVER)

    def _still(self, known: CachedIdentity, *, enrolling: bool = False) -> Identity | None:
        identity = known.identity
        if identity is not None and identity.enrol_only and not enrolling:
            return None
        if identity is None or identity.expires_at is None:
            return identity
        return None if self._now().timestamp() >= identity.expires_at else identity

    async def _look_up(self, presented: Sequence[str]) -> dict[str, CachedIdentity]:
        """Find out about these and remember it."""
        tick, at = time.monotonic(), self._now()
        claims = {each: self._claims(each) for each in presented}
        reasons: dict[str, str] = {}
        identities = await self._identities(claims, at, reasons)
        found = {
            each: CachedIdentity(tick, identities.get(each), claims[each], reasons.get(each))
            for each in presented
        }
        for each, known in found.items():
            self._known[_digest(each)] = known
        return found

    def _claims(self, presented: str) -> Claims | None:
        """Return the claims of one of our tokens. A valid signature is checked once, because that is expensive."""
        if presented.startswith((_KEY, _DEVICE)):
            return None
        return self.known(presented).claims or self._keys.read(presented)

    async def _identities(
        self, claims: Mapping[str, Claims | None], at: datetime, reasons: dict[str, str]
    ) -> dict[str, Identity]:
        """Return the identities of these tokens, in as many queries for a thousand as for one; without invalid ones.

        Puts into `reasons` why tokens of identity providers are not taken.
        """
        keys = [each for each in claims if each.startswith(_KEY)]
        devices = [each for each in claims if each.startswith(_DEVICE)]
        ours = {each: claim for each, claim in claims.items() if claim is not None}
        others = await self._read_others(claims.keys() - ours.keys() - {*keys, *devices}, reasons)
        if not (keys or devices or ours or others):
            return {}
        async with transaction(self._make) as session:
            by_key = await accounts.actors_of_keys(session, keys, at=at)
            if by_key:
                await accounts.note_key_use(session, by_key.values(), at=at)
            by_device = await credentials.actors_of_devices(session, devices)
            named = await credentials.users_of_addresses(
                session, {(claimed.company, claimed.email) for claimed in others.values()}
            )
            sign_ins = {c.sign_in_id for c in ours.values() if c.sign_in_id is not None}
            current = await credentials.current(session, sign_ins, at=at)
            users = await accounts.actors_of_users(
                session, {*named.values(), *(claim.user_id for claim in ours.values())}
            )
        found = {each: Identity(actor, None) for each, actor in by_key.items()}
        for each, actor in by_device.items():
            found[each] = Identity(actor, None, ingest_only=True)
        for each, claimed in others.items():
            user_id = named.get((claimed.company, claimed.email))
            if user_id in users:
                found[each] = Identity(users[user_id], claimed.expires_at)
            else:
                reasons[each] = "There is no active user with the address in this token."
        for each, claim in ours.items():
            signed_in = claim.sign_in_id is None or claim.sign_in_id in current
            if signed_in and claim.user_id in users:
                actor = users[claim.user_id]
                method = None if claim.sign_in_id is None else current[claim.sign_in_id]
                limited = self._is_limited(actor.role, method)
                reasons |= {each: _ENROL} if limited else {}
                found[each] = Identity(
                    actor if claim.only is None else actor.restricted_to(claim.only),
                    claim.expires_at,
                    enrol_only=limited,
                    sign_in_id=claim.sign_in_id,
                )
        return found

    async def _read_others(
        self, presented: Collection[str], reasons: dict[str, str]
    ) -> dict[str, ProviderIdentity]:
        """Read tokens of identity providers, and note why good ones are not taken."""
        others: dict[str, ProviderIdentity] = {}
        if self._oidc is None:
            return others
        for each in presented:
            claimed = await self._oidc.read(each)
            if isinstance(claimed, Untrusted):
                reasons[each] = claimed.reason
            elif claimed is not None:
                others[each] = claimed
        return others

    def _is_limited(self, role: Role, method: str | None) -> bool:
        """Whether a session must set up a second factor first; tokens of the command line are no sessions."""
        if method is None or self._settings is None:
            return False
        return must_enrol(self._settings, role, method)


def bearer(header: str | None) -> str | None:
    """Return the bearer token in an `Authorization` header, or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def traced(actor: Actor, trace_id: str) -> Actor:
    """Return the actor with the trace id of this request, which its facts carry."""
    return replace(actor, trace_id=trace_id)
