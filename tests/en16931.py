"""Assertions about a credit note's XML, written from the public rule texts of EN 16931, Peppol BIS 3 and NLCIUS.

They share nothing with what makes the XML: amounts are read back as decimals and computed again. `violations` gives the
identifiers of the rules that do not hold. Stricter than the texts where those leave slack: a line's net is quantity
times price to the cent (PEPPOL-EN16931-R120 allows two cents).
"""

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from lxml import etree
from stdnum.eu import vat

NS = {
    "n": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
CENT = Decimal("0.01")
CURRENCIES = {"EUR", "USD", "GBP", "CHF", "SEK", "DKK", "NOK", "PLN", "CZK", "HUF"}
COUNTRIES = {"NL", "BE", "DE", "FR", "LU", "GB", "AT", "DK", "SE", "PL", "ES", "IT", "IE", "CH"}
UNITS = {"C62", "HUR", "DAY", "MON", "KMT"}
SUPPLIER = "cac:AccountingSupplierParty/cac:Party"
CUSTOMER = "cac:AccountingCustomerParty/cac:Party"
LINE_TAX = "cac:Item/cac:ClassifiedTaxCategory"
OF_THE_PROFILE = ("PEPPOL-", "BR-NL-", "NL-R-")
"""Rules that only a note has to keep which says that it follows NLCIUS."""
Rule = tuple[str, Callable[["Note"], bool]]


class Note:
    """The XML, asked by path."""

    def __init__(self, xml: bytes) -> None:
        self.root: Any = etree.fromstring(xml)
        self.lines = self.all("cac:CreditNoteLine")
        self.subtotals = self.all("cac:TaxTotal/cac:TaxSubtotal")

    def all(self, path: str, of: Any = None) -> list[Any]:
        """The elements at a path."""
        found: list[Any] = (self.root if of is None else of).findall(path, NS)
        return found

    def text(self, path: str, of: Any = None) -> str:
        """The text at a path; '' when there is none."""
        found = (self.root if of is None else of).findtext(path, "", NS)
        return str(found).strip()

    def money(self, path: str, of: Any = None) -> Decimal:
        """The amount at a path; one that is missing is NaN, which equals nothing."""
        try:
            return Decimal(self.text(path, of))
        except InvalidOperation:
            return Decimal("NaN")

    def total(self, name: str) -> Decimal:
        """An amount of the document's totals."""
        return self.money(f"cac:LegalMonetaryTotal/cbc:{name}")

    def of_category(self, code: str) -> list[Any]:
        """The lines of a VAT category."""
        return [line for line in self.lines if self.text(f"{LINE_TAX}/cbc:ID", line) == code]

    def breakdown(self, code: str) -> list[Any]:
        """The VAT breakdown of a category."""
        return [s for s in self.subtotals if self.text("cac:TaxCategory/cbc:ID", s) == code]

    @property
    def amounts(self) -> list[Any]:
        """Every element with a currency."""
        return [element for element in self.root.iter() if element.get("currencyID") is not None]


def violations(xml: bytes) -> list[str]:
    """The rules that the note breaks."""
    note = Note(xml)
    national = "nlcius" in note.text("cbc:CustomizationID")
    return [
        name
        for name, holds in RULES
        if (national or not name.startswith(OF_THE_PROFILE)) and not holds(note)
    ]


def present(*paths: str) -> Callable[[Note], bool]:
    """Something is said at each of the paths."""
    return lambda note: all(note.text(path) for path in paths)


def each_line(path: str) -> Callable[[Note], bool]:
    """Something is said at a path of every line."""
    return lambda note: all(note.text(path, line) for line in note.lines)


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up (BR-CO-17's rounding)."""
    return amount if amount.is_nan() else amount.quantize(CENT, ROUND_HALF_UP)


def rate_of(note: Note, of: Any, path: str) -> Decimal:
    """A VAT rate; where none is said, none is due."""
    said = note.text(f"{path}/cbc:Percent", of)
    return Decimal(said) if said else Decimal(0)


def sum_of_lines(note: Note, subtotal: Any) -> Decimal:
    """The net of the lines with a breakdown's category and rate."""
    code = note.text("cac:TaxCategory/cbc:ID", subtotal)
    rate = rate_of(note, subtotal, "cac:TaxCategory")
    return sum(
        (
            note.money("cbc:LineExtensionAmount", line)
            for line in note.of_category(code)
            if rate_of(note, line, LINE_TAX) == rate
        ),
        Decimal(0),
    )


def line_net(note: Note) -> bool:
    """Quantity times price is the net, to the cent."""
    return all(
        cents(
            note.money("cbc:CreditedQuantity", line) * note.money("cac:Price/cbc:PriceAmount", line)
        )
        == note.money("cbc:LineExtensionAmount", line)
        for line in note.lines
    )


def base_is_sum(code: str) -> Callable[[Note], bool]:
    """A breakdown's base is the sum of its lines."""
    return lambda note: all(
        note.money("cbc:TaxableAmount", s) == sum_of_lines(note, s) for s in note.breakdown(code)
    )


def taxed_at(code: str) -> Callable[[Note], bool]:
    """A breakdown's tax is base times rate."""
    return lambda note: all(
        note.money("cbc:TaxAmount", s)
        == cents(note.money("cbc:TaxableAmount", s) * rate_of(note, s, "cac:TaxCategory") / 100)
        for s in note.breakdown(code)
    )


def has_breakdown(code: str, *, once: bool) -> Callable[[Note], bool]:
    """Lines of a category have their breakdown: one, or at least one."""

    def holds(note: Note) -> bool:
        n = len(note.breakdown(code))
        return (n == 1 if once else n >= 1) if note.of_category(code) else n == 0

    return holds


def reasoned(code: str, *, wanted: bool) -> Callable[[Note], bool]:
    """A breakdown says why there is no VAT, or must not."""

    def holds(note: Note) -> bool:
        said = (
            bool(
                note.text("cac:TaxCategory/cbc:TaxExemptionReason", s)
                or note.text("cac:TaxCategory/cbc:TaxExemptionReasonCode", s)
            )
            for s in note.breakdown(code)
        )
        return all(each is wanted for each in said)

    return holds


def two_decimals(path: str) -> Callable[[Note], bool]:
    """At most two decimals at a path, wherever it occurs."""
    return lambda note: all(
        re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", element.text or "") is not None
        for element in note.all(path)
    )


def in_list(path: str, codes: set[str], attribute: str | None = None) -> Callable[[Note], bool]:
    """Every code at a path is of a list."""
    return lambda note: all(
        (element.text if attribute is None else element.get(attribute)) in codes
        for element in note.all(path)
    )


def vat_prefix(note: Note) -> bool:
    """VAT numbers begin with their country and are numbers that can be."""
    numbers = [element.text or "" for element in note.all(".//cac:PartyTaxScheme/cbc:CompanyID")]
    return all(number[:2] in COUNTRIES and vat.is_valid(number) for number in numbers)


def kvk(path: str) -> Callable[[Note], bool]:
    """A KVK number (0106, eight digits) or OIN (0190, twenty digits) where the party is Dutch."""

    def holds(note: Note) -> bool:
        [party] = note.all(path)
        if note.text("cac:PostalAddress/cac:Country/cbc:IdentificationCode", party) != "NL":
            return True
        ids = note.all("cac:PartyLegalEntity/cbc:CompanyID", party)
        digits = {"0106": 8, "0190": 20}
        return any(
            re.fullmatch(rf"[0-9]{{{digits[e.get('schemeID')]}}}", e.text or "") is not None
            for e in ids
            if e.get("schemeID") in digits
        )

    return holds


def whole_address(path: str) -> Callable[[Note], bool]:
    """Street, town and postal code."""
    address = f"{path}/cac:PostalAddress"
    return present(
        f"{address}/cbc:StreetName", f"{address}/cbc:CityName", f"{address}/cbc:PostalZone"
    )


def without_vat_numbers(note: Note) -> bool:
    """Outside the scope of VAT nobody has a VAT number."""
    return not note.of_category("O") or not note.all(".//cac:PartyTaxScheme")


def tax_total(note: Note) -> bool:
    """The tax is the sum of the breakdowns' taxes."""
    parts = (note.money("cbc:TaxAmount", s) for s in note.subtotals)
    return note.money("cac:TaxTotal/cbc:TaxAmount") == sum(parts, Decimal(0))


def sum_of_nets(note: Note) -> bool:
    """The sum of the lines' nets is the document's."""
    parts = (note.money("cbc:LineExtensionAmount", line) for line in note.lines)
    return note.total("LineExtensionAmount") == sum(parts, Decimal(0))


def _parts() -> Iterator[Rule]:
    totals = "cac:LegalMonetaryTotal/cbc:"
    yield "BR-01", present("cbc:CustomizationID")
    yield "BR-02", present("cbc:ID")
    yield "BR-03", present("cbc:IssueDate")
    yield "BR-04", present("cbc:CreditNoteTypeCode")
    yield "BR-05", present("cbc:DocumentCurrencyCode")
    yield "BR-06", present(f"{SUPPLIER}/cac:PartyLegalEntity/cbc:RegistrationName")
    yield "BR-07", present(f"{CUSTOMER}/cac:PartyLegalEntity/cbc:RegistrationName")
    yield "BR-09", present(f"{SUPPLIER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    yield "BR-11", present(f"{CUSTOMER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    yield "BR-12", present(totals + "LineExtensionAmount")
    yield "BR-13", present(totals + "TaxExclusiveAmount")
    yield "BR-14", present(totals + "TaxInclusiveAmount")
    yield "BR-15", present(totals + "PayableAmount")
    yield "BR-16", lambda note: bool(note.lines)
    yield "BR-21", each_line("cbc:ID")
    yield "BR-22", each_line("cbc:CreditedQuantity")
    yield (
        "BR-23",
        lambda note: all(
            e.get("unitCode") for e in note.all("cac:CreditNoteLine/cbc:CreditedQuantity")
        ),
    )
    yield "BR-24", each_line("cbc:LineExtensionAmount")
    yield "BR-25", each_line("cac:Item/cbc:Name")
    yield "BR-26", each_line("cac:Price/cbc:PriceAmount")
    yield (
        "BR-27",
        lambda note: all(note.money("cac:Price/cbc:PriceAmount", line) >= 0 for line in note.lines),
    )
    yield (
        "BR-29",
        lambda note: (
            note.text("cac:InvoicePeriod/cbc:StartDate")
            <= note.text("cac:InvoicePeriod/cbc:EndDate")
        ),
    )
    yield "BR-45", lambda note: all(note.text("cbc:TaxableAmount", s) for s in note.subtotals)
    yield "BR-46", lambda note: all(note.text("cbc:TaxAmount", s) for s in note.subtotals)
    yield "BR-47", lambda note: all(note.text("cac:TaxCategory/cbc:ID", s) for s in note.subtotals)
    yield "BR-49", present("cac:PaymentMeans/cbc:PaymentMeansCode")
    yield (
        "BR-55",
        lambda note: all(
            note.text("cac:InvoiceDocumentReference/cbc:ID", e)
            for e in note.all("cac:BillingReference")
        ),
    )
    yield "BR-61", present("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID")
    yield "BR-CO-04", each_line(f"{LINE_TAX}/cbc:ID")
    yield "BR-CO-09", vat_prefix
    yield "BR-CO-10", sum_of_nets
    yield (
        "BR-CO-13",
        lambda note: note.total("TaxExclusiveAmount") == note.total("LineExtensionAmount"),
    )
    yield "BR-CO-14", tax_total
    yield (
        "BR-CO-15",
        lambda note: (
            note.total("TaxInclusiveAmount")
            == note.total("TaxExclusiveAmount") + note.money("cac:TaxTotal/cbc:TaxAmount")
        ),
    )
    yield "BR-CO-16", lambda note: note.total("PayableAmount") == note.total("TaxInclusiveAmount")
    yield "BR-CO-17", lambda note: all(taxed_at(code)(note) for code in ("S", "Z", "E", "O"))
    yield "BR-CO-18", lambda note: bool(note.subtotals)
    yield "BR-CO-26", present(f"{SUPPLIER}/cac:PartyLegalEntity/cbc:CompanyID")
    yield "BR-S-01", has_breakdown("S", once=False)
    yield (
        "BR-S-02",
        lambda note: (
            not note.of_category("S")
            or bool(note.text(f"{SUPPLIER}/cac:PartyTaxScheme/cbc:CompanyID"))
        ),
    )
    yield (
        "BR-S-05",
        lambda note: all(rate_of(note, line, LINE_TAX) > 0 for line in note.of_category("S")),
    )
    yield "BR-S-08", base_is_sum("S")
    yield "BR-S-09", taxed_at("S")
    yield "BR-S-10", reasoned("S", wanted=False)
    for code in ("Z", "E"):
        yield f"BR-{code}-01", has_breakdown(code, once=True)
        yield f"BR-{code}-05", _rate_is_zero(code)
        yield f"BR-{code}-08", base_is_sum(code)
        yield f"BR-{code}-09", taxed_at(code)
        yield f"BR-{code}-10", reasoned(code, wanted=code == "E")
    yield "BR-O-01", has_breakdown("O", once=True)
    yield "BR-O-02", without_vat_numbers
    yield (
        "BR-O-05",
        lambda note: all(
            not note.text(f"{LINE_TAX}/cbc:Percent", line) for line in note.of_category("O")
        ),
    )
    yield "BR-O-08", base_is_sum("O")
    yield "BR-O-09", taxed_at("O")
    yield "BR-O-10", reasoned("O", wanted=True)
    yield "BR-O-11", lambda note: not note.breakdown("O") or len(note.subtotals) == 1
    yield (
        "BR-O-12",
        lambda note: not note.breakdown("O") or len(note.of_category("O")) == len(note.lines),
    )
    for rule, name in (("09", "LineExtensionAmount"), ("12", "TaxExclusiveAmount"),
                       ("14", "TaxInclusiveAmount"), ("18", "PayableAmount")):  # fmt: skip
        yield f"BR-DEC-{rule}", two_decimals(totals + name)
    yield "BR-DEC-13", two_decimals("cac:TaxTotal/cbc:TaxAmount")
    yield "BR-DEC-19", two_decimals("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount")
    yield "BR-DEC-20", two_decimals("cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount")
    yield "BR-DEC-23", two_decimals("cac:CreditNoteLine/cbc:LineExtensionAmount")
    yield "BR-CL-01", in_list("cbc:CreditNoteTypeCode", {"381"})
    yield (
        "BR-CL-03",
        lambda note: (
            {e.get("currencyID") for e in note.amounts} == {note.text("cbc:DocumentCurrencyCode")}
        ),
    )
    yield "BR-CL-04", in_list("cbc:DocumentCurrencyCode", CURRENCIES)
    yield "BR-CL-11", in_list(".//cac:PartyLegalEntity/cbc:CompanyID", {"0106", "0190"}, "schemeID")
    yield "BR-CL-14", in_list(".//cac:Country/cbc:IdentificationCode", COUNTRIES)
    yield "BR-CL-16", in_list("cac:PaymentMeans/cbc:PaymentMeansCode", {"30", "58"})
    yield "BR-CL-17", in_list(".//cac:TaxSubtotal/cac:TaxCategory/cbc:ID", {"S", "Z", "E", "O"})
    yield "BR-CL-18", in_list(f"cac:CreditNoteLine/{LINE_TAX}/cbc:ID", {"S", "Z", "E", "O"})
    yield "BR-CL-23", in_list("cac:CreditNoteLine/cbc:CreditedQuantity", UNITS, "unitCode")
    yield "BR-CL-25", in_list(".//cbc:EndpointID", {"0106", "0190"}, "schemeID")
    yield "PEPPOL-EN16931-R001", present("cbc:ProfileID")
    yield "PEPPOL-EN16931-R003", present("cbc:BuyerReference")
    yield "PEPPOL-EN16931-R010", present(f"{CUSTOMER}/cbc:EndpointID")
    yield "PEPPOL-EN16931-R020", present(f"{SUPPLIER}/cbc:EndpointID")
    yield "PEPPOL-EN16931-R120", line_net
    yield "BR-NL-1", kvk(SUPPLIER)
    yield "BR-NL-10", kvk(CUSTOMER)
    yield (
        "BR-NL-24",
        lambda note: (
            not note.all("cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate")
        ),
    )
    yield "NL-R-001", present("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
    yield "NL-R-002", whole_address(SUPPLIER)
    yield "NL-R-004", whole_address(CUSTOMER)
    yield (
        "NL-R-008",
        in_list("cac:PaymentMeans/cbc:PaymentMeansCode", {"30", "48", "49", "57", "58", "59"}),
    )


def _rate_is_zero(code: str) -> Callable[[Note], bool]:
    return lambda note: all(
        note.text(f"{LINE_TAX}/cbc:Percent", line) == "0" for line in note.of_category(code)
    )


RULES = tuple(_parts())
