"""What text may be: something, not endless, and nothing that a database or a letter cannot carry."""

import re

from domain.core.errors import Code, Refused

LINE, PAGE = 300, 20_000
"""Characters of a name, a reference or a subject; and of what people tell each other."""

# PostgreSQL keeps no NUL. A line ends up in subjects and indexes: one of 10,000 characters fits no index.
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def must_be_line(words: str | None, argument: str) -> None:
    """Refuse a name or reference that is blank, longer than `LINE` or more than one line; None is 'not known'."""
    if words is None:
        return
    _must_say_something(words, LINE, argument)
    if _NOT_IN_A_LINE.search(words):
        raise Refused(Code.INVALID, f"{argument} is one line of text.", argument=argument)


def must_be_words(words: str | None, argument: str) -> None:
    """Refuse what is said when it is blank, longer than `PAGE` or holds a NUL; None is 'nothing said'."""
    if words is None:
        return
    _must_say_something(words, PAGE, argument)
    if "\x00" in words:
        raise Refused(Code.INVALID, f"{argument} holds a NUL character.", argument=argument)


def cleaned(words: str, most: int = LINE) -> str:
    """Text from outside as it may be stored and logged: one line without control characters, cut to `most`."""
    kept = _CONTROL.sub(" ", words[: most * 20]).encode(errors="replace").decode()
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _must_say_something(words: str, most: int, argument: str) -> None:
    if not words.strip():
        raise Refused(Code.INVALID, f"{argument} is blank.", argument=argument)
    if len(words) > most:
        raise Refused(
            Code.INVALID,
            f"{argument} has {len(words):,} characters; {most:,} at most.",
            argument=argument,
        )
