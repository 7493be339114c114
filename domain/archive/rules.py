"""Columns of clock facts: pieces as they are loaded, put together into the log that the kernels read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain import kernels
from domain.agreements.reads import Term
from domain.calendars.rules import CalendarSpec, calendars_for
from domain.kernels import batch
from domain.kernels.columns import Calendars, Promises
from domain.kernels.judge import Rows, judge
from domain.kernels.layout import Sealed
from domain.sla.columns import dimension

Ids = NDArray[np.uint64]  # (n, 2): the two halves of UUIDs


class Piece(NamedTuple):
    """Events of some tickets under one term, in reading order; tickets by month of opening, then id."""

    ts: NDArray[np.int64]  # (events,) µs
    code: NDArray[np.uint8]  # (events,) kind | priority << 4
    counts: NDArray[np.int32]  # (units,) events of each ticket, at least 1
    months: NDArray[np.int32]  # (units,) UTC months since 1970 of the opening
    incidents: Ids
    sites: Ids


NOTHING = Piece(
    np.zeros(0, np.int64),
    np.zeros(0, np.uint8),
    np.zeros(0, np.int32),
    np.zeros(0, np.int32),
    np.zeros((0, 2), ">u8"),
    np.zeros((0, 2), ">u8"),
)


@dataclass(frozen=True, slots=True)
class Log:
    """Everything the kernels need to judge an account, and what its units stand for.

    A unit is one ticket under one term; units ascend with the promise, so `first_event[u]:first_event[u + 1]`
    are its events.
    """

    terms: Sequence[Term]  # row of the promise dimension → term
    sealed: Sealed
    promises: Promises
    calendars: Calendars
    first_event: NDArray[np.int64]  # (units + 1,)
    incidents: Ids  # of each unit
    sites: Ids  # of each unit
    term_of: NDArray[np.int32]  # (units,)

    @property
    def events(self) -> int:
        """How many events it holds."""
        return int(self.sealed.ts.size)


def months_of(us: NDArray[np.int64]) -> NDArray[np.int32]:
    """UTC months since 1970 of instants in µs."""
    return us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int32)


def month_number(first: date) -> int:
    """UTC months since 1970 of a month."""
    return (first.year - 1970) * 12 + first.month - 1


def ids_of(packed: bytes) -> Ids:
    """16-byte ids laid behind each other, as two halves each; read in place, so big-endian."""
    return np.frombuffer(packed, ">u8").reshape(-1, 2)


def packed_ids(ids: Ids) -> bytes:
    """The ids as 16 bytes each, as `ids_of` reads them."""
    return ids.astype(">u8", copy=False).tobytes()


def uuid_of(halves: NDArray[np.uint64]) -> UUID:
    """One id."""
    return UUID(int=int(halves[0]) << 64 | int(halves[1]))


def without(piece: Piece, tickets: Collection[UUID]) -> Piece:
    """The piece without the events of these tickets."""
    wanted = ids_of(b"".join(ticket.bytes for ticket in tickets))
    keep = ~np.isin(piece.incidents[:, 1].astype(np.uint64), wanted[:, 1].astype(np.uint64))
    for unit in np.flatnonzero(~keep):  # half an id is equal: look at the whole
        keep[unit] = uuid_of(piece.incidents[unit]) not in tickets
    return piece if keep.all() else taken(piece, np.flatnonzero(keep))


def in_order(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The pieces of one term in the one order that does not depend on how they were cut: month, then ticket.

    Segments alone are in that order already; only what comes from rows beside them makes them one piece.
    """
    months = [(int(piece.months[0]), int(piece.months[-1])) for piece in pieces]
    if all(before[1] < after[0] for before, after in pairwise(months)):
        return pieces
    whole = _columns(pieces)
    order = np.lexsort((whole.incidents[:, 1], whole.incidents[:, 0], whole.months))
    return [taken(whole, order)]


def assembled(
    terms: Sequence[Term],
    pieces: Mapping[UUID, Sequence[Piece]],
    specs: Mapping[UUID, CalendarSpec],
    *,
    at_us: int,
) -> Log:
    """The log of an account as of `at_us`, from the pieces of each term; terms without any are left out."""
    present = [term for term in terms if pieces.get(term.id)]
    parts = [in_order(pieces[term.id]) for term in present]
    versions = list(dict.fromkeys(term.calendar_version_id for term in present))
    promises = kernels.promise_columns(
        dimension(term, versions.index(term.calendar_version_id)) for term in present
    )
    ts, code, counts, _months, incidents, sites = _columns(list(chain(*parts)))
    sealed = Sealed(
        first=np.cumsum([0, *(sum(p.ts.size for p in part) for part in parts)]).astype(np.int64),
        ts=ts,
        unit=np.repeat(np.arange(counts.size, dtype=np.int32), counts),
        code=code,
        value=np.zeros(0, np.float32),  # no promise of a ticket carries values
    )
    calendars = calendars_for(
        [specs[version] for version in versions],
        promises,
        min(int(ts.min()) if ts.size else at_us, at_us),
        at_us,
    )
    return Log(
        terms=present,
        sealed=sealed,
        promises=promises,
        calendars=calendars,
        first_event=np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        incidents=incidents,
        sites=sites,
        term_of=np.repeat(
            np.arange(len(parts), dtype=np.int32),
            [sum(p.counts.size for p in part) for part in parts],
        ),
    )


def judged(log: Log, at_us: int) -> Rows:
    """The verdicts of a log at `at_us`, by promise, unit and part; nothing is laid out again."""
    batch.check_horizon(log.sealed.ts, log.promises, log.calendars, at_us)
    out = batch.empty_rows(log.events)
    warn = np.array(batch.WARN_PPM, np.int64)
    n = judge(log.sealed, log.promises, log.calendars, at_us, warn, out, 0, len(log.terms))
    return batch.within_horizon(out[:n])


def _columns(pieces: Sequence[Piece]) -> Piece:
    return Piece._make(np.concatenate(column) for column in zip(NOTHING, *pieces, strict=True))


def taken(piece: Piece, units: NDArray[np.int64]) -> Piece:
    """The events of these units, in this order."""
    first = np.cumsum(piece.counts, dtype=np.int64) - piece.counts
    counts = piece.counts[units]
    ends = np.cumsum(counts, dtype=np.int64)
    at = np.repeat(first[units] - (ends - counts), counts) + np.arange(ends[-1] if ends.size else 0)
    return Piece(
        piece.ts[at],
        piece.code[at],
        counts,
        piece.months[units],
        piece.incidents[units],
        piece.sites[units],
    )
