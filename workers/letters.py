"""Letters: a message as an e-mail, with the headers that keep machines from answering it."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from domain import messages
from domain.messages import Message, Words
from workers.senders import domain_of


def letter_of(message: Message, *, company: str, sent_from: str) -> EmailMessage:
    """Text and HTML; the Message-ID follows from the message's id, so that a repeat can be recognised.

    RFC 3834 (Auto-Submitted) and X-Auto-Response-Suppress keep holiday notices away. A notice about one's own
    contract needs no List-Unsubscribe. Raises `ValueError` on an address that is none.
    """
    letter = EmailMessage()
    letter["Message-ID"] = f"<{message.id}@{domain_of(sent_from)}>"
    letter["Date"] = format_datetime(message.queued_at)
    letter["From"] = Address(display_name=company, addr_spec=sent_from)
    letter["Reply-To"] = sent_from
    letter["To"] = Address(addr_spec=message.recipient)
    letter["Subject"] = message.subject
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(message.body, cte="quoted-printable")
    words = Words(message.subject, message.body)
    letter.add_alternative(
        messages.as_html(words, language=message.language), subtype="html", cte="quoted-printable"
    )
    # Last, because setting the content takes away all Content-* headers that were there.
    letter["Content-Language"] = message.language
    return letter
