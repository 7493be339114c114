"""A credit note as an e-invoice: valid whatever the lines, and a change of one cent anywhere is seen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from domain.agreements.model import Unit
from domain.invoices import CreditNoteDocument, DocumentLine, Party, VatCategory
from domain.invoices.pdf import credit_note_pdf
from domain.invoices.rules import net_cents, totals
from domain.invoices.ubl import Incomplete, credit_note_xml
from tests.en16931 import RULES, Note, violations

SUPPLIER = Party(
    "Noorderlicht Beveiliging B.V.", "Kade 1", "9711 AA", "Groningen",
    kvk_number="60000100", vat_number="NL123456782B90", iban="NL91ABNA0417164300",
)  # fmt: skip
CUSTOMER = Party(
    "Havenkwartier Logistiek N.V.", "Butaanweg 12", "3196 KC", "Rotterdam",
    kvk_number="60000101", vat_number="NL853746333B01",
)  # fmt: skip


def line(position: int = 1, **fields: Any) -> DocumentLine:
    values: dict[str, Any] = {
        "position": position, "name": "Eerste reactie te laat, melding 50959179",
        "quantity_milli": 1000, "unit": Unit.PIECE, "price_cents": 4_960,
        "vat_category": VatCategory.STANDARD, "vat_rate_bps": 2_100,
    } | fields  # fmt: skip
    values["net_cents"] = net_cents(values["quantity_milli"], values["price_cents"])
    return DocumentLine(**values)


def note(lines: Sequence[DocumentLine] | None = None, **fields: Any) -> CreditNoteDocument:
    found = tuple(lines or (line(), line(2, name="Oplossing te laat", price_cents=12_480)))
    values: dict[str, Any] = {
        "id": UUID(int=1), "account_id": UUID(int=2), "number": "C2026-00001",
        "issued_on": date(2026, 12, 1), "period_from_on": date(2026, 11, 1),
        "period_until_on": date(2026, 11, 30), "currency": "EUR", "supplier": SUPPLIER,
        "customer": CUSTOMER, "invoice_number": "F2026-00007",
        "invoice_issued_on": date(2026, 11, 30), "buyer_reference": "NL-2026-003",
        "reason": "Vergoeding voor te late afspraken", "lines": found, "totals": totals(found),
    }  # fmt: skip
    return CreditNoteDocument(**(values | fields))


TREATMENTS = {
    "taxed": (VatCategory.STANDARD, 2_100),
    "low rate": (VatCategory.STANDARD, 900),
    "zero": (VatCategory.ZERO, 0),
    "exempt": (VatCategory.EXEMPT, 0),
    "outside": (VatCategory.OUTSIDE, 0),
}
LINES = st.lists(
    st.tuples(
        st.integers(1, 200_000), st.integers(0, 5_000_000), st.sampled_from(list(Unit)),
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=40),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.parametrize("treatment", TREATMENTS)
@given(parts=LINES)
def test_every_note_keeps_every_rule(treatment: str, parts: list[Any]) -> None:
    category, rate = TREATMENTS[treatment]
    lines = [
        line(
            n, quantity_milli=quantity, price_cents=price, unit=unit, name=f"Regel {name}",
            vat_category=category, vat_rate_bps=rate,
        )
        for n, (quantity, price, unit, name) in enumerate(parts, 1)
    ]  # fmt: skip
    made = note(lines)
    xml = credit_note_xml(made)
    assert violations(xml) == []
    assert credit_note_xml(made) == xml
    read = Note(xml)
    assert read.total("PayableAmount") == Decimal(made.totals.gross_cents).scaleb(-2)


def test_rates_and_a_line_that_takes_a_credit_back_stand_in_one_note() -> None:
    lines = [
        line(),
        line(2, vat_rate_bps=900, price_cents=10_005),
        line(3, vat_category=VatCategory.ZERO, vat_rate_bps=0),
        line(4, vat_category=VatCategory.EXEMPT, vat_rate_bps=0),
        line(5, quantity_milli=-1000, price_cents=2_500),
    ]
    xml = credit_note_xml(note(lines))
    assert violations(xml) == []
    assert [Note(xml).text("cac:TaxCategory/cbc:ID", s) for s in Note(xml).subtotals] == [
        "E", "S", "S", "Z",
    ]  # fmt: skip


def test_there_are_rules_enough() -> None:
    names = [name for name, _ in RULES]
    assert len(names) == len(set(names)) >= 80


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("cent", [Decimal("0.01"), Decimal("-0.01")])
def test_a_cent_more_or_less_anywhere_is_caught(treatment: str, cent: Decimal) -> None:
    category, rate = TREATMENTS[treatment]
    how: dict[str, Any] = {"vat_category": category, "vat_rate_bps": rate}
    xml = credit_note_xml(
        note([line(**how), line(2, quantity_milli=7_500, price_cents=3_333, **how)])
    )
    count = len(Note(xml).amounts)
    assert count == 11
    caught = {}
    for place in range(count):
        changed = Note(xml)
        amount = changed.amounts[place]
        amount.text = str(Decimal(amount.text) + cent)
        caught[place, etree.QName(amount).localname] = violations(etree.tostring(changed.root))
    assert [place for place, rules in caught.items() if not rules] == []


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("cac:AccountingSupplierParty//cac:PartyLegalEntity/cbc:CompanyID", "1234567", "BR-NL-1"),
        ("cac:AccountingCustomerParty//cac:PartyLegalEntity/cbc:CompanyID", "X2345678", "BR-NL-10"),
        (
            "cac:AccountingSupplierParty//cac:PartyTaxScheme/cbc:CompanyID",
            "NL123456789B01",
            "BR-CO-09",
        ),
        ("cbc:CreditNoteTypeCode", "380", "BR-CL-01"),
        ("cbc:DocumentCurrencyCode", "EURO", "BR-CL-04"),
        ("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", "", "NL-R-001"),
        ("cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent", "9", "BR-S-08"),
        ("cac:CreditNoteLine/cbc:CreditedQuantity", "2", "PEPPOL-EN16931-R120"),
        ("cac:LegalMonetaryTotal/cbc:PayableAmount", "210.245", "BR-DEC-18"),
        ("cac:InvoicePeriod/cbc:EndDate", "2026-10-01", "BR-29"),
        ("cac:PaymentMeans/cbc:PaymentMeansCode", "10", "NL-R-008"),
    ],
)
def test_other_changes_are_caught_by_their_rule(path: str, value: str, rule: str) -> None:
    changed = Note(credit_note_xml(note()))
    changed.all(path)[0].text = value
    assert rule in violations(etree.tostring(changed.root))


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({"supplier": replace(SUPPLIER, kvk_number=None)}, "the supplier's KVK number (8 digits)"),
        ({"customer": replace(CUSTOMER, kvk_number="123")}, "the customer's KVK number (8 digits)"),
        ({"supplier": replace(SUPPLIER, vat_number=None)}, "the supplier's VAT number"),
        ({"supplier": replace(SUPPLIER, vat_number="NL1")}, "a valid VAT number of the supplier"),
        ({"supplier": replace(SUPPLIER, iban="NL00")}, "a valid IBAN of the supplier"),
        ({"customer": replace(CUSTOMER, postcode=" ")}, "the customer's postcode"),
        ({"invoice_number": ""}, "the number of the invoice it is about"),
        ({"buyer_reference": ""}, "the buyer's reference"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(
    fields: dict[str, Any], lacks: str
) -> None:
    with pytest.raises(Incomplete) as incomplete:
        credit_note_xml(note(**fields))
    assert incomplete.value.lacks == [lacks]


def test_damages_do_not_stand_beside_what_is_taxed() -> None:
    mixed = [line(), line(2, vat_category=VatCategory.OUTSIDE, vat_rate_bps=0)]
    with pytest.raises(Incomplete, match="a note of its own"):
        credit_note_xml(note(mixed))


def test_a_supplier_without_vat_number_can_give_damages_back() -> None:
    lines = [line(vat_category=VatCategory.OUTSIDE, vat_rate_bps=0)]
    made = note(lines, supplier=replace(SUPPLIER, vat_number=None))
    assert violations(credit_note_xml(made)) == []


@pytest.mark.parametrize("code", ["nl", "en"])
def test_the_paper_holds_the_very_xml_and_is_the_same_each_time(code: str) -> None:
    made = note()
    first = credit_note_pdf(made, code=code)
    assert first == credit_note_pdf(made, code=code)
    reader = PdfReader(BytesIO(first))
    assert reader.attachments == {"C2026-00001.xml": [credit_note_xml(made)]}
    metadata = reader.xmp_metadata
    assert metadata is not None
    said = metadata.stream.get_data()
    assert b"pdfaid:part>3" in said
    assert b"pdfaid:conformance>B" in said
    associated: Any = reader.root_object["/AF"]
    assert [each.get_object()["/AFRelationship"] for each in associated] == ["/Source"]
    words = reader.pages[0].extract_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "C2026-00001" in words
    assert ("€ 211,02" if code == "nl" else "€211.02") in words
