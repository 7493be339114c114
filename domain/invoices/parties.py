"""Who sells or buys, as plain values, and what may be said of them."""

import re
from dataclasses import dataclass


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


FOREIGN_NUMBER = re.compile("[A-Z0-9][A-Z0-9 .-]{3,19}")
"""A tax number of a country outside the EU: there is no check of all of them."""
