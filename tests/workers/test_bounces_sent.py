"""What comes back: notices are read whoever wrote them, and count only for a message that was sent from here."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain import messages
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.messages import BounceVerdict, Message, MessageSigner, MessageState
from tests import build
from tests.domain.messages.test_templates import TOLD
from tests.workers.returned import CASES, OURS, SIGNER, THERE, Trace, intake_of, postfix
from workers.bounces import sweep_bounces
from workers.mail_notices import News, read
from workers.mail_parts import LARGEST

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
Message-ID: <{signed}@guards.example>
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
Original-Message-ID: <{signed}@guards.example>
Disposition: manual-action/MDN-sent-manually; displayed

--B--
"""


def notice(
    message_id: UUID, action: str = "failed", *, envelope: UUID | None = None, whole: bool = False
) -> bytes:
    return POSTFIX.format(
        signed=SIGNER.signed(message_id),
        action=action,
        status="2.0.0" if action == "delivered" else "5.1.1",
        envelope="" if envelope is None else f"Original-Envelope-Id: {SIGNER.signed(envelope)}\n",
        returned="message/rfc822" if whole else "text/rfc822-headers",
        body="Beste An," if whole else "",
    ).encode()


@pytest.mark.parametrize("whole", [False, True])
def test_a_bounce_names_the_message_and_the_reason(whole: bool) -> None:
    message_id = uuid4()
    found = read(notice(message_id, whole=whole), SIGNER)
    assert found is not None
    assert (found.message_id, found.news) == (message_id, News.BOUNCED)
    assert found.text == "5.1.1 smtp; 550 5.1.1 no such mailbox"


def test_the_envelopes_id_goes_before_what_is_returned() -> None:
    ours = uuid4()
    found = read(notice(uuid4(), "delivered", envelope=ours), SIGNER)
    assert found is not None
    assert (found.message_id, found.news) == (ours, News.DELIVERED)


def test_a_read_receipt_names_the_message() -> None:
    message_id = uuid4()
    found = read(READ.format(signed=SIGNER.signed(message_id)).encode(), SIGNER)
    assert found is not None
    assert (found.message_id, found.news) == (message_id, News.READ)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00 rubbish",
        b"Subject: Afwezig\n\nIk ben er niet.",
        notice(uuid4(), "delayed"),
        notice(uuid4()).replace(b"Message-ID: <", b"Message-ID: <0"),
        b"Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n",
    ],
)
def test_everything_else_says_nothing(raw: bytes) -> None:
    assert read(raw, SIGNER) is None


async def test_notices_in_the_maildir_reach_their_messages_once(
    make: Sessions, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        bounced, delivered = await messages.compose(
            Tx(session, system, build.T0),
            world.account.id,
            intent=f"test:{world.site.id}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
        for message in (bounced, delivered):
            await messages.mark_sent(Tx(session, system, build.T0), message.id)
    new = tmp_path / "new"
    new.mkdir()
    (new / "1").write_bytes(notice(bounced.id))
    (new / "2").write_bytes(notice(delivered.id, "delivered"))
    (new / "3").write_bytes(READ.format(signed=SIGNER.signed(delivered.id)).encode())
    (new / "4").write_bytes(notice(uuid4()))
    (new / "5").write_bytes(b"Subject: Afwezig\n\nIk ben er niet.")
    assert await sweep_bounces(intake_of(make, tmp_path), tmp_path) == 3
    assert await sweep_bounces(intake_of(make, tmp_path), tmp_path) == 0
    async with make() as session:
        states = [(await session.get_one(Message, m.id)).state for m in (bounced, delivered)]
    assert states == [MessageState.BOUNCED, MessageState.READ]
    assert len(list((tmp_path / "cur").iterdir())) == 5


def test_a_notice_of_any_server_is_matched_to_its_message_and_judged() -> None:
    wrong, called, soft_called_hard = [], 0, []
    for shape, status, said, deserved in CASES:
        trace = Trace(uuid4())
        found = read(shape(trace, status, said).encode(), SIGNER)
        assert found is not None, (shape, said)
        assert (found.message_id, found.news) == (trace.message_id, News.BOUNCED), (shape, said)
        if found.verdict is not deserved:
            wrong.append((said, deserved, found.verdict))
        called += (deserved, found.verdict) == (BounceVerdict.HARD, BounceVerdict.HARD)
        if deserved is not BounceVerdict.HARD and found.verdict is BounceVerdict.HARD:
            soft_called_hard.append(said)
    hard = sum(case[3] is BounceVerdict.HARD for case in CASES)
    assert len(CASES) >= 60
    assert called >= 0.95 * hard, wrong
    assert soft_called_hard == []
    assert len(wrong) <= 0.05 * len(CASES), wrong


def test_a_notice_without_a_signed_id_or_with_anothers_says_nothing() -> None:
    trace, stranger = Trace(uuid4()), MessageSigner(b"another installation")
    honest = postfix(trace, "5.1.1", "550 5.1.1 user unknown")
    assert read(honest.encode(), SIGNER) is not None
    unsigned = honest.replace(SIGNER.signed(trace.message_id), str(trace.message_id))
    forged = honest.replace(SIGNER.signed(trace.message_id), stranger.signed(trace.message_id))
    assert read(unsigned.encode(), SIGNER) is None
    assert read(forged.encode(), SIGNER) is None


def test_a_holiday_notice_a_delay_and_an_answer_are_no_bounces() -> None:
    trace = Trace(uuid4())
    away = (
        f"Return-Path: <>\nFrom: {THERE}\nTo: {trace.verp}\nAuto-Submitted: auto-replied\n"
        f"Subject: Afwezig\nIn-Reply-To: {trace.header}\n\nIk ben er niet; mijn postvak is vol en ik besta niet meer."
    )
    answer = f"From: An <{THERE}>\nTo: {OURS}\nIn-Reply-To: {trace.header}\n\n550 keer gevraagd: user unknown?"
    delay = (
        f"Return-Path: <>\nFrom: Mailer-Daemon@mx\nTo: {trace.verp}\nSubject: Warning: message delayed 24 hours\n\n"
        "This message has not yet been delivered. 450 4.2.2 mailbox full. No action is required on your part."
    )
    assert [read(raw.encode(), SIGNER) for raw in (away, answer, delay)] == [None] * 3


def poison(trace: Trace) -> dict[str, bytes]:
    """Notices about a message of ours that were made to break the reader, or the row."""
    honest = postfix(trace, "5.1.1", "550 5.1.1 user unknown").encode()
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000)
    )
    return {
        "0-nul": honest.replace(b"user unknown", b"user =?utf-8?q?=00?= \x00 unknown"),
        "0-escape": honest.replace(b"user unknown", b"\x1b[2Juser unknown \xff\xfe"),
        "1-deep": deep,
        "2-charset": honest.replace(b"charset=utf-8", b"charset=unicode_escape"),
        "3-charset": honest.replace(b"charset=utf-8", b'charset="=?x?b?' + b"A" * 999 + b'?="'),
        "4-semicolons": honest.replace(
            b"MIME-Version: 1.0", b"Content-Type: a/b" + b';"' * 400_000
        ),
        "5-folded": honest.replace(b"MIME-Version: 1.0", b"X-A: 1" + b'\n ;"' * 200_000),
        "6-long": honest.replace(b"user unknown", b"user unknown " + b"x" * 200_000),
        "7-huge": honest + b"x" * (3 * LARGEST),
        "8-no-end": honest.partition(b"--=_b--")[0],
        "9-not-mail": bytes(range(256)) * 40,
    }


async def test_poison_is_set_aside_or_read_and_the_notice_behind_it_counts(
    make: Sessions, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        first, behind = await messages.compose(
            Tx(session, system, build.T0),
            world.account.id,
            intent=f"test:{world.site.id}",
            template="incident_resolved",
            variables=TOLD["incident_resolved"],
        )
        for message in (first, behind):
            await messages.mark_sent(Tx(session, system, build.T0), message.id)
    new = tmp_path / "new"
    new.mkdir()
    for name, raw in poison(Trace(first.id)).items():
        (new / name).write_bytes(raw)
    (new / "a-folder").mkdir()
    (new / "z").write_bytes(postfix(Trace(behind.id), "5.1.1", "550 5.1.1 user unknown").encode())
    assert await sweep_bounces(intake_of(make, tmp_path), tmp_path) >= 2
    async with make() as session:
        for message in (first, behind):
            row = await session.get_one(Message, message.id)
            assert row.state is MessageState.BOUNCED
            assert row.error is not None
            assert len(row.error) <= 500
            assert row.error.isprintable()
    assert [each.name for each in new.iterdir()] == ["a-folder"]
    kept = [*(tmp_path / "cur").iterdir(), *(tmp_path / "quarantine").iterdir()]
    assert len(kept) == len(poison(Trace(first.id))) + 1
