"""Read the headers and the text of a mail from outside, within bounds."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message

LARGEST = 1_000_000  # bytes of a mail that are read for its text
# bytes of a header with its continuation lines; longer ones cost quadratic time
LONGEST_FIELD = 8_000
MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class MailPart:
    """One leaf part of a mail: its media type and its text."""

    kind: str
    text: str


Fields = dict[str, str]
"""Header fields by lower-case name; the values of a repeated field are joined, one a line."""


# The parser interprets some message/* types as nested mails. Renamed to text/*, all of them are read in one
# way.
_TYPED = re.compile(
    rb"^(content-type:\s*)message/((?:global-)?(?:delivery-status|disposition-notification|headers)"
    rb"|global|rfc822|rfc822-headers|feedback-report)\b",
    re.IGNORECASE | re.MULTILINE,
)
_CHARSET = re.compile(
    r"(utf[-_]?(8|16|32)\w*|us-ascii|ascii|iso[-_]?(8859|2022)[-_]\w+|latin[-_]?\d+|(windows|cp)[-_]?\d+|koi8[-_]\w"
    r"|gb\w+|big5\w*|shift[-_]?jis|euc[-_]\w+|mac[-_]?roman)",
    re.IGNORECASE,
)


def bounded(raw: bytes, most: int = LARGEST) -> bytes:
    """Return the beginning of a mail, without header fields of excessive length."""
    lines, length = [], 0
    for line in raw[:most].splitlines(keepends=True):
        length = length + len(line) if line[:1] in {b" ", b"\t"} else len(line)
        if length <= LONGEST_FIELD:
            lines.append(line)
        elif length == len(line):
            lines.append(line[:LONGEST_FIELD] + b"\n")
    return _TYPED.sub(rb"\1text/x-\2", b"".join(lines))


def header_of(letter: Message) -> Fields:
    """Return the header fields of a mail; of a repeated field, the last one."""
    return {name.lower(): _decoded(str(value)) for name, value in letter.items()}


def text_parts(letter: Message) -> Iterator[MailPart]:
    """Yield the text parts of a mail, of its first 100 parts."""
    for count, part in enumerate(letter.walk()):
        if count >= MOST_PARTS:
            return
        if part.is_multipart() or part.get_content_maintype() != "text":
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield MailPart(part.get_content_type(), _text(content, part.get_content_charset()))


def _text(content: bytes, charset: str | None) -> str:
    """Decode text in a charset that mail uses, else as UTF-8; replace undecodable bytes."""
    name = charset if charset is not None and _CHARSET.fullmatch(charset) else "utf-8"
    try:
        codecs.lookup(name)
    except LookupError:
        name = "utf-8"
    return content.decode(name, errors="replace").replace("\r\n", "\n")


def _decoded(value: str) -> str:
    """Decode the encoded words of a header field; return the raw value when that fails."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        return value


def field_blocks(text: str) -> list[Fields]:
    """Return the groups of fields in a machine-readable part."""
    return [fields for block in re.split(r"\n[ \t]*\n", text) if (fields := fields_of(block))]


def fields_of(block: str) -> Fields:
    """Parse one group of header fields."""
    found: Fields = {}
    name = ""
    for line in block.splitlines():
        if line[:1] in {" ", "\t"} and name:
            found[name] += " " + line.strip()
            continue
        before, colon, value = line.partition(":")
        if not colon or " " in before.strip():
            continue
        name = before.strip().lower()
        found[name] = f"{found[name]}\n{value.strip()}" if name in found else value.strip()
    return {name: _decoded(value) for name, value in found.items()}
