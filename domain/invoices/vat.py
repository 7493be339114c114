"""Categories of VAT, and the Dutch rate."""

from enum import StrEnum

STANDARD_BPS = 2_100
"""Dutch VAT on services, since 2012-10-01 (Wet OB 1968, article 9)."""


class VatCategory(StrEnum):
    """How a line is taxed; the value is the UNCL5305 code that EN 16931 wants."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    OUTSIDE = "O"
    REVERSE = "AE"
