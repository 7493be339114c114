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
from domain.archive.event_query import EVENTS, HEADER, OWN, ROW
from domain.archive.graded import GradedStop, graded_stops
from domain.archive.model import Sealing
from domain.archive.rules import (
    NO_VALUES,
    Chunk,
    EventLog,
    assembled,
    distinct,
    ids_of,
    is_measured,
    months_of,
    without,
)
from domain.archive.selection import FactSelection
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
_KNOWN = "AND l.recorded_at <= {0}::timestamptz"
_TAIL = "AND (w.began_at >= {0}::timestamptz OR w.unit_id = ANY({1}::uuid[]))"
_MONTH = (
    "AND l.seq <= {0}::bigint AND w.began_at >= {1}::timestamptz AND w.began_at < {2}::timestamptz"
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
        found = await rows(session, base.terms, account_id, FactSelection(_KNOWN, (known_at,)))
    elif sealed and (laid := await segments.read(session, account_id)) is not None:
        touched = await touched_since(session, laid.head)
        for term_id, piece in laid.pieces.items():
            left = without(piece, touched) if touched else piece
            if left.counts.size:
                pieces[term_id].append(left)
        tail = FactSelection(_TAIL, (laid.head.until_at, list(touched)))
        found = await rows(session, base.terms, account_id, tail)
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
    return await rows(session, terms, account_id, FactSelection(_MONTH, (upto_seq, begin, end)))


async def rows(
    session: AsyncSession,
    terms: Sequence[Term],
    account_id: UUID,
    which: FactSelection = FactSelection(),  # noqa: B008 - immutable
) -> dict[UUID, Chunk]:
    """Load chunks from the ledger's rows that `which` selects."""
    meanings = [
        (
            *(term.id, fact, int(role.event), row, role.time_field, ",".join(role.flags)),
            _occurrence(term, role),
            role.imported_time_field,
            role.value_field,
        )
        for row, term in enumerate(terms)
        for fact, role in _roles(term).items()
    ]
    if not meanings:
        return {}
    ids, facts, codes, ordinals, times, flags, occurrence, imported, measured = (
        list(column) for column in zip(*meanings, strict=True)
    )
    driver = await driver_of(session)
    copied = bytearray()

    async def take(data: bytes) -> None:
        copied.extend(data)

    await driver.copy_from_query(
        EVENTS.format(
            which=which.placed(OWN), which_stated=which.placed(OWN, fact="s"), nowhere=NOWHERE
        ),
        *(ids, facts, codes, [str(priority) for priority in Priority], ordinals, account_id),
        PAUSE_ALLOWANCE,
        times,
        flags,
        occurrence,
        sorted(occurrence_kinds()),
        imported,
        measured,
        *which.values,
        output=take,
        format="binary",
    )
    events = np.frombuffer(copied, ROW, (len(copied) - HEADER - 2) // ROW.itemsize, HEADER)
    if any(term.lowest_grade for term in terms):
        stops = await graded_stops(driver, terms, account_id, NOWHERE, which)
        events = _with_stops(events, stops)
    return _pieces(terms, events)


def _roles(term: Term) -> Mapping[str, FactRole]:
    rule = rule_of(term.kind)
    return rule.roles if term.lowest_grade is None else rule.without_evidence


def _with_stops(events: NDArray[Any], stops: Sequence[GradedStop]) -> NDArray[Any]:
    """Add stops behind the other events of their units."""
    rows = np.zeros(len(stops), ROW)
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
        copied["value"].astype(np.float32),
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
                laid.value[a:b] if is_measured(term) else NO_VALUES,
                counts.astype(np.int32),
                months[units],
                incidents[units],
                site_of[units],
                sites,
            )
    return found
