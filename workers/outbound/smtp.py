"""E-mail channel: over SMTP to the configured mail server, or as files where none is configured."""

import asyncio
import mmap
import os
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

import aiosmtplib

from domain.core import private_files
from domain.core.settings import Settings
from domain.messages import MessageSigner, is_hard_bounce
from domain.replacements import OfferLinks
from domain.surveys import SurveyLinks
from domain.testimonials import TestimonialLinks
from workers.outbound import senders
from workers.outbound.email_message import letter_of
from workers.outbound.senders import (
    Gone,
    HandingOver,
    OutboundMessage,
    Unconfirmed,
    Undeliverable,
    base_url,
    domain_of,
)

_LINES = WIRE.clone(max_line_length=200)
"""Long lines, because some relays do not log a Message-ID that is folded onto a line of its own."""


class LetterTransport(Protocol):
    """A way to send mails."""

    async def send(self, letter: EmailMessage, handing_over: HandingOver) -> None:
        """Send a mail, as `Sender.send` does."""
        ...

    async def took(self, message_id: str) -> bool | None:
        """Return whether the mail with this Message-ID was accepted, as `Sender.accepted` does."""
        ...


class Email:
    """The e-mail channel: messages as mails, sent by the configured transport."""

    def __init__(self, settings: Settings, post: LetterTransport) -> None:
        self._sent_from = settings.smtp_from
        self._public_url = settings.public_url
        self._post = post
        self._signer = MessageSigner.of(settings)
        self._links = (
            SurveyLinks.of(settings),
            OfferLinks.of(settings),
            TestimonialLinks.of(settings),
        )
        self._base_url = base_url(settings)
        self.settles_in = timedelta(seconds=settings.smtp_settle_s)

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Send the mail; an invalid address raises `Undeliverable`."""
        try:
            letter = letter_of(
                outgoing,
                self._signer,
                sent_from=self._sent_from,
                leaves_at=datetime.now(UTC),
                public_url=self._public_url,
                put_links=self._put_links,
            )
        except ValueError as error:
            raise Undeliverable(str(error)) from error
        await self._post.send(letter, handing_over)

    def _put_links(self, text: str) -> str:
        for links in self._links:
            text = links.put_into(text, self._base_url)
        return text

    async def accepted(self, outgoing: OutboundMessage) -> bool | None:
        """Ask the transport by the mail's Message-ID."""
        return await self._post.took(
            f"<{self._signer.signed(outgoing.message.id)}@{domain_of(self._sent_from)}>"
        )


class Smtp:
    """A mail server; the log of our own relay, if configured, tells what it accepted."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer = MessageSigner.of(settings)
        self._log = None if settings.smtp_log is None else RelayLog(settings.smtp_log)
        self._leaving: set[asyncio.Task[None]] = set()

    async def send(self, letter: EmailMessage, handing_over: HandingOver) -> None:
        """Send the mail in an SMTP session of its own; return at the server's 250, without waiting for QUIT."""
        server = self._server()
        try:
            await server.connect()
            await self._address(server, letter)
            await handing_over()
            await _deliver(server, letter)
        except aiosmtplib.SMTPRecipientRefused as refused:
            await _leave(server)
            judged = _judged(refused.code, refused.message, refused)
            if isinstance(judged, Undeliverable) and is_hard_bounce(
                f"{refused.code} {refused.message}"
            ):
                judged = Gone(str(judged))
            raise judged from refused
        except BaseException:  # on cancellation too, the session ends with QUIT
            await _leave(server)
            raise
        leaving = asyncio.create_task(_leave(server), name="quit")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def took(self, message_id: str) -> bool | None:
        """Look the mail up in the relay's log; None without a log."""
        return None if self._log is None else await self._log.took(message_id)

    def _server(self) -> aiosmtplib.SMTP:
        place = self._settings
        encrypted = place.smtp_starttls
        if encrypted is None:
            encrypted = not _is_this_machine(place.smtp_host)
        password = place.smtp_password.get_secret_value()
        return aiosmtplib.SMTP(
            hostname=place.smtp_host,
            port=place.smtp_port,
            username=place.smtp_username or None,
            password=password or None,
            start_tls=encrypted,
            tls_context=ssl.create_default_context() if encrypted else None,
            local_hostname=domain_of(place.smtp_from),
            timeout=senders.STEP_S,
        )

    async def _address(self, server: aiosmtplib.SMTP, letter: EmailMessage) -> None:
        """Send the envelope; where bounces are read, request delivery notices that name the mail (RFC 3461)."""
        envelope_id = str(letter["Message-ID"]).strip("<>").partition("@")[0]
        mail, rcpt = [], []
        if self._settings.reads_mail and server.supports_extension("dsn"):
            mail = ["RET=HDRS", f"ENVID={envelope_id}"]
            rcpt = ["NOTIFY=SUCCESS,FAILURE"]
        recipient = letter["To"].addresses[0].addr_spec
        if not recipient.isascii():
            if not server.supports_extension("smtputf8"):
                raise Undeliverable(f"the mail server takes no address like {recipient}")
            mail += ["SMTPUTF8", "BODY=8BITMIME"]
        await server.mail(self._return_path(letter), options=mail, encoding="utf-8")
        await server.rcpt(recipient, options=rcpt, encoding="utf-8")

    def _return_path(self, letter: EmailMessage) -> str:
        """Return the envelope sender: where bounces are read, an address that identifies the mail (VERP)."""
        place = self._settings
        message_id = self._signer.find(str(letter["Message-ID"]))
        if not place.reads_mail or message_id is None:
            return place.smtp_from
        return self._signer.return_path(
            place.smtp_from, message_id, delimiter=place.bounce_delimiter
        )


async def _deliver(server: aiosmtplib.SMTP, letter: EmailMessage) -> None:
    """Send the content and wait for the answer; raise `Unconfirmed` if the connection ends before it."""
    policy = _LINES.clone(utf8=not letter["To"].addresses[0].addr_spec.isascii())
    try:
        await server.data(letter.as_bytes(policy=policy))
    except aiosmtplib.SMTPResponseException as answer:
        if answer.code < 0:  # not a valid SMTP answer
            raise Unconfirmed(answer.message) from answer
        raise _judged(answer.code, answer.message, answer) from answer
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Unconfirmed(f"{type(error).__name__}: {error}") from error


async def _leave(server: aiosmtplib.SMTP) -> None:
    """End the SMTP session with QUIT if it is still connected, and close the connection."""
    with suppress(aiosmtplib.SMTPException, OSError):
        if server.is_connected:
            await server.quit(timeout=2)
    server.close()


def _judged(code: int, message: str, answer: Exception) -> Exception:
    """Return the error of a reply: 5xx is permanent (RFC 5321 §4.2.1), except 53x, a failed log-in of ours."""
    if 500 <= code < 600 and not 530 <= code < 540:
        return Undeliverable(f"{code} {message}")
    return answer


def _is_this_machine(host: str) -> bool:
    """Return whether the host is this machine, so that TLS is unnecessary."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class RelayLog:
    """The log of a Postfix relay, which tells whether a mail entered its queue.

    Postfix logs a mail's Message-ID with the queue id while it reads the headers, and that id again as `queue
    active` or with a `status=` once the mail is on disk; a connection lost in between leaves only the first
    line.
    """

    def __init__(self, path: Path) -> None:
        self._files = (path.with_name(f"{path.name}.1"), path)

    async def took(self, message_id: str) -> bool:
        """Return whether the current or the rotated log shows the mail. Raises `OSError` when a log cannot be read."""
        return await asyncio.to_thread(self._took, message_id.encode())

    def _took(self, message_id: bytes) -> bool:
        rotated, current = self._files
        began: set[bytes] = set()  # queue ids whose lines may continue in the next file
        for file in (rotated, current) if rotated.exists() else (current,):
            with file.open("rb") as log:
                if os.fstat(log.fileno()).st_size == 0:
                    continue
                with mmap.mmap(log.fileno(), 0, access=mmap.ACCESS_READ) as text:
                    starts = dict.fromkeys(began, 0)
                    for start, line in _lines(text, b"message-id=" + message_id, 0):
                        starts[_queue_id(line)] = start + len(line)
                    began = set(starts)
                    if any(_is_queued(text, *each) for each in starts.items()):
                        return True
        return False


def _queue_id(line: bytes) -> bytes:
    """`… postfix/cleanup[7]: 4Abc12: message-id=<…>` → `4Abc12`."""
    return line.partition(b": message-id=")[0].rpartition(b" ")[2]


def _is_queued(text: mmap.mmap, queue_id: bytes, start: int) -> bool:
    """Return whether the mail of a queue id, logged before `start`, entered the queue. Queue ids are reused."""
    for _, line in _lines(text, b" " + queue_id + b": ", start):
        if b"message-id=" in line:
            return False
        if b"(queue active)" in line or b" status=" in line:
            return True
    return False


def _lines(text: mmap.mmap, wanted: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield the complete lines that contain `wanted`, with their offsets."""
    at = text.find(wanted, start)
    while at >= 0:
        end = text.find(b"\n", at)
        if end < 0:
            return  # the line is still being written
        begin = text.rfind(b"\n", 0, at) + 1
        yield begin, text[begin:end]
        at = text.find(wanted, end)


class Folder:
    """A folder in place of a mail server: mails are written as `.eml` files, one for each Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: EmailMessage, handing_over: HandingOver) -> None:
        """Write the mail; a repeat replaces the first file."""
        await handing_over()
        private_files.make_directory(self._folder)
        name = self._name(str(letter["Message-ID"]))
        with private_files.replacing(self._folder / f"{name}.eml") as file:
            file.write(letter.as_bytes(policy=letter.policy.clone(max_line_length=200)))

    async def took(self, message_id: str) -> bool:
        """Return whether the file exists."""
        return (self._folder / f"{self._name(message_id)}.eml").exists()

    @staticmethod
    def _name(message_id: str) -> str:
        return message_id.strip("<>").partition("@")[0].partition(".")[0]


def letter_transport(settings: Settings) -> LetterTransport:
    """Return the mail server of the settings, else a folder in the data directory."""
    return Smtp(settings) if settings.smtp_host else Folder(settings.data / "mail")
