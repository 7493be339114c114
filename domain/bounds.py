"""What days, instants and amounts may be entered: nothing that a calendar, a sum or a later report cannot hold."""

from datetime import UTC, date, datetime
from functools import lru_cache

from babel.numbers import list_currencies

from domain.errors import Code, Refused

EARLIEST = date(1990, 1, 1)
YEARS_AHEAD = 10
MOST_CENTS = 100_000_000_000
"""A thousand million of a currency. Totals of ten million such amounts still fit."""
MOST_MILLI = 1_000_000_000
"""A million units of a rate."""


def must_be_day(day: date | None, argument: str, at: datetime) -> None:
    """Refuse a day before 1990 or more than ten years after `at`; None is 'not given'."""
    last = date(at.year + YEARS_AHEAD, 12, 31)
    if day is not None and not EARLIEST <= day <= last:
        raise Refused(
            Code.INVALID, f"{argument} is a day from {EARLIEST} to {last}.", argument=argument
        )


def must_be_instant(instant: datetime | None, argument: str, at: datetime) -> None:
    """Refuse an instant before 1990 or more than ten years after `at`; None is 'not given'."""
    if instant is None:
        return
    first = datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC)
    last = datetime(at.year + YEARS_AHEAD, 12, 31, 23, 59, 59, tzinfo=UTC)
    if not first <= instant <= last:
        raise Refused(
            Code.INVALID,
            f"{argument} is from {first:%Y-%m-%d} to {last:%Y-%m-%d}.",
            argument=argument,
        )


def must_be_cents(cents: int | None, argument: str, *, least: int = 0) -> None:
    """Refuse an amount below `least` or above a thousand million; None is 'not given'."""
    if cents is not None and not least <= cents <= MOST_CENTS:
        raise Refused(
            Code.INVALID,
            f"{argument} is from {least:,} to {MOST_CENTS:,} cents.",
            argument=argument,
        )


def must_be_quantity(milli: int, argument: str, *, price_cents: int = 0) -> None:
    """Refuse a quantity in thousandths beyond a million units, or one that at its price costs too much."""
    if abs(milli) > MOST_MILLI:
        raise Refused(
            Code.INVALID,
            f"{argument} is at most {MOST_MILLI:,} thousandths of a unit.",
            argument=argument,
        )
    if abs(milli) * price_cents > MOST_CENTS * 1_000:
        raise Refused(
            Code.INVALID,
            f"{argument} comes to more than {MOST_CENTS:,} cents at its price.",
            argument=argument,
        )


def must_be_currency(code: str, argument: str) -> None:
    """Refuse what is no code of ISO 4217 that is in use."""
    if code not in _currencies():
        raise Refused(
            Code.INVALID, f"{argument} is an ISO 4217 code such as EUR.", argument=argument
        )


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())
