"""Attachments of replies: read from a mail within bounds, and kept in the store of files beside their inquiry."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from hashlib import sha256
from uuid import UUID

import structlog
from sqlalchemy import select

from domain import files
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.settings import Settings
from domain.core.text_rules import cleaned
from domain.files import File, FileState, Unacceptable
from domain.media import MEDIA_TYPES
from workers.mail_parts import MOST_PARTS, bounded

log = structlog.get_logger()

MOST_ATTACHMENTS = 10
_LONGEST_NAME = 120
_NOT_IN_A_NAME = re.compile(r"[/\\:*?\"<>|]")


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file in a mail: its name, the type that the mail states, and the bytes."""

    name: str
    media_type: str
    content: bytes

    @property
    def is_kept(self) -> bool:
        """Whether files of this type and size are accepted; what the bytes are is checked when they are stored."""
        return self.media_type in MEDIA_TYPES and 0 < len(self.content) <= files.MAX_BYTES


def attachments_in(raw: bytes) -> list[MailAttachment]:
    """Read the attachments of a mail, at most ten. May raise any exception on malicious input."""
    found: list[MailAttachment] = []
    for count, part in enumerate(message_from_bytes(bounded(raw, len(raw))).walk()):
        if count >= MOST_PARTS or len(found) >= MOST_ATTACHMENTS:
            break
        name = part.get_filename()
        content = None if part.is_multipart() or name is None else part.get_payload(decode=True)
        if name is not None and isinstance(content, bytes):
            shown = _NOT_IN_A_NAME.sub("_", cleaned(name, _LONGEST_NAME)).strip(". ")
            found.append(MailAttachment(shown or "attachment", part.get_content_type(), content))
    return found


def left_out(attachments: list[MailAttachment]) -> str:
    """Return a line that names the attachments that are not kept; empty when all are."""
    names = ", ".join(
        f"{each.name} ({each.media_type})" for each in attachments if not each.is_kept
    )
    return f"\n\n[{names}: not kept]" if names else ""


@dataclass(frozen=True, slots=True)
class AttachmentKeeper:
    """Keeps attachments in the store that the settings name."""

    make: Sessions
    settings: Settings

    async def keep(
        self,
        tenant_id: UUID,
        incident_id: UUID,
        attachments: list[MailAttachment],
        *,
        at: datetime,
    ) -> int:
        """Keep the attachments of an inquiry that it does not have yet; return how many.

        What is not what the mail says it is, is left out with a line in the log.
        """
        kept = 0
        for each in attachments:
            if not each.is_kept:
                continue
            try:
                kept += await self._keep(tenant_id, incident_id, each, at)
            except (Refused, Unacceptable) as error:
                log.warning("mail.attachment_refused", incident=str(incident_id), error=str(error))
        return kept

    async def _keep(
        self, tenant_id: UUID, incident_id: UUID, attachment: MailAttachment, at: datetime
    ) -> bool:
        digest = sha256(attachment.content).hexdigest()
        async with transaction(self.make) as session:
            tx = Tx(session, Actor.system(tenant_id, "mail"), at)
            is_there = select(File.id).where(
                File.subject_id == incident_id,
                File.sha256 == digest,
                File.state != FileState.AWAITED,
            )
            if await session.scalar(is_there.limit(1)) is not None:
                return False
            file = await files.start_upload(
                tx,
                "Incident",
                incident_id,
                name=attachment.name,
                media_type=attachment.media_type,
                size_bytes=len(attachment.content),
                sha256=digest,
            )
        async with files.folder_of_upload(files.incoming(self.settings)) as folder:
            received = await files.receive(
                _whole(attachment.content), folder, size_bytes=len(attachment.content)
            )
            await files.store(
                self.make,
                files.store_of(self.settings),
                file,
                received,
                scan=bool(self.settings.files_scan_command),
                at=at,
            )
        return True


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
