"""What a document of money says, as plain values, and its arithmetic: integer cents, rounded once, half up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from stdnum import bic, iban
from stdnum.eu import vat

from domain.agreements.model import Unit
from domain.errors import Code, Refused
from domain.words import must_be_line

_BPS = 10_000
_MILLI = 1_000
MONTH_MILLI = 1_000
PAYMENT_DAYS = 30
STANDARD_BPS = 2_100
"""Dutch VAT on services, since 2012-10-01 (Wet OB 1968, article 9)."""


class VatCategory(StrEnum):
    """How a line is taxed; the value is the UNCL5305 code that EN 16931 wants."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys, as it stood on the day of the document."""

    legal_name: str
    street: str
    postcode: str
    city: str
    country: str = "NL"
    kvk_number: str | None = None
    vat_number: str | None = None
    iban: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `quantity_milli` thousandths of a unit at `price_cents` come to `net_cents`, before VAT.

    On a credit note a positive net is in favour of the client; one that takes a credit back has a negative quantity,
    never a negative price.
    """

    position: int
    name: str
    quantity_milli: int
    unit: Unit
    price_cents: int
    net_cents: int
    vat_category: VatCategory
    vat_rate_bps: int


class VatTotal(NamedTuple):
    """The lines of one VAT category and rate together."""

    category: VatCategory
    rate_bps: int
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a document comes to, in cents."""

    vat: tuple[VatTotal, ...]  # by category and rate
    net_cents: int
    vat_cents: int
    gross_cents: int


@dataclass(frozen=True, slots=True)
class CreditNoteDocument:
    """Everything a credit note says; amounts positive in favour of the client."""

    id: UUID
    account_id: UUID
    number: str
    issued_on: date
    period_from_on: date
    period_until_on: date  # the last day
    currency: str
    supplier: Party
    customer: Party
    invoice_number: str  # the billing reference
    invoice_issued_on: date
    buyer_reference: str  # the agreement's reference
    reason: str
    lines: tuple[Line, ...]
    totals: Totals


def check_party(party: Party) -> None:
    """Refuse what no document can say; numbers are checked by their own check digits."""
    for name in ("legal_name", "street", "postcode", "city"):
        must_be_line(getattr(party, name), name.replace("legal_name", "legalName"))
    for argument, value, fits in (
        ("country", party.country, lambda v: re.fullmatch("[A-Z]{2}", v)),
        ("kvkNumber", party.kvk_number, lambda v: re.fullmatch("[0-9]{8}", v)),
        ("vatNumber", party.vat_number, vat.is_valid),
        ("iban", party.iban, iban.is_valid),
        ("bic", party.bic, bic.is_valid),
    ):
        if value is not None and not fits(value):
            raise Refused(Code.INVALID, f"{argument}: {value} cannot be.", argument=argument)


def rounded(numerator: int, denominator: int) -> int:
    """A quotient in whole cents, half away from zero."""
    whole = (abs(numerator) * 2 + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def net_cents(quantity_milli: int, price_cents: int) -> int:
    """What a quantity in thousandths of a unit costs."""
    return rounded(quantity_milli * price_cents, _MILLI)


def totals(lines: Iterable[Line]) -> Totals:
    """Sums by VAT category and rate; VAT is rounded once for each of them (EN 16931 BR-CO-17)."""
    sums: dict[tuple[VatCategory, int], int] = {}
    for line in lines:
        key = (line.vat_category, line.vat_rate_bps)
        sums[key] = sums.get(key, 0) + line.net_cents
    vat = tuple(
        VatTotal(category, rate, net, rounded(net * rate, _BPS))
        for (category, rate), net in sorted(sums.items())
    )
    net, tax = sum(each.net_cents for each in vat), sum(each.vat_cents for each in vat)
    return Totals(vat, net, tax, net + tax)


def number(series: str, year: int, n: int) -> str:
    """How the `n`-th document of a series and year is called: `F2026-00001`."""
    return f"{series}{year}-{n:05d}"
