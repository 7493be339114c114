"""Pure rules about accounts and users: API keys and the values of fields."""

import hashlib
import re
import secrets
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from domain.core.errors import Code, Refused
from domain.core.mailboxes import is_mailbox, needs_smtp_utf8
from domain.core.text_rules import must_be_line, must_be_text

PREFIX = "wb"


class Key(NamedTuple):
    """A presented or new API key, parsed: `wb_<prefix>_<secret>_<checksum>`."""

    prefix: str
    secret: str

    @property
    def text(self) -> str:
        """The text of the key, which its owner sees once."""
        head = f"{PREFIX}_{self.prefix}_{self.secret}"
        return f"{head}_{_checksum(head)}"

    @property
    def secret_sha256(self) -> bytes:
        """The stored hash: 256 random bits need no slow hash."""
        return hashlib.sha256(self.secret.encode()).digest()


def _checksum(head: str) -> str:
    """Compute a CRC-32, so that a secret scanner can recognize a leaked key without a request to us."""
    return f"{zlib.crc32(head.encode()):08x}"


def new_key() -> Key:
    """Create a key: eight hex digits to find the row, 256 bits as the secret."""
    return Key(secrets.token_hex(4), secrets.token_hex(32))


def parse_key(presented: str) -> Key | None:
    """Parse a key; None when its shape or checksum is wrong."""
    parts = presented.split("_")
    if len(parts) != 4 or parts[0] != PREFIX:
        return None
    head, _, checksum = presented.rpartition("_")
    return Key(parts[1], parts[2]) if _checksum(head) == checksum else None


def _one_to_five(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= 5


def _not_negative(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _zone(value: object) -> bool:
    return isinstance(value, str) and value in available_timezones()


# Rules of fields and their error texts. Fields that are not listed may hold any value of their type.
_MUST_BE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "time_zone": (_zone, "an IANA time zone such as Europe/Amsterdam"),
    "kvk_number": (lambda v: re.fullmatch("[0-9]{8}", v) is not None, "eight digits"),
    "language": (lambda v: v in {"nl", "en"}, "nl or en"),
    "lat": (lambda v: -90 <= v <= 90, "degrees between -90 and 90"),
    "lon": (lambda v: -180 <= v <= 180, "degrees between -180 and 180"),
    "growth_potential": (_one_to_five, "between 1 and 5"),
    "strategic_importance": (_one_to_five, "between 1 and 5"),
    "decision_power": (_one_to_five, "between 1 and 5"),
    "relationship_strength": (_one_to_five, "between 1 and 5"),
    "yearly_revenue_cents": (_not_negative, "zero or more"),
    "yearly_transactions": (_not_negative, "zero or more"),
    "employees": (_not_negative, "zero or more"),
    "currency": (lambda v: re.fullmatch("[A-Z]{3}", v) is not None, "an ISO 4217 code such as EUR"),
    "country": (lambda v: re.fullmatch("[A-Z]{2}", v) is not None, "an ISO 3166 code such as NL"),
}
# Fields for longer texts; every other text is one line.
_PAGES = frozenset({"cultural_notes", "tone"})


def check(fields: Mapping[str, Any]) -> None:
    """Refuse the first invalid value, naming its field. None means not known and is accepted."""
    for field, value in fields.items():
        for words in value if isinstance(value, list) else [value]:
            if type(words) is str:
                (must_be_text if field in _PAGES else must_be_line)(words, camel(field))
        if value is None or field not in _MUST_BE:
            continue
        fits, wanted = _MUST_BE[field]
        if not fits(value):
            raise Refused(Code.INVALID, f"{camel(field)} must be {wanted}.", argument=camel(field))


def check_email(email: str | None, *, smtp_utf8: bool) -> None:
    """Refuse an address that cannot receive mail, naming the reason; None means 'not known'.

    `smtp_utf8` tells whether the mail server accepts addresses with a local part outside ASCII.
    """
    if email is None or is_mailbox(email, smtp_utf8=smtp_utf8):
        return
    if needs_smtp_utf8(email):
        strange = "".join(sorted({each for each in email.rpartition("@")[0] if not each.isascii()}))
        words = (
            f"email has {strange} before the @, and the mail server is not known to accept such addresses (SMTPUTF8)."
            " Enter an address in ASCII, or set WAARBORG_SMTP_UTF8=true if the mail server accepts them."
        )
    else:
        words = "email must be an e-mail address that can receive mail, such as an@client.example."
    raise Refused(Code.INVALID, words, argument="email")


def changes_of(row: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values that differ from the row's. Refuses an invalid value, and null in a required field."""
    check(given)
    for name, value in given.items():
        if value is None and not row.__table__.c[name].nullable:
            raise Refused(Code.INVALID, f"{camel(name)} cannot be empty.", argument=camel(name))
    return {name: value for name, value in given.items() if getattr(row, name) != value}


def camel(name: str) -> str:
    """Return the name of a field in the API."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
