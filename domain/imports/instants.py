"""When something was: texts and wall clocks of another system as aware UTC instants."""

from datetime import UTC, datetime

from domain.imports.profile import Profile, zone_of
from domain.imports.reader import Cell

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_REMEMBERED = 200_000  # instants: in a log the rows of one ticket repeat them


class Unfit(ValueError):
    """A row that says something that cannot be; the text is the reason given to whoever mends the file."""


class Instants:
    """Reads instants. ISO 8601 or one of the profile's formats; a wall clock is of the profile's zone.

    A wall clock that happens twice means its first occurrence; one that does not exist, the instant that many minutes
    after the switch (PEP 495 with fold=0, as the business-day kernel does).
    """

    def __init__(self, profile: Profile) -> None:
        """Nothing is remembered yet."""
        self._zone, self._formats = zone_of(profile), tuple(profile.formats)
        self._known: dict[Cell, datetime] = {}

    def __call__(self, cell: Cell) -> datetime:
        """The aware UTC instant, or Unfit."""
        known = self._known.get(cell)
        if known is not None:
            return known
        when = self._read(cell) if isinstance(cell, str) else cell
        if not isinstance(when, datetime):
            raise Unfit(f"no such instant: {cell}")
        try:
            when = (when if when.tzinfo else when.replace(tzinfo=self._zone)).astimezone(UTC)
        except OverflowError as error:
            raise Unfit(f"no such instant: {cell}") from error
        if not FIRST <= when < LAST:
            raise Unfit(f"outside the years 1970 to 2099: {cell}")
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[cell] = when
        return when

    def _read(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
        for form in self._formats:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the profile's zone is put on next
            except ValueError:
                continue
        raise Unfit(f"not an instant: {text[:80]!r}")
