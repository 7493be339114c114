"""Processing of bounces, delivery notices, read receipts and replies from the Maildir that the mail relay fills."""

import asyncio
import hashlib
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from domain import meetings, messages
from domain.access import Actor, Tx
from domain.accounts import Channel
from domain.core.db import Sessions, transaction
from domain.meetings import CalendarAnswer, Meeting
from domain.messages import Message as MessageRow
from domain.messages import MessageSigner
from workers.calendar_answers import read_calendar_answer
from workers.mail_notices import News, Notice, Reply, read, read_reply
from workers.mail_parts import LARGEST
from workers.periodic import WorkContext, is_away

log = structlog.get_logger()

QUARANTINE = "quarantine"
"""Folder beside `new` and `cur` for mails that could not be read or recorded, for inspection by an operator."""


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


async def keep_bounces(work: WorkContext, _limit: int) -> int:
    """Process the Maildir, if one is configured; several workers may run this at once."""
    if work.settings.bounces is not None:
        signer = await asyncio.to_thread(MessageSigner.of, work.settings)
        await sweep_bounces(work.make, work.settings.bounces, signer)
    return 0


async def sweep_bounces(make: Sessions, maildir: Path, signer: MessageSigner) -> int:
    """Process the new mails and move them to `cur`; return how many concerned one of our messages.

    A file is moved after its commit: if the worker is killed in between, the mail is read again and changes
    nothing. A mail that cannot be read or recorded is moved to `quarantine`; one whose message is locked
    waits for the next round. Either way the other mails are processed. Raises only when the database cannot
    be reached.
    """
    count = 0
    for file in sorted(await asyncio.to_thread(_letters, maildir / "new")):
        try:
            count += await _take(make, file, signer)
            folder = maildir / "cur"
        except FileNotFoundError:
            continue  # another worker moved the file first
        except Exception as error:  # a malformed mail must not stop the processing of the others
            if is_away(error):
                raise
            if _may_pass(error):
                log.warning("bounces.later", file=file.name, error=type(error).__name__)
                continue
            log.exception("bounces.set_aside", file=file.name, error=type(error).__name__)
            folder = maildir / QUARANTINE
        await asyncio.to_thread(_move, file, folder)
    return count


def _may_pass(error: Exception) -> bool:
    """Return whether a database error is transient: a lock, a conflict, lack of memory or a shutdown."""
    if not isinstance(error, DBAPIError):
        return False
    return str(getattr(error.orig, "sqlstate", ""))[:2] in {"08", "40", "53", "55", "57", "58"}


async def _take(make: Sessions, file: Path, signer: MessageSigner) -> bool:
    found, fingerprint = await asyncio.to_thread(_read, file, signer)
    at = datetime.now(UTC)
    if isinstance(found, CalendarAnswer):
        return await take_calendar_answer(make, found, at=at)
    if isinstance(found, Notice):
        return await take_in(make, found, at=at)
    return found is not None and await take_reply(make, found, fingerprint, at=at)


def _read(file: Path, signer: MessageSigner) -> tuple[CalendarAnswer | Notice | Reply | None, str]:
    """Read a mail: what a calendar answered, else a notice about a message, else a reply of a person."""
    raw = _beginning(file)
    found = read_calendar_answer(raw, signer) or read(raw, signer) or read_reply(raw, signer)
    return found, hashlib.sha256(raw).hexdigest()


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


async def take_reply(make: Sessions, reply: Reply, fingerprint: str, *, at: datetime) -> bool:
    """Record an answer to a message once; return whether the message exists."""
    async with transaction(make) as session:
        tenant_id = await session.scalar(
            select(MessageRow.tenant_id).where(MessageRow.id == reply.message_id)
        )
        if tenant_id is None:
            return False
        return await messages.note_answer(
            Tx(session, Actor.system(tenant_id, "answers"), at),
            reply.message_id,
            sender=reply.sender,
            subject=reply.subject,
            words=reply.words,
            automatic=reply.automatic,
            once_key=f"answer:{fingerprint}",
        )


def _letters(folder: Path) -> list[Path]:
    """List the regular files in a folder; ignore everything else."""
    found = []
    for each in folder.glob("*"):
        with suppress(OSError):
            if stat.S_ISREG(each.lstat().st_mode):
                found.append(each)
    return found


def _beginning(file: Path) -> bytes:
    with file.open("rb") as letter:
        return letter.read(LARGEST)


def _move(file: Path, folder: Path) -> None:
    """Move a mail into another folder; log a mail that cannot be moved and leave it in place."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            file.rename(folder / f"{file.name.partition(':')[0]}:2,S")
    except OSError as error:
        log.warning("bounces.not_moved", file=file.name, error=repr(error))
