"""E-mail addresses: whether mail can be sent to them, and when two of them are the same mailbox."""

import re

import idna

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
LONGEST_LOCAL_PART, LONGEST = 64, 254


def is_mailbox(address: str) -> bool:
    """Return whether an address is valid for a mail server without SMTPUTF8."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > LONGEST_LOCAL_PART:
        return False
    ascii_domain = domain_to_ascii(domain)
    return ascii_domain is not None and len(local) + 1 + len(ascii_domain) <= LONGEST


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
    """Return the normal form of an address; case and the script of the domain make no difference."""
    return address_to_ascii(address.strip()).casefold()
