"""Limits of days, times and amounts that can be entered, so that calendars, sums and later reports can hold them.

The limits of all arguments are here. `schema/core/bounds.py` applies the widest ones to every argument before any rule
runs. The functions below serve rules with stricter limits.
"""

from datetime import UTC, date, datetime
from functools import lru_cache

from babel.numbers import list_currencies

from domain.core.errors import Code, Refused

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""First and last day that can be entered or queried."""
FIRST_INSTANT = datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC)
LAST_INSTANT = datetime(LATEST.year, LATEST.month, LATEST.day, 23, 59, 59, 999_999, UTC)
YEARS_AHEAD = 10
"""How many years ahead of the present a start, end or due date may be."""
MAX_CENTS = 100_000_000_000
"""Limit of a booked amount: 1,000,000,000 units of a currency. Totals of ten million such amounts fit a bigint."""
MAX_NOTED_CENTS = 10 * MAX_CENTS
"""Limit of an amount that is only noted, such as a client's yearly revenue; sums of many such amounts fit a bigint."""
MAX_SECONDS = YEARS_AHEAD * 366 * 86_400
MAX_ITEMS = 1_000
"""Maximum number of items in a list."""
MAX_MILLI = 1_000_000_000
"""Maximum rate in thousandths: a million units."""


def must_be_day(day: date | None, argument: str, at: datetime) -> None:
    """Refuse a day before 1990 or more than ten years after `at`; None means not given."""
    last = date(at.year + YEARS_AHEAD, 12, 31)
    if day is not None and not EARLIEST <= day <= last:
        raise Refused(
            Code.INVALID, f"{argument} must be a day from {EARLIEST} to {last}.", argument=argument
        )


def must_be_instant(instant: datetime | None, argument: str, at: datetime) -> None:
    """Refuse a time before 1990 or more than ten years after `at`; None means not given."""
    if instant is None:
        return
    last = datetime(at.year + YEARS_AHEAD, 12, 31, 23, 59, 59, tzinfo=UTC)
    if not FIRST_INSTANT <= instant <= last:
        raise Refused(
            Code.INVALID,
            f"{argument} must be from {EARLIEST} to {last:%Y-%m-%d}.",
            argument=argument,
        )


def must_be_cents(cents: int | None, argument: str, *, least: int = 0) -> None:
    """Refuse an amount below `least` or above the limit of a booked amount; None means not given."""
    if cents is not None and not least <= cents <= MAX_CENTS:
        raise Refused(
            Code.INVALID,
            f"{argument} must be from {least:,} to {MAX_CENTS:,} cents.",
            argument=argument,
        )


def must_be_quantity(milli: int, argument: str, *, price_cents: int = 0) -> None:
    """Refuse a quantity in thousandths above a million units, or whose amount at `price_cents` is above the limit."""
    if abs(milli) > MAX_MILLI:
        raise Refused(
            Code.INVALID,
            f"{argument} must be at most {MAX_MILLI:,} thousandths of a unit.",
            argument=argument,
        )
    if abs(milli) * price_cents > MAX_CENTS * 1_000:
        raise Refused(
            Code.INVALID,
            f"{argument} comes to more than {MAX_CENTS:,} cents at its price.",
            argument=argument,
        )


def must_be_currency(code: str, argument: str) -> None:
    """Refuse a currency code that is not a current ISO 4217 code."""
    if code not in _currencies():
        raise Refused(
            Code.INVALID, f"{argument} must be an ISO 4217 code such as EUR.", argument=argument
        )


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())
