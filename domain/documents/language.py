"""Texts of a language: by key with plurals; numbers, money, dates and durations by babel."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

LANGUAGES = ("nl", "en")
_SECOND_US = 1_000_000


@cache
def of(code: str, folder: Path, zone: str = "UTC") -> "Language":
    """Return the language for a reader in a time zone, with the texts `words.<code>.toml` of a folder.

    An unsupported code gives English.
    """
    return Language(code if code in LANGUAGES else "en", folder, zone)


class Language:
    """Texts of one language; times in one time zone."""

    def __init__(self, code: str, folder: Path, zone: str) -> None:
        self.code = code
        self.zone = ZoneInfo(zone)
        self._words = load_texts(code, folder)
        self._locale = Locale.parse(self._words["locale"])

    def say(self, key: str, **variables: Any) -> str:
        """Return the text of `section.name` with its variables; of plurals the form for `n`. Raises KeyError."""
        section, _, name = key.partition(".")
        found = self._words[section][name]
        if isinstance(found, Mapping):
            found = found[self._locale.plural_form(variables["n"])]
        return str(found).format_map({k: self._plain(v) for k, v in variables.items()})

    def _plain(self, value: Any) -> str:
        return self.number(value) if isinstance(value, int) else str(value)

    def number(self, value: int) -> str:
        """Format 1.234 or 1,234."""
        return str(numbers.format_decimal(value, locale=self._locale))

    def decimal(self, value: int, places: int) -> str:
        """Format an integer with so many decimal places: 7500 with three is 7,5 or 7.5."""
        return str(numbers.format_decimal(Decimal(value).scaleb(-places), locale=self._locale))

    def share(self, part: int, whole: int) -> str:
        """Format a share in percent with one decimal, truncated: 99.97 % is not shown as 100 %."""
        thousandths = part * 1000 // whole
        shown = numbers.format_decimal(thousandths / 10, format="0.0", locale=self._locale)
        return f"{shown.removesuffix(',0').removesuffix('.0')}\N{NO-BREAK SPACE}%"

    def money(self, cents: int, currency: str) -> str:
        """Format € 1.234,56 or €1,234.56."""
        return str(
            numbers.format_currency(Decimal(cents).scaleb(-2), currency, locale=self._locale)
        )

    def signed(self, value: int) -> str:
        """Format a difference with its sign; 0 without."""
        shown = self.number(abs(value))
        return shown if value == 0 else f"{'+' if value > 0 else '−'}{shown}"

    def points(self, change: float) -> str:
        """Format a change of a share in percentage points, one decimal."""
        shown = numbers.format_decimal(abs(round(change * 100, 1)), "0.0", locale=self._locale)
        sign = "" if round(change * 100, 1) == 0 else "+" if change > 0 else "−"
        return f"{sign}{shown} {self.say('figure.points')}"

    def day(self, on: date, form: str = "full") -> str:
        """Format Thursday 19 November 2026; `form` is babel's."""
        return str(dates.format_date(on, form, locale=self._locale))

    def clock(self, at: datetime) -> str:
        """Format 23:14."""
        return str(dates.format_time(at, "HH:mm", tzinfo=self.zone, locale=self._locale))

    def moment(self, at: datetime, *, form: str = "EEE d MMM") -> str:
        """Format Thu 19 Nov 23:14."""
        local = at.astimezone(self.zone)
        return self.say("when.moment", day=self.day(local.date(), form), clock=self.clock(at))

    def span(self, us: int) -> str:
        """Format a duration in its two largest units, rounded down."""
        seconds = us // _SECOND_US
        if seconds < 1:
            return self.say("when.under")
        if seconds < 60:
            return self.say("when.seconds", s=seconds)
        minutes = seconds // 60
        if minutes < 60:
            return self.say("when.minutes", min=minutes)
        hours = minutes // 60
        if hours < 48:
            return self.say("when.hours", h=hours, min=minutes % 60)
        return self.say("when.days", d=hours // 24, h=hours % 24)


@cache
def load_texts(code: str, folder: Path) -> Mapping[str, Any]:
    """Load every text of a language, by section and name."""
    return tomllib.loads((folder / f"words.{code}.toml").read_text("utf-8"))
