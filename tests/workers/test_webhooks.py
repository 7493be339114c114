"""Webhooks end to end: real requests to a real server, by workers that may be killed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from domain import accounts, webhooks
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.webhooks import (
    DeliveryOutcome,
    DeliveryState,
    EventFilter,
    SecretCipher,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from domain.webhooks.rules import ATTEMPTS
from tests import facts
from tests.facts import T0, Client
from tests.receiver import Letter, Receiver, receiver
from workers.outbound.http_client import WebhookClient
from workers.webhooks import WebhookDispatcher

pytestmark = pytest.mark.anyio

Couriers = Callable[..., AbstractAsyncContextManager[WebhookDispatcher]]


@pytest.fixture
def vault(tmp_path: Path) -> SecretCipher:
    return SecretCipher.of(Settings(data=tmp_path))


@pytest.fixture
def at_work(make: Sessions, vault: SecretCipher) -> Couriers:
    """A courier, at work for the length of a block."""

    @asynccontextmanager
    async def work() -> AsyncIterator[WebhookDispatcher]:
        outside = WebhookClient(loopback=True)
        courier = WebhookDispatcher(make, vault, outside, None)
        task = asyncio.create_task(courier.run())
        try:
            yield courier
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await outside.close()

    return work


@pytest.fixture
async def partner() -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


async def manager(session: AsyncSession, whom: Client) -> Actor:
    """Somebody of the company who is known: owners are looked up again at every delivery."""
    user = await accounts.add_user(
        Tx(session, whom.actor, T0), email=f"{uuid4()}@example.org", name="M", role=Role.MANAGEMENT
    )
    return replace(whom.actor, subject=f"user:{user.id}")


async def hook(
    make: Sessions, vault: SecretCipher, whom: Client, url: str, **how: Any
) -> tuple[Webhook, str]:
    await facts.number_all(make)
    async with transaction(make) as session:
        return await webhooks.add(
            Tx(session, how.pop("actor", None) or await manager(session, whom), datetime.now(UTC)),
            vault,
            name="test",
            url=url,
            wanted=how.pop("wanted", EventFilter(whom.account_id)),
            loopback=True,
            **how,
        )


async def happen(make: Sessions, whom: Client, *numbers: int, **fields: Any) -> None:
    await facts.note(make, whom, *numbers, **fields)
    await facts.number_all(make)


async def deliveries(make: Sessions, webhook: Webhook) -> list[WebhookDelivery]:
    async with make() as session:
        found = await session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook.id)
            .order_by(WebhookDelivery.seq)
        )
        return list(found)


async def as_it_is(make: Sessions, webhook: Webhook) -> Webhook:
    async with make() as session:
        return await session.get_one(Webhook, webhook.id)


async def hurry(make: Sessions) -> None:
    """Let what waits for another attempt be due now, but for what is in somebody's hands."""
    made = (
        select(func.count())
        .where(WebhookAttempt.delivery_id == WebhookDelivery.id)
        .scalar_subquery()
    )
    async with transaction(make) as session:
        await session.execute(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.state == DeliveryState.PENDING,
                WebhookDelivery.due_at.is_not(None),
                WebhookDelivery.attempts == made,
            )
            .values(due_at=datetime.now(UTC) - timedelta(seconds=1))
        )


async def done(make: Sessions, webhook: Webhook, count: int) -> None:
    async with asyncio.timeout(60):
        while (  # noqa: ASYNC110 - a courier's rows
            sum(d.state is DeliveryState.DELIVERED for d in await deliveries(make, webhook)) < count
        ):
            await asyncio.sleep(0.02)


async def attempted(make: Sessions, webhook: Webhook) -> None:
    """Wait until what came of the first attempt is written down."""
    query = (
        select(func.count())
        .select_from(WebhookAttempt)
        .join(WebhookDelivery, WebhookDelivery.id == WebhookAttempt.delivery_id)
        .where(WebhookDelivery.webhook_id == webhook.id)
    )
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                if await session.scalar(query):
                    return
            await asyncio.sleep(0.02)


def numbers(letters: list[Letter]) -> list[int]:
    return [letter.told["data"]["body"]["n"] for letter in letters]


async def test_a_fact_arrives_signed_so_that_the_public_library_accepts_it(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    webhook, secret = await hook(make, vault, whom, partner.url)
    await happen(make, whom, 1)
    async with at_work():
        await done(make, webhook, 1)
    [letter] = partner.letters
    told = letter.verified(secret)
    assert (told["type"], told["data"]["body"]["n"]) == ("test.noted", 1)
    assert told["timestamp"] == "2026-03-02T08:00:00Z"
    assert letter.headers["host"] == f"127.0.0.1:{partner.port}"


async def test_nothing_that_happened_before_is_sent_and_what_follows_comes_once_in_order(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    await happen(make, whom, 0)
    webhook, _ = await hook(make, vault, whom, partner.url)
    async with at_work(), at_work():
        for n in range(1, 61, 3):
            await happen(make, whom, n, n + 1, n + 2)
        await done(make, webhook, 60)
    assert numbers(partner.letters) == list(range(1, 61))
    assert len({letter.id for letter in partner.letters}) == 60


async def test_a_failed_delivery_holds_up_its_own_client_and_no_other(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    other = await facts.sibling(make, whom)
    broken = True

    def answer(letter: Letter) -> Response:
        poisoned = broken and letter.told["data"]["accountId"] == str(whom.account_id)
        return Response(status_code=500 if poisoned else 200)

    partner.answer = answer
    webhook, _ = await hook(
        make, vault, whom, partner.url, wanted=EventFilter(kinds=["test.noted"])
    )
    async with at_work():
        await happen(make, whom, 1, 2)
        await happen(make, other, 3, 4)
        await done(make, webhook, 2)
        assert sorted(numbers(partner.letters)) == [1, 3, 4]  # 2 waits behind 1
        broken = False
        await hurry(make)
        await done(make, webhook, 4)
    mine = [n for n in numbers(partner.letters) if n < 3]
    assert mine == [1, 1, 2]
    first, again = [each.id for each in partner.letters if each.told["data"]["body"]["n"] == 1]
    assert first == again  # by which the receiver knows the repeat


async def test_after_eight_attempts_a_delivery_is_dead_and_the_next_has_its_turn(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    partner.answer = lambda letter: Response(
        "no such thing", 500 if letter.told["data"]["body"]["n"] == 1 else 200
    )
    webhook, _ = await hook(make, vault, whom, partner.url)
    await happen(make, whom, 1, 2)
    async with at_work():
        for attempt in range(1, ATTEMPTS + 1):
            await partner.has(attempt)
            async with asyncio.timeout(60):
                while (first := (await deliveries(make, webhook))[0]).attempts == attempt:
                    if first.state is DeliveryState.DEAD:
                        break
                    await hurry(make)
                    await asyncio.sleep(0.05)
        await done(make, webhook, 1)
    dead, taken = await deliveries(make, webhook)
    assert (dead.state, taken.state) == (DeliveryState.DEAD, DeliveryState.DELIVERED)
    async with make() as session:
        log = list(
            await session.scalars(
                select(WebhookAttempt).where(WebhookAttempt.delivery_id == dead.id)
            )
        )
        mourned = await session.scalar(
            select(func.count()).where(
                LedgerRow.kind == "webhook.delivery_died", LedgerRow.subject_id == webhook.id
            )
        )
    assert [(each.status, each.excerpt) for each in log] == [(500, "no such thing")] * ATTEMPTS
    assert mourned == 1
    async with transaction(make) as session:
        await webhooks.retry(Tx(session, whom.actor, datetime.now(UTC)), dead.id)
    partner.answer = lambda _letter: Response()
    async with at_work():
        await done(make, webhook, 2)


async def test_who_answers_gone_is_never_asked_again(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    partner.answer = lambda _letter: Response(status_code=410)
    webhook, _ = await hook(make, vault, whom, partner.url)
    await happen(make, whom, 1, 2)
    async with at_work():
        await attempted(make, webhook)
        row = await as_it_is(make, webhook)
        another, _ = await hook(make, vault, whom, partner.url.replace("hooks", "another"))
        partner.answer = lambda _letter: Response()
        await happen(make, whom, 3)
        await done(make, another, 1)  # the courier has looked at everything that was due before
    assert [letter.path for letter in partner.letters] == ["/hooks", "/another"]
    assert (row.state, row.reason) == (WebhookState.DISABLED, "the receiver answered 410 Gone")


async def test_a_replay_sends_again_what_came_after_the_cursor_in_order_under_the_same_ids(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    webhook, _ = await hook(make, vault, whom, partner.url)
    await happen(make, whom, *range(1, 11))
    async with at_work():
        await done(make, webhook, 10)
        before = {letter.told["data"]["body"]["n"]: letter.id for letter in partner.letters}
        after = (await deliveries(make, webhook))[3].seq
        async with transaction(make) as session:
            await webhooks.replay(
                Tx(session, whom.actor, datetime.now(UTC)), webhook.id, after=after
            )
            told = select(LedgerRow.body).where(LedgerRow.kind == "webhook.replayed")
            body = await session.scalar(told.where(LedgerRow.subject_id == webhook.id))
            assert body is not None
            recorded = [
                datetime.fromisoformat(body[f"recorded_at_{when}"]) for when in ("before", "after")
            ]
            upto = select(LedgerRow.recorded_at).where(LedgerRow.tenant_id == whom.actor.tenant_id)
            assert recorded[1] == await session.scalar(upto.where(LedgerRow.seq == after))
            assert recorded[1] < recorded[0]
        await partner.has(16)
        await done(make, webhook, 10)
    again = partner.letters[10:]
    assert numbers(again) == [5, 6, 7, 8, 9, 10]
    assert [letter.id for letter in again] == [before[n] for n in numbers(again)]
    assert len(await deliveries(make, webhook)) == 10  # one for each fact, however often it is sent


async def test_while_secrets_change_over_both_are_good(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    webhook, old = await hook(make, vault, whom, partner.url)
    async with transaction(make) as session:
        _, new = await webhooks.rotate_secret(
            Tx(session, whom.actor, datetime.now(UTC)), vault, webhook.id
        )
    await happen(make, whom, 1)
    async with at_work():
        await done(make, webhook, 1)
    assert old != new
    assert partner.letters[0].verified(old) == partner.letters[0].verified(new)
    later = datetime.now(UTC) + timedelta(hours=25)
    async with make() as session:
        [key] = await webhooks.keys_of(session, vault, webhook.id, at=later)
    assert webhooks.secret_text(key) == new


async def test_a_key_that_is_revoked_sends_nothing_more_and_says_why(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    async with transaction(make) as session:
        key, text = await accounts.issue_api_key(
            Tx(session, whom.actor, T0), name="p", role=Role.MANAGEMENT, accounts=[whom.account_id]
        )
        actor = (await accounts.actors_of_keys(session, [text], at=T0))[text]
    webhook, _ = await hook(make, vault, whom, partner.url, actor=actor)
    async with at_work():
        await happen(make, whom, 1)
        await done(make, webhook, 1)
        async with transaction(make) as session:
            await accounts.revoke_api_key(Tx(session, whom.actor, T0), key.id)
        await happen(make, whom, 2)
        async with asyncio.timeout(60):
            while (await as_it_is(make, webhook)).state is WebhookState.ACTIVE:  # noqa: ASYNC110 - what is waited for is no task of this loop
                await asyncio.sleep(0.05)
    assert numbers(partner.letters) == [1]
    assert "owner" in ((await as_it_is(make, webhook)).reason or "")


async def test_a_client_is_not_sent_what_is_kept_from_clients(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, whom.actor, T0),
            email=f"{whom.account_id}@example.org",
            name="C",
            role=Role.CLIENT_ADMIN,
            accounts=[whom.account_id],
        )
    guest = replace(whom.guest, role=Role.CLIENT_ADMIN, subject=f"user:{user.id}")
    webhook, _ = await hook(make, vault, whom, partner.url, actor=guest)
    other = await facts.sibling(make, whom)
    async with at_work():
        await happen(make, whom, 1, internal=True)
        await happen(make, other, 2)
        await happen(make, whom, 3)
        await done(make, webhook, 1)
    assert numbers(partner.letters) == [3]


async def test_no_redirect_is_followed(
    make: Sessions, vault: SecretCipher, at_work: Couriers, partner: Receiver
) -> None:
    whom = await facts.client(make)
    partner.answer = lambda letter: (
        RedirectResponse("/elsewhere", 307) if letter.path == "/hooks" else Response()
    )
    webhook, _ = await hook(make, vault, whom, partner.url)
    await happen(make, whom, 1)
    async with at_work():
        await attempted(make, webhook)
    assert [letter.path for letter in partner.letters] == ["/hooks"]
    assert (await deliveries(make, webhook))[0].state is DeliveryState.PENDING


@pytest.mark.parametrize("host", ["localhost", "localtest.me", "127.1", "2130706433", "0x7f000001"])
async def test_a_name_that_leads_inside_is_not_connected_to(partner: Receiver, host: str) -> None:
    outside = WebhookClient(loopback=False)
    outcome = await outside.post(f"http://{host}:{partner.port}/hooks", b"{}", {})
    await outside.close()
    assert (outcome.status, partner.letters) == (None, [])
    assert outcome.error is not None
    assert ("not on the public internet" in outcome.error) or host == "localtest.me"


async def test_an_endless_answer_is_read_only_so_far(partner: Receiver) -> None:
    partner.answer = lambda _letter: Response(b"x" * 50_000_000)
    outside = WebhookClient(loopback=True)
    outcome = await outside.post(partner.url, b"{}", {})
    await outside.close()
    assert (outcome.status, len(outcome.excerpt or "")) == (200, 2048)


async def test_a_silent_receiver_is_given_up_after_its_time(
    partner: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_letter: Letter) -> Response:
        await asyncio.sleep(30)
        return Response()

    partner.answer = sleep
    monkeypatch.setattr("workers.outbound.http_client.LIMIT_S", 0.3)
    outside = WebhookClient(loopback=True)
    outcome = await outside.post(partner.url, b"{}", {})
    await outside.close()
    assert outcome == DeliveryOutcome(outcome.took_ms, error="no answer within 0 s")
    assert 250 < outcome.took_ms < 15_000


async def test_a_secret_lies_in_the_database_under_seal(
    make: Sessions, vault: SecretCipher, partner: Receiver, tmp_path: Path
) -> None:
    whom = await facts.client(make)
    webhook, secret = await hook(make, vault, whom, partner.url)
    async with make() as session:
        [key] = await webhooks.keys_of(session, vault, webhook.id, at=datetime.now(UTC))
        sealed = await session.scalar(
            select(webhooks.WebhookSecret.sealed).where(
                webhooks.WebhookSecret.webhook_id == webhook.id
            )
        )
    assert sealed is not None
    assert webhooks.secret_text(key) == secret
    assert key not in sealed
    with pytest.raises(ValueError, match="another key"):
        SecretCipher(bytes(32)).open(webhook.id, sealed)
    with pytest.raises(ValueError, match="another key"):
        vault.open(UUID(int=1), sealed)
