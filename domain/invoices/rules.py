"""Content of invoices and credit notes as plain values, and their arithmetic: integer cents, rounded once, half up."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from stdnum import bic, iban
from stdnum.eu import vat

from domain.agreements.model import Unit
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.invoices.parties import FOREIGN_NUMBER, Party
from domain.invoices.taxes import EU, countries
from domain.invoices.vat import VatCategory

_TYPED_NUMBER = re.compile(r"([FC])([0-9]{4})[-\s]?0*([0-9]{1,9})")

_BPS = 10_000
_MILLI = 1_000
MONTH_MILLI = 1_000
PAYMENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line: `quantity_milli` thousandths of a unit at `price_cents` make `net_cents`, before VAT.

    On a credit note a positive net is in favour of the client; a line that reverses a credit has a negative quantity,
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
    """The totals of a document, in cents."""

    vat: tuple[VatTotal, ...]  # by category and rate
    net_cents: int
    vat_cents: int
    gross_cents: int


@dataclass(frozen=True, slots=True)
class CreditNoteDocument:
    """The content of a credit note; amounts positive in favour of the client."""

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
    lines: tuple[DocumentLine, ...]
    totals: Totals
    closing: bool = False  # no invoice follows that it could be settled with


def check_party(party: Party) -> None:
    """Refuse values that are invalid on a document; numbers are checked by their own check digits."""
    for name in ("legal_name", "street", "postcode", "city"):
        must_be_line(getattr(party, name), name.replace("legal_name", "legalName"))
    for argument, value, fits, what in (
        ("country", party.country, lambda v: v in countries(), "a code of ISO 3166 such as NL"),
        ("kvkNumber", party.kvk_number, lambda v: re.fullmatch("[0-9]{8}", v), "eight digits"),
        (
            "vatNumber",
            party.vat_number,
            lambda v: _is_vat(v, party.country),
            "its own check digits",
        ),
        ("iban", party.iban, iban.is_valid, "its own check digits"),
        ("bic", party.bic, bic.is_valid, "8 or 11 characters that name a bank"),
    ):
        if value is not None and not fits(value):
            raise Refused(
                Code.INVALID, f"{argument}: {value} cannot be; expected {what}.", argument=argument
            )


def _is_vat(number: str, country: str) -> bool:
    """Return whether a VAT number is valid: in the EU by its check digits, elsewhere by its shape only."""
    foreign = country not in EU and FOREIGN_NUMBER.fullmatch(number) is not None
    return foreign or bool(vat.is_valid(number))


def rounded(numerator: int, denominator: int) -> int:
    """Return a quotient in whole cents, rounded half away from zero."""
    whole = (abs(numerator) * 2 + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def net_cents(quantity_milli: int, price_cents: int) -> int:
    """Return the price of a quantity in thousandths of a unit."""
    return rounded(quantity_milli * price_cents, _MILLI)


def totals(lines: Iterable[DocumentLine]) -> Totals:
    """Return sums by VAT category and rate; VAT is rounded once for each of them (EN 16931 BR-CO-17)."""
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


def max_net(gross_cents: int, rate_bps: int) -> int:
    """Return the largest net amount that with VAT is at most `gross_cents`."""
    net = max(0, gross_cents * _BPS // (_BPS + rate_bps))
    while net and net + rounded(net * rate_bps, _BPS) > gross_cents:
        net -= 1
    while net + 1 + rounded((net + 1) * rate_bps, _BPS) <= gross_cents:
        net += 1
    return net


def fitting_lines(
    lines: Sequence[DocumentLine], gross_cents: int | None
) -> list[tuple[int, DocumentLine]]:
    """Return the lines, with their positions, that together credit at most `gross_cents`; the last one is cut to fit.

    All are taxed alike. Lines that reverse credits count in full. Empty when nothing in favour of the client is left.
    """
    if not lines:
        return []
    room = None if gross_cents is None else max_net(gross_cents, lines[0].vat_rate_bps)
    if room is not None:
        room -= sum(line.net_cents for line in lines if line.net_cents < 0)
    found: list[tuple[int, DocumentLine]] = []
    for index, line in enumerate(lines):
        cents = line.net_cents
        if cents > 0 and room is not None:
            cents = min(cents, room)
            room -= cents
        if cents:
            cut = replace(line, position=len(found) + 1, price_cents=abs(cents), net_cents=cents)
            found.append((index, cut))
    return found if sum(line.net_cents for _, line in found) > 0 else []


def number(series: str, year: int, n: int) -> str:
    """Format the number of the `n`-th document of a series and year: `F2026-00001`."""
    return f"{series}{year}-{n:05d}"


def read_number(text: str) -> str | None:
    """Parse a document number that somebody typed: `f2026-1` is `F2026-00001`; None when it is invalid."""
    found = _TYPED_NUMBER.fullmatch(text.strip().upper())
    return None if found is None else number(found[1], int(found[2]), int(found[3]))
