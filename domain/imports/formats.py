"""Formats of times that a profile may name: strptime directives, Excel's day numbers, Unix time."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

EXCEL, UNIX, UNIX_MS = "excel", "unix", "unix_ms"
NUMBERS = (EXCEL, UNIX, UNIX_MS)
_WORD = re.compile(r"[A-Za-z][A-Za-z_]*(?:/[A-Za-z_+\-0-9]+)*")
_SAMPLE = datetime(2024, 11, 25, 13, 45, 56)  # noqa: DTZ001 - only written and read again
_HOUR = re.compile(r"%[HIcXT]")


class ParsedInstant(NamedTuple):
    """A parsed text: a wall clock or an aware time, and the name of a zone beside it."""

    when: datetime
    zone_name: str | None


class InstantFormat:
    """One format; `%Z` is handled here, because `strptime` checks the name of the zone and drops it."""

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self.name = name
        self._names_zone = "%Z" in name.replace("%%", "")
        self._zone = zone

    def read(self, text: str) -> ParsedInstant | None:
        """Parse a text in this format; None when it is in another one."""
        zone_name = None
        form = self.name
        if self._names_zone:
            found = [word for word in _WORD.finditer(text) if word[0] in _zone_names(self._zone)]
            if not found:
                return None
            zone_name = found[-1][0]
            text = f"{text[: found[-1].start()]} {text[found[-1].end() :]}".strip()
            form = form.replace("%Z", " ").strip()
        try:
            return ParsedInstant(datetime.strptime(text, form), zone_name)  # noqa: DTZ007 - the caller puts the zone on
        except (ValueError, OverflowError):
            return None


def format_of(name: str, zone: ZoneInfo) -> InstantFormat:
    """Return the format of this name."""
    return InstantFormat(name, zone)


@cache
def _zone_names(zone: ZoneInfo) -> frozenset[str]:
    """Return unambiguous zone names: UTC, the profile's own abbreviations, and IANA names."""
    own = {
        datetime(year, month, 1, tzinfo=zone).tzname() or ""
        for year in range(1990, 2031)
        for month in (1, 7)
    }
    plain = {name for name in own if name.isalpha()}
    return frozenset({"UTC", "GMT", "Z", *plain, *(n for n in available_timezones() if "/" in n)})


def problems(formats: Sequence[str]) -> Iterator[str]:
    """Yield the problems of formats: unknown directives, no date, ambiguous 12-hour clock."""
    if sum(form in NUMBERS for form in formats) > 1:
        yield f"one of {', '.join(NUMBERS)}: a number cannot be told from another"
    for form in formats:
        if form in NUMBERS:
            continue
        plain = form.replace("%Z", "").replace("%z", "")
        try:
            read = datetime.strptime(_SAMPLE.strftime(plain), plain)  # noqa: DTZ007 - a sample
        except (ValueError, re.error) as error:
            yield f"{form!r}: {error}"
            continue
        if read.date() != _SAMPLE.date():
            yield f"{form!r} gives no year, month and day"
        elif _HOUR.search(plain) and read.hour != _SAMPLE.hour:
            yield f"{form!r} does not tell morning from evening: %I needs %p"
