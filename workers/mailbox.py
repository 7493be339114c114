"""Mail from an IMAP mailbox: what nobody has seen is read, recorded once, and marked as seen after its commit."""

import asyncio
import imaplib
import re
import ssl
from contextlib import suppress

import structlog

from domain.core.settings import Settings
from domain.messages import MessageSigner
from workers.inbound_mail import LARGEST_MAIL, MailIntake, may_pass, too_large
from workers.periodic import WorkContext, is_away

log = structlog.get_logger()

STEP_S = 30.0
"""How long the mail server may take for one step."""
MOST = 100
"""Mails of one connection; the others wait for the next one, so that none is open for long."""
_SIZE = re.compile(rb"UID (\d+)\b.*?RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+)\b.*?UID (\d+)", re.DOTALL)
# Time-outs, broken connections and certificates are OSErrors; a login outside ASCII cannot be sent.
_FAULTS = (imaplib.IMAP4.error, OSError, UnicodeError)


class MailboxAway(Exception):
    """The mail server cannot be reached, refuses us, or does not do what was asked."""


class Mailbox:
    """A folder of a mail server, over one connection; every method blocks, so it is called in a thread."""

    def __init__(self, connection: imaplib.IMAP4) -> None:
        self._connection = connection

    def unseen(self) -> list[tuple[bytes, int]]:
        """Return the oldest mails that nobody has seen: their numbers (UID) and sizes in bytes."""
        found = self._ask("SEARCH", "UNSEEN")
        uids = b" ".join(each for each in found if isinstance(each, bytes)).split()[:MOST]
        if not uids:
            return []
        sizes: dict[bytes, int] = {}
        for line in self._ask("FETCH", b",".join(uids).decode(), "(UID RFC822.SIZE)"):
            match = _SIZE.search(line) if isinstance(line, bytes) else None
            if match is not None:
                uid, size = (match[1], match[2]) if match[1] else (match[4], match[3])
                sizes[uid] = int(size)
        return [(each, sizes[each]) for each in uids if each in sizes]

    def read(self, uid: bytes, size: int) -> bytes | None:
        """Return a mail, of one that is too large its header; None when it is gone. It stays unseen."""
        part = "BODY.PEEK[]" if size <= LARGEST_MAIL else "BODY.PEEK[HEADER]"
        answer = self._ask("FETCH", uid.decode(), f"({part})")
        raw = next((bytes(each[1]) for each in answer if isinstance(each, tuple)), None)
        return raw if raw is None or size <= LARGEST_MAIL else too_large(raw, size)

    def mark(self, uid: bytes, *, is_odd: bool) -> None:
        """Mark a mail as seen; one that could not be read is flagged too, for a person to look at."""
        flags = r"(\Seen \Flagged)" if is_odd else r"(\Seen)"
        self._ask("STORE", uid.decode(), "+FLAGS.SILENT", flags)

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        with suppress(*_FAULTS):
            self._connection.logout()
        with suppress(*_FAULTS):
            self._connection.shutdown()

    def _ask(self, command: str, *words: str) -> list[bytes | tuple[bytes, bytes] | None]:
        try:
            state, answer = self._connection.uid(command, *words)
        except _FAULTS as error:
            raise MailboxAway(_safe(error)) from error
        if state != "OK":
            raise MailboxAway(f"{command}: {state}")
        return list(answer)


def open_mailbox(settings: Settings) -> Mailbox:
    """Open the mailbox that the settings name. Raises `MailboxAway`; blocks."""
    host, port, context = settings.imap_host, settings.imap_port, ssl.create_default_context()
    mailbox = None
    try:
        connection = (
            imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=STEP_S)
            if settings.imap_security == "tls"
            else imaplib.IMAP4(host, port, timeout=STEP_S)
        )
        mailbox = Mailbox(connection)
        if settings.imap_security == "starttls":
            connection.starttls(context)
        connection.login(settings.imap_username, settings.imap_password.get_secret_value())
        state, _ = connection.select(f'"{settings.imap_folder}"')
        if state != "OK":
            raise imaplib.IMAP4.error("there is no such folder")
    except _FAULTS as error:
        if mailbox is not None:
            mailbox.close()
        raise MailboxAway(_safe(error)) from error
    return mailbox


async def keep_mailbox(work: WorkContext, _limit: int) -> int:
    """Process the mailbox, if one is configured; a mail server that is away is tried again in the next round."""
    if work.settings.imap_host:
        signer = await asyncio.to_thread(MessageSigner.of, work.settings)
        try:
            await sweep_mailbox(MailIntake.of(work.make, signer, work.settings), work.settings)
        except MailboxAway as error:
            log.warning("mailbox.away", host=work.settings.imap_host, error=str(error))
    return 0


async def sweep_mailbox(intake: MailIntake, settings: Settings) -> int:
    """Process the mails that nobody has seen; return how many concerned one of our messages.

    A mail is marked after its commit: if the worker is killed in between, it is read again and changes nothing. One
    that cannot be read or recorded is flagged; one whose message is locked waits for the next round. Raises
    `MailboxAway`, and what the database raises when it cannot be reached.
    """
    count = 0
    mailbox = await asyncio.to_thread(open_mailbox, settings)
    try:
        for uid, size in await asyncio.to_thread(mailbox.unseen):
            raw = await asyncio.to_thread(mailbox.read, uid, size)
            if raw is None:
                continue  # somebody deleted it meanwhile
            is_odd = size > LARGEST_MAIL
            try:
                count += await intake.take(raw)
            except (
                Exception
            ) as error:  # a malformed mail must not stop the processing of the others
                if is_away(error):
                    raise
                if may_pass(error):
                    log.warning("mailbox.later", uid=uid.decode(), error=type(error).__name__)
                    continue
                log.exception("mailbox.set_aside", uid=uid.decode(), error=type(error).__name__)
                is_odd = True
            await asyncio.to_thread(mailbox.mark, uid, is_odd=is_odd)
    finally:
        await asyncio.to_thread(mailbox.close)
    return count


def _safe(error: BaseException) -> str:
    """Return an error in a few words; servers answer in many, and could repeat what we sent."""
    return f"{type(error).__name__}: {error}"[:200]
