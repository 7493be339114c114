"""Parse durations: minutes, h:mm, or ISO 8601, which other systems have in columns instead of times."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from domain.imports.timestamps import InvalidValue

Unit = Literal["seconds", "minutes", "hours", "days"]
LONGEST = timedelta(days=3_653)
_SECONDS: dict[Unit, int] = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_NUMBER = r"[0-9]{1,12}(?:[.,][0-9]{1,9})?"
_PLAIN = re.compile(_NUMBER)
_CLOCK = re.compile(
    r"(?:([0-9]{1,4})(?: days?,? |[d.] ?))?([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]{1,9})?))?"
)
_ISO = re.compile(
    rf"P(?=.)(?:({_NUMBER})W)?(?:({_NUMBER})D)?(?:T(?=.)(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?",
    re.IGNORECASE,
)


def duration_of(text: str, unit: Unit) -> timedelta:
    """Parse a duration; `unit` is that of plain numbers, `1:05` is hours and minutes. Raises InvalidValue."""
    if _PLAIN.fullmatch(text):
        seconds = _number(text) * _SECONDS[unit]
    elif found := _CLOCK.fullmatch(text):
        days, hours, minutes, rest = (_number(part) for part in found.groups(default="0"))
        seconds = days * 86_400 + hours * 3_600 + minutes * 60 + rest
    elif found := _ISO.fullmatch(text):
        weeks, days, hours, minutes, rest = (_number(part) for part in found.groups(default="0"))
        seconds = (weeks * 7 + days) * 86_400 + hours * 3_600 + minutes * 60 + rest
    else:
        raise InvalidValue(f"not a duration: {text[:80]!r}")
    if seconds > LONGEST.total_seconds():
        raise InvalidValue(f"a duration of more than ten years: {text[:80]!r}")
    return timedelta(microseconds=int(seconds * 1_000_000))


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
