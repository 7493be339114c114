"""Search for objects by their number for people."""

from typing import Annotated, Any

from sqlalchemy import ColumnElement, or_

from domain.compensation import Credit
from domain.core import short_numbers
from domain.core.errors import Code, Refused
from domain.incidents import Incident
from domain.invoices import CreditNote, Invoice, read_number
from domain.reports import Report
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import visible
from schema.core.roots import query_fields
from schema.core.types import resolver

LONGEST = 100
MOST = 20
"""Largest number of rows of one kind: several senders may use the same external number."""


@query_fields
class FindingQuery:
    """Query by a number for people."""

    @resolver(list[Node])
    @staticmethod
    async def by_number(
        info: Info,
        number: Annotated[
            str,
            (
                "Number such as `INC-000123`, `CRD-000123`, `RPT-000123`, `F2026-00001` or "
                "`C2026-00001`; case, leading zeros and surrounding spaces are ignored. `123` "
                "alone searches incidents, credits and reports."
            ),
        ],
    ) -> list[Any]:
        """Incidents, credits, reports, invoices and credit notes with this number, as far as visible to you."""
        wanted = _wanted(number)
        async with info.context.sessions() as session:
            found: list[Any] = []
            for model, condition in wanted.items():
                query = visible(info, model).where(condition).order_by(model.id).limit(MOST)
                found.extend(await session.scalars(query))
        return found


def _wanted(number: str) -> dict[Any, ColumnElement[bool]]:
    """Return the conditions for this number, by type of row."""
    text = number.strip()
    if not 0 < len(text) <= LONGEST:
        raise Refused(
            Code.INVALID, f"number must have 1 to {LONGEST} characters.", argument="number"
        )
    wanted: dict[Any, ColumnElement[bool]] = {}
    for model, prefix in (
        (Incident, short_numbers.INCIDENT),
        (Credit, short_numbers.CREDIT),
        (Report, short_numbers.REPORT),
    ):
        counted = short_numbers.parse_number(prefix, text)
        if counted is not None:
            wanted[model] = model.number == counted
    external = Incident.external_id == text
    wanted[Incident] = or_(wanted[Incident], external) if Incident in wanted else external
    document = read_number(text)
    if document is not None:
        wanted |= {Invoice: Invoice.number == document, CreditNote: CreditNote.number == document}
    return wanted
