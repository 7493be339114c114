"""What comes back: notices that a letter was delivered, bounced or read, from the Maildir the relay puts them in."""

import asyncio
import hashlib
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from domain import messages
from domain.access import Actor
from domain.accounts import Channel
from domain.core.db import Sessions, transaction
from domain.messages import Message as MessageRow
from domain.messages import MessageSigner
from workers.notices import LARGEST, News, Notice, Reply, read, read_reply
from workers.periodic import WorkContext, is_away

log = structlog.get_logger()

QUARANTINE = "quarantine"
"""Beside `new` and `cur`: what could not be read or written down, for somebody to look at."""


async def take_in(make: Sessions, notice: Notice, *, at: datetime) -> bool:
    """Write down what became of a letter; whether there is one. Another channel that took over is not concerned."""
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
                session, actor, notice.message_id, at=at, error=notice.text, verdict=notice.verdict
            )
        elif notice.news is News.DELIVERED:
            await messages.mark_delivered(session, actor, notice.message_id, at=at)
        else:
            await messages.mark_read(session, actor, notice.message_id, at=at)
    return True


async def keep_bounces(work: WorkContext, _limit: int) -> int:
    """Read the Maildir, when there is one; any number of workers may do so at once."""
    if work.settings.bounces is not None:
        signer = await asyncio.to_thread(MessageSigner.of, work.settings)
        await sweep_bounces(work.make, work.settings.bounces, signer)
    return 0


async def sweep_bounces(make: Sessions, maildir: Path, signer: MessageSigner) -> int:
    """Read what is new and put it among what was seen; how many said something about a message of ours.

    A file is moved after its commit: whoever is killed in between reads it again, and changes nothing. One that cannot
    be read, or written down, is set aside in `quarantine`; one whose message is locked waits for the next round. Either
    way the others go on. Raises only when the database is away.
    """
    count = 0
    for file in sorted(await asyncio.to_thread(_letters, maildir / "new")):
        try:
            count += await _take(make, file, signer)
            folder = maildir / "cur"
        except FileNotFoundError:
            continue  # another worker was first
        except Exception as error:  # what one sender wrote must not stop the others' notices
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
    """Whether the database refused for a reason of the moment: a lock, a conflict, memory, a shutdown."""
    if not isinstance(error, DBAPIError):
        return False
    return str(getattr(error.orig, "sqlstate", ""))[:2] in {"08", "40", "53", "55", "57", "58"}


async def _take(make: Sessions, file: Path, signer: MessageSigner) -> bool:
    notice, reply, fingerprint = await asyncio.to_thread(_read, file, signer)
    at = datetime.now(UTC)
    if notice is not None:
        return await take_in(make, notice, at=at)
    return reply is not None and await take_reply(make, reply, fingerprint, at=at)


def _read(file: Path, signer: MessageSigner) -> tuple[Notice | None, Reply | None, str]:
    raw = _beginning(file)
    notice = read(raw, signer)
    reply = read_reply(raw, signer) if notice is None else None
    return notice, reply, hashlib.sha256(raw).hexdigest()


async def take_reply(make: Sessions, reply: Reply, fingerprint: str, *, at: datetime) -> bool:
    """Record an answer to a letter, once; whether there is such a letter."""
    async with transaction(make) as session:
        tenant_id = await session.scalar(
            select(MessageRow.tenant_id).where(MessageRow.id == reply.message_id)
        )
        if tenant_id is None:
            return False
        return await messages.note_answer(
            session,
            Actor.system(tenant_id, "answers"),
            reply.message_id,
            sender=reply.sender,
            subject=reply.subject,
            words=reply.words,
            automatic=reply.automatic,
            once_key=f"answer:{fingerprint}",
            at=at,
        )


def _letters(folder: Path) -> list[Path]:
    """The files in a folder; whatever else somebody put there is left alone."""
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
    """Put a letter into another folder; one that cannot be moved stays, and is named in the log."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            file.rename(folder / f"{file.name.partition(':')[0]}:2,S")
    except OSError as error:
        log.warning("bounces.not_moved", file=file.name, error=repr(error))
