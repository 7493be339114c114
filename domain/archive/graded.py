"""Stops of promises with a lowest grade of evidence, which follow from several facts of a unit together."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from domain.agreements import Term
from domain.archive.selection import FactSelection
from domain.promises import ClockFact, graded_stop, rule_of

_EVIDENCE = """
SELECT w.unit_id, coalesce(w.site_id, $4::uuid) AS site_id, w.began_at, w.term_ids, l.kind, l.at, l.body
FROM promise_watch w JOIN ledger l ON l.subject_id = w.unit_id
WHERE w.account_id = $1::uuid AND w.term_ids && $2::uuid[] AND l.kind = ANY($3::text[])
  {which}
ORDER BY w.unit_id, l.id
"""
_OWN = 4  # parameters of the statement before those of its selection


class GradedStop(NamedTuple):
    """The clock of a promise stops; `row` is the row of its term."""

    row: int
    unit_id: UUID
    site_id: UUID
    began_at: datetime
    at: datetime


async def graded_stops(
    driver: Any, terms: Sequence[Term], account_id: UUID, nowhere: UUID, which: FactSelection
) -> list[GradedStop]:
    """Return what `translation.build` derives from the evidence, for the units that `which` selects."""
    row_of = {term.id: row for row, term in enumerate(terms) if term.lowest_grade is not None}
    kinds = {kind for row in row_of.values() for kind in rule_of(terms[row].kind).evidence or ()}
    found = await driver.fetch(
        _EVIDENCE.format(which=which.placed(_OWN)),
        *(account_id, list(row_of), list(kinds), nowhere),
        *which.values,
    )
    stops = []
    for unit_id, group in groupby(found, key=lambda fact: fact["unit_id"]):
        told = list(group)
        facts = [ClockFact(unit_id, f["kind"], f["at"], f["body"]) for f in told]
        unit = (unit_id, told[0]["site_id"], told[0]["began_at"])
        for term_id in set(told[0]["term_ids"]) & row_of.keys():
            at = graded_stop(facts, terms[row_of[term_id]])
            if at is not None:
                stops.append(GradedStop(row_of[term_id], *unit, at))
    return stops
