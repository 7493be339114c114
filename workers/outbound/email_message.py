"""Rendering of a message as an e-mail, with the headers that suppress automatic replies."""

from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from domain import messages
from domain.core.mailboxes import address_to_ascii
from domain.meetings import MEDIA_TYPE, addressed
from domain.messages import HEADER, MessageSigner, RenderedText
from workers.outbound.senders import OutboundMessage, domain_of


def letter_of(
    outgoing: OutboundMessage,
    signer: MessageSigner,
    *,
    sent_from: str,
    leaves_at: datetime,
    public_url: str = "",
    put_links: Callable[[str], str] = str,
) -> EmailMessage:
    """Build the mail: text, HTML with its images, and files; raises `ValueError` on an invalid address.

    The Message-ID follows from the message's id, so that a repeat can be recognised, and is signed, so that
    notices about it can be trusted. RFC 3834 (Auto-Submitted) and X-Auto-Response-Suppress suppress automatic
    replies. Mails about one incident or one credit form one thread. A notice about the reader's own contract
    needs no List-Unsubscribe; optional mail can be ended with one click (RFC 8058). `put_links` puts links into the
    text that are not stored with it.
    """
    message, here = outgoing.message, domain_of(sent_from)
    letter = EmailMessage()
    letter["Message-ID"] = f"<{signer.signed(message.id)}@{here}>"
    letter[HEADER] = signer.signed(message.id)
    letter["Date"] = format_datetime(leaves_at)
    letter["From"] = Address(display_name=outgoing.company, addr_spec=sent_from)
    letter["Reply-To"] = Address(addr_spec=sent_from)
    letter["To"] = Address(addr_spec=address_to_ascii(message.recipient))
    letter["Subject"] = message.subject
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["Feedback-ID"] = f"{message.template}:{message.tenant_id.hex[:12]}:waarborg"
    thread = thread_of(message.intent)
    if thread is not None:
        letter["In-Reply-To"] = letter["References"] = f"<{thread}@{here}>"
    leave = unsubscribe_url(outgoing, public_url)
    if leave is not None:
        letter["List-Unsubscribe"] = f"<{leave}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    words = RenderedText(message.subject, message.body, message.html)
    page = put_links(messages.as_html(words, language=message.language))
    body = _with_end(put_links(message.body), leave, message.language)
    letter.set_content(body, cte="quoted-printable")
    letter.add_alternative(
        _with_link(page, leave, message.language), subtype="html", cte="quoted-printable"
    )
    _enclose_calendar(letter, outgoing, signer, sent_from)
    _enclose(letter, outgoing)
    # Last, because setting the content removes existing Content-* headers.
    letter["Content-Language"] = message.language
    return letter


_THREADS = {"incident", "credit"}


def thread_of(intent: str) -> str | None:
    """Return the thread id of mails about one incident or credit; None for other mails."""
    about, _, rest = intent.partition(":")
    return f"{about}.{rest.partition(':')[0]}" if about in _THREADS else None


def unsubscribe_url(outgoing: OutboundMessage, public_url: str) -> str | None:
    """Return the one-click unsubscribe URL of a topic; None for mandatory mail or without a public URL."""
    key = outgoing.message.unsubscribe_key
    return f"{public_url.rstrip('/')}/u/{key}" if key and public_url else None


_LEAVE = {
    "nl": "Liever geen berichten van deze soort? Meld u af",
    "en": "Rather not get messages of this kind? Unsubscribe",
}


def _with_end(body: str, leave: str | None, language: str) -> str:
    return body if leave is None else f"{body}\n-- \n{_LEAVE[language]}: {leave}\n"


def _with_link(page: str, leave: str | None, language: str) -> str:
    """Add an unsubscribe line to the page. The URL is generated here, so it needs no escaping."""
    if leave is None:
        return page
    line = (
        f'<p style="font-size: 12px; color: #666666"><a href="{leave}">{_LEAVE[language]}</a>.</p>'
    )
    before, end, after = page.rpartition("</body>")
    return f"{before}{line}{end}{after}"


def _enclose_calendar(
    letter: EmailMessage, outgoing: OutboundMessage, signer: MessageSigner, sent_from: str
) -> None:
    """Add an invitation as a third form of the text, which Outlook, Google and Apple read, and as a file for others.

    Before other files, because a message with attachments has no alternatives any more.
    """
    for file in outgoing.enclosures:
        if not file.media_type.startswith(MEDIA_TYPE):
            continue
        content = addressed(file.content, signer, sent_from=sent_from)
        letter.add_alternative(
            content.decode(),
            subtype="calendar",
            cte="quoted-printable",
            params={"method": file.media_type.removeprefix(MEDIA_TYPE)},
        )
        letter.add_attachment(content, maintype="application", subtype="ics", filename=file.name)


def _enclose(letter: EmailMessage, outgoing: OutboundMessage) -> None:
    """Attach images to the HTML part and all other files after it."""
    page = letter.get_body(("html",))
    for file in outgoing.enclosures:
        if file.media_type.startswith(MEDIA_TYPE):
            continue
        kind, _, subtype = file.media_type.partition("/")
        if file.content_id is None:
            letter.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
        else:
            page.add_related(  # type: ignore[union-attr]
                file.content,
                maintype=kind,
                subtype=subtype,
                cid=f"<{file.content_id}>",
                filename=file.name,
                disposition="inline",
            )
