"""Rules for the channel of a message: the order of channels, the fallbacks, and quiet hours."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers

from domain.accounts.model import Channel
from domain.messages.model import Urgency

_AT_ONCE = (Channel.PUSH, Channel.SMS, Channel.CHAT)
_IN_ORDER = (Channel.EMAIL, Channel.PUSH, Channel.CHAT, Channel.SMS)


def channels(
    urgency: Urgency,
    preferred: Channel,
    reachable: Collection[Channel],
    *,
    email_only: bool = False,
) -> list[Channel]:
    """Return the channels to try, in order; none when the person has no address.

    The preferred channel comes first. A critical message must not wait until somebody opens the mail: it uses a channel
    that rings first, the preferred one if that rings.
    """
    if email_only:
        return [Channel.EMAIL] if Channel.EMAIL in reachable else []
    wanted = [preferred, *_IN_ORDER]
    if urgency is Urgency.CRITICAL and preferred not in _AT_ONCE:
        wanted = [*_AT_ONCE, *wanted]
    return [channel for channel in dict.fromkeys(wanted) if channel in reachable]


def not_before(
    at: datetime,
    *,
    urgency: Urgency,
    time_zone: str,
    quiet_from: time | None,
    quiet_until: time | None,
) -> datetime | None:
    """Return the end of the quiet hours that contain `at`, on the reader's wall clock; None outside them.

    Hours may span midnight. An end that the wall clock skips in spring (02:30) moves by the length of the gap (03:30).
    An end that occurs twice in autumn is the first of the two that is not over.
    """
    if urgency is Urgency.CRITICAL or quiet_from is None or quiet_until is None:
        return None
    zone = ZoneInfo(time_zone)
    here = at.astimezone(zone)
    clock = here.time().replace(tzinfo=None)
    if quiet_from <= quiet_until:
        quiet, days = quiet_from <= clock < quiet_until, 0
    else:
        quiet, days = clock >= quiet_from or clock < quiet_until, int(clock >= quiet_from)
    if not quiet:
        return None
    end = datetime.combine(here.date() + timedelta(days=days), quiet_until, zone)
    ends = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((each for each in ends if each > at), None)


def e164(phone: str | None, *, region: str = "NL") -> str | None:
    """Format a telephone number as +31612345678; None when no such number can exist."""
    if phone is None:
        return None
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
