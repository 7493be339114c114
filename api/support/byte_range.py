"""Read the Range header of a request for one file (RFC 9110, section 14)."""

import re
from typing import NamedTuple

_BYTES = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ByteRange(NamedTuple):
    """The first and the last byte to send."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1


class NotSatisfiable(Exception):
    """No byte of the file is in the range."""


def wanted(header: str | None, size: int) -> ByteRange | None:
    """Return the range that is asked for; None for the whole file, also when the header is not understood.

    Several ranges at once are not supported: they get the whole file, as the standard allows. Raises `NotSatisfiable`.
    """
    found = _BYTES.fullmatch((header or "").replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    if not first:
        if int(last) == 0:
            raise NotSatisfiable
        return ByteRange(max(0, size - int(last)), size - 1)
    if int(first) >= size:
        raise NotSatisfiable
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)
