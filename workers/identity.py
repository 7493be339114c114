"""Mails to the owner of a sign-in: links to set a password, of which no copy is stored, and security notices."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID, uuid5

import structlog

from domain import messages
from domain.core.db import transaction
from domain.credentials import IdentityLetter, letter_for
from domain.factors import notice_for
from workers.jobs import JobContext
from workers.outbound.senders import Office, Undeliverable

log = structlog.get_logger()


async def send_invitation(context: JobContext) -> None:
    """Send the mail of an invitation that is still valid.

    The hash of the link's secret is committed before the mail is sent, so that the link works when the mail
    arrives. A retry sends a new secret; both links work until one is used.
    """
    invitation_id = context.fact.body.get("invitation_id")
    office = context.senders.office
    if invitation_id is None or office is None:
        return
    async with transaction(context.make) as session:
        letter = await letter_for(
            session, UUID(invitation_id), base_url=office.base_url, at=context.at
        )
    if letter is None:
        return
    await _send(context, office, letter, f"invitation-{invitation_id}")


async def send_security_notice(context: JobContext) -> None:
    """Notify the owner of a sign-in that its password, second factors or sessions changed, if that needs a mail."""
    office = context.senders.office
    if office is None:
        return
    letter = await notice_for(context.session, context.fact, base_url=office.base_url)
    if letter is not None:
        fact = context.fact
        about = uuid5(fact.subject_id, f"{fact.kind} {fact.seq}")  # a retry has the same id
        await _send(context, office, letter, f"security-{about}")


async def _send(context: JobContext, office: Office, letter: IdentityLetter, name: str) -> None:
    """Send a mail; log it and give up if the mail server rejects it for good."""
    try:
        await office.post.send(_written(context, office, letter, name), _nothing)
    except (Undeliverable, ValueError) as error:
        log.warning("identity_letter.undeliverable", letter=name, error=repr(error))


def _written(
    context: JobContext, office: Office, letter: IdentityLetter, name: str
) -> EmailMessage:
    mail = EmailMessage()
    here = office.sent_from.rpartition("@")[2]
    mail["Message-ID"] = f"<{name}@{here}>"
    mail["Date"] = format_datetime(context.at)
    mail["From"] = Address(display_name=letter.company, addr_spec=office.sent_from)
    mail["Reply-To"] = Address(addr_spec=office.sent_from)
    mail["To"] = Address(addr_spec=letter.recipient)
    mail["Subject"] = letter.words.subject
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.words.body, cte="quoted-printable")
    page = messages.as_html(letter.words, language=letter.language)
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = letter.language
    return mail


async def _nothing() -> None:
    """Record nothing before the last byte is sent, because a second mail does no harm."""
