"""Search incidents by number and by text."""

from sqlalchemy import ColumnElement, or_

from domain.core import short_numbers
from domain.core.errors import Code, Refused
from domain.incidents.model import Incident

LONGEST = 100


def matching(search: str) -> ColumnElement[bool]:
    """Return the condition for incidents with this number (ours or external) or this text in summary or reporter.

    Refuses a blank search and one longer than 100 characters.
    """
    text = search.strip()
    if not 0 < len(text) <= LONGEST:
        raise Refused(
            Code.INVALID, f"search must have 1 to {LONGEST} characters.", argument="search"
        )
    number = short_numbers.parse_number(short_numbers.INCIDENT, text)
    exact = [Incident.external_id == text]
    if number is not None:
        exact.append(Incident.number == number)
    if text.upper().startswith(f"{short_numbers.INCIDENT}-"):
        return or_(*exact)
    return or_(
        *exact,
        Incident.summary.icontains(text, autoescape=True),
        Incident.reporter.icontains(text, autoescape=True),
    )
