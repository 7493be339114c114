"""Persisted documents by their hash: trusted ones from a manifest, and those that clients sent before.

A request names a document by `documentId` or by Apollo's `persistedQuery`; both find trusted documents and documents
that were sent once with their hash. With a manifest, client roles may execute only the documents in it.
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
# Limit of characters that a process stores in Redis: without it, one client user stored 19 MB within 11 s.
SHARED = RateLimit(per_s=2_000, burst=4_000_000)
AWAY_S = 1.0  # how long Redis is not called after it failed


class ManifestError(Exception):
    """Raised when the manifest of trusted documents cannot be read; the message names the file and the reason."""


def read_manifest(path: Path | None) -> dict[str, str]:
    """Read the documents of a manifest by SHA-256: a JSON object `{id: document}`, or Apollo's with `operations`."""
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
    """Return the SHA-256 of a document in hex, as clients send it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Persisted:
    """Finds and stores documents by hash or id."""

    def __init__(self, manifest: Mapping[str, str], redis: Redis) -> None:
        self._manifest = manifest
        self._trusted = frozenset(manifest.values())
        self._redis = redis
        self._back_at = 0.0
        self._shared = InMemory()
        self._seen: WeightedCache[str, str] = WeightedCache(KEPT_BYTES)

    async def find(self, request: GraphQLRequest) -> None:
        """Set `request.query` from its hash or id. Raises `Invalid` when the document is unknown or missing."""
        hash_or_id = _hash_or_id(request)
        if request.query:
            if hash_or_id is not None and hash_of(request.query) != hash_or_id:
                raise _invalid("The hash does not match the document.", "BAD_REQUEST")
            return
        if hash_or_id is None:
            raise _invalid("Send `query`, or the id of a known document.", "BAD_REQUEST")
        text = (
            self._manifest.get(hash_or_id)
            or self._seen.get(hash_or_id)
            or await self._remembered(hash_or_id)
        )
        if text is None:  # Apollo's clients compare this exact message
            raise _invalid("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        request.query = text

    def check(self, request: GraphQLRequest, actor: Actor) -> None:
        """Raise `Invalid` when there is a manifest, the document is not in it, and the actor is a client."""
        if self._trusted and actor.is_client and request.query not in self._trusted:
            raise _invalid("Only trusted documents may be executed.", "UNTRUSTED_DOCUMENT")

    async def remember(self, request: GraphQLRequest) -> None:
        """Store for a day a valid document that an authenticated client sent together with its hash."""
        hash_or_id = _hash_or_id(request)
        if hash_or_id is None or hash_or_id in self._manifest or hash_or_id in self._seen:
            return
        if len(request.query) > LONGEST_KEPT:
            return
        self._keep(hash_or_id, request.query)
        if await self._shared.wait_s("characters", len(request.query), SHARED) > 0:
            return
        await self._call_redis(lambda: self._redis.set(_key(hash_or_id), request.query, ex=KEPT_S))

    async def _remembered(self, hash_or_id: str) -> str | None:
        kept = await self._call_redis(lambda: self._redis.get(_key(hash_or_id)))
        text: str | None = None if kept is None else kept.decode()
        if text is None or hash_of(text) != hash_or_id:
            return None
        self._keep(hash_or_id, text)
        return text

    async def _call_redis(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Return Redis's reply, or None when Redis fails or does not reply in time (a frozen server closes nothing)."""
        if time.monotonic() < self._back_at:
            return None
        try:
            async with asyncio.timeout(STALLED_S):
                return await call()
        except (RedisError, OSError) as error:
            self._back_at = time.monotonic() + AWAY_S
            log.warning("persisted.redis_away", error=repr(error))
            return None

    def _keep(self, hash_or_id: str, text: str) -> None:
        self._seen.put(hash_or_id, text, getsizeof(text) + 200)


def _hash_or_id(request: GraphQLRequest) -> str | None:
    if request.document_id is not None:
        return request.document_id.removeprefix("sha256:")
    content: Any = (request.extensions or {}).get("persistedQuery")
    if content is None:
        return None
    hash_or_id = (
        content.get("sha256Hash")
        if isinstance(content, dict) and content.get("version") == 1
        else None
    )
    if not isinstance(hash_or_id, str) or len(hash_or_id) != 64:
        raise _invalid("A persistedQuery has `version` 1 and a `sha256Hash` in hex.", "BAD_REQUEST")
    return hash_or_id.lower()


def _key(hash_or_id: str) -> str:
    return f"waarborg:document:{hash_or_id}"


def _invalid(message: str, code: str) -> Invalid:
    return Invalid(GraphQLError(message, extensions={"code": code}))
