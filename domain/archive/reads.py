"""Load an account's clock facts: sealed segments first, the rest of the ledger by binary COPY."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import numpy as np
from dateutil.relativedelta import relativedelta
from numpy.typing import NDArray
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.agreements import Term
from domain.agreements.model import ClockStart, Priority, PromiseTerm
from domain.archive import segments
from domain.archive.graded import GradedStop, graded_stops
from domain.archive.model import Sealing
from domain.archive.rules import Chunk, EventLog, assembled, distinct, ids_of, months_of, without
from domain.core.db import driver_of
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.codes import EventKind
from domain.evaluator.kernels.columns import Events, promise_columns
from domain.evaluator.kernels.layout import seal
from domain.promises import (
    PAUSE_ALLOWANCE,
    FactRole,
    clock_event_kinds,
    dimension,
    occurrence_kinds,
    rule_of,
    to_us,
)

NOWHERE = UUID(int=0)
"""The site of units that are at none."""
_PG_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01Z
_ROW = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name, kind in (
            ("term", ">i4"),
            ("unit", "V16"),
            ("site", "V16"),
            ("began", ">i8"),
            ("ts", ">i8"),
            ("code", ">i2"),
        )
        for part in ((f"{name}_size", ">i4"), (name, kind))
    ]
)
_HEADER = 19  # bytes of a binary COPY before its first row

# The same roles of facts as `domain/promises/translation.py`, as a joined table; a test compares the two.
_EVENTS = """
SELECT term, unit_id, coalesce(site_id, '{nowhere}'::uuid), began_at, ts, code FROM (
SELECT m.term, w.unit_id, w.site_id, w.began_at, l.id AS ord,
       CASE WHEN o.occurred_at IS NOT NULL THEN o.occurred_at WHEN m.time_field IS NULL THEN l.at
            ELSE (l.body->>m.time_field)::timestamptz END AS ts,
       (m.code + 16 * coalesce(array_position($4::text[], l.body->>'priority') - 1, 0))::int2 AS code
FROM promise_watch w
JOIN ledger l ON l.subject_id = w.unit_id
JOIN unnest($1::uuid[], $2::text[], $3::int4[], $5::int4[], $8::text[], $9::text[], $10::int4[])
  AS m(term_id, fact, code, term, time_field, flags, occurrence) ON m.term_id = ANY(w.term_ids) AND m.fact = l.kind
LEFT JOIN LATERAL (
  SELECT (s.body->>'occurred_at')::timestamptz AS occurred_at FROM ledger s
  WHERE m.occurrence > 0 AND s.subject_id = w.unit_id AND s.kind = ANY($11::text[]) {which_stated}
  ORDER BY s.id DESC LIMIT 1
) o ON true
WHERE w.account_id = $6::uuid
  AND (m.occurrence < 2 OR o.occurred_at IS NOT NULL)
  AND (m.flags = '' OR NOT EXISTS (SELECT FROM unnest(string_to_array(m.flags, ',')) AS flag
                                   WHERE NOT (l.body->>flag)::boolean))
  AND NOT (l.kind = 'incident.resumed' AND coalesce((l.body->>'capped')::boolean, false))
  {which}
UNION ALL
SELECT m.term, h.unit_id, h.site_id, h.began_at, 9223372036854775807, h.until_at, m.code::int2
FROM (
  SELECT *, least(next_at, at + greatest(interval '0', coalesce(
           pause_allowance_s * interval '1 second', $7::interval) - coalesce(
           sum(next_at - at) FILTER (WHERE is_pause) OVER earlier, interval '0'))) AS until_at
  FROM (
    SELECT *, lead(at) OVER later AS next_at, lead(kind) OVER later AS next_kind
    FROM (
      SELECT w.unit_id, w.term_ids, w.site_id, w.began_at, w.pause_allowance_s, l.id, l.at, l.kind,
             l.kind = 'incident.paused' AS is_pause,
             coalesce(lag(l.kind = 'incident.paused') OVER (PARTITION BY w.unit_id ORDER BY l.at, l.id), false)
               AS was_pause
      FROM promise_watch w
      JOIN ledger l ON l.subject_id = w.unit_id
      WHERE w.account_id = $6::uuid
        AND EXISTS (SELECT FROM incident_pause p WHERE p.incident_id = w.unit_id)
        AND l.kind IN ('incident.paused', 'incident.resumed', 'incident.resolved', 'incident.closed')
        AND NOT (l.kind = 'incident.resumed' AND coalesce((l.body->>'capped')::boolean, false))
        {which}
    ) marks
    WHERE is_pause <> was_pause
    WINDOW later AS (PARTITION BY unit_id ORDER BY at, id)
  ) changes
  WINDOW earlier AS (PARTITION BY unit_id ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) h
JOIN unnest($1::uuid[], $2::text[], $3::int4[], $5::int4[]) AS m(term_id, fact, code, term)
  ON m.term_id = ANY(h.term_ids) AND m.fact = 'incident.resumed'
WHERE h.is_pause AND (h.until_at IS DISTINCT FROM h.next_at OR h.next_kind <> 'incident.resumed')
) events
ORDER BY unit_id, ord, ts
"""
_KNOWN = "AND l.recorded_at <= $12::timestamptz"
_TAIL = "AND (w.began_at >= $12::timestamptz OR w.unit_id = ANY($13::uuid[]))"
_MONTH = (
    "AND l.seq <= $12::bigint AND w.began_at >= $13::timestamptz AND w.began_at < $14::timestamptz"
)


@dataclass(frozen=True, slots=True)
class TermsAndCalendars:
    """The terms of an account and their calendars."""

    terms: Sequence[Term]  # by id, the order of the promise dimension
    specs: Mapping[UUID, calendars.CalendarSpec]


async def terms_and_calendars(session: AsyncSession, account_id: UUID) -> TermsAndCalendars:
    """Return every term the account ever had."""
    ids = await session.scalars(select(PromiseTerm.id).where(PromiseTerm.account_id == account_id))
    known = await agreements.terms_by_id(session, ids)
    terms = sorted(known.values(), key=lambda term: term.id)
    return TermsAndCalendars(
        terms, await calendars.specs(session, {term.calendar_version_id for term in terms})
    )


async def load(
    session: AsyncSession,
    account_id: UUID,
    *,
    at: datetime,
    known_at: datetime | None = None,
    sealed: bool = True,
) -> EventLog:
    """Load the account's log as of `at`.

    With `known_at`, only facts recorded by then, read from the ledger's rows; `sealed` is False to always read rows.
    """
    base = await terms_and_calendars(session, account_id)
    pieces: dict[UUID, list[Chunk]] = defaultdict(list)
    if known_at is not None:
        found = await rows(session, base.terms, account_id, _KNOWN, known_at)
    elif sealed and (laid := await segments.read(session, account_id)) is not None:
        touched = await touched_since(session, laid.head)
        for term_id, piece in laid.pieces.items():
            left = without(piece, touched) if touched else piece
            if left.counts.size:
                pieces[term_id].append(left)
        found = await rows(
            session, base.terms, account_id, _TAIL, laid.head.until_at, list(touched)
        )
    else:
        found = await rows(session, base.terms, account_id)
    for term_id, piece in found.items():
        pieces[term_id].append(piece)
    return assembled(base.terms, pieces, base.specs, at_us=to_us(at))


async def touched_since(session: AsyncSession, head: Sealing | segments.Head) -> frozenset[UUID]:
    """Select incidents with clock facts that came after the account was sealed."""
    own = and_(LedgerRow.tenant_id == head.tenant_id, LedgerRow.account_id == head.account_id)
    found = await session.scalars(
        select(LedgerRow.subject_id)
        .where(
            own,
            LedgerRow.kind.in_(clock_event_kinds()),
            or_(LedgerRow.seq > head.upto_seq, LedgerRow.seq.is_(None)),
        )
        .distinct()
    )
    return frozenset(found)


async def month_rows(
    session: AsyncSession,
    terms: Sequence[Term],
    account_id: UUID,
    *,
    month_on: date,
    upto_seq: int,
) -> dict[UUID, Chunk]:
    """Return the content of a month's segments: facts up to a sequence number about the incidents opened in it."""
    begin = datetime(month_on.year, month_on.month, 1, tzinfo=UTC)
    end = begin + relativedelta(months=1)
    return await rows(session, terms, account_id, _MONTH, upto_seq, begin, end)


async def rows(
    session: AsyncSession, terms: Sequence[Term], account_id: UUID, which: str = "", *more: Any
) -> dict[UUID, Chunk]:
    """Load chunks from the ledger's rows; `which` narrows them down, with `more` as its parameters."""
    meanings = [
        (
            *(term.id, fact, int(role.event), row, role.time_field, ",".join(role.flags)),
            _occurrence(term, role),
        )
        for row, term in enumerate(terms)
        for fact, role in _roles(term).items()
    ]
    if not meanings:
        return {}
    ids, facts, codes, ordinals, times, flags, occurrence = (
        list(column) for column in zip(*meanings, strict=True)
    )
    driver = await driver_of(session)
    copied = bytearray()

    async def take(data: bytes) -> None:
        copied.extend(data)

    await driver.copy_from_query(
        _EVENTS.format(which=which, which_stated=which.replace("l.", "s."), nowhere=NOWHERE),
        *(ids, facts, codes, [str(priority) for priority in Priority], ordinals, account_id),
        PAUSE_ALLOWANCE,
        times,
        flags,
        occurrence,
        sorted(occurrence_kinds()),
        *more,
        output=take,
        format="binary",
    )
    events = np.frombuffer(copied, _ROW, (len(copied) - _HEADER - 2) // _ROW.itemsize, _HEADER)
    if any(term.lowest_grade for term in terms):
        events = _with_stops(
            events, await graded_stops(driver, terms, account_id, NOWHERE, which, *more)
        )
    return _pieces(terms, events)


def _roles(term: Term) -> Mapping[str, FactRole]:
    rule = rule_of(term.kind)
    return rule.roles if term.lowest_grade is None else rule.without_evidence


def _with_stops(events: NDArray[Any], stops: Sequence[GradedStop]) -> NDArray[Any]:
    """Add stops behind the other events of their units."""
    rows = np.zeros(len(stops), _ROW)
    for n, stop in enumerate(stops):
        rows["unit"][n], rows["site"][n] = stop.unit_id.bytes, stop.site_id.bytes
        rows["began"][n] = to_us(stop.began_at) - _PG_EPOCH_US
        rows["ts"][n] = to_us(stop.at) - _PG_EPOCH_US
        rows["term"][n], rows["code"][n] = stop.row, EventKind.STOP
    both = np.concatenate([events, rows])
    unit = ids_of(both["unit"].tobytes())
    return both[np.lexsort((unit[:, 1], unit[:, 0]))]


def _occurrence(term: Term, role: FactRole) -> int:
    """Return whether a fact takes effect when the unit happened: 0 no, 1 if that was stated, 2 only then."""
    if role.at_occurrence:
        return 2
    return int(role.event is EventKind.START and term.clock_start is ClockStart.OCCURRED)


def _pieces(terms: Sequence[Term], copied: NDArray[Any]) -> dict[UUID, Chunk]:
    """Group rows by incident, in the order of the ledger, and sort them into reading order per term."""
    if copied.size == 0:
        return {}
    unit = ids_of(copied["unit"].tobytes())
    new = np.append(True, (unit[1:] != unit[:-1]).any(axis=1))
    began = copied["began"][new].astype(np.int64) + _PG_EPOCH_US
    months, incidents = months_of(began), unit[new]
    by_month = np.argsort(months, kind="stable")  # ids ascend within a month already
    rank = np.empty(by_month.size, np.int32)
    rank[by_month] = np.arange(by_month.size, dtype=np.int32)
    code = copied["code"].astype(np.uint8)
    events = Events(
        copied["ts"].astype(np.int64) + _PG_EPOCH_US,
        copied["term"].astype(np.int32),
        rank[np.cumsum(new) - 1],
        (code & 15).astype(np.uint8),
        (code >> 4).astype(np.uint8),
        np.zeros(code.size, np.float32),
    )
    laid = seal(events, promise_columns(dimension(term, 0) for term in terms))
    sites, site_of = distinct(ids_of(copied["site"][new].tobytes())[by_month])
    months, incidents = months[by_month], incidents[by_month]
    found = {}
    for row, term in enumerate(terms):
        a, b = int(laid.first[row]), int(laid.first[row + 1])
        if a < b:
            units, counts = np.unique(laid.unit[a:b], return_counts=True)
            found[term.id] = Chunk(
                laid.ts[a:b],
                laid.code[a:b],
                counts.astype(np.int32),
                months[units],
                incidents[units],
                site_of[units],
                sites,
            )
    return found
