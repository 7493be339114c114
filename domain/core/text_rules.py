"""Validation of text input: not blank, bounded length, no characters that the database or a message cannot carry."""

import re

from domain.core.errors import Code, Refused

LINE, PAGE = 300, 20_000
"""Maximum number of characters of a line (name, reference, subject), and of a longer text."""

# PostgreSQL stores no NUL. A line is used in subjects and indexes; 10,000 characters fit no index.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def must_be_line(text: str | None, argument: str) -> None:
    """Refuse a name or reference that is blank, longer than `LINE` or more than one line; None means not given."""
    if text is None:
        return
    _check_length(text, LINE, argument)
    if _NOT_IN_A_LINE.search(text):
        raise Refused(Code.INVALID, f"{argument} must be one line of text.", argument=argument)


def must_be_text(text: str | None, argument: str) -> None:
    """Refuse a text that is blank, longer than `PAGE` or contains a NUL; None means not given."""
    if text is None:
        return
    _check_length(text, PAGE, argument)
    if "\x00" in text:
        raise Refused(
            Code.INVALID, f"{argument} contains a NUL character; remove it.", argument=argument
        )


def cleaned(text: str, maximum: int = LINE) -> str:
    """Clean a text from outside for storage and logs: one line without control characters, cut to `maximum`."""
    kept = _CONTROL.sub(" ", text[: maximum * 20]).encode(errors="replace").decode()
    line = " ".join(kept.split())
    return line if len(line) <= maximum else line[: maximum - 1] + "…"


def _check_length(text: str, maximum: int, argument: str) -> None:
    if not text.strip():
        raise Refused(Code.INVALID, f"{argument} must not be blank.", argument=argument)
    if len(text) > maximum:
        raise Refused(
            Code.INVALID,
            f"{argument} has {len(text):,} characters; at most {maximum:,} are allowed.",
            argument=argument,
        )
