"""What servers answer: a wish to be left alone is heeded, and no answer costs much, whatever it unpacks to."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.responses import Response

from domain.accounts import Channel
from domain.core.db import Sessions
from domain.core.settings import Settings
from domain.messages import MessageState
from domain.webhooks import EventFilter, SecretCipher, WebhookAttempt
from tests import build, facts
from tests.receiver import Letter
from tests.receiver import receiver as partner_on_the_web
from tests.workers.receivers import Receiver, receiver
from tests.workers.test_channels_send import Handed, parcel
from tests.workers.test_sending import Office, look, sent_by, written
from tests.workers.test_webhooks import attempted, deliveries, done, happen, hook
from workers.outbound.chat import Chat
from workers.outbound.http_client import MOST_RETRY_AFTER_S, WebhookClient, retry_after_s
from workers.outbound.post import PostClient
from workers.outbound.senders import TryLater, Undeliverable
from workers.webhooks import WebhookDispatcher

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
async def room() -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("90", 90.0),
        ("0", 0.0),
        ("99999999999999", MOST_RETRY_AFTER_S),
        (format_datetime(NOW + timedelta(seconds=120), usegmt=True), 120.0),
        ("Saturday, 28-Nov-26 12:05:00 GMT", 300.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_RETRY_AFTER_S),
        ("-5", None),
        ("1.5", None),
        ("\u0664\u0662", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_as_a_date_and_has_a_most(
    said: str, seconds: float | None
) -> None:
    assert retry_after_s({"retry-after": said}, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
async def test_a_hook_that_asks_for_a_pause_is_not_asked_before_it_is_over(
    room: Receiver, status: int
) -> None:
    room.status, room.headers = status, {"retry-after": "90"}
    chat = Chat(PostClient(loopback=True))
    for _ in range(2):
        with pytest.raises(TryLater) as busy:
            await chat.send(parcel(room.url("/x")), Handed())
        assert 60 < busy.value.wait_s <= 90
    assert len(room.requests) == 1


async def test_a_message_waits_as_long_as_the_other_side_asked(make: Sessions) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(TryLater("429 slow down\x00", 90.0))
    began = datetime.now(UTC)
    waits = await sent_by(make, {Channel.EMAIL: office}, message)
    assert waits.due_at is not None
    assert waits.due_at - began >= timedelta(seconds=90)
    row, _ = await look(make, message)
    assert (row.state, row.error) == (MessageState.QUEUED, "TryLater: 429 slow down")


@pytest.mark.parametrize(("status", "how"), [(429, "90"), (429, "date"), (503, "90")])
async def test_a_receiver_that_asks_for_a_pause_is_left_alone_in_all_lanes(
    make: Sessions, tmp_path: Path, status: int, how: str
) -> None:
    vault = SecretCipher.of(Settings(data=tmp_path))
    whom = await facts.client(make)
    other = await facts.sibling(make, whom)
    until = datetime.now(UTC) + timedelta(seconds=95)
    told = "90" if how == "90" else format_datetime(until, usegmt=True)
    async with partner_on_the_web() as partner, partner_on_the_web() as witness:
        partner.answer = lambda _letter: Response(status_code=status, headers={"retry-after": told})
        wanted = EventFilter(kinds=["test.noted"])
        webhook, _ = await hook(make, vault, whom, partner.url, wanted=wanted)
        outside = WebhookClient(loopback=True)
        courier = asyncio.create_task(WebhookDispatcher(make, vault, outside, None).run())
        try:
            began = datetime.now(UTC)
            await happen(make, whom, 1, 2)
            await attempted(make, webhook)
            second, _ = await hook(make, vault, whom, witness.url, wanted=wanted)
            for n in (3, 4):  # when the witness has the fourth, the third had its turn
                await happen(make, other, n)
                await done(make, second, n - 2)
        finally:
            courier.cancel()
            await asyncio.gather(courier, return_exceptions=True)
            await outside.close()
    assert len(partner.letters) == 1
    first = (await deliveries(make, webhook))[0]
    assert first.due_at is not None
    assert first.due_at - began >= timedelta(seconds=89)


async def test_an_answer_counts_when_its_status_is_there_although_its_body_goes_on(
    room: Receiver,
) -> None:
    room.status, room.body, room.open_s = 200, b"it is", 60
    outside = WebhookClient(loopback=True)
    began = time.monotonic()
    outcome = await outside.post(room.url("/x"), b"{}", {})
    await Chat(PostClient(loopback=True)).send(parcel(room.url("/x")), Handed())
    assert time.monotonic() - began < room.open_s / 2
    await outside.close()
    assert (outcome.taken, outcome.excerpt, outcome.error) == (True, "it is", None)


async def test_an_answer_that_unpacks_to_a_lot_is_read_no_further_than_any_other(
    room: Receiver,
) -> None:
    room.status, room.headers = 400, {"content-encoding": "gzip"}
    room.body = gzip.compress(b"a" * 100_000_000)
    began = time.process_time()
    with pytest.raises(Undeliverable) as refused:
        await Chat(PostClient(loopback=True)).send(parcel(room.url("/x")), Handed())
    outside = WebhookClient(loopback=True)
    outcome = await outside.post(room.url("/x"), b"{}", {})
    await outside.close()
    assert time.process_time() - began < 1
    assert len(str(refused.value)) < 250
    assert len(outcome.excerpt or "") <= 2048


async def test_what_a_server_says_is_kept_without_control_characters(
    make: Sessions, tmp_path: Path
) -> None:
    vault = SecretCipher.of(Settings(data=tmp_path))
    whom = await facts.client(make)

    def answer(_letter: Letter) -> Response:
        return Response(b"no\x00\x1b[2J\r\nway \xff", status_code=500)

    async with partner_on_the_web() as partner:
        partner.answer = answer
        webhook, _ = await hook(make, vault, whom, partner.url)
        outside = WebhookClient(loopback=True)
        courier = asyncio.create_task(WebhookDispatcher(make, vault, outside, None).run())
        await happen(make, whom, 1)
        await attempted(make, webhook)
        courier.cancel()
        await asyncio.gather(courier, return_exceptions=True)
        await outside.close()
    [delivery] = await deliveries(make, webhook)
    async with make() as session:
        said = await session.scalar(
            select(WebhookAttempt.excerpt).where(WebhookAttempt.delivery_id == delivery.id)
        )
    assert said == "no [2J way \ufffd"
