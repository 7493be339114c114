"""Senders: how a letter leaves the house, or is only laid down where no mail server is set."""

import os
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib

from domain.settings import Settings

STEP_S = 10.0  # for each command of the dialogue; the job's own limit bounds the whole of it


class Undeliverable(Exception):
    """The mail server will never take this letter for this recipient."""


class Sender(Protocol):
    """Something that takes letters."""

    async def send(self, letter: EmailMessage) -> None:
        """Return when the letter was taken.

        Raises `Undeliverable` when trying again is of no use, anything else when it may be. A caller that is stopped
        between the taking and its own commit sends the letter again: with the same Message-ID.
        """
        ...


class Smtp:
    """A mail server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, letter: EmailMessage) -> None:
        """Hand the letter over in one dialogue of its own."""
        place = self._settings
        password = place.smtp_password.get_secret_value()
        server = aiosmtplib.SMTP(
            hostname=place.smtp_host,
            port=place.smtp_port,
            username=place.smtp_username or None,
            password=password or None,
            start_tls=place.smtp_starttls,
            tls_context=ssl.create_default_context() if place.smtp_starttls else None,
            local_hostname=domain_of(place.smtp_from),
            timeout=STEP_S,
        )
        async with server:
            try:
                await server.send_message(letter)
            except aiosmtplib.SMTPRecipientsRefused as refused:
                first = refused.recipients[0]
                raise _judged(first.code, first.message, refused) from refused
            except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError):
                raise  # our own set-up is refused: once that is mended, the letter can go
            except aiosmtplib.SMTPResponseException as answer:
                raise _judged(answer.code, answer.message, answer) from answer


def _judged(code: int, message: str, answer: Exception) -> Exception:
    """5xx is for ever (RFC 5321 §4.2.1), except that a failed log-in (53x) is about us, not about the letter."""
    if 500 <= code < 600 and not 530 <= code < 540:
        return Undeliverable(f"{code} {message}")
    return answer


class Folder:
    """No mail server: letters are laid down as `.eml` files, one for each Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: EmailMessage) -> None:
        """Write the letter; a second time replaces the first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = str(letter["Message-ID"]).strip("<>").split("@")[0]
        unfinished = self._folder / f".{name}.{os.getpid()}"
        unfinished.write_bytes(bytes(letter))
        unfinished.replace(self._folder / f"{name}.eml")


def sender_of(settings: Settings) -> Sender:
    """The mail server that the settings name, else a folder in the data directory."""
    return Smtp(settings) if settings.smtp_host else Folder(settings.data / "mail")


def domain_of(address: str) -> str:
    """The part after the @."""
    return address.rpartition("@")[2].strip("> ")
