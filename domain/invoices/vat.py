"""Categories of VAT, and the Dutch rate."""

from enum import StrEnum

STANDARD_BPS = 2_100
"""Dutch VAT on services, since 2012-10-01 (Wet OB 1968, article 9)."""


class VatCategory(StrEnum):
    """VAT category of a line; the value is the UNCL5305 code required by EN 16931."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    OUTSIDE = "O"
    REVERSE = "AE"
