"""What comes back: notices that a letter was delivered, bounced or read, from the Maildir the relay puts them in."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select

from domain import messages
from domain.actor import Actor
from domain.db import Sessions, transaction
from domain.messages import Message as MessageRow
from domain.settings import Settings

log = structlog.get_logger()

EVERY_S = 5.0
LARGEST = 1_000_000  # bytes of a notice that are read


class News(StrEnum):
    """What a notice says."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of one message, and in whose words."""

    message_id: UUID
    news: News
    said: str


def read(raw: bytes) -> Notice | None:
    """What a notice of delivery status (RFC 3464) or of disposition (RFC 8098) says about a message of ours.

    None for everything else: holiday notices, delays, letters from people. The message is known by the envelope's id
    that we gave (RFC 3461), else by the Message-ID of what is returned.
    """
    report = message_from_bytes(raw[:LARGEST], policy=default)
    if report.get_content_type() != "multipart/report":
        return None
    parts = list(report.walk())
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            found = _status(_blocks(part))
        elif kind == "message/disposition-notification":
            found = _disposition(_blocks(part))
        else:
            continue
        if found is None:
            return None
        news, said, ours = found
        message_id = _id(ours)
        if message_id is None:
            message_id = _id(_returned(parts))
        return None if message_id is None else Notice(message_id, news, said)
    return None


def _blocks(part: Message) -> list[Message]:
    """The groups of fields in a machine-readable part."""
    payload = part.get_payload()
    return (
        [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    )


def _status(blocks: list[Message]) -> tuple[News, str, str] | None:
    envelope = "".join(str(block.get("Original-Envelope-Id", "")) for block in blocks)
    for block in blocks:
        action = str(block.get("Action", "")).strip().lower()
        said = " ".join(
            str(block.get(name, "")) for name in ("Status", "Diagnostic-Code") if block.get(name)
        )
        if action == "failed":
            return News.BOUNCED, said or "failed", envelope
        if action == "delivered":
            return News.DELIVERED, said, envelope
    return None


def _disposition(blocks: list[Message]) -> tuple[News, str, str] | None:
    for block in blocks:
        if "displayed" in str(block.get("Disposition", "")).lower():
            return News.READ, "displayed", str(block.get("Original-Message-ID", ""))
    return None


def _returned(parts: Sequence[Message]) -> str:
    """The Message-ID of the letter, or of its headers, that a notice returns."""
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/rfc822":
            payload = part.get_payload()
            if isinstance(payload, list) and payload and isinstance(payload[0], Message):
                return str(payload[0].get("Message-ID", ""))
        if kind == "text/rfc822-headers":
            raw = part.get_payload(decode=True)
            if isinstance(raw, bytes):
                return str(message_from_bytes(raw, policy=default).get("Message-ID", ""))
    return ""


def _id(text: str) -> UUID | None:
    """`<uuid@host>` or `uuid` → the message's id."""
    try:
        return UUID(text.strip().strip("<>").partition("@")[0])
    except ValueError:
        return None


async def take_in(make: Sessions, notice: Notice, *, at: datetime) -> bool:
    """Write down what became of a message; whether there is such a message."""
    async with transaction(make) as session:
        tenant_id = await session.scalar(
            select(MessageRow.tenant_id).where(MessageRow.id == notice.message_id)
        )
        if tenant_id is None:
            return False
        actor = Actor.system(tenant_id, "bounces")
        if notice.news is News.BOUNCED:
            await messages.bounce(session, actor, notice.message_id, at=at, error=notice.said)
        elif notice.news is News.DELIVERED:
            await messages.mark_delivered(session, actor, notice.message_id, at=at)
        else:
            await messages.mark_read(session, actor, notice.message_id, at=at)
    return True


async def keep_bounces(make: Sessions, settings: Settings) -> None:
    """Read the Maildir every five seconds until cancelled; any number of workers may."""
    if settings.bounces is None:
        await asyncio.Event().wait()
        return
    while True:
        await sweep_bounces(make, settings.bounces)
        await asyncio.sleep(EVERY_S)


async def sweep_bounces(make: Sessions, maildir: Path) -> int:
    """Read what is new and put it among what was seen; how many said something about a message of ours.

    A file is moved after its commit: whoever is killed in between reads it again, and changes nothing.
    """
    count = 0
    new, seen = maildir / "new", maildir / "cur"
    for file in sorted(await asyncio.to_thread(lambda: list(new.glob("*")))):
        try:
            notice = read(await asyncio.to_thread(file.read_bytes))
        except FileNotFoundError:
            continue  # another worker was first
        except Exception as error:  # what one sender wrote must not stop the others' notices
            log.exception("bounces.not_read", file=file.name, error=repr(error))
            notice = None
        count += notice is not None and await take_in(make, notice, at=datetime.now(UTC))
        seen.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            file.rename(seen / f"{file.name}:2,S")
    return count
