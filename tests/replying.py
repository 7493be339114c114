"""Replies to reviews of a made-up platform: rules, drafts, approvals, and workers that send them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from domain import accounts, replies
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.core.ledger import LedgerRow
from domain.replies import ReplyMode, ReplyRule, ReviewReply
from domain.reputation import Review, ReviewSource, ReviewSourceKind
from tests import build
from tests.build import World
from tests.reviewing import VAULT, source, stored, system
from tests.workers.review_platforms import CREDENTIALS, LOCATIONS, Platform, platform
from workers.outbound.review_http import ReviewHttp
from workers.replies import send_reply
from workers.reviews import ReviewReading, read_source


@dataclass
class Desk:
    """A company whose page at a platform is read and answered."""

    make: Sessions
    world: World
    found: ReviewSource
    of: Platform
    reading: ReviewReading
    manager: UUID

    @property
    def actor(self) -> Actor:
        """The relationship manager."""
        tenant_id = self.world.tenant.id
        return Actor(tenant_id, Role.RELATIONSHIP_MANAGER, f"user:{self.manager}")

    async def read(self) -> dict[str, Review]:
        """Read the page in full, and follow what that says of replies as the worker does."""
        later = datetime.now(UTC)
        async with transaction(self.make) as session:
            page = await session.get_one(ReviewSource, self.found.id)
            page.full_read_at = None
        await read_source(self.reading, Subject(self.found.tenant_id, self.found.id), at=later)
        rows = await stored(self.make, self.found)
        async with transaction(self.make) as session:
            for row in rows.values():
                await replies.follow_shown_reply(self.tx(session), row.id)
        return rows

    def tx(self, session: Any, *, by: Actor | None = None, at: datetime | None = None) -> Tx:
        """A change by somebody, else by the software."""
        return Tx(session, by or system(self.found.tenant_id), at or datetime.now(UTC))

    async def rule(
        self, *templates: str, mode: ReplyMode = ReplyMode.SEND, **more: Any
    ) -> ReplyRule:
        """One more rule."""
        async with transaction(self.make) as session:
            given = {"name": f"Rule {uuid4().hex[:6]}", "templates": list(templates)} | more
            return await replies.add_rule(self.tx(session, by=self.actor), mode=mode, **given)

    async def draft(self, review: Review) -> ReviewReply | None:
        """Draft by the rules."""
        async with transaction(self.make) as session:
            return await replies.draft_by_rule(self.tx(session), review.id)

    async def write(self, review: Review, words: str) -> ReviewReply:
        """Write by hand."""
        async with transaction(self.make) as session:
            return await replies.draft_by_hand(
                self.tx(session, by=self.actor), review.id, words=words
            )

    async def approve(self, reply: ReviewReply) -> ReviewReply:
        """Approve as the relationship manager."""
        async with transaction(self.make) as session:
            return await replies.approve(self.tx(session, by=self.actor), reply.id)

    async def send(self, reply: ReviewReply) -> ReviewReply:
        """One attempt of a worker; return the reply as it is afterwards."""
        await send_reply(self.reading, Subject(reply.tenant_id, reply.id))
        return await self.now(reply)

    async def now(self, reply: ReviewReply) -> ReviewReply:
        """The reply as it is."""
        async with self.make() as session:
            return await session.get_one(ReviewReply, reply.id)

    async def kinds(self, reply: ReviewReply) -> list[str]:
        """The facts about it, in order, without the noun."""
        async with self.make() as session:
            found = await session.scalars(
                select(LedgerRow.kind)
                .where(LedgerRow.subject_id == reply.id, LedgerRow.kind.startswith("review_reply."))
                .order_by(LedgerRow.id)
            )
            return [kind.partition(".")[2] for kind in found]


@asynccontextmanager
async def desk(
    make: Sessions, kind: ReviewSourceKind = ReviewSourceKind.GOOGLE, reviews: int = 0, **more: Any
) -> AsyncIterator[Desk]:
    """A company with a page at a platform, on which so many reviews were written an hour ago."""
    world = await build.client(make)
    async with transaction(make) as session:
        tx = Tx(session, system(world.tenant.id), build.T0)
        user = await accounts.add_user(
            tx, email=f"{uuid4()}@example.org", name="Zoë Quispel", role=Role.RELATIONSHIP_MANAGER
        )
    async with platform(kind) as of:
        at = datetime.now(UTC) - timedelta(hours=1)
        for number in range(reviews):
            of.write(number, at, **more)
        found = await source(
            make, world.tenant.id, kind, url=of.url, location=LOCATIONS[kind],
            settings={"token_url": f"{of.url}/token"}, credentials=CREDENTIALS[kind],
        )  # fmt: skip
        http = ReviewHttp(loopback=True)
        try:
            yield Desk(make, world, found, of, ReviewReading(make, VAULT, http), user.id)
        finally:
            await http.close()
