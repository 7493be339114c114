"""Mail from the Maildir that the mail relay fills: bounces, delivery notices, read receipts and replies."""

import asyncio
import stat
from contextlib import suppress
from pathlib import Path

import structlog

from domain.messages import MessageSigner
from workers.inbound_mail import LARGEST_MAIL, MailIntake, may_pass, too_large
from workers.mail_parts import LARGEST
from workers.periodic import WorkContext, is_away

log = structlog.get_logger()

QUARANTINE = "quarantine"
"""Folder beside `new` and `cur` for mails that could not be read or recorded, for inspection by an operator."""


async def keep_bounces(work: WorkContext, _limit: int) -> int:
    """Process the Maildir, if one is configured; several workers may run this at once."""
    if work.settings.bounces is not None:
        signer = await asyncio.to_thread(MessageSigner.of, work.settings)
        intake = MailIntake.of(work.make, signer, work.settings)
        await sweep_bounces(intake, work.settings.bounces)
    return 0


async def sweep_bounces(intake: MailIntake, maildir: Path) -> int:
    """Process the new mails and move them to `cur`; return how many concerned one of our messages.

    A file is moved after its commit: if the worker is killed in between, the mail is read again and changes
    nothing. A mail that cannot be read or recorded is moved to `quarantine`; one whose message is locked
    waits for the next round. Either way the other mails are processed. Raises only when the database cannot
    be reached.
    """
    count = 0
    for file in sorted(await asyncio.to_thread(_letters, maildir / "new")):
        try:
            raw = await asyncio.to_thread(_contents, file)
        except FileNotFoundError:
            continue  # another worker moved the file first
        try:
            count += await intake.take(raw)
            folder = maildir / "cur"
        except Exception as error:  # a malformed mail must not stop the processing of the others
            if is_away(error):
                raise
            if may_pass(error):
                log.warning("bounces.later", file=file.name, error=type(error).__name__)
                continue
            log.exception("bounces.set_aside", file=file.name, error=type(error).__name__)
            folder = maildir / QUARANTINE
        await asyncio.to_thread(_move, file, folder)
    return count


def _letters(folder: Path) -> list[Path]:
    """List the regular files in a folder; ignore everything else."""
    found = []
    for each in folder.glob("*"):
        with suppress(OSError):
            if stat.S_ISREG(each.lstat().st_mode):
                found.append(each)
    return found


def _contents(file: Path) -> bytes:
    """Read a mail; of one that is too large its header."""
    size = file.stat().st_size
    with file.open("rb") as letter:
        if size <= LARGEST_MAIL:
            return letter.read()
        beginning = letter.read(LARGEST).replace(b"\r\n", b"\n")
    return too_large(beginning.partition(b"\n\n")[0], size)


def _move(file: Path, folder: Path) -> None:
    """Move a mail into another folder; log a mail that cannot be moved and leave it in place."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            file.rename(folder / f"{file.name.partition(':')[0]}:2,S")
    except OSError as error:
        log.warning("bounces.not_moved", file=file.name, error=repr(error))
