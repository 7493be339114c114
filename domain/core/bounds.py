"""What days, instants and amounts may be entered: nothing that a calendar, a sum or a later report cannot hold.

The limits of all arguments are here. `schema/core/bounds.py` applies the widest ones to every argument before any rule
runs; the functions below are for rules that ask for more.
"""

from datetime import UTC, date, datetime
from functools import lru_cache

from babel.numbers import list_currencies

from domain.core.errors import Code, Refused

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""Days that are asked about or entered at all."""
FIRST_INSTANT = datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC)
LAST_INSTANT = datetime(LATEST.year, LATEST.month, LATEST.day, 23, 59, 59, 999_999, UTC)
YEARS_AHEAD = 10
"""How far ahead something may be entered that begins, ends or is due."""
MOST_CENTS = 100_000_000_000
"""A thousand million of a currency, for what is booked. Totals of ten million such amounts still fit."""
MOST_CENTS_TOLD = 10 * MOST_CENTS
"""For what is only noted, such as a client's yearly revenue; sums of many such amounts still fit the database."""
MOST_SECONDS = YEARS_AHEAD * 366 * 86_400
MOST_ITEMS = 1_000
"""Items of a list."""
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
    last = datetime(at.year + YEARS_AHEAD, 12, 31, 23, 59, 59, tzinfo=UTC)
    if not FIRST_INSTANT <= instant <= last:
        raise Refused(
            Code.INVALID,
            f"{argument} is from {EARLIEST} to {last:%Y-%m-%d}.",
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
