"""Addresses at which nobody is: one letter comes back, later ones are stopped, until somebody put the address right."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from domain import messages
from domain.access import Actor, Tx
from domain.accounts import Channel, Contact
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.messages import Message, MessageState
from tests import build, servers
from tests.domain.messages.test_templates import TOLD
from tests.workers.returned import intake_of
from tests.workers.test_bounces_sent import notice
from tests.workers.test_sending import Office, sent_by
from workers.bounces import sweep_bounces
from workers.inbound_mail import MailIntake
from workers.outbound.senders import Sender
from workers.outbound.smtp import Email, Smtp

pytestmark = pytest.mark.anyio


def system(world: build.World) -> Actor:
    return Actor.system(world.tenant.id, "test")


@pytest.mark.parametrize(
    ("said", "hard"),
    [
        ("5.1.1 smtp; 550 5.1.1 no such mailbox", True),
        ("5.2.1 mailbox disabled", True),
        ("5.0.0", False),
        ("5.0.0 smtp; 550 user unknown", True),
        ("5.1.1 smtp; 550 5.1.1 No such user here (mx 203.5.7.10)", True),
        ("5.1.8 smtp; 553 5.1.8 domain of sender does not exist", False),
        ("5.2.2 smtp; 552 5.2.2 mailbox full", False),
        ("5.0.0 smtp; 550 DMARC check failed", False),
        ("4.4.7 delivery time expired", False),
        ("4.2.2 mailbox full", False),
        ("5.0.0 smtp; 550 5.7.1 blocked by a list", False),
        ("5.3.4 message too big", False),
        ("5.6.1 media not supported", False),
        ("failed", False),
    ],
)
def test_a_bounce_is_hard_when_nobody_is_there_and_not_when_the_letter_or_we_are_at_fault(
    said: str, hard: bool
) -> None:
    assert messages.is_hard_bounce(said) is hard


def test_a_recipient_refused_for_good_without_a_status_is_nobody() -> None:
    assert messages.is_hard_bounce("550 no such user here")
    assert not messages.is_hard_bounce("550 rejected")
    assert not messages.is_hard_bounce("550 5.7.606 access denied, banned sender")


async def letter(
    make: Sessions, world: build.World, sender: dict[Channel, Sender], *, times: int = 1
) -> Message:
    """One more letter to the only contact, and what became of it."""
    async with transaction(make) as session:
        [message] = await messages.compose(
            Tx(session, system(world), datetime.now(UTC)),
            world.account.id,
            intent=f"test:{uuid4()}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
    await sent_by(make, sender, message, times=times)
    async with make() as session:
        return await session.get_one(Message, message.id)


def post(settings: Settings, box: servers.Postbox, **more: object) -> dict[Channel, Sender]:
    place = settings.model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_from": "desk@g.example"}
        | more
    )
    return {Channel.EMAIL: Email(place, Smtp(place))}


async def test_after_a_refusal_for_good_no_letter_goes_there_until_somebody_lifts_it(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make, contacts=1)
    address = str(world.contacts[0].email)
    with servers.postbox() as box:
        box.refuse[address] = "550 5.1.1 no such mailbox"
        refused = await letter(make, world, post(settings, box))
        del box.refuse[address]
        stopped = await letter(make, world, post(settings, box))
        assert (refused.error, box.letters) == ("550 5.1.1 no such mailbox", [])
        assert (stopped.state, stopped.attempts, stopped.error) == (
            MessageState.FAILED, 0, messages.STOPPED,
        )  # fmt: skip
        async with transaction(make) as session:
            [barred] = await messages.suppressions(session, [world.tenant.id])
            assert (barred.address, barred.stopped) == (address, 1)
            assert barred.error == "550 5.1.1 no such mailbox"
            await messages.unsuppress(Tx(session, system(world), build.T0), address.upper())
            assert await messages.suppressions(session, [world.tenant.id]) == []
            with pytest.raises(Refused):
                await messages.unsuppress(Tx(session, system(world), build.T0), address)
        assert (await letter(make, world, post(settings, box))).state is MessageState.SENT
    async with make() as session:
        kinds = await session.scalars(
            select(LedgerRow.kind)
            .where(
                LedgerRow.subject_id == world.contacts[0].id, LedgerRow.kind.startswith("address.")
            )
            .order_by(LedgerRow.id)
        )
        bodies = await session.scalars(
            select(LedgerRow.body).where(LedgerRow.subject_id == world.contacts[0].id)
        )
        assert list(kinds) == ["address.suppressed", "address.freed"]
        assert address not in str(list(bodies)).lower()


@pytest.mark.parametrize(
    "answer", ["451 4.2.2 mailbox full", "550 5.7.1 your network is on a list"]
)
async def test_after_a_refusal_for_now_or_of_us_the_next_letter_goes(
    make: Sessions, settings: Settings, answer: str
) -> None:
    world = await build.client(make, contacts=1)
    address = str(world.contacts[0].email)
    with servers.postbox() as box:
        box.refuse[address] = answer
        await letter(make, world, post(settings, box))
        del box.refuse[address]
        assert (await letter(make, world, post(settings, box))).state is MessageState.SENT


@pytest.mark.parametrize(("status", "then"), [("5.1.1", "failed"), ("4.4.7", "sent")])
async def test_what_came_back_for_good_stops_later_letters_and_what_expired_does_not(
    make: Sessions, tmp_path: Path, status: str, then: str
) -> None:
    world = await build.client(make, contacts=1)
    office: dict[Channel, Sender] = {Channel.EMAIL: Office()}
    first = await letter(make, world, office)
    (tmp_path / "new").mkdir()
    raw = notice(first.id).replace(b"Status: 5.1.1", f"Status: {status}".encode())
    said = b"Diagnostic-Code: smtp; 550 5.1.1"
    raw = raw.replace(said, f"Diagnostic-Code: smtp; 550 {status}".encode())
    (tmp_path / "new" / "1").write_bytes(raw)
    assert await sweep_bounces(intake_of(make, tmp_path), tmp_path) == 1
    assert (await letter(make, world, office)).state == then


async def test_another_channel_takes_over_and_another_address_is_free(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    mail, texts = Office(), Office()
    offices: dict[Channel, Sender] = {Channel.EMAIL: mail, Channel.SMS: texts}
    first = await letter(make, world, offices)
    async with transaction(make) as session:
        await messages.bounce(Tx(session, system(world), build.T0), first.id, error="5.1.1 unknown")
        await session.execute(
            update(Contact).where(Contact.id == first.contact_id).values(phone="+31612345678")
        )
    told = await letter(make, world, offices)
    assert (told.state, told.channel, len(mail.took)) == (MessageState.SENT, Channel.SMS, 1)
    async with transaction(make) as session:
        await session.execute(
            update(Contact).where(Contact.id == first.contact_id).values(email="new@x.example")
        )
    assert (await letter(make, world, offices)).channel is Channel.EMAIL


async def test_a_notice_that_names_only_the_envelopes_sender_is_matched(
    make: Sessions, settings: Settings, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=1)
    with servers.postbox() as box:
        first = await letter(make, world, post(settings, box, bounces=tmp_path))
    assert first.state is MessageState.SENT
    [sender] = box.senders
    assert sender.startswith("desk+")
    assert sender.endswith("@g.example")
    assert len(sender.partition("@")[0]) <= 64
    told = (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nDelivered-To: {sender}\nTo: <{sender}>\n"
        "Subject: failure notice\n\nHi. This is the qmail-send program.\n\n<an@client.example>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n"
    )
    new = tmp_path / "new"
    new.mkdir()
    (new / "1").write_text(told.replace(sender, "desk@g.example"))
    (new / "2").write_text(told)
    assert (
        await sweep_bounces(
            MailIntake.of(make, messages.MessageSigner.of(settings), settings), tmp_path
        )
        == 1
    )
    async with make() as session:
        assert (await session.get_one(Message, first.id)).state is MessageState.BOUNCED
        [barred] = await messages.suppressions(session, [world.tenant.id])
    assert barred.address == world.contacts[0].email


async def test_without_a_mailbox_for_notices_the_envelopes_sender_is_the_address_itself(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make, contacts=1)
    with servers.postbox() as box:
        await letter(make, world, post(settings, box))
    assert box.senders == ["desk@g.example"]
