"""Seller and buyer of a document, as plain values with their validation."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer, as on the day of the document."""

    legal_name: str
    street: str
    postcode: str
    city: str
    country: str = "NL"
    kvk_number: str | None = None
    vat_number: str | None = None
    iban: str | None = None
    bic: str | None = None


FOREIGN_NUMBER = re.compile("[A-Z0-9][A-Z0-9 .-]{3,19}")
"""Pattern of tax numbers outside the EU, which have no common check."""
