"""Taxation of a sale between two parties: domestic VAT, reverse charge, or none."""

from functools import lru_cache
from typing import NamedTuple

from babel import Locale
from stdnum.eu import vat

from domain.invoices.parties import Party
from domain.invoices.vat import STANDARD_BPS, VatCategory

ENDPOINTS = {
    "AT": "9914",
    "BE": "9925",
    "BG": "9926",
    "CY": "9928",
    "CZ": "9929",
    "DE": "9930",
    "EE": "9931",
    "ES": "9920",
    "FR": "9957",
    "GR": "9933",
    "HR": "9934",
    "HU": "9910",
    "IE": "9935",
    "IT": "0211",
    "LT": "9937",
    "LU": "9938",
    "LV": "9939",
    "MT": "9943",
    "NL": "9944",
    "PL": "9945",
    "PT": "9946",
    "RO": "9947",
    "SI": "9949",
    "SK": "9950",
}
"""EAS scheme codes for addresses that are VAT numbers, by country."""
EU = frozenset({*ENDPOINTS, "DK", "FI", "SE"})


class Treatment(NamedTuple):
    """The category and rate of a line."""

    category: VatCategory
    rate_bps: int


HOME = Treatment(VatCategory.STANDARD, STANDARD_BPS)


def treatment(supplier: Party, customer: Party) -> Treatment:
    """Return how services to a customer are taxed.

    Within one country, to private persons, and to customers registered where the supplier is: at the supplier's rate.
    To a business elsewhere in the EU: by reverse charge (article 196 of the VAT directive). To a business outside the
    EU: not subject to VAT. A customer is a business when its VAT number is known.
    """
    if customer.vat_number is None or customer.country == supplier.country:
        return HOME
    if country_of(customer.vat_number) == supplier.country:
        return HOME
    if customer.country in EU:
        return Treatment(VatCategory.REVERSE, 0)
    return Treatment(VatCategory.OUTSIDE, 0)


def country_of(vat_number: str) -> str | None:
    """Return the EU country that issued a VAT number; None for any other number."""
    prefix = vat_number.strip()[:2].upper()
    country = "GR" if prefix == "EL" else prefix
    return country if country in EU and vat.is_valid(vat_number) else None


def endpoint_of(party: Party) -> tuple[str, str] | None:
    """Return the electronic address of a party and its scheme code; None when its numbers give none."""
    if party.kvk_number:
        return party.kvk_number, "0106"
    country = None if party.vat_number is None else country_of(party.vat_number)
    if country is None or party.vat_number is None or country not in ENDPOINTS:
        return None
    return str(vat.compact(party.vat_number)), ENDPOINTS[country]


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Return the ISO 3166 codes that a party may have as country."""
    codes = {str(code) for code in Locale("en").territories}
    return frozenset(code for code in codes if len(code) == 2) - {"EU", "ZZ"}
