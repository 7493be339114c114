"""Convert texts, numbers and wall clocks of another system to aware UTC times."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.imports.column_file import Cell
from domain.imports.formats import EXCEL, UNIX, UNIX_MS, InstantFormat, format_of
from domain.imports.mapping import Profile, zone_of

FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours the clock of another system may be, unless the profile allows more."""

_REMEMBERED = 200_000  # cached times: in a log the rows of one incident repeat them
_EPOCH, _EXCEL_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock
_NUMBER = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,12})?")
_ZONE = r"(?: ?(?:Z|UTC|GMT)|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_EXTENDED = rf"{_DATE}(?:[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.,][0-9]{{1,9}})?)?{_ZONE})?"
_BASIC = rf"[0-9]{{8}}(?:T[0-9]{{4}}(?:[0-9]{{2}}(?:[.,][0-9]{{1,9}})?)?{_ZONE})?"
_ISO, _ISO_OR_BASIC = re.compile(_EXTENDED), re.compile(f"{_EXTENDED}|{_BASIC}")


class InvalidValue(ValueError):
    """A row has an invalid value; the text is the reason shown to the person who corrects the file."""


class Instant(NamedTuple):
    """A time; `again` is the second occurrence of a wall clock that occurs twice."""

    at: datetime
    again: datetime | None = None

    def after(self, bound: datetime | None) -> datetime:
        """Return the second occurrence when only that one does not lie before `bound`, else the first."""
        if self.again is not None and bound is not None and self.at < bound <= self.again:
            return self.again
        return self.at


class Instants:
    """Parser of times: the profile's own formats first, in their order, then ISO 8601.

    A wall clock is in the profile's zone. One that occurs twice has both times; one that the clocks skipped is refused.
    """

    def __init__(self, profile: Profile) -> None:
        """Start with an empty cache."""
        self._zone = zone_of(profile)
        self._formats = [format_of(form, self._zone) for form in profile.formats]
        self._iso = _ISO if profile.formats else _ISO_OR_BASIC
        self._known: dict[Cell, Instant] = {}

    def __call__(self, cell: Cell) -> Instant:
        """Return the time, or raise InvalidValue."""
        known = self._known.get(cell)
        if known is not None:
            return known
        if isinstance(cell, str):
            found = self._read(cell)
        elif isinstance(cell, datetime):
            found = self._placed(cell, None, cell)
        else:
            raise InvalidValue(f"no such instant: {cell}")
        if not FIRST <= found.at < LAST:
            raise InvalidValue(f"outside the years 1990 to 2099: {cell}")
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[cell] = found
        return found

    def _read(self, text: str) -> Instant:
        for form in self._formats:
            found = self._by(form, text)
            if found is not None:
                return found
        if self._iso.fullmatch(text):
            plain = re.sub(r" ?(?:Z|UTC|GMT)$", "+00:00", text)
            try:
                return self._placed(datetime.fromisoformat(plain), None, text)
            except ValueError as error:
                if isinstance(error, InvalidValue):
                    raise
        raise InvalidValue(f"not an instant: {text[:80]!r}")

    def _by(self, form: InstantFormat, text: str) -> Instant | None:
        if form.name in {EXCEL, UNIX, UNIX_MS}:
            if not _NUMBER.fullmatch(text):
                return None
            number = Decimal(text.replace(",", "."))
            try:
                if form.name == EXCEL:  # Excel's sheets count days, and show whole seconds
                    wall = _EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))
                    return self._placed(wall, None, text)
                us = number * (1_000 if form.name == UNIX_MS else 1_000_000)
                return Instant(_EPOCH + timedelta(microseconds=round(us)))
            except OverflowError as error:
                raise InvalidValue(f"no such instant: {text[:80]!r}") from error
        read = form.read(text)
        return None if read is None else self._placed(read.when, read.zone_name, text)

    def _placed(self, when: datetime, zone_name: str | None, said: Cell) -> Instant:
        """Return the time of a wall clock; a zone in the text takes precedence over the profile's."""
        zone: ZoneInfo = self._zone
        abbreviation = None
        if zone_name in {"UTC", "GMT", "Z"}:
            when = when.replace(tzinfo=UTC)
        elif zone_name is not None and "/" in zone_name:
            zone = ZoneInfo(zone_name)
        else:
            abbreviation = zone_name
        try:
            if when.tzinfo is not None:
                return Instant(when.astimezone(UTC))
            folds = [when.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
            first, second = (fold.astimezone(UTC) for fold in folds)
            back = first.astimezone(zone).replace(tzinfo=None)
        except OverflowError as error:
            raise InvalidValue(f"no such instant: {said}") from error
        if back != when.replace(fold=0):
            raise InvalidValue(f"the clocks of {zone.key} skipped this time: {said}")
        if abbreviation is None:
            return Instant(first, second if second != first else None)
        for fold, at in zip(folds, (first, second), strict=True):
            if fold.tzname() == abbreviation:
                return Instant(at)
        raise InvalidValue(f"{abbreviation} was not the time of {zone.key} then: {said}")
