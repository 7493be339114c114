"""Addresses of e-mail: which ones a letter can be made for, and which are the same mailbox."""

import re

import idna

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.IGNORECASE)
LONGEST_LOCAL_PART, LONGEST = 64, 254


def is_mailbox(address: str) -> bool:
    """Whether a letter can be made for an address, and a mail server without SMTPUTF8 takes it."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > LONGEST_LOCAL_PART:
        return False
    ascii_domain = domain_on_the_wire(domain)
    return ascii_domain is not None and len(local) + 1 + len(ascii_domain) <= LONGEST


def domain_on_the_wire(domain: str) -> str | None:
    """A domain as mail servers take it, in ASCII and lower case; None when there can be no such domain."""
    if domain.lower() == "localhost":
        return "localhost"
    try:
        found = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    is_name = "." in found and not found.endswith(".") and not found.rpartition(".")[2].isdigit()
    return found.lower() if is_name else None


def on_the_wire(address: str) -> str:
    """An address with its domain in ASCII, as mail servers take it; as it stands when it has none."""
    local, at, domain = address.rpartition("@")
    found = domain_on_the_wire(domain) if at else None
    return address if found is None else f"{local}@{found}"


def mailbox(address: str) -> str:
    """What two addresses of one mailbox have in common: case and the script of the domain make no difference."""
    return on_the_wire(address.strip()).casefold()
