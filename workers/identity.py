"""A consequence of an invitation or a forgotten password: a letter with a link, and never a copy of its text."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import structlog

from domain import messages
from domain.credentials.letters import IdentityLetter, letter_for
from domain.db import transaction
from workers.jobs import Hand
from workers.senders import Undeliverable

log = structlog.get_logger()


async def send_invitation(hand: Hand) -> None:
    """Send the letter of an invitation, unless it is over.

    The hash of the link's text is committed before the letter leaves, so that a letter that arrives works. After a
    failure another letter has another text; both work until one is used.
    """
    invitation_id = hand.fact.body.get("invitation_id")
    office = hand.senders.office
    if invitation_id is None or office is None:
        return
    async with transaction(hand.make) as session:
        letter = await letter_for(
            session, UUID(invitation_id), base_url=office.base_url, at=hand.at
        )
    if letter is None:
        return
    try:
        written = _written(hand, letter, UUID(invitation_id))
        await office.post.send(written, _nothing)
    except (Undeliverable, ValueError) as error:
        log.warning("invitation.undeliverable", invitation=invitation_id, error=repr(error))


def _written(hand: Hand, letter: IdentityLetter, invitation_id: UUID) -> EmailMessage:
    office = hand.senders.office
    assert office is not None  # noqa: S101 - the caller looked
    mail = EmailMessage()
    here = office.sent_from.rpartition("@")[2]
    mail["Message-ID"] = f"<invitation.{invitation_id}@{here}>"
    mail["Date"] = format_datetime(hand.at)
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
    """Nothing is noted before the last byte leaves: a second letter does no harm."""
