"""Credit notes as e-invoices: UBL 2.1 under EN 16931 and NLCIUS (SI-UBL 2.0); the same note gives the same bytes.

One CreditNote (type 381) that names the invoice it is about. Categories: S (VAT), Z and E (0 %, E with a reason), O
(outside the scope of VAT, such as damages): a note of category O has no other, and no VAT number (BR-O-02, BR-O-11). A
closing note of an agreement that was never invoiced names no invoice. NLCIUS and Peppol require one of Dutch suppliers
(NL-R-001), EN 16931 itself does not: such a note follows EN 16931 alone, and names the agreement as its contract. AE
(reverse charge): 0 % with a reason, for businesses elsewhere in the EU. KVK numbers are of Dutch businesses only.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree
from stdnum import iban
from stdnum.eu import vat

from domain.invoices.parties import Party
from domain.invoices.rules import CreditNoteDocument, DocumentLine, VatTotal
from domain.invoices.taxes import EU, endpoint_of
from domain.invoices.vat import VatCategory

MEDIA_TYPE = "application/xml"
CORE = "urn:cen.eu:en16931:2017"
CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
CREDIT_NOTE, CREDIT_TRANSFER, KVK = "381", "30", "0106"
EXEMPTION = {
    VatCategory.EXEMPT: (None, "Exempt from VAT"),
    VatCategory.OUTSIDE: ("VATEX-EU-O", "Not subject to VAT: compensation of damages"),
    VatCategory.REVERSE: ("VATEX-EU-AE", "Reverse charge: VAT is due by the customer"),
}
"""Why there is no VAT: a code of the CEF's list VATEX where one fits, and a text."""
ABROAD = ("VATEX-EU-O", "Not subject to VAT: services to a business outside the European Union")

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOTE = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"


class Incomplete(ValueError):
    """The note lacks something that an e-invoice needs; `lacks` describes each."""

    def __init__(self, lacks: list[str]) -> None:
        super().__init__("; ".join(lacks))
        self.lacks = lacks


def names_invoice(note: CreditNoteDocument) -> bool:
    """Return whether the note is about an invoice; a closing note may have none."""
    return bool(note.invoice_number.strip())


def lacking(note: CreditNoteDocument) -> list[str]:
    """Return what keeps the note from being a valid e-invoice; empty when nothing does."""
    return list(_lacking(note))


def _lacking(note: CreditNoteDocument) -> Iterator[str]:
    categories = {line.vat_category for line in note.lines}
    if not note.lines:
        yield "a line"
    if VatCategory.OUTSIDE in categories and len(categories) > 1:
        yield "one treatment of VAT: what is outside its scope needs a note of its own"
    for who, party in (("supplier", note.supplier), ("customer", note.customer)):
        yield from _party_lacks(who, party)
    if VatCategory.REVERSE in categories and note.customer.vat_number is None:
        yield "the customer's VAT number, for a reverse charge"
    if categories - {VatCategory.OUTSIDE} and note.supplier.vat_number is None:
        yield "the supplier's VAT number"
    if not iban.is_valid(note.supplier.iban or ""):
        yield "a valid IBAN of the supplier"
    if not note.invoice_number.strip() and not note.closing:
        yield "the number of the invoice it is about"
    if not note.buyer_reference.strip():
        yield "the buyer's reference"


def _party_lacks(who: str, party: Party) -> Iterator[str]:
    for what in ("legal_name", "street", "postcode", "city"):
        if not getattr(party, what).strip():
            yield f"the {who}'s {what.replace('_', ' ')}"
    if not re.fullmatch(r"[0-9]{8}", party.kvk_number or "") and _must_have_kvk(who, party):
        yield f"the {who}'s KVK number (8 digits)"
    if party.vat_number is not None and party.country in EU and not vat.is_valid(party.vat_number):
        yield f"a valid VAT number of the {who}"


def _must_have_kvk(who: str, party: Party) -> bool:
    """Return whether a party needs a KVK number: Dutch businesses do, private persons and foreign businesses do not."""
    known = party.kvk_number is not None or party.vat_number is not None
    return party.kvk_number is not None or (party.country == "NL" and (who == "supplier" or known))


def credit_note_xml(note: CreditNoteDocument) -> bytes:
    """Render the note as UBL, UTF-8. Raises `Incomplete` when it lacks what the standard requires."""
    lacks = lacking(note)
    if lacks:
        raise Incomplete(lacks)
    names: Any = {None: _NOTE, "cac": _CAC, "cbc": _CBC}
    root = etree.Element(f"{{{_NOTE}}}CreditNote", nsmap=names)
    if names_invoice(note):
        _b(root, "CustomizationID", CUSTOMIZATION)
        _b(root, "ProfileID", PROFILE)
    else:
        _b(root, "CustomizationID", CORE)
    _b(root, "ID", note.number)
    _b(root, "IssueDate", note.issued_on.isoformat())
    _b(root, "CreditNoteTypeCode", CREDIT_NOTE)
    if note.reason.strip():
        _b(root, "Note", note.reason)
    _b(root, "DocumentCurrencyCode", note.currency)
    _b(root, "BuyerReference", note.buyer_reference)
    period = _a(root, "InvoicePeriod")
    _b(period, "StartDate", note.period_from_on.isoformat())
    _b(period, "EndDate", note.period_until_on.isoformat())
    if names_invoice(note):
        # Without its IssueDate: NLCIUS warns when it is there (BR-NL-24).
        _b(_a(_a(root, "BillingReference"), "InvoiceDocumentReference"), "ID", note.invoice_number)
    else:
        _b(_a(root, "ContractDocumentReference"), "ID", note.buyer_reference)
    taxed = any(line.vat_category is not VatCategory.OUTSIDE for line in note.lines)
    _party(_a(root, "AccountingSupplierParty"), note.supplier, taxed=taxed)
    _party(_a(root, "AccountingCustomerParty"), note.customer, taxed=taxed)
    means = _a(root, "PaymentMeans")
    _b(means, "PaymentMeansCode", CREDIT_TRANSFER)
    account = _a(means, "PayeeFinancialAccount")
    _b(account, "ID", iban.compact(note.supplier.iban or ""))
    if note.supplier.bic:
        _b(_a(account, "FinancialInstitutionBranch"), "ID", note.supplier.bic)
    _totals(root, note)
    for line in note.lines:
        _line(root, line, note.currency)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _party(parent: Any, party: Party, *, taxed: bool) -> None:
    it = _a(parent, "Party")
    endpoint = endpoint_of(party)
    if endpoint is not None:
        _b(it, "EndpointID", endpoint[0], schemeID=endpoint[1])
    _b(_a(it, "PartyName"), "Name", party.legal_name)
    address = _a(it, "PostalAddress")
    _b(address, "StreetName", party.street)
    _b(address, "CityName", party.city)
    _b(address, "PostalZone", party.postcode)
    _b(_a(address, "Country"), "IdentificationCode", party.country)
    if taxed and party.vat_number is not None:
        scheme = _a(it, "PartyTaxScheme")
        _b(scheme, "CompanyID", _vat_number(party.vat_number))
        _b(_a(scheme, "TaxScheme"), "ID", "VAT")
    legal = _a(it, "PartyLegalEntity")
    _b(legal, "RegistrationName", party.legal_name)
    if party.kvk_number is not None:
        _b(legal, "CompanyID", party.kvk_number, schemeID=KVK)


def _vat_number(number: str) -> str:
    return str(vat.compact(number)) if vat.is_valid(number) else number


def _totals(root: Any, note: CreditNoteDocument) -> None:
    totals, currency = note.totals, note.currency
    tax = _a(root, "TaxTotal")
    _money(tax, "TaxAmount", totals.vat_cents, currency)
    for each in totals.vat:
        subtotal = _a(tax, "TaxSubtotal")
        _money(subtotal, "TaxableAmount", each.net_cents, currency)
        _money(subtotal, "TaxAmount", each.vat_cents, currency)
        reason = EXEMPTION.get(each.category)
        if each.category is VatCategory.OUTSIDE and note.customer.country not in EU:
            reason = ABROAD
        _category(_a(subtotal, "TaxCategory"), each, reason)
    money = _a(root, "LegalMonetaryTotal")
    _money(money, "LineExtensionAmount", totals.net_cents, currency)
    _money(money, "TaxExclusiveAmount", totals.net_cents, currency)
    _money(money, "TaxInclusiveAmount", totals.gross_cents, currency)
    _money(money, "PayableAmount", totals.gross_cents, currency)


def _line(root: Any, line: DocumentLine, currency: str) -> None:
    it = _a(root, "CreditNoteLine")
    _b(it, "ID", str(line.position))
    _b(it, "CreditedQuantity", _decimal(line.quantity_milli, 3), unitCode=str(line.unit.value))
    _money(it, "LineExtensionAmount", line.net_cents, currency)
    item = _a(it, "Item")
    _b(item, "Name", line.name)
    taxed = VatTotal(line.vat_category, line.vat_rate_bps, 0, 0)
    _category(_a(item, "ClassifiedTaxCategory"), taxed)
    _money(_a(it, "Price"), "PriceAmount", line.price_cents, currency)


def _category(parent: Any, total: VatTotal, reason: tuple[str | None, str] | None = None) -> None:
    _b(parent, "ID", total.category.value)
    if total.category is not VatCategory.OUTSIDE:  # BR-O-05: no rate where there is no VAT at all
        _b(parent, "Percent", _decimal(total.rate_bps, 2))
    if reason is not None:
        code, words = reason
        if code is not None:
            _b(parent, "TaxExemptionReasonCode", code)
        _b(parent, "TaxExemptionReason", words)
    _b(_a(parent, "TaxScheme"), "ID", "VAT")


def _a(parent: Any, name: str) -> Any:
    return etree.SubElement(parent, f"{{{_CAC}}}{name}")


def _b(parent: Any, name: str, text: str, **attributes: str) -> None:
    clean = _NOT_XML.sub(" ", text)
    etree.SubElement(parent, f"{{{_CBC}}}{name}", attributes).text = clean


def _money(parent: Any, name: str, cents: int, currency: str) -> None:
    _b(parent, name, str(Decimal(cents).scaleb(-2)), currencyID=currency)


def _decimal(value: int, places: int) -> str:
    """Format 2100 with two places as 21, 500 with three as 0.5."""
    return f"{Decimal(value).scaleb(-places).normalize():f}"
