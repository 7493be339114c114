"""Documents known by their hash: trusted ones from a manifest, and those that clients sent before.

A trusted document is asked for by `documentId` or by Apollo's `persistedQuery`; so is one that was sent once with its
hash. With a manifest, client roles may ask nothing else than what is in it.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from sys import getsizeof
from typing import Any

import msgspec
import structlog
from graphql import GraphQLError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.execution.document_cache import Invalid
from api.execution.executor import GraphQLRequest
from api.support.lru import WeightedCache
from api.support.rate_limit import STALLED_S, InMemory, RateLimit
from domain.access import Actor

log = structlog.get_logger()

KEPT_BYTES = 16_000_000
KEPT_S = 24 * 3600
LONGEST_KEPT = 64_000
# Characters that a process keeps in Redis: a client's user alone put 19 MB into it within 11 s, and nothing ended that.
SHARED = RateLimit(per_s=2_000, burst=4_000_000)
AWAY_S = 1.0  # time for which a Redis that failed is not used


class ManifestError(Exception):
    """The manifest of trusted documents cannot be used; the text names the file and why."""


def read_manifest(path: Path | None) -> dict[str, str]:
    """The documents of a manifest by SHA-256: a JSON object `{id: document}`, or Apollo's with `operations`."""
    if path is None:
        return {}
    try:
        content = msgspec.json.decode(path.read_bytes())
        if isinstance(content, dict) and isinstance(content.get("operations"), list):
            content = {each["id"]: each["body"] for each in content["operations"]}
        documents = msgspec.convert(content, dict[str, str])
    except (OSError, msgspec.MsgspecError, KeyError, TypeError) as error:
        raise ManifestError(f"The trusted documents {path} cannot be read: {error}") from None
    return {hash_of(text): text for text in documents.values()} | documents


def hash_of(text: str) -> str:
    """The SHA-256 of a document in hex, as clients send it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Persisted:
    """Find documents by their hash."""

    def __init__(self, manifest: Mapping[str, str], redis: Redis) -> None:
        self._manifest = manifest
        self._trusted = frozenset(manifest.values())
        self.restricted = bool(self._trusted)
        """Whether there is a manifest, so that clients may send its documents only."""
        self._redis = redis
        self._back_at = 0.0
        self._shared = InMemory()
        self._seen: WeightedCache[str, str] = WeightedCache(KEPT_BYTES)

    async def find(self, ask: GraphQLRequest) -> None:
        """Set `ask.query` to the document with the given hash. Raises `Invalid` when there is none."""
        named = _named(ask)
        if ask.query:
            if named is not None and hash_of(ask.query) != named:
                raise _no("The hash is not that of the document.", "BAD_REQUEST")
            return
        if named is None:
            raise _no("Send a document: `query`, or the id of a known one.", "BAD_REQUEST")
        text = self._manifest.get(named) or self._seen.get(named) or await self._remembered(named)
        if text is None:  # Apollo's clients look for exactly these words
            raise _no("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        ask.query = text

    def check(self, ask: GraphQLRequest, actor: Actor) -> None:
        """Raise `Invalid` when there is a manifest, the document is not in it, and the actor is a client."""
        if self._trusted and actor.is_client and ask.query not in self._trusted:
            raise _no("Only documents that were agreed on are answered.", "UNTRUSTED_DOCUMENT")

    async def remember(self, ask: GraphQLRequest) -> None:
        """Keep for a day a valid document that an authenticated caller sent with its hash."""
        named = _named(ask)
        if named is None or named in self._manifest or named in self._seen:
            return
        if len(ask.query) > LONGEST_KEPT:
            return
        self._keep(named, ask.query)
        if await self._shared.wait_s("characters", len(ask.query), SHARED) > 0:
            return
        await self._hurried(lambda: self._redis.set(_key(named), ask.query, ex=KEPT_S))

    async def _remembered(self, named: str) -> str | None:
        kept = await self._hurried(lambda: self._redis.get(_key(named)))
        text: str | None = None if kept is None else kept.decode()
        if text is None or hash_of(text) != named:
            return None
        self._keep(named, text)
        return text

    async def _hurried(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Return the response of Redis; None when it is unreachable, or frozen with open connections."""
        if time.monotonic() < self._back_at:
            return None
        try:
            async with asyncio.timeout(STALLED_S):
                return await ask()
        except (RedisError, OSError) as error:
            self._back_at = time.monotonic() + AWAY_S
            log.warning("persisted.redis_away", error=repr(error))
            return None

    def _keep(self, named: str, text: str) -> None:
        self._seen.put(named, text, getsizeof(text) + 200)


def _named(ask: GraphQLRequest) -> str | None:
    if ask.document_id is not None:
        return ask.document_id.removeprefix("sha256:")
    extension: Any = (ask.extensions or {}).get("persistedQuery")
    if extension is None:
        return None
    named = (
        extension.get("sha256Hash")
        if isinstance(extension, dict) and extension.get("version") == 1
        else None
    )
    if not isinstance(named, str) or len(named) != 64:
        raise _no("A persistedQuery has `version` 1 and a `sha256Hash` in hex.", "BAD_REQUEST")
    return named.lower()


def _key(named: str) -> str:
    return f"waarborg:document:{named}"


def _no(message: str, code: str) -> Invalid:
    return Invalid(GraphQLError(message, extensions={"code": code}))
