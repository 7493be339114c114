"""Credit notes for customers abroad and for private persons: issued, and taxed as their sale is."""

from dataclasses import replace

import pytest
from lxml import etree

from domain.invoices import Party, VatCategory
from domain.invoices.ubl import Incomplete, credit_note_xml, lacking
from tests.domain.invoices.test_ubl import CUSTOMER, line, note

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
BELGIAN = Party("Anvers NV", "Meir 1", "2000", "Antwerpen", "BE", vat_number="BE0403019261")
AMERICAN = Party("Acme Inc.", "Main St 1", "10001", "New York", "US", vat_number="12-3456789")
PERSON = Party("A. Jansen", "Dam 1", "1012 JS", "Amsterdam")


def texts(xml: bytes, name: str) -> list[str]:
    return [str(each.text) for each in etree.fromstring(xml).iter(f"{CBC}{name}")]


@pytest.mark.parametrize(
    ("customer", "category", "rate_bps", "code"),
    [
        (BELGIAN, VatCategory.REVERSE, 0, "VATEX-EU-AE"),
        (AMERICAN, VatCategory.OUTSIDE, 0, "VATEX-EU-O"),
        (PERSON, VatCategory.STANDARD, 2_100, None),
        (replace(PERSON, country="DE"), VatCategory.STANDARD, 2_100, None),
    ],
)
def test_no_dutch_number_is_asked_of_who_is_no_dutch_business(
    customer: Party, category: VatCategory, rate_bps: int, code: str | None
) -> None:
    said = note([line(vat_category=category, vat_rate_bps=rate_bps)], customer=customer)
    assert lacking(said) == []
    xml = credit_note_xml(said)
    assert texts(xml, "TaxExemptionReasonCode") == ([] if code is None else [code])
    assert texts(xml, "RegistrationName")[-1] == customer.legal_name
    assert category.value in texts(xml, "ID")


def test_a_belgian_customer_is_named_by_its_vat_number() -> None:
    lines = [line(vat_category=VatCategory.REVERSE, vat_rate_bps=0)]
    xml = credit_note_xml(note(lines, customer=BELGIAN))
    schemes = [each.get("schemeID") for each in etree.fromstring(xml).iter(f"{CBC}EndpointID")]
    assert schemes == ["0106", "9925"]
    assert "BE0403019261" in texts(xml, "CompanyID")


def test_a_dutch_business_still_needs_its_kvk_number() -> None:
    with pytest.raises(Incomplete, match="customer's KVK number"):
        credit_note_xml(note(customer=replace(CUSTOMER, kvk_number=None)))
