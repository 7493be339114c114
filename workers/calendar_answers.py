"""Parser of the mails with which calendars answer invitations (iTIP REPLY, RFC 5546 and RFC 6047)."""

from email import message_from_bytes

from domain.meetings import CalendarAnswer, answer_in
from domain.messages import MessageSigner
from workers.mail_parts import bounded, text_parts


def read_calendar_answer(raw: bytes, signer: MessageSigner) -> CalendarAnswer | None:
    """Read the answer in a mail; None when it has none to an invitation of ours, or none that can be read."""
    letter = message_from_bytes(bounded(raw))
    for part in text_parts(letter):
        if part.kind != "text/calendar":
            continue
        try:
            return answer_in(part.text, signer)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
            return None  # not iCalendar, or none that says what it should
    return None
