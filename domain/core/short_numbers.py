"""Short numbers of rows, counted per company, that people can read out on the telephone."""

import re
from typing import Annotated

from sqlalchemy import BigInteger, FetchedValue
from sqlalchemy.orm import mapped_column

Number = Annotated[int, mapped_column(BigInteger, server_default=FetchedValue())]
"""Column that PostgreSQL counts per company when a row is inserted (trigger `give_number`)."""

INCIDENT, CREDIT, REPORT = "INC", "CRD", "RPT"
DIGITS = 6
_NUMBER = re.compile(r"(?:(?P<prefix>[A-Z]{3})[-\s]?)?0*(?P<digits>[0-9]{1,15})")


def format_number(prefix: str, number: int) -> str:
    """Format a number for display, such as `INC-000123`."""
    return f"{prefix}-{number:0{DIGITS}}"


def parse_number(prefix: str, text: str) -> int | None:
    """Parse `INC-000123`, `inc 123` or `123`; return None when the text is no number of this kind."""
    found = _NUMBER.fullmatch(text.strip().upper())
    if found is None or found["prefix"] not in {None, prefix}:
        return None
    return int(found["digits"])
