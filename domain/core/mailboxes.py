"""E-mail addresses: whether mail can be sent to them, and when two of them are the same mailbox."""

import re
import unicodedata

import idna

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
LONGEST_LOCAL_PART, LONGEST = 64, 254  # octets


def is_mailbox(address: str, *, smtp_utf8: bool = False) -> bool:
    """Return whether an address is valid for the mail server, with or without SMTPUTF8 (RFC 6531)."""
    local, at, domain = address.rpartition("@")
    if not at or not local.isprintable() or not _LOCAL.fullmatch(local):
        return False
    if not (local.isascii() or smtp_utf8):
        return False
    octets, ascii_domain = len(local.encode()), domain_to_ascii(domain)
    return (
        octets <= LONGEST_LOCAL_PART
        and ascii_domain is not None
        and octets + 1 + len(ascii_domain) <= LONGEST
    )


def needs_smtp_utf8(address: str) -> bool:
    """Return whether an address is valid for a mail server with SMTPUTF8 only."""
    return not is_mailbox(address) and is_mailbox(address, smtp_utf8=True)


def domain_to_ascii(domain: str) -> str | None:
    """Return a domain in ASCII and lower case; None when it is no valid domain."""
    if domain.lower() == "localhost":
        return "localhost"
    try:
        found = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    is_name = "." in found and not found.endswith(".") and not found.rpartition(".")[2].isdigit()
    return found.lower() if is_name else None


def address_to_ascii(address: str) -> str:
    """Return an address with its domain in ASCII; an address without a valid domain is returned unchanged."""
    local, at, domain = address.rpartition("@")
    found = domain_to_ascii(domain) if at else None
    return address if found is None else f"{local}@{found}"


def mailbox(address: str) -> str:
    """Return the normal form of an address; case, composition and the script of the domain make no difference."""
    return unicodedata.normalize("NFC", address_to_ascii(address.strip())).casefold()
