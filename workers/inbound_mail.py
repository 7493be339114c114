"""Mail that comes in, from a Maildir or a mailbox: bounces, delivery notices, receipts, calendars' answers, replies.

Each mail is recorded once: a mail that is read again, because the worker ended in between, changes nothing.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from domain import incidents, meetings, messages
from domain.access import Actor, Tx
from domain.accounts import Channel
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.core.text_rules import PAGE
from domain.files import DecoderBusy
from domain.meetings import CalendarAnswer, Meeting
from domain.messages import Message as MessageRow
from domain.messages import MessageSigner, ReceivedReply
from workers.calendar_answers import read_calendar_answer
from workers.mail_attachments import AttachmentKeeper, MailAttachment, attachments_in, left_out
from workers.mail_notices import News, Notice, Reply, read, read_reply
from workers.mail_parts import LARGEST

LARGEST_MAIL = 35_000_000
"""Bytes of a mail that is read: a file of the largest size with its encoding. Of a larger one the header is."""
_KEPT_FIELD = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|in-reply-to|references|auto-submitted|precedence|return-path|list-id"
    rb"|delivered-to|x-original-to|envelope-to|received|x-auto[a-z-]*|x-failed-recipients):",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a mail is about, the key by which it is recorded once, and its files."""

    found: CalendarAnswer | Notice | Reply | None
    once_key: str
    attachments: list[MailAttachment]


@dataclass(frozen=True, slots=True)
class MailIntake:
    """Takes mails in, one at a time."""

    make: Sessions
    signer: MessageSigner
    keeper: AttachmentKeeper

    @classmethod
    def of(cls, make: Sessions, signer: MessageSigner, settings: Settings) -> Self:
        """Return the intake of an installation."""
        return cls(make, signer, AttachmentKeeper(make, settings))

    async def take(self, raw: bytes) -> bool:
        """Record what a mail says; return whether it concerned a message of ours and was new.

        May raise any exception on malicious input; `may_pass` says whether another attempt could succeed.
        """
        contents = await asyncio.to_thread(_read, raw, self.signer)
        at = datetime.now(UTC)
        match contents.found:
            case CalendarAnswer() as answer:
                return await take_calendar_answer(self.make, answer, at=at)
            case Notice() as notice:
                return await take_in(self.make, notice, at=at)
            case Reply() as reply:
                return await self._take_reply(reply, contents, at)
            case None:
                return False

    async def _take_reply(self, reply: Reply, contents: _Contents, at: datetime) -> bool:
        words = (reply.words + left_out(contents.attachments))[:PAGE]
        async with transaction(self.make) as session:
            tenant_id = await session.scalar(
                select(MessageRow.tenant_id).where(MessageRow.id == reply.message_id)
            )
            if tenant_id is None:
                return False
            taken = await incidents.take_reply(
                Tx(session, Actor.system(tenant_id, "mail"), at),
                reply.message_id,
                ReceivedReply(
                    reply.sender, reply.subject, words, reply.automatic, contents.once_key
                ),
            )
        if taken is None:
            return False
        if (
            taken.incident_id is not None
        ):  # also of a mail that is read again: its files may be missing
            await self.keeper.keep(tenant_id, taken.incident_id, contents.attachments, at=at)
        return taken.is_new


def may_pass(error: Exception) -> bool:
    """Return whether an error is transient: a lock, a conflict, lack of memory or disk, a shutdown, a busy decoder."""
    if isinstance(error, (DecoderBusy, OSError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return str(getattr(error.orig, "sqlstate", ""))[:2] in {"08", "40", "53", "55", "57", "58"}


def too_large(header: bytes, size: int) -> bytes:
    """Return a mail that stands for one that is too large to read: who wrote, about what, and that it was not read."""
    lines: list[bytes] = []
    is_kept = False
    for line in header[:LARGEST].splitlines(keepends=True):
        if line[:1] not in {b" ", b"\t"}:
            is_kept = _KEPT_FIELD.match(line) is not None
        if is_kept:
            lines.append(line.rstrip(b"\r\n") + b"\r\n")
    told = f"[This mail has {size / 1e6:.0f} MB and was not read; it is in the mailbox.]"
    return b"".join(lines) + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + told.encode()


async def take_in(make: Sessions, notice: Notice, *, at: datetime) -> bool:
    """Record the outcome of a message; return whether it exists. A message that changed its channel stays as it is."""
    async with transaction(make) as session:
        tenant_id = await session.scalar(
            select(MessageRow.tenant_id).where(
                MessageRow.id == notice.message_id, MessageRow.channel == Channel.EMAIL
            )
        )
        if tenant_id is None:
            return False
        actor = Actor.system(tenant_id, "bounces")
        if notice.news is News.BOUNCED:
            await messages.bounce(
                Tx(session, actor, at), notice.message_id, error=notice.text, verdict=notice.verdict
            )
        elif notice.news is News.DELIVERED:
            await messages.mark_delivered(Tx(session, actor, at), notice.message_id)
        else:
            await messages.mark_read(Tx(session, actor, at), notice.message_id)
    return True


async def take_calendar_answer(make: Sessions, answer: CalendarAnswer, *, at: datetime) -> bool:
    """Record what a calendar answered to an invitation; return whether it changed anything."""
    async with transaction(make) as session:
        tenant_id = await session.scalar(
            select(Meeting.tenant_id).where(Meeting.id == answer.meeting_id)
        )
        if tenant_id is None:
            return False
        tx = Tx(session, Actor.system(tenant_id, "answers"), at)
        return await meetings.note_answer(tx, answer)


def _read(raw: bytes, signer: MessageSigner) -> _Contents:
    """Read a mail: what a calendar answered, else a notice about a message, else a reply of a person."""
    found = read_calendar_answer(raw, signer) or read(raw, signer) or read_reply(raw, signer)
    if not isinstance(found, Reply):
        return _Contents(found, "", [])
    # The same mail may come by two ways with other lines of transport: its Message-ID and sender tell.
    known = f"{found.message_id}\n{found.sender}\n{found.mail_id}".encode()
    digest = hashlib.sha256(known if found.mail_id else raw).hexdigest()
    attachments = [] if found.automatic else attachments_in(raw)
    return _Contents(found, f"answer:{digest}", attachments)
