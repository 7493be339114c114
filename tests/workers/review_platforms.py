"""Platforms of reviews as their documentation says they behave, with their faults, behind a real web server."""

import asyncio
import hmac
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.reputation import ReviewSourceKind
from tests.build import T0

KIND = ReviewSourceKind
LOCATIONS = {KIND.GOOGLE: "accounts/1/locations/2", KIND.KIYOH: "77", KIND.TRUSTPILOT: "unit"}
CREDENTIALS = {
    KIND.GOOGLE: {"client_id": "id", "client_secret": "secret", "refresh_token": "r0"},
    KIND.KIYOH: {"token": "publication"},
    KIND.TRUSTPILOT: {
        "api_key": "key", "api_secret": "secret", "refresh_token": "r0", "webhook_secret": "hook",
    },
    KIND.JSON_FEED: {"authorization": "Bearer feed"},
}  # fmt: skip
STARS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")


@dataclass(frozen=True)
class Written:
    """A review as the platform has it."""

    id: str
    stars: int
    words: str
    written_at: datetime
    changed_at: datetime
    reply: str | None = None
    replied_at: datetime | None = None
    refusal: str | None = None
    """Why the platform does not show the reply."""


@dataclass
class Platform:
    """A platform with reviews and faults; `asked` are the requests that came, `replies` those that were accepted."""

    kind: ReviewSourceKind
    reviews: dict[str, Written] = field(default_factory=dict)
    per_page: int = 50
    port: int = 0
    fault: str | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    asked: list[tuple[str, str]] = field(default_factory=list)
    replies: list[tuple[str, str | None]] = field(default_factory=list)
    tokens: int = 0
    refuse: set[str] = field(default_factory=set)
    on_reply: Callable[[], None] | None = None
    """Called once a reply was taken, before the answer."""
    delay_s: float = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        tail = "/feed" if self.kind in {KIND.JSON_FEED, KIND.RSS} else ""
        return f"http://127.0.0.1:{self.port}{tail}"

    def write(self, number: int, at: datetime, **more: Any) -> None:
        """Add a review."""
        name = f"{self.kind}-{number}"
        given: dict[str, Any] = {"stars": 4, "words": f"Tekst {number}"} | more
        self.reviews[name] = Written(id=name, written_at=at, changed_at=at, **given)

    def edit(self, name: str, at: datetime, **more: Any) -> None:
        """Change a review."""
        self.reviews[name] = replace(self.reviews[name], changed_at=at, **more)

    async def answer(self, request: Request) -> Response:
        """Answer a request, with the fault of the moment."""
        self.asked.append((request.method, request.url.path))
        await asyncio.sleep(self.delay_s)
        path, fault = request.url.path, self.fault
        if path.endswith(("/token", "/refresh")):
            self.tokens += 1
            return JSONResponse(
                {"access_token": f"t{self.tokens}", "refresh_token": f"r{self.tokens}"}
            )
        if fault == "429":
            self.fault = None
            return JSONResponse({"errorCode": "TOO_MANY"}, 429, headers={"retry-after": "120"})
        if fault == "500" and self.chance.random() < 0.5:
            return Response("<html>oops</html>", 500)
        if fault == "not json":
            return Response("<html>maintenance</html>", 200)
        if not self._is_signed_in(request):
            return JSONResponse({"error": "invalid token"}, 401)
        if request.method == "GET":
            row = self.reviews.get(path.rsplit("/", 1)[-1])
            return JSONResponse(self._page(request) if row is None else self._shown(row))
        return await self._reply(request)

    def _shown(self, row: Written) -> dict[str, Any]:
        return self._google(row) if self.kind is KIND.GOOGLE else self._trustpilot(row)

    def reject(self, name: str, reason: str, at: datetime) -> None:
        """Refuse a reply after it was taken."""
        self.reviews[name] = replace(self.reviews[name], refusal=reason, replied_at=at)

    def _is_signed_in(self, request: Request) -> bool:
        given = request.headers
        if self.kind is KIND.KIYOH:
            return given.get("x-publication-api-token") == "publication"
        if self.kind is KIND.JSON_FEED:
            return given.get("authorization") == "Bearer feed"
        if self.kind is KIND.TRUSTPILOT and request.method == "GET":
            return given.get("apikey") == "key"
        if self.fault == "expired":
            self.fault = None
            return False
        return given.get("authorization") == f"Bearer t{self.tokens}"

    def _page(self, request: Request) -> dict[str, Any]:
        asked = request.query_params
        if self.fault == "empty":
            rows: list[Written] = []
        else:
            rows = sorted(self.reviews.values(), key=lambda r: (r.changed_at, r.id), reverse=True)
        if self.kind is KIND.KIYOH:
            since = asked.get("updatedSince")
            if since:
                rows = [r for r in rows if r.changed_at >= datetime.fromisoformat(since)]
            rows = rows[: int(asked.get("limit", "10"))]
            return {
                "locationId": "77", "averageRating": 8.0, "numberReviews": len(self.reviews),
                "reviews": self._shaken([self._kiyoh(r) for r in rows]),
            }  # fmt: skip
        size = min(int(asked.get("pageSize") or asked.get("perPage") or 50), self.per_page)
        if self.kind is KIND.TRUSTPILOT:
            size = int(asked["perPage"])
            at = (int(asked["page"]) - 1) * size
        else:
            at = int(asked.get("pageToken") or asked.get("at") or 0)
        chosen = rows[at : at + size]
        if self.fault == "repeats" and at >= size:
            chosen = [*rows[at - 2 : at], *chosen]
        more = at + size < len(rows)
        if self.kind is KIND.GOOGLE:
            found: dict[str, Any] = {
                "reviews": self._shaken([self._google(r) for r in chosen]),
                "averageRating": 4.1, "totalReviewCount": len(self.reviews),
            }  # fmt: skip
            return found | ({"nextPageToken": str(at + size)} if more else {})
        if self.kind is KIND.TRUSTPILOT:
            return {"links": [], "reviews": self._shaken([self._trustpilot(r) for r in chosen])}
        url = f"{self.url}?at={at + size}" if more else None
        return {"data": {"items": self._shaken([self._plain(r) for r in chosen])}, "next": url}

    def _shaken(self, rows: list[dict[str, Any]]) -> list[Any]:
        if self.fault == "shuffled":
            self.chance.shuffle(rows)
        if self.fault == "broken entry":
            return [{"reviewId": "broken", "id": "broken"}, *rows, "nonsense"]
        return list(rows)

    async def _reply(self, request: Request) -> Response:
        body = {} if request.method == "DELETE" else await request.json()
        name = str(body.get("reviewId") or request.url.path.split("/")[-2])
        words = body.get("comment") or body.get("message") or body.get("response")
        if name in self.refuse:
            return JSONResponse({"error": "the reply breaks the rules"}, 400)
        self.replies.append((name, words))
        self.reviews[name] = replace(
            self.reviews[name], reply=words or None, replied_at=datetime.now(UTC) if words else None
        )
        if self.on_reply is not None:
            self.on_reply()
        if self.fault == "lost answer":
            self.fault = None
            return Response("<html>bad gateway</html>", 502)
        return JSONResponse({})

    @staticmethod
    def _google(row: Written) -> dict[str, Any]:
        reply: dict[str, Any] = {"reviewReply": {"comment": row.reply}} if row.reply else {}
        if row.reply and row.replied_at:
            reply["reviewReply"]["updateTime"] = row.replied_at.isoformat()
        if row.refusal:
            reply["reviewReply"] |= {"state": "REJECTED", "policyViolation": row.refusal}
        return {
            "name": f"accounts/1/locations/2/reviews/{row.id}", "reviewId": row.id,
            "reviewer": {"displayName": "An Jansen", "isAnonymous": False},
            "starRating": STARS[row.stars - 1], "comment": row.words,
            "createTime": row.written_at.isoformat().replace("+00:00", "Z"),
            "updateTime": row.changed_at.isoformat().replace("+00:00", "Z"), **reply,
        }  # fmt: skip

    @staticmethod
    def _kiyoh(row: Written) -> dict[str, Any]:
        return {
            "reviewId": row.id, "reviewAuthor": "An", "city": "Utrecht", "rating": row.stars * 2,
            "dateSince": row.written_at.isoformat(), "updatedSince": row.changed_at.isoformat(),
            "reviewComments": row.reply,
            "reviewContent": [
                {"questionGroup": "DEFAULT_OVERALL", "questionType": "INT", "rating": row.stars * 2},
                {"questionGroup": "DEFAULT_OPINION", "questionType": "TEXT", "rating": row.words},
            ],
        }  # fmt: skip

    @staticmethod
    def _trustpilot(row: Written) -> dict[str, Any]:
        return {
            "id": row.id, "stars": row.stars, "title": "Titel", "text": row.words, "language": "nl",
            "createdAt": row.written_at.isoformat(), "updatedAt": row.changed_at.isoformat(),
            "consumer": {"id": "c", "displayName": "An"}, "isVerified": True, "status": "active",
            "companyReply": {"text": row.reply} if row.reply else None,
        }  # fmt: skip

    @staticmethod
    def _plain(row: Written) -> dict[str, Any]:
        return {
            "id": row.id, "score": row.stars, "text": row.words, "at": row.written_at.isoformat(),
            "edited": row.changed_at.isoformat(), "by": {"name": "An"}, "answer": row.reply,
        }  # fmt: skip


FEED = {
    "items": "data.items", "external_id": "id", "rating": "score", "words": "text",
    "written_at": "at", "changed_at": "edited", "author": "by.name", "reply_words": "answer",
}  # fmt: skip


def signature(secret: str, body: bytes) -> str:
    """The signature of a notification of Trustpilot."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


@asynccontextmanager
async def platform(kind: ReviewSourceKind, reviews: int = 0) -> AsyncIterator[Platform]:
    """A platform on a free port, for the length of a block."""
    found = Platform(kind)
    for number in range(reviews):
        found.write(number, T0)
    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", found.answer, methods=methods)])
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not serving.done(), "the platform did not start"
    found.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.should_exit = True
        await serving
