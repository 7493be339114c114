"""Replies that come to an IMAP mailbox: each becomes one inquiry with its clock and files, whatever else happens."""

import logging
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select

from domain import messages
from domain.access import Actor, Tx
from domain.accounts import Channel
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.incidents import Incident
from domain.messages import Message, MessageSigner, MessageState
from tests import build, files
from tests.api import asking
from tests.api.asking import Api, Office
from tests.domain.messages.test_templates import TOLD
from tests.imap_server import PASSWORD, USER, ImapServer, imap_server
from workers import mailbox as mailbox_module
from workers.bounces import keep_bounces
from workers.inbound_mail import MailIntake
from workers.mailbox import MailboxAway, keep_mailbox, open_mailbox
from workers.periodic import WorkContext

pytestmark = pytest.mark.anyio

OURS = "desk@guards.example"
INQUIRIES = """query ($id: ID!) { incidents(accountId: $id, first: 20) { nodes {
  kind source reporter summary status site { id } promises { kind state }
  updates { body author } files { name mediaType state } } } }"""


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    with imap_server() as running:
        yield running


@pytest.fixture
async def work(make: Sessions, system_url: str, tmp_path: Path, server: ImapServer) -> WorkContext:
    settings = Settings(
        database_url=system_url, data=tmp_path, bounces=tmp_path / "mail", imap_host="127.0.0.1",
        imap_port=server.port, imap_username=USER, imap_password=SecretStr(PASSWORD), imap_security="none",
    )  # fmt: skip
    (tmp_path / "mail" / "new").mkdir(parents=True)
    return WorkContext(make, settings)


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as running:
        yield running


async def letter(make: Sessions, office: Office) -> Message:
    """A letter to the first contact of a client, which was sent."""
    world = office.world
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), build.T0)
        found = await messages.compose(
            tx,
            world.account.id,
            intent=f"test:{world.tenant.id}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
            contacts=[world.contacts[0].id],
        )
        await messages.mark_sent(tx, found[0].id)
    return found[0]


def reply(
    work: WorkContext, message_id: UUID, words: str, mail_id: str, **more: str
) -> EmailMessage:
    """A mail of the contact that answers a letter of ours."""
    mail = EmailMessage()
    signed = MessageSigner.of(work.settings).signed(message_id)
    head = {
        "From": "An <an@client.example>", "To": OURS, "Subject": "Re: Uw melding",
        "Message-ID": f"<{mail_id}@client.example>", "In-Reply-To": f"<{signed}@guards.example>",
    } | more  # fmt: skip
    for name, value in head.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(words)
    return mail


async def inquiries(api: Api, token: str, office: Office) -> list[Any]:
    found: list[Any] = (await api.data(token, INQUIRIES, id=office.account))["incidents"]["nodes"]
    return [each for each in found if each["kind"] == "INQUIRY"]


async def answered(make: Sessions, message: Message) -> list[LedgerRow]:
    async with make() as session:
        found = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.subject_id == message.id, LedgerRow.kind == "message.answered")
            .order_by(LedgerRow.id)
        )
        return list(found)


async def test_a_reply_is_one_inquiry_with_its_clock_and_files_by_whichever_way_it_comes(
    api: Api, work: WorkContext, server: ImapServer
) -> None:
    office, other = await asking.office(api), await asking.office(api)
    message = await letter(work.make, office)
    mail = reply(work, message.id, "Kunt u de sleutel laten ophalen?", "first")
    mail.add_attachment(files.pdf(), maintype="application", subtype="pdf", filename="../brief.pdf")
    mail.add_attachment(files.photo(), maintype="image", subtype="jpeg", filename="poort.jpg")
    mail.add_attachment(b"PK", maintype="application", subtype="zip", filename="alles.zip")
    mail.add_attachment(b"no photo", maintype="image", subtype="png", filename="vals.png")
    raw = mail.as_bytes()
    server.deliver(raw, b"Received: by another way\n" + raw)
    await keep_mailbox(work, 1)
    assert work.settings.bounces is not None
    (work.settings.bounces / "new" / "1").write_bytes(b"Delivered-To: desk\n" + raw)
    await keep_bounces(work, 1)
    server.deliver(raw)
    await keep_mailbox(work, 1)
    assert all(each == {"\\Seen"} for each in server.flags())

    [found] = await inquiries(api, office.manager, office)
    assert (found["source"], found["reporter"], found["status"]) == ("CLIENT", "Contact 0", "NEW")
    assert (found["summary"], found["site"]["id"]) == ("Re: Uw melding", office.site)
    assert {"FIRST_RESPONSE"} <= {each["kind"] for each in found["promises"]}
    assert {each["state"] for each in found["promises"]} <= {"RUNNING", "PENDING"}
    [update] = found["updates"]
    assert update["author"] == "system:mail"
    assert "Kunt u de sleutel laten ophalen?" in update["body"]
    assert "alles.zip (application/zip): not kept" in update["body"]
    kept = {(each["name"], each["mediaType"], each["state"]) for each in found["files"]}
    assert {kind for _, kind, state in kept if state == "AVAILABLE"} == {
        "application/pdf", "image/jpeg",
    }  # fmt: skip
    assert not any("/" in name for name, _, _ in kept)
    [fact] = await answered(work.make, message)
    assert fact.body["contact_id"] == str(office.world.contacts[0].id)
    assert fact.account_id == office.world.account.id

    # The client sees its own inquiry; another client and another company see none.
    assert len(await inquiries(api, office.client, office)) == 1
    for stranger in (other.manager, other.client):
        assert await inquiries(api, stranger, office) == []

    # A further reply is added while the inquiry is open; a machine's is recorded only.
    machine = reply(work, message.id, "Afwezig.", "away", Auto_Submitted="auto-replied")
    server.deliver(
        reply(work, message.id, "En de pas ook.", "second").as_bytes(), machine.as_bytes()
    )
    await keep_mailbox(work, 1)
    [found] = await inquiries(api, office.manager, office)
    assert ["En de pas ook." in each["body"] for each in found["updates"]] == [
        True,
        False,
    ]  # the newest first
    facts = await answered(work.make, message)
    assert [each.body["automatic"] for each in facts] == [False, False, True]
    assert [each.body["incident_id"] is None for each in facts] == [False, False, True]


async def test_a_bounce_is_no_inquiry_and_mail_about_nothing_of_ours_is_only_seen(
    api: Api, work: WorkContext, server: ImapServer
) -> None:
    office = await asking.office(api)
    message = await letter(work.make, office)
    signed = MessageSigner.of(work.settings).signed(message.id)
    bounce = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: desk@guards.example\nSubject: failure notice\n"
        f"In-Reply-To: <{signed}@guards.example>\n\nHi. This is the qmail-send program.\n\n<an@client.example>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n"
    )
    forged = reply(work, message.id, "Vervalst.", "forged", In_Reply_To="<x@y>")
    seen = len(server.flags())
    server.deliver(bounce.encode(), forged.as_bytes())
    await keep_mailbox(work, 1)
    assert server.flags()[seen:] == [{"\\Seen"}] * 2
    assert await inquiries(api, office.manager, office) == []
    assert await answered(work.make, message) == []
    async with work.make() as session:
        row = await session.get_one(Message, message.id)
    assert (row.state, row.channel) == (MessageState.BOUNCED, Channel.EMAIL)


async def test_a_mail_that_is_too_large_is_not_read_but_told_and_flagged(
    api: Api, work: WorkContext, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_module, "LARGEST_MAIL", 100_000)
    office = await asking.office(api)
    message = await letter(work.make, office)
    mail = reply(work, message.id, "Te veel bijlagen.", "huge")
    mail.add_attachment(
        files.pdf(padding=200_000), maintype="application", subtype="pdf", filename="a.pdf"
    )
    server.deliver(mail.as_bytes())
    for _ in range(2):
        await keep_mailbox(work, 1)
    assert server.flags()[-1] == {"\\Seen", "\\Flagged"}
    [found] = await inquiries(api, office.manager, office)
    [update] = found["updates"]
    assert "was not read; it is in the mailbox" in update["body"]
    assert "Te veel" not in update["body"]
    assert found["files"] == []


async def test_a_mail_server_that_is_away_or_refuses_us_loses_no_mail(
    api: Api, work: WorkContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    office = await asking.office(api)
    message = await letter(work.make, office)
    with imap_server() as own:
        wrong = work.settings.model_copy(
            update={"imap_port": own.port, "imap_password": SecretStr("wrong")}
        )
        own.deliver(reply(work, message.id, "Bent u er nog?", "away-1").as_bytes())
        with pytest.raises(MailboxAway):
            open_mailbox(wrong)
        with pytest.raises(MailboxAway):
            open_mailbox(wrong.model_copy(update={"imap_security": "tls"}))
        with pytest.raises(MailboxAway):
            open_mailbox(
                work.settings.model_copy(update={"imap_port": own.port, "imap_folder": "No"})
            )
        await keep_mailbox(WorkContext(work.make, wrong), 1)
        assert own.flags() == [set()]
        right = WorkContext(work.make, work.settings.model_copy(update={"imap_port": own.port}))
        await keep_mailbox(right, 1)
        assert own.flags() == [{"\\Seen"}]
    await keep_mailbox(right, 1)  # nobody answers there any more
    assert len(await inquiries(api, office.manager, office)) == 1


async def test_a_mail_that_was_recorded_before_the_worker_ended_changes_nothing(
    api: Api, work: WorkContext, server: ImapServer
) -> None:
    office = await asking.office(api)
    message = await letter(work.make, office)
    server.deliver(reply(work, message.id, "Eenmaal.", "once").as_bytes())
    mailbox = open_mailbox(work.settings)
    [(uid, size)] = mailbox.unseen()
    raw = mailbox.read(uid, size)
    mailbox.close()
    assert raw is not None
    intake = MailIntake.of(work.make, MessageSigner.of(work.settings), work.settings)
    assert await intake.take(raw)  # and the worker ends before it marks the mail
    assert server.flags()[-1] == set()
    await keep_mailbox(work, 1)
    assert server.flags()[-1] == {"\\Seen"}
    async with work.make() as session:
        mine = Incident.account_id == office.world.account.id
        assert await session.scalar(select(func.count()).where(mine)) == 1


def test_a_password_never_crosses_a_network_in_the_clear() -> None:
    with pytest.raises(ValidationError, match="WAARBORG_IMAP_SECURITY"):
        Settings(imap_host="mail.guards.example", imap_security="none")
    assert Settings(imap_host="mail.guards.example").imap_security == "tls"
