"""Letters: one to each contact, sent once, whatever the mail server does."""

import asyncio
import ssl
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import incidents
from domain.access import Tx
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.messages import Message, MessageSigner, MessageState
from tests import build, facts, servers
from tests.workers.conftest import Working
from tests.workers.returned import SIGNER
from workers.outbound import senders
from workers.outbound.email_message import letter_of
from workers.outbound.senders import OutboundMessage, Undeliverable
from workers.outbound.smtp import Smtp
from workers.routes import ROUTES

pytestmark = pytest.mark.anyio

OPENED = {kind: ROUTES[kind] for kind in ("incident.opened", "message.queued")}


async def states(make: Sessions, account_id: UUID) -> dict[str, MessageState]:
    async with make() as session:
        rows = await session.execute(
            select(Message.recipient, Message.state).where(Message.account_id == account_id)
        )
        return {row.recipient: row.state for row in rows}


async def ended(make: Sessions, account_id: UUID, count: int) -> dict[str, MessageState]:
    """Wait until `count` messages of an account have come to an end."""
    async with asyncio.timeout(60):
        while True:
            found = await states(make, account_id)
            ends = {MessageState.SENT, MessageState.FAILED}
            if len(found) == count and set(found.values()) <= ends:
                return found
            await asyncio.sleep(0.05)


def at(box: servers.Postbox, **more: Any) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_from": "desk@waarborg.example",
    } | more


async def test_an_opened_ticket_is_told_to_each_contact_in_its_language_once(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=2)
    dutch, english = (str(contact.email) for contact in world.contacts)
    with servers.postbox() as box:
        async with working(OPENED, **at(box)):
            incident = await build.incident(make, world, summary="Raam stuk")
            await ended(make, world.account.id, 2)
            await build.incident(make, world, summary="Deur open")
            await facts.until(
                lambda: len(box.letters) >= 4
            )  # a repeat would have come before these
    (to_dutch, next_dutch), (to_english, _) = box.to(dutch), box.to(english)
    assert "Deur open" in next_dutch["Subject"]
    reference = incident.reference
    assert to_dutch["Subject"] == f"Melding {reference}: Raam stuk (Hoofdkantoor)"
    assert to_english["Subject"] == f"Ticket {reference}: Raam stuk (Hoofdkantoor)"
    assert [to_dutch["Content-Language"], to_english["Content-Language"]] == ["nl", "en"]


async def test_a_letter_has_text_and_page_and_headers_that_keep_machines_quiet(
    make: Sessions, working: Working, settings: Settings
) -> None:
    world = await build.client(make, contacts=1)
    with servers.postbox() as box:
        async with working(OPENED, **at(box)):
            await build.incident(make, world)
            await ended(make, world.account.id, 1)
    async with make() as session:
        message = (
            await session.scalars(select(Message).where(Message.account_id == world.account.id))
        ).one()
    [told] = box.letters
    assert (
        told["Message-ID"] == f"<{MessageSigner.of(settings).signed(message.id)}@waarborg.example>"
    )
    assert told["From"] == f"{world.tenant.name} <desk@waarborg.example>"
    assert told["Reply-To"] == "desk@waarborg.example"
    assert told["Auto-Submitted"] == "auto-generated"
    assert told["X-Auto-Response-Suppress"] == "All"
    text, page = (told.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content().replace("\r\n", "\n") == message.body
    assert "<p" in page.get_content()


async def test_without_a_mail_server_letters_are_laid_down_as_files(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    async with working(OPENED):
        await build.incident(make, world)
        await ended(make, world.account.id, 2)
    letters = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in (tmp_path / "mail").glob("*.eml")
    ]
    assert sorted(str(letter["To"]) for letter in letters) == sorted(
        str(contact.email) for contact in world.contacts
    )


async def test_an_address_refused_for_good_fails_and_the_others_get_theirs(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=2)
    gone, there = (str(contact.email) for contact in world.contacts)
    with servers.postbox() as box:
        box.refuse[gone] = "550 5.1.1 no such mailbox"
        async with working(OPENED, **at(box)):
            await build.incident(make, world)
            found = await ended(make, world.account.id, 2)
    assert found == {gone: MessageState.FAILED, there: MessageState.SENT}
    async with make() as session:
        error = await session.scalar(select(Message.error).where(Message.recipient == gone))
    assert error == "550 5.1.1 no such mailbox"


async def test_an_address_refused_for_now_is_tried_again_until_it_takes_the_letter(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=1)
    [address] = (str(contact.email) for contact in world.contacts)
    with servers.postbox() as box:
        box.refuse[address] = "451 4.7.1 greylisted"
        async with working(OPENED, **at(box)):
            await build.incident(make, world)
            await put_back(make, address)
            del box.refuse[address]
            found = await ended(make, world.account.id, 1)
    assert (found, len(box.letters)) == ({address: MessageState.SENT}, 1)


async def put_back(make: Sessions, address: str) -> None:
    """Wait until an attempt failed and the message waits for the next."""
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                message = await session.scalar(select(Message).where(Message.recipient == address))
            if message is not None and message.error is not None:
                assert message.state is MessageState.QUEUED
                return
            await asyncio.sleep(0.02)


async def test_a_message_fails_in_the_open_when_all_attempts_are_used_up(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=1)
    [address] = (str(contact.email) for contact in world.contacts)
    with servers.postbox() as box:
        box.refuse[address] = "451 4.3.0 try later"
        async with working(OPENED, **at(box, job_attempts=2)):
            await build.incident(make, world)
            found = await ended(make, world.account.id, 1)
    assert found == {address: MessageState.FAILED}


async def test_a_stalling_mail_server_holds_up_no_ticket(
    make: Sessions, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "STEP_S", 1.0)
    world = await build.client(make, contacts=1)
    with servers.postbox() as box:
        box.stall_s = 60.0
        async with working(OPENED, **at(box)):
            opened = await build.incident(make, world)
            await asyncio.to_thread(box.stalled.wait, 10)
            async with asyncio.timeout(2), transaction(make) as session:
                await incidents.acknowledge(
                    Tx(session, world.staff, opened.opened_at + build.minutes(1)), opened.id
                )
            box.stall_s = 0.0
            found = await ended(make, world.account.id, 1)
    assert set(found.values()) == {MessageState.SENT}


async def nothing() -> None:
    """Nobody writes down the handing over."""


def letter() -> EmailMessage:
    message = Message(
        id=UUID(int=7),
        tenant_id=UUID(int=8),
        intent="test",
        template="test",
        recipient="a@example.org",
        subject="S",
        body="B\n",
        language="en",
        queued_at=build.T0,
    )
    return letter_of(
        OutboundMessage(message, "Veilig BV"),
        SIGNER,
        leaves_at=build.T0,
        sent_from="desk@waarborg.example",
    )


async def test_a_letter_goes_over_tls_to_a_server_whose_certificate_is_trusted(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = servers.tls(tmp_path)
    with servers.postbox(tls_context=context, require_starttls=True) as box:
        sender = Smtp(settings.model_copy(update=at(box, smtp_starttls=True)))
        with pytest.raises(ssl.SSLCertVerificationError):
            await sender.send(letter(), nothing)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        await sender.send(letter(), nothing)
    assert [found["Subject"] for found in box.letters] == ["S"]


# aiosmtpd leaves the socket of a client that hangs up on it to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_without_starttls_gets_no_letter_when_starttls_is_asked_for(
    settings: Settings,
) -> None:
    with servers.postbox() as box:
        sender = Smtp(settings.model_copy(update=at(box, smtp_starttls=True)))
        with pytest.raises(Exception, match="STARTTLS") as refused:
            await sender.send(letter(), nothing)
    assert not isinstance(refused.value, Undeliverable)
    assert box.letters == []
