"""Sending: what is not known to have left is asked for, other channels take over, and nobody is woken for nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from domain import messages
from domain.access import Actor, Tx, is_visible
from domain.accounts import Channel, Contact
from domain.core import claims, outbox
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.core.sequencing import SequencedEvent
from domain.messages import Attempt, AttemptOutcome, Message, MessageState
from tests import build, facts
from tests.domain.messages.test_templates import TOLD
from workers.jobs import Runner
from workers.outbound.senders import (
    Gone,
    HandingOver,
    OutboundMessage,
    Sender,
    Senders,
    Unconfirmed,
    Undeliverable,
)
from workers.outbound.smtp import RelayLog
from workers.sending import send_message

pytestmark = pytest.mark.anyio

FAR = datetime(2100, 1, 1, tzinfo=UTC)


class Office:
    """A sender that does as it is told: it says what comes of each attempt, and remembers what it took."""

    settles_in = timedelta(seconds=30)

    def __init__(self, *fates: object, knows: object = None) -> None:
        self.fates = list(fates)
        self.knows = knows
        self.took: list[OutboundMessage] = []

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Take it, or raise what is next; `Unheard` and what follows come after the handing over."""
        fate = self.fates.pop(0) if self.fates else None
        if isinstance(fate, Undeliverable | ConnectionError):
            raise fate
        await handing_over()
        if isinstance(fate, BaseException):
            raise fate
        self.took.append(outgoing)

    async def accepted(self, _outgoing: OutboundMessage) -> bool | None:
        """What it was told to know."""
        if isinstance(self.knows, Exception):
            raise self.knows
        return self.knows  # type: ignore[return-value]


async def written(
    make: Sessions, world: build.World, template: str = "incident_resolved", **contact: Any
) -> Message:
    """A message to the only contact, whose row says what the test says."""
    async with transaction(make) as session:
        if contact:
            await session.execute(
                update(Contact).where(Contact.account_id == world.account.id).values(**contact)
            )
        [message] = await messages.compose(
            Tx(session, world.staff, datetime.now(UTC)),
            world.account.id,
            intent=f"test:{world.site.id}",
            template=template,
            variables=TOLD[template],
        )
    return message


async def sent_by(
    make: Sessions, senders: Mapping[Channel, Sender], message: Message, *, times: int = 1
) -> Outbox:
    """Run the message's consequence, as workers do; its row afterwards."""
    await facts.number_all(make, {"message.queued": ("send_message",)}, at=FAR)
    async with make() as session:
        [outbox_id] = await session.scalars(
            select(Outbox.id)
            .join(LedgerRow, LedgerRow.id == Outbox.fact_id)
            .where(LedgerRow.subject_id == message.id, Outbox.job == "send_message")
        )
    runner = Runner(make, {"send_message": send_message}, Senders(senders), attempts=20)
    for _ in range(times):
        await runner.run(outbox_id)
    async with make() as session:
        return await session.get_one(Outbox, outbox_id)


async def look(make: Sessions, message: Message) -> tuple[Message, list[Attempt]]:
    async with make() as session:
        row = await session.get_one(Message, message.id)
        attempts = await session.scalars(
            select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.number)
        )
        return row, list(attempts)


async def test_each_attempt_is_written_down_with_its_outcome(make: Sessions) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(ConnectionError("refused"))
    done = await sent_by(make, {Channel.EMAIL: office}, message, times=2)
    row, attempts = await look(make, message)
    assert [(each.number, each.outcome, each.error) for each in attempts] == [
        (1, AttemptOutcome.FAILED, "ConnectionError: refused"),
        (2, AttemptOutcome.ACCEPTED, None),
    ]
    assert [each.handed_over_at is not None for each in attempts] == [False, True]
    assert (row.state, row.attempts, done.state) == (MessageState.SENT, 2, OutboxState.DONE)


async def test_what_was_accepted_unheard_is_not_sent_again(make: Sessions) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(Unconfirmed("dropped"), knows=True)
    done = await sent_by(make, {Channel.EMAIL: office}, message, times=2)
    row, [attempt] = await look(make, message)
    assert (row.state, attempt.outcome, office.took) == (
        MessageState.SENT,
        AttemptOutcome.ACCEPTED,
        [],
    )
    assert done.state is OutboxState.DONE


async def test_a_no_is_believed_only_when_the_relay_had_time_to_take_it(make: Sessions) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(Unconfirmed("dropped"), knows=False)
    waits = await sent_by(make, {Channel.EMAIL: office}, message, times=3)
    _, [attempt] = await look(make, message)
    assert attempt.handed_over_at is not None
    assert (waits.due_at, attempt.outcome) == (attempt.handed_over_at + office.settles_in, None)
    assert (office.took, waits.attempts) == ([], 1)  # waiting is no attempt
    office.settles_in = timedelta()
    await sent_by(make, {Channel.EMAIL: office}, message)
    row, attempts = await look(make, message)
    assert [each.outcome for each in attempts] == [AttemptOutcome.FAILED, AttemptOutcome.ACCEPTED]
    assert (row.state, len(office.took)) == (MessageState.SENT, 1)


async def test_while_the_relay_cannot_be_asked_nothing_is_sent(make: Sessions) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(Unconfirmed("dropped"), knows=OSError("no log"))
    waits = await sent_by(make, {Channel.EMAIL: office}, message, times=3)
    row, [attempt] = await look(make, message)
    assert (row.state, attempt.outcome, office.took) == (MessageState.SENDING, None, [])
    assert waits.error == "OSError: no log"


async def test_without_anybody_to_ask_it_goes_again_and_the_doubt_is_written_down(
    make: Sessions,
) -> None:
    message = await written(make, await build.client(make, contacts=1))
    office = Office(Unconfirmed("dropped"), knows=None)
    await sent_by(make, {Channel.EMAIL: office}, message, times=2)
    row, attempts = await look(make, message)
    assert [each.outcome for each in attempts] == [AttemptOutcome.UNKNOWN, AttemptOutcome.ACCEPTED]
    assert (row.state, len(office.took)) == (MessageState.SENT, 1)


async def test_a_process_that_ended_before_the_handing_over_sent_nothing(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    message = await written(make, world)
    async with transaction(make) as session:
        await messages.begin(Tx(session, world.staff, datetime.now(UTC)), message.id)
    office = Office(knows=RuntimeError("need not be asked"))
    await sent_by(make, {Channel.EMAIL: office}, message)
    _, attempts = await look(make, message)
    assert [each.outcome for each in attempts] == [AttemptOutcome.FAILED, AttemptOutcome.ACCEPTED]


async def test_a_channel_that_refuses_gives_way_to_the_next(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    message = await written(make, world, phone="06 12345678", channel=Channel.SMS)
    texts, letters = Office(Undeliverable("no such number")), Office()
    done = await sent_by(make, {Channel.SMS: texts, Channel.EMAIL: letters}, message, times=2)
    row, attempts = await look(make, message)
    assert [(each.channel, each.outcome) for each in attempts] == [
        (Channel.SMS, AttemptOutcome.REFUSED),
        (Channel.EMAIL, AttemptOutcome.ACCEPTED),
    ]
    assert (row.recipient, row.channel) == (str(world.contacts[0].email), Channel.EMAIL)
    assert (row.state, done.state) == (MessageState.SENT, OutboxState.DONE)


async def test_a_channel_that_keeps_failing_gives_way_but_never_while_in_doubt(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=1)
    message = await written(make, world, phone="+31612345678")
    letters, texts = Office(*(ConnectionError("away") for _ in range(9))), Office()
    await sent_by(make, {Channel.SMS: texts, Channel.EMAIL: letters}, message, times=4)
    row, attempts = await look(make, message)
    assert [each.channel for each in attempts] == [Channel.EMAIL] * 3 + [Channel.SMS]
    assert (row.recipient, len(texts.took)) == ("+31612345678", 1)


async def test_a_channel_that_is_not_set_up_here_gives_way(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    message = await written(make, world, phone="+31612345678", channel=Channel.SMS)
    letters = Office()
    await sent_by(make, {Channel.EMAIL: letters}, message, times=2)
    row, _ = await look(make, message)
    assert (row.channel, len(letters.took)) == (Channel.EMAIL, 1)


async def test_a_message_waits_for_the_end_of_quiet_hours_and_waiting_is_no_attempt(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=1)
    here = datetime.now(UTC)
    quiet: dict[str, Any] = {
        "time_zone": "UTC",
        "quiet_from": (here - timedelta(hours=1)).time(),
        "quiet_until": (here + timedelta(hours=1)).time(),
    }
    message = await written(make, world, **quiet)
    office = Office()
    waits = await sent_by(make, {Channel.EMAIL: office}, message, times=3)
    row, attempts = await look(make, message)
    assert (office.took, attempts, waits.attempts) == ([], [], 0)
    assert row.not_before is not None
    assert waits.due_at == row.not_before
    assert abs(row.not_before - here - timedelta(hours=1)) < timedelta(seconds=1)


async def test_an_attempt_that_read_the_quiet_hours_cannot_postpone_a_message_expedited_meanwhile(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=1)
    here = datetime.now(UTC)
    message = await written(
        make, world,
        time_zone="UTC", quiet_from=(here - timedelta(hours=1)).time(),
        quiet_until=(here + timedelta(hours=1)).time(),
    )  # fmt: skip
    waits = await sent_by(make, {Channel.EMAIL: Office()}, message)
    async with transaction(make) as session:
        attempt = await claims.start_attempt(
            session, waits.id, at=waits.due_at, lease=timedelta(seconds=5)
        )
    assert attempt is not None
    async with transaction(make) as session:
        intent, account_id = message.intent[:20], message.account_id
        assert await messages.expedite(session, intent, account_id, at=here) == 1
    async with transaction(make) as session:  # what the attempt read before that
        until = here + timedelta(hours=1)
        await outbox.reschedule(session, waits.id, attempt=attempt, until=until, lets_pass=True)
    async with make() as session:
        row = await session.get_one(Outbox, waits.id)
    assert (row.due_at, row.not_before) == (here, None)


async def test_what_is_critical_is_sent_in_quiet_hours(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    message = await written(
        make, world, "promise_at_risk",
        time_zone="UTC", quiet_from=time(0, 0), quiet_until=time(23, 59, 59),
    )  # fmt: skip
    office = Office()
    await sent_by(make, {Channel.EMAIL: office}, message)
    assert len(office.took) == 1


async def test_a_bounce_goes_by_another_channel_or_ends_the_message(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    message = await written(make, world, phone="+31612345678")
    letters, texts = Office(), Office()
    await sent_by(make, {Channel.EMAIL: letters}, message)
    async with transaction(make) as session:
        await messages.bounce(Tx(session, system(world), build.T0), message.id, error="5.1.1 who?")
    row, _ = await look(make, message)
    assert (row.state, row.channel) == (MessageState.QUEUED, Channel.SMS)
    await facts.number_all(make, {"message.bounced": ("send_message",)}, at=FAR)
    runner = Runner(
        make, {"send_message": send_message}, Senders({Channel.SMS: texts}), attempts=20
    )
    async with make() as session:
        rows = await session.scalars(
            select(Outbox.id)
            .join(LedgerRow, LedgerRow.id == Outbox.fact_id)
            .where(LedgerRow.subject_id == message.id, LedgerRow.kind == "message.bounced")
        )
    for outbox_id in rows.all():
        await runner.run(outbox_id)
    assert len(texts.took) == 1
    async with transaction(make) as session:
        await messages.bounce(Tx(session, system(world), build.T0), message.id, error="unknown")
    row, _ = await look(make, message)
    assert (row.state, row.bounced_at) == (MessageState.BOUNCED, build.T0)


async def test_a_place_where_nobody_is_any_more_is_forgotten(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    hook = f"https://hooks.slack.com/{world.site.id}"
    async with transaction(make) as session:
        await messages.add_address(
            Tx(session, system(world), build.T0),
            world.contacts[0].id,
            channel=Channel.CHAT,
            url=hook,
        )
    message = await written(make, world, channel=Channel.CHAT)
    rooms, letters = Office(Gone("404")), Office()
    await sent_by(make, {Channel.CHAT: rooms, Channel.EMAIL: letters}, message, times=2)
    async with make() as session:
        [address] = await session.scalars(
            select(messages.Address).where(messages.Address.url == hook)
        )
        kinds = list(
            await session.scalars(
                select(LedgerRow.kind)
                .where(LedgerRow.subject_id == world.contacts[0].id)
                .order_by(LedgerRow.id)
            )
        )
    assert address.ended_at is not None
    assert kinds[-2:] == ["contact.address_added", "contact.address_ended"]
    assert len(letters.took) == 1


async def test_colleagues_are_written_to_and_clients_do_not_hear_of_it(make: Sessions) -> None:
    from domain import accounts
    from domain.access import Role

    world = await build.client(make, contacts=1)
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, system(world), build.T0),
            email="ops@example.org",
            name="Ops",
            role=Role.DISPATCHER,
        )
        for _ in range(2):  # once, by its key
            await messages.compose_to_users(
                Tx(session, system(world), build.T0),
                [user.id],
                account_id=world.account.id,
                intent="risk:1",
                template="promise_at_risk",
                variables=TOLD["promise_at_risk"],
            )
    async with make() as session:
        [message] = await session.scalars(
            select(Message).where(Message.account_id == world.account.id)
        )
    assert (message.recipient, message.user_id) == ("ops@example.org", user.id)
    office = Office()
    await sent_by(make, {Channel.EMAIL: office}, message)
    async with make() as session:
        entries = list(
            await session.scalars(select(LedgerRow).where(LedgerRow.subject_id == message.id))
        )
    assert {entry.kind for entry in entries} == {"message.queued", "message.sent"}
    assert not any(
        is_visible(world.client, SequencedEvent.of(entry)) for entry in entries if entry.seq
    )


def system(world: build.World) -> Actor:
    return Actor.system(world.tenant.id, "test")


LOG = """\
Nov 22 04:06:20 relay postfix/cleanup[7]: 4AAA: message-id=<taken@x>
Nov 22 04:06:20 relay postfix/qmgr[8]: 4AAA: from=<d@x>, size=9, nrcpt=1 (queue active)
Nov 22 04:06:21 relay postfix/cleanup[7]: 4BBB: message-id=<lost@x>
Nov 22 04:06:21 relay postfix/smtpd[6]: lost connection after DATA (99 bytes) from localhost[::1]
Nov 22 04:06:22 relay postfix/cleanup[7]: 4BBB: message-id=<other@x>
Nov 22 04:06:22 relay postfix/qmgr[8]: 4BBB: from=<d@x>, size=9, nrcpt=1 (queue active)
Nov 22 04:06:23 relay postfix/cleanup[7]: 4CCC: message-id=<rejected@x>
Nov 22 04:06:23 relay postfix/cleanup[7]: 4CCC: milter-reject: END-OF-MESSAGE from localhost[::1]
Nov 22 04:06:24 relay postfix/cleanup[7]: 4DDD: message-id=<twice@x>
Nov 22 04:06:24 relay postfix/smtpd[6]: lost connection after DATA (99 bytes) from localhost[::1]
Nov 22 04:06:25 relay postfix/cleanup[7]: 4EEE: message-id=<twice@x>
Nov 22 04:06:25 relay postfix/smtp[9]: 4EEE: to=<a@y>, relay=y[1.2.3.4]:25, status=sent (250 ok)
Nov 22 04:06:26 relay postfix/cleanup[7]: 4FFF: message-id=<half@x>
Nov 22 04:06:26 relay postfix/qmgr[8]: 4FFF: from=<d@x>, size=9, nrcpt=1 (queue act"""


async def test_a_relays_log_says_what_came_into_its_queue(tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_text(LOG)
    log = RelayLog(file)
    ids = ("taken", "lost", "other", "rejected", "twice", "half", "never")
    found = {name: await log.took(f"<{name}@x>") for name in ids}
    assert [name for name, taken in found.items() if taken] == ["taken", "other", "twice"]


async def test_a_letter_whose_story_spans_the_turn_of_the_log_is_found(tmp_path: Path) -> None:
    first, second = LOG.splitlines(keepends=True)[:2]
    (tmp_path / "mail.log.1").write_text(first)
    (tmp_path / "mail.log").write_text(second)
    assert await RelayLog(tmp_path / "mail.log").took("<taken@x>") is True
    assert await RelayLog(tmp_path / "mail.log").took("<other@x>") is False


async def test_a_log_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"mail\.log"):
        await RelayLog(tmp_path / "mail.log").took("<taken@x>")
