"""A year of reviews on four platforms with every fault, kill -9 and FLUSHALL: the store equals an independent replay.

The store is compared with what the platforms have in the end, with every text that they ever showed, and with the state
that follows from the facts of the ledger alone. `WAARBORG_TEST_REVIEWS` is the number of reviews: 2,000 by default.
With 20,000 it takes longer than the time after which a test counts as hanging; say so:

WAARBORG_TEST_REVIEWS=20000 pytest -s -n 0 -o faulthandler_timeout=3600 tests/workers/test_a_year_of_reviews.py
"""

import asyncio
import os
import random
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from domain import accounts, replies
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.replies import ReplyState, ReviewReply
from domain.reputation import Review, ReviewSource, ReviewSourceKind, ReviewState
from tests import build
from tests import facts as relay
from tests.journeys.watching import HOME
from tests.reviewing import source, stored, system, versions
from tests.workers.review_platforms import CREDENTIALS, FEED, KIND, LOCATIONS, Platform, platform
from tests.workers.test_replies_in_a_storm import words_of
from tests.workers.test_reviews import shares

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
REVIEWS = int(os.environ.get("WAARBORG_TEST_REVIEWS", "2000"))
KINDS = (KIND.GOOGLE, KIND.TRUSTPILOT, KIND.KIYOH, KIND.JSON_FEED)
ANSWERED = (KIND.GOOGLE, KIND.TRUSTPILOT, KIND.KIYOH)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ROUNDS: tuple[tuple[str | None, timedelta], ...] = (
    ("repeats", DAY), ("429", 16 * MINUTE), ("shuffled", 16 * MINUTE), ("500", 16 * MINUTE),
    ("lost answer", 16 * MINUTE), ("expired", 16 * MINUTE), ("not json", 16 * MINUTE),
    ("empty", 16 * MINUTE), ("broken entry", 16 * MINUTE), (None, 16 * MINUTE),
)  # fmt: skip
"""Fault of each round, and how much later than the one before it is read. A day later, everything is."""
KILLED = {0, 2, 5, 9}
"""Rounds in which the worker is killed while it reads. Once it is killed after a platform took a reply."""


@dataclass
class Year:
    """A company, its page at each platform, and what each platform ever showed."""

    make: Sessions
    url: str
    tenant_id: UUID
    manager: Actor
    pages: dict[ReviewSourceKind, tuple[Platform, ReviewSource]]
    at: datetime
    chance: random.Random
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answered: dict[str, UUID] = field(default_factory=dict)
    number: int = 0
    killed: int = 0
    killed_by_reply: bool = False
    started: int = 0
    process: asyncio.subprocess.Process | None = None
    changed: Counter[str] = field(default_factory=Counter)

    def write(self, count: int) -> None:
        """New reviews: those of the year before at first, later ones just now."""
        for _ in range(count):
            kind = self.chance.choice(KINDS)
            of, _ = self.pages[kind]
            age = timedelta(days=self.chance.randint(2, 365)) if not self.shown_any else -MINUTE
            of.write(self.number, self.at - age, stars=self.chance.randint(1, 5))
            self.shown[f"{kind}-{self.number}"].add(f"Tekst {self.number}")
            self.number += 1
            self.changed["written"] += 1

    @property
    def shown_any(self) -> bool:
        """Whether a read has begun."""
        return any(of.asked for of, _ in self.pages.values())

    def shake(self, count: int) -> None:
        """Authors edit and delete; what was answered is not deleted, so that every reply can be sent."""
        for _ in range(count):
            of, _ = self.pages[self.chance.choice(KINDS)]
            name = self.chance.choice(list(of.reviews))
            if self.chance.random() < 0.75:
                words = f"Anders {self.chance.random()}"
                of.edit(name, self.at + MINUTE, words=words, stars=self.chance.randint(1, 5))
                self.shown[name].add(words)
                self.changed["edited"] += 1
            elif name not in self.answered:
                del of.reviews[name]
                self.changed["deleted"] += 1

    async def begin_work(self) -> asyncio.subprocess.Process:
        """Have the worker begin with a round, in a new process if there is none."""
        if self.process is None or self.process.returncode is not None:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.workers.review_worker", self.url, str(self.tenant_id),
                cwd=HOME, stdin=PIPE, stdout=PIPE,
            )  # fmt: skip
            self.started += 1
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.at.isoformat()}\n".encode())
        return self.process

    async def work(self) -> None:
        """Work until it is done, and begin again in a new process after each kill."""
        while True:
            process = await self.begin_work()
            for of, _ in self.pages.values():
                of.on_reply = None if self.killed_by_reply else partial(self.kill, process)
            assert process.stdout is not None
            while line := await process.stdout.readline():
                if line == b"done\n":
                    return
            await process.wait()
            assert self.started <= self.killed, "the worker fails, though nobody kills it"

    def kill(self, process: asyncio.subprocess.Process) -> None:
        """End the worker after a platform took a reply and before it said so."""
        if process.returncode is None and not self.killed_by_reply:
            self.killed_by_reply = True
            process.kill()
            self.killed += 1

    async def kill_while_it_reads(self) -> None:
        """Begin, and end it by SIGKILL when it has asked for some pages."""
        before = self.asked()
        process = await self.begin_work()
        for of, _ in self.pages.values():
            of.on_reply = None
        async with asyncio.timeout(300):
            while self.asked() < before + 6:  # noqa: ASYNC110 - another process asks
                await asyncio.sleep(0.01)
        process.kill()
        self.killed += 1
        await process.wait()

    async def stop(self) -> None:
        """End the worker in the end."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def asked(self) -> int:
        """How many requests came to all platforms."""
        return sum(len(of.asked) for of, _ in self.pages.values())

    async def answer(self, count: int) -> None:
        """Approve replies to some reviews of each page that takes any."""
        for kind in ANSWERED:
            of, page = self.pages[kind]
            rows = await stored(self.make, page)
            free = sorted(name for name in of.reviews if name in rows and name not in self.answered)
            for name in self.chance.sample(free, min(count, len(free))):
                async with transaction(self.make) as session:
                    tx = Tx(session, self.manager, datetime.now(UTC))
                    words = words_of(len(self.answered))
                    draft = await replies.draft_by_hand(tx, rows[name].id, words=words)
                    await replies.approve(tx, draft.id)
                    self.answered[name] = draft.id


async def begin(make: Sessions, url: str, stack: AsyncExitStack) -> Year:
    """A company with a page at each platform."""
    world = await build.client(make)
    tenant_id = world.tenant.id
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, system(tenant_id), build.T0),
            email=f"{uuid4()}@example.org", name="Zoë Quispel", role=Role.RELATIONSHIP_MANAGER,
        )  # fmt: skip
    pages = {}
    for kind in KINDS:
        of = await stack.enter_async_context(platform(kind))
        settings = FEED if kind is KIND.JSON_FEED else {"token_url": f"{of.url}/token"}
        pages[kind] = (of, await source(
            make, tenant_id, kind, url=of.url, location=LOCATIONS.get(kind, "Utrecht"),
            settings=settings, credentials=CREDENTIALS[kind],
        ))  # fmt: skip
    manager = Actor(tenant_id, Role.RELATIONSHIP_MANAGER, f"user:{user.id}")
    return Year(make, url, tenant_id, manager, pages, datetime.now(UTC), random.Random(REVIEWS))


async def must_equal(year: Year) -> Counter[str]:
    """The store is what the platforms have, with every text once; return how many reviews are in which state."""
    states: Counter[str] = Counter()
    for of, page in year.pages.values():
        rows = await stored(year.make, page)
        live = {name: row for name, row in rows.items() if row.state is not ReviewState.GONE}
        share = shares(of.kind)
        assert {name: (row.words, row.share, row.reply_words) for name, row in live.items()} == {
            name: (row.words, share(row.stars), row.reply) for name, row in of.reviews.items()
        }
        for name, kept in (await versions(year.make, page)).items():
            texts = {each[2] for each in kept}
            assert texts <= year.shown[name], name
            assert rows[name].words in texts
            assert len({each[-1] for each in kept}) == len(kept), name  # no version twice
        states.update(str(row.state) for row in rows.values())
    return states


async def must_follow_from_the_facts(year: Year) -> int:
    """Replay the ledger: what the facts alone say of each review is its state; return how many facts there were."""
    async with year.make() as session:
        facts = await session.execute(
            select(LedgerRow.subject_id, LedgerRow.kind)
            .where(LedgerRow.tenant_id == year.tenant_id, LedgerRow.kind.startswith("review."))
            .order_by(LedgerRow.id)
        )
        replayed: dict[UUID, bool] = {}
        count = 0
        for review_id, kind in facts:
            count += 1
            if kind == "review.received":
                assert review_id not in replayed, "received twice"
                replayed[review_id] = True
            elif kind in {"review.gone", "review.restored"}:
                assert replayed[review_id] is (kind == "review.gone"), "gone or back twice"
                replayed[review_id] = kind == "review.restored"
        rows = await session.execute(
            select(Review.id, Review.state).where(Review.tenant_id == year.tenant_id)
        )
        assert replayed == {row.id: row.state is not ReviewState.GONE for row in rows}
    return count


async def test_after_a_year_of_faults_and_kills_the_store_equals_an_independent_replay(
    make: Sessions, system_url: str, redis: Redis
) -> None:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        year = await begin(make, system_url, stack)
        stack.push_async_callback(year.stop)
        year.write(REVIEWS * 9 // 10)
        for turn, (fault, later) in enumerate(ROUNDS):
            for of, _ in year.pages.values():
                of.fault = fault
            if turn in KILLED:
                await year.kill_while_it_reads()
                await redis.flushall()
            await year.work()
            for of, _ in year.pages.values():
                of.fault = None
            await year.answer(2 + REVIEWS // 2_000)
            year.shake(2 + REVIEWS // 50)
            year.write(REVIEWS // 10 // len(ROUNDS))
            year.at += later
        for _ in range(4):  # calm: two full reads in a row say that a review is gone
            year.at += 2 * DAY
            await year.work()
        await relay.number_all(make)
        states = await must_equal(year)
        facts = await must_follow_from_the_facts(year)
        put = Counter(name for of, _ in year.pages.values() for name, words in of.replies if words)
        assert put == Counter(year.answered.keys())  # each once
        async with make() as session:
            sent = set(
                await session.scalars(
                    select(ReviewReply.state).where(ReviewReply.tenant_id == year.tenant_id)
                )
            )
        assert sent <= {ReplyState.SENT, ReplyState.PUBLISHED}
        assert year.killed_by_reply
        assert year.killed >= len(KILLED)
        print(  # noqa: T201 - the figures are asked for
            f"{dict(year.changed)}; states {dict(states)}; {facts} facts; {len(put)} replies, each once;"
            f" {year.killed} kills, {len(KILLED)} FLUSHALL; {year.asked()} requests;"
            f" {time.monotonic() - begun:.0f} s"
        )
