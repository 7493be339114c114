"""The story this house is built for, told while everything that can die dies.

A ticket is opened, acknowledged late, a verdict falls, a credit is decided once, the contacts are told once, and a
client that watches sees every step in order. On the way Redis is frozen and wiped, a worker is killed between
numbering and shipping, another one in the middle of the credit job, and the client's connection is cut.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, text

from domain import agreements
from domain.access import Actor, Tx
from domain.agreements import (
    CreditDraft,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    TermsDraft,
)
from domain.compensation import Credit
from domain.core import cursor
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow, ShardMark
from domain.core.outbox import Outbox, OutboxState
from domain.incidents import Incident
from domain.messages import Message, MessageState
from domain.promises import Promise, State
from domain.promises.batch import verify
from schema.core import ids
from tests import build, servers
from tests.api import asking
from tests.chains import verify_chain
from tests.facts import Client, note, number_all
from tests.journeys.watching import Watcher, Workers, watching

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

OPEN = """
mutation ($input: OpenIncidentInput!) {
  openIncident(input: $input) { ... on Incident { id } ... on Refusal { code message } }
}
"""
ACKNOWLEDGE = """
mutation ($input: AcknowledgeIncidentInput!) {
  acknowledgeIncident(input: $input) { ... on Incident { status } ... on Refusal { code message } }
}
"""
RESOLVE = """
mutation ($input: ResolveIncidentInput!) {
  resolveIncident(input: $input) { ... on Incident { status } ... on Refusal { code message } }
}
"""


async def until(holds: Callable[[], Awaitable[bool]], what: str, *, within_s: float = 60) -> None:
    """Wait for something that other processes bring about."""
    try:
        async with asyncio.timeout(within_s):
            while not await holds():  # noqa: ASYNC110 - other processes tell nobody here
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what}") from None


class Scene:
    """Everything the story needs, and questions about it."""

    def __init__(
        self,
        server: asking.Server,
        redis: servers.RedisServer,
        box: servers.Postbox,
        workers: Workers,
    ) -> None:
        self.server = server
        self.redis = redis
        self.box = box
        self.workers = workers

    @property
    def make(self) -> Sessions:
        """Sessions on the story's database."""
        return self.server.api.make

    async def count(self, query: Any) -> int:
        """How many rows a query finds."""
        async with self.make() as session:
            return await session.scalar(select(func.count()).select_from(query.subquery())) or 0

    async def numbered(self, subject: UUID) -> bool:
        """Whether every fact about something has its number."""
        facts = select(LedgerRow.id).where(LedgerRow.subject_id == subject)
        return await self.count(facts.where(LedgerRow.seq.is_(None))) == 0

    async def sent(self, account: UUID, count: int) -> bool:
        """Whether exactly so many messages were sent, and none waits."""
        written = select(Message.id).where(Message.account_id == account)
        done = await self.count(written.where(Message.state == MessageState.SENT))
        return done == count == await self.count(written)

    async def credit_job_waits(self) -> bool:
        """Whether a credit job stands before the agreement's turnstile."""
        async with self.make() as session:
            return bool(
                await session.scalar(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        " AND datname = current_database() AND query LIKE '%FROM agreement%FOR NO KEY UPDATE%'"
                    )
                )
            )

    async def settled(self, tenant: UUID) -> bool:
        """Whether nothing is left to number or to do."""
        facts = select(LedgerRow.id).where(LedgerRow.tenant_id == tenant, LedgerRow.seq.is_(None))
        jobs = select(Outbox.id).where(Outbox.tenant_id == tenant, Outbox.state != OutboxState.DONE)
        return await self.count(facts) == 0 == await self.count(jobs)


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """An API under uvicorn, a Redis and a mail server that this story may mistreat."""
    with servers.redis_server() as redis, servers.postbox() as box:
        settings = asking.settings(
            database_url, redis.url, tmp_path, smtp_host="127.0.0.1", smtp_port=box.port
        )
        async with asking.serving(settings) as server:
            workers = Workers(settings)
            yield Scene(server, redis, box, workers)
            workers.kill()


async def short_promises(make: Sessions, world: build.World) -> None:
    """From now on a first response is due within two seconds, and costs fifty euros when it is not kept."""
    soon = dict.fromkeys(Priority, Target(elapsed_s=2))
    later = dict.fromkeys(Priority, Target(elapsed_s=7200))
    fifty: dict[Priority | None, CreditDraft] = {None: CreditDraft(fixed_cents=5_000)}
    calendar = world.calendar.id
    promises = (
        PromiseDraft("Reaction", PromiseKind.FIRST_RESPONSE, calendar, soon, credits=fifty),
        PromiseDraft("Resolution", PromiseKind.RESOLUTION, calendar, later, credits=fifty),
        PromiseDraft("Our aim", PromiseKind.RESOLUTION, calendar, soon, internal=True),
    )
    now = datetime.now(UTC)
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, Actor.system(world.tenant.id, "test"), now),
            world.agreement.id,
            in_force_from=now - timedelta(minutes=1),
            terms=TermsDraft(promises, period_fee_cents=1_000_000),
        )


async def test_the_story_is_told_once_and_in_order_whatever_dies(scene: Scene) -> None:
    api, workers = scene.server.api, scene.workers
    office = await asking.office(api)
    world = office.world
    tenant, account = world.tenant.id, world.account.id
    await short_promises(scene.make, world)
    beginning = cursor.of_seq(api.state.cursor_secret, tenant, 0)

    async with watching(
        scene.server, office.client, account=office.account, cursor=beginning
    ) as watcher:
        workers.start()
        await until(lambda: heard(watcher, "agreement.amended"), "the client sees the agreement")
        await until(lambda: scene.sent(account, 2), "the amendment is told to both contacts")

        # The relay dies between numbering and shipping: Redis hangs, the number is given, nobody is told.
        scene.redis.freeze()
        opened = (await api.data(office.dispatcher, OPEN, input=ticket(office)))["openIncident"]
        incident = ids.wanted(opened["id"], "Incident", "id")
        await until(lambda: scene.numbered(incident), "the opening has its number")
        workers.kill()
        async with scene.make() as session:
            told = await session.scalar(
                select(func.max(LedgerRow.seq)).where(LedgerRow.subject_id == incident)
            )
            shipped = await session.scalar(select(func.min(ShardMark.shipped_seq)))
        assert told is not None
        assert shipped is not None
        assert shipped < told
        scene.redis.thaw()

        # The worker dies in the middle of the credit job, which we hold up at the agreement's row.
        async with scene.make.begin() as session:
            await session.execute(
                text("SELECT FROM agreement WHERE id = :id FOR NO KEY UPDATE"),
                {"id": world.agreement.id},
            )
            workers.start()
            await until(lambda: scene.sent(account, 4), "the opening is told to both contacts")
            await until(scene.credit_job_waits, "the credit job waits for the agreement")
            workers.kill()
        assert await scene.count(select(Credit.id).where(Credit.account_id == account)) == 0

        # Redis forgets everything, the client's connection drops, and somebody takes up the ticket: too late.
        async with Redis.from_url(scene.redis.url) as redis:
            await redis.flushall()
        watcher.cut()
        await api.data(office.dispatcher, ACKNOWLEDGE, input={"id": opened["id"]})

        # Two workers come; the story goes on to its end.
        workers.start()
        workers.start()
        await until(lambda: scene.sent(account, 6), "the credit is told to both contacts")
        resolved = {"id": opened["id"], "resolution": "Glass replaced"}
        await api.data(office.dispatcher, RESOLVE, input=resolved)
        await until(lambda: scene.sent(account, 8), "the resolution is told to both contacts")
        await until(lambda: scene.settled(tenant), "nothing is left to do")
        workers.kill()  # from here on nothing new is numbered
        # What would come twice would come before what happens last.
        whom = Client(Actor.system(tenant, "test"), account)
        await note(scene.make, whom, 1)
        await number_all(scene.make)
        facts = await visible(scene.make, account)
        await until(lambda: has(watcher, len(facts)), "the client has heard everything")

    # The watcher has each fact once, in order, over two connections at least.
    secret = api.state.cursor_secret
    heard_seqs = [cursor.seq_of(secret, tenant, event["cursor"]) for event in watcher.heard]
    assert heard_seqs == [seq for seq, _ in facts]
    assert watcher.kinds() == [kind for _, kind in facts]
    assert watcher.connections >= 2
    story = [kind for kind in watcher.kinds() if kind in STORY]
    assert story == list(STORY)

    # One credit, one letter for each contact and intent.
    async with scene.make() as session:
        [credit] = await session.scalars(select(Credit).where(Credit.account_id == account))
        [late] = await session.scalars(select(Promise).where(Promise.id == credit.promise_id))
    assert (late.kind, late.state) == (PromiseKind.FIRST_RESPONSE, State.LATE)
    assert credit.amount_cents == 5_000
    letters = Counter(
        (str(letter["To"]), str(letter["Subject"]).split(" ")[0]) for letter in scene.box.letters
    )
    dutch, english = (str(contact.email) for contact in world.contacts)
    assert letters == {
        **dict.fromkeys([(dutch, word) for word in ("Uw", "Melding", "Wij", "Opgelost:")], 1),
        **dict.fromkeys([(english, word) for word in ("Your", "Ticket", "We", "Resolved:")], 1),
    }

    # The ledger holds, and says the same verdicts again.
    async with scene.make() as session:
        chain = await verify_chain(session, tenant)
        again = await verify(
            session, select(Incident.id).where(Incident.tenant_id == tenant), at=datetime.now(UTC)
        )
    assert chain.holds, chain
    assert again is not None
    assert again[1] == []


STORY = (
    "agreement.signed",
    "agreement.amended",
    "incident.opened",
    "promise.breached",
    "incident.acknowledged",
    "credit.decided",
    "incident.resolved",
)


def ticket(office: asking.Office) -> dict[str, str]:
    """A critical ticket at the client's site."""
    return {
        "siteId": office.site,
        "priority": "CRITICAL",
        "summary": "Broken window",
        "source": "GUARD",
        "reporter": "J. Jansen",
    }


async def heard(watcher: Watcher, kind: str) -> bool:
    """Whether the client heard of something."""
    return kind in watcher.kinds()


async def has(watcher: Watcher, count: int) -> bool:
    """Whether the client heard so many facts."""
    return len(watcher.heard) >= count


async def visible(make: Sessions, account: UUID) -> list[tuple[int, str]]:
    """Number and kind of all facts of an account but those about the company's own aims."""
    async with make() as session:
        rows = await session.execute(
            select(LedgerRow.seq, LedgerRow.kind, LedgerRow.body)
            .where(LedgerRow.account_id == account, LedgerRow.seq.is_not(None))
            .order_by(LedgerRow.seq)
        )
        return [(row.seq, row.kind) for row in rows if not row.body.get("internal")]
