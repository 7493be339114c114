"""Tokens of other identity providers, verified against their published keys (OpenID Connect, RFC 7517, RFC 7519)."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self

import httpx2
import jwt
import msgspec
import structlog

from domain.core.settings import OidcIssuer
from workers.outbound.http_client import whole

log = structlog.get_logger()

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")  # never HS256: a public key would be its secret
FRESH_S = 600.0
AGAIN_S = (
    30.0  # between looks for a key that is not there: made-up key ids cost the provider nothing
)
TIMEOUT_S = 3.0
MOST_BYTES = 256 * 1024
LEEWAY_S = 5


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """User that a provider's token names, and the end of its validity."""

    company: str
    email: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Untrusted:
    """Reason for refusing a token with a valid signature; only the caller with the token receives it."""

    reason: str


class Oidc(AbstractAsyncContextManager["Oidc"]):
    """The providers of the settings, with the keys they publish."""

    def __init__(self, issuers: Sequence[OidcIssuer]) -> None:
        self._providers = {each.issuer: _Provider(each) for each in issuers}
        # Made when it is first needed: reading the certificates of all authorities takes 70 ms of every start.
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def read(self, token: str) -> ProviderIdentity | Untrusted | None:
        """Return the user that a token names; None when its issuer is unknown or the token is invalid.

        `email_verified` is a boolean in OpenID Connect; some providers send the text "true", and some send nothing.
        """
        try:
            unverified: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
            provider = self._providers.get(unverified.get("iss", ""))
            if provider is None:
                return None
            key = await provider.key(self._http(), jwt.get_unverified_header(token))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=provider.settings.audience,
                issuer=provider.settings.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            return None
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            return Untrusted("The token of the identity provider holds no `email`.")
        if "\0" in email:
            return None  # PostgreSQL's text holds no such character
        if not _is_verified(claims.get("email_verified"), provider.settings):
            return Untrusted(
                "The identity provider does not say that the address is verified (`email_verified`)."
                " If its users cannot choose their address, set `trust_email` for this issuer."
            )
        return ProviderIdentity(provider.settings.company, email, float(claims["exp"]))

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        return self._client


def _is_verified(claim: object, settings: OidcIssuer) -> bool:
    """Whether the address counts: an address that nobody checked is anybody's. A clear no is never overruled."""
    if claim is None:
        return settings.trust_email
    return claim is True or (isinstance(claim, str) and claim.strip().lower() == "true")


class _Provider:
    """One provider and its keys as they were last seen."""

    def __init__(self, settings: OidcIssuer) -> None:
        self.settings = settings
        self._keys: dict[str, jwt.PyJWK] = {}
        self._seen_at = -FRESH_S
        self._tried_at = -FRESH_S

    async def key(self, http: httpx2.AsyncClient, head: dict[str, Any]) -> jwt.PyJWK | None:
        """The key a token's head names: of those known, or fetched anew when it is not or they are old."""
        kid, now = head.get("kid"), time.monotonic()
        old = now - self._seen_at >= FRESH_S
        if (old or kid not in self._keys) and now - self._tried_at >= AGAIN_S:
            self._tried_at = now
            await self._fetch(http)
        found = self._keys.get(kid) if isinstance(kid, str) else None
        if found is None or found.algorithm_name not in ALGORITHMS:
            return None
        return found if head.get("alg") == found.algorithm_name else None

    async def _fetch(self, http: httpx2.AsyncClient) -> None:
        """Replace the keys; those known stay while the provider is away."""
        try:
            url = self.settings.jwks_url or await self._discovered(http)
            keys = jwt.PyJWKSet.from_dict(await _json(http, url)).keys
        except (
            httpx2.HTTPError,
            jwt.PyJWTError,
            TimeoutError,
            ValueError,
            KeyError,
            TypeError,
        ) as error:
            log.warning("oidc.away", issuer=self.settings.issuer, error=repr(error))
            return
        self._keys = {
            each.key_id: each
            for each in keys
            if each.key_id is not None and each.public_key_use in {None, "sig"}
        }
        self._seen_at = time.monotonic()

    async def _discovered(self, http: httpx2.AsyncClient) -> str:
        base = self.settings.issuer.rstrip("/")
        metadata = await _json(http, f"{base}/.well-known/openid-configuration")
        if metadata["issuer"] != self.settings.issuer:
            raise ValueError("it calls itself by another name")
        return str(metadata["jwks_uri"])


async def _json(http: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    """The JSON object at an address, bounded in time and size."""
    async with (
        asyncio.timeout(TIMEOUT_S),
        http.stream("GET", url, headers={"accept-encoding": "identity"}) as response,
    ):
        response.raise_for_status()
        body = await whole(response, MOST_BYTES)
    return msgspec.json.decode(body, type=dict[str, Any])
