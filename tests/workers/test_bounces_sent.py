"""What comes back: notices are read whoever wrote them, and the message they are about is known."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain import messages
from domain.actor import Actor
from domain.db import Sessions, transaction
from domain.messages import Message, MessageState
from tests import build
from tests.domain.messages.test_templates import TOLD
from workers.bounces import News, read, sweep_bounces

pytestmark = pytest.mark.anyio

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@relay.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: desk@guards.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
{envelope}Arrival-Date: Sun, 22 Nov 2026 04:06:22 +0000 (UTC)

Final-Recipient: rfc822; gone@client.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--B
Content-Type: {returned}

From: desk@guards.example
Message-ID: <{message_id}@guards.example>
Subject: Melding

{body}
--B--
"""
READ = """\
From: an@client.example
To: desk@guards.example
Subject: Gelezen: Melding
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="B"

--B
Content-Type: text/plain

Uw bericht is gelezen.

--B
Content-Type: message/disposition-notification

Final-Recipient: rfc822;an@client.example
Original-Message-ID: <{message_id}@guards.example>
Disposition: manual-action/MDN-sent-manually; displayed

--B--
"""


def notice(
    message_id: UUID, action: str = "failed", *, envelope: UUID | None = None, whole: bool = False
) -> bytes:
    return POSTFIX.format(
        message_id=message_id,
        action=action,
        status="2.0.0" if action == "delivered" else "5.1.1",
        envelope="" if envelope is None else f"Original-Envelope-Id: {envelope}\n",
        returned="message/rfc822" if whole else "text/rfc822-headers",
        body="Beste An," if whole else "",
    ).encode()


@pytest.mark.parametrize("whole", [False, True])
def test_a_bounce_names_the_message_and_the_reason(whole: bool) -> None:
    message_id = uuid4()
    found = read(notice(message_id, whole=whole))
    assert found is not None
    assert (found.message_id, found.news) == (message_id, News.BOUNCED)
    assert found.said == "5.1.1 smtp; 550 5.1.1 no such mailbox"


def test_the_envelopes_id_goes_before_what_is_returned() -> None:
    ours = uuid4()
    found = read(notice(uuid4(), "delivered", envelope=ours))
    assert found is not None
    assert (found.message_id, found.news) == (ours, News.DELIVERED)


def test_a_read_receipt_names_the_message() -> None:
    message_id = uuid4()
    found = read(READ.format(message_id=message_id).encode())
    assert found is not None
    assert (found.message_id, found.news) == (message_id, News.READ)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00 rubbish",
        b"Subject: Afwezig\n\nIk ben er niet.",
        notice(uuid4(), "delayed"),
        notice(uuid4()).replace(b"Message-ID", b"X-Other"),
        b"Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n",
    ],
)
def test_everything_else_says_nothing(raw: bytes) -> None:
    assert read(raw) is None


async def test_notices_in_the_maildir_reach_their_messages_once(
    make: Sessions, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        bounced, delivered = await messages.compose(
            session, system, world.account.id, intent=f"test:{world.site.id}",
            template="incident_resolved", variables=TOLD["incident_resolved"], at=build.T0,
        )  # fmt: skip
        for message in (bounced, delivered):
            await messages.mark_sent(session, system, message.id, at=build.T0)
    new = tmp_path / "new"
    new.mkdir()
    (new / "1").write_bytes(notice(bounced.id))
    (new / "2").write_bytes(notice(delivered.id, "delivered"))
    (new / "3").write_bytes(READ.format(message_id=delivered.id).encode())
    (new / "4").write_bytes(notice(uuid4()))
    (new / "5").write_bytes(b"Subject: Afwezig\n\nIk ben er niet.")
    assert await sweep_bounces(make, tmp_path) == 3
    assert await sweep_bounces(make, tmp_path) == 0
    async with make() as session:
        states = [(await session.get_one(Message, m.id)).state for m in (bounced, delivered)]
    assert states == [MessageState.BOUNCED, MessageState.READ]
    assert len(list((tmp_path / "cur").iterdir())) == 5
