"""Parser of mails about our messages: delivery status, read receipts, replies and free-text notices.

A message is identified by a signed id (`domain/messages/signing.py`), wherever the mail carries it: the
recipient address (VERP), the envelope id, the returned headers, In-Reply-To and References, or the text. A
mail without one is not about a message of ours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from enum import StrEnum
from uuid import UUID

from domain.core.text_rules import LINE, PAGE, cleaned
from domain.messages import HEADER, BounceVerdict, MessageSigner, is_failure, judge
from workers.mail_parts import (
    Fields,
    MailPart,
    bounded,
    field_blocks,
    fields_of,
    header_of,
    text_parts,
)

MAX_TEXT = 500  # characters that are stored of a server's reply


class News(StrEnum):
    """What a notice reports about a message."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice about one message: the outcome, the server's text, and the verdict on a bounce."""

    message_id: UUID
    news: News
    text: str
    verdict: BounceVerdict | None = None


_STATUS = {"text/x-delivery-status", "text/x-global-delivery-status"}
_DISPOSITION = {"text/x-disposition-notification", "text/x-global-disposition-notification"}
_RETURNED = {
    "text/x-rfc822",
    "text/x-global",
    "text/x-global-headers",
    "text/x-headers",
    "text/rfc822-headers",
    "text/x-rfc822-headers",
}
_CAME_TO = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "to",
    "cc",
    "received",
    "x-forwarded-to",
)


def read(raw: bytes, signer: MessageSigner) -> Notice | None:
    """Parse a notice about one of our messages; None for everything else, such as letters from people and delays.

    Delivery status follows RFC 3464 and RFC 6533, receipts follow RFC 8098; the text of servers that send no
    fields (qmail, Exim) is parsed too. May raise any exception on malicious input.
    """
    report = message_from_bytes(bounded(raw))
    parts = list(text_parts(report))
    head = header_of(report)
    message_id = _about(signer, head, parts)
    if message_id is None:
        return None
    for part in parts:
        if part.kind in _STATUS:
            found = _status(field_blocks(part.text), _words_of(parts))
        elif part.kind in _DISPOSITION:
            found = _disposition(field_blocks(part.text))
        else:
            continue
        return None if found is None else Notice(message_id, *found)
    found = _plain(head, parts)
    return None if found is None else Notice(message_id, *found)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to one of our messages, written by a person or sent automatically; `mail_id` is its own Message-ID."""

    message_id: UUID
    mail_id: str
    sender: str
    subject: str
    words: str
    automatic: bool


def read_reply(raw: bytes, signer: MessageSigner) -> Reply | None:
    """Parse a reply that names one of our messages in its own headers; None for everything else."""
    letter = message_from_bytes(bounded(raw))
    head = header_of(letter)
    named = [head.get(name, "") for name in ("in-reply-to", "references", *_CAME_TO)]
    message_id = next((found for text in named if (found := signer.find(text)) is not None), None)
    if message_id is None or letter.get_content_type() == "multipart/report":
        return None
    if _MAILER.search(head.get("from", "")) or "x-failed-recipients" in head:
        return None
    automatic = (
        head.get("auto-submitted", "no").strip().lower() != "no"
        or head.get("return-path", "").strip() == "<>"
        or head.get("precedence", "").strip().lower() in {"bulk", "junk", "auto_reply", "list"}
        or any(name in head for name in ("x-autoreply", "x-autorespond", "x-auto-reply", "list-id"))
    )
    text = _QUOTED.split(_words_of(list(text_parts(letter))), maxsplit=1)[0]
    words = _CONTROL.sub(" ", text).strip()[:PAGE] or "(…)"
    return Reply(
        message_id,
        cleaned(head.get("message-id", ""), LINE),
        cleaned(head.get("from", ""), LINE) or "(…)",
        cleaned(head.get("subject", ""), LINE) or "(…)",
        words,
        automatic,
    )


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]+")
_QUOTED = re.compile(
    r"\n(?:On [^\n]{1,200} wrote:|Op [^\n]{1,200} schreef[^\n]{0,100}:|Am [^\n]{1,200} schrieb[^\n]{0,100}:"
    r"|Le [^\n]{1,200} a écrit ?:|-{2,} ?Original|_{10,}|>)",
)


def _about(signer: MessageSigner, head: Fields, parts: Sequence[MailPart]) -> UUID | None:
    """Find the message that a notice is about; recipient addresses take precedence over quoted content."""
    places = [head.get(name, "") for name in _CAME_TO]
    for part in parts:
        if part.kind in _STATUS | _DISPOSITION:
            for block in field_blocks(part.text):
                places += [
                    block.get(name, "")
                    for name in (
                        "original-envelope-id",
                        "original-message-id",
                        "x-original-message-id",
                    )
                ]
    for part in parts:
        if part.kind in _RETURNED:
            returned = fields_of(part.text.partition("\n\n")[0])
            places += [
                returned.get(name, "") for name in (HEADER.lower(), "message-id", "return-path")
            ]
    places += [
        head.get(name, "") for name in ("in-reply-to", "references", "x-original-message-id")
    ]
    places += [part.text for part in parts]
    return next((found for text in places if (found := signer.find(text)) is not None), None)


def _status(blocks: Sequence[Fields], words: str) -> tuple[News, str, BounceVerdict | None] | None:
    for block in blocks:
        action = block.get("action", "").strip().lower().partition(" ")[0]
        status, diagnostic = block.get("status", ""), block.get("diagnostic-code", "")
        text = cleaned(" ".join(each for each in (status, diagnostic) if each), MAX_TEXT)
        if action == "failed":
            code = re.sub(r"^\s*[\w.-]{1,40}\s*;", "", diagnostic).strip()
            reason = diagnostic if code else _after_the_address(words)
            shown = text if code or not reason else cleaned(f"{status} {reason}", MAX_TEXT)
            return News.BOUNCED, shown or "failed", judge(reason, status=status)
        if action == "delivered":
            return News.DELIVERED, text, None
    return None


def _disposition(blocks: Sequence[Fields]) -> tuple[News, str, BounceVerdict | None] | None:
    if any("displayed" in block.get("disposition", "").lower() for block in blocks):
        return News.READ, "displayed", None
    return None


_COPY = re.compile(
    r"\n[ >]*(?:-+ ?(?:below this line|this is a copy|the following is|original message|the header of the original|"
    r"returned (?:message|mail)|transcript ends|nachricht|message d'origine|oorspronkelijk|included is a copy|"
    r"unten finden|ci-dessous|hieronder)|original message headers|here is a copy)",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"warning: message .* delayed|has not (?:yet )?been delivered|warning message only|delivery (?:is|has been) delayed"
    r"|will (?:be retried|keep trying|continue to try)|no action is required"
    r"|you do not need to (?:take any action|resend)"
    r"|nog niet (?:bezorgd|afgeleverd)|noch nicht zugestellt|pas encore",
    re.IGNORECASE,
)
_MAILER = re.compile(
    r"(?:^|[<\s\"])(?:mailer-daemon|postmaster|mail-?daemon|double-bounce|mdaemon|bounces?)\b",
    re.IGNORECASE,
)
_RETURNED_SUBJECT = re.compile(
    r"undeliver|returned (?:mail|to sender)|delivery (?:status|fail|notification|problem)|mail delivery|failure notice|"
    r"non remis|unzustellbar|onbestelbaar|niet bezorgd|[ée]chec|nicht zugestellt|delivery report",
    re.IGNORECASE,
)


def _words_of(parts: Sequence[MailPart]) -> str:
    """Return the human-readable text of a notice, without the returned mail."""
    text = next((part.text for part in parts if part.kind == "text/plain"), "")
    if not text:
        pages = (part.text for part in parts if part.kind == "text/html")
        text = re.sub(r"<(?!\S+@)[^<>]{0,500}>", " ", next(pages, ""))
    return _COPY.split(text, maxsplit=1)[0]


def _plain(
    head: Fields, parts: Sequence[MailPart]
) -> tuple[News, str, BounceVerdict | None] | None:
    """Parse a notice without fields: it must come from a mail server and report a failed delivery."""
    text = _words_of(parts)
    is_from_a_server = (
        "x-failed-recipients" in head
        or head.get("return-path", "").strip() == "<>"
        or _MAILER.search(head.get("from", "")) is not None
    )
    is_answer = head.get("auto-submitted", "").lower().startswith("auto-replied") and not (
        "x-failed-recipients" in head or _RETURNED_SUBJECT.search(head.get("subject", ""))
    )
    if not is_from_a_server or is_answer or _DELAYED.search(text):
        return None
    reason = _after_the_address(text)
    is_named = "x-failed-recipients" in head or _RETURNED_SUBJECT.search(head.get("subject", ""))
    if not is_failure(reason) and not is_named:
        return None
    return News.BOUNCED, cleaned(reason, MAX_TEXT) or "failed", judge(reason)


_ADDRESS_LINE = re.compile(
    r"^[ \t]*<?[^\s<>@]+@[^\s<>@]+>?[ \t]*:?[ \t]*(?:\([^)]*\))?$", re.MULTILINE
)
_REASON_LINE = re.compile(
    r"^.*(?:(?<![\d.])[45]\d\d[ \-]+\S|#[45]\.\d|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![.\d])).*$",
    re.MULTILINE,
)


def _after_the_address(text: str) -> str:
    """Extract the reason from a free-text notice: the lines after the address, else lines with a code, else all."""
    found = _ADDRESS_LINE.search(text)
    if found is not None:
        block = re.split(r"\n[ \t]*\n", text[found.end() :].lstrip("\n"), maxsplit=1)[0]
        if block.strip():
            return "\n".join(line.strip() for line in block.splitlines())
    line = _REASON_LINE.search(text)
    if line is not None:
        return text[line.start() :].split("\n\n", 1)[0].strip()
    return text.strip()
