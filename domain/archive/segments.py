"""Read an account's sealed segments: one COPY, straight into the columns that the kernels read."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.archive.model import EventSegment, Sealing
from domain.archive.rules import Chunk, Ids, distinct, ids_of, month_number
from domain.core.db import driver_of

TRIES = 5
_COPY_HEADER = 19  # bytes of a binary COPY before its first row
_WIDTH = 6  # fields a row
_SIZES = np.dtype([("fields", ">i2"), ("sizes", ">i4", _WIDTH)])
_COLUMNS = """
SELECT s.ts, s.code, s.value, s.counts, s.incidents, s.site_of
FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted(id, place)
JOIN column_segment s ON s.id = wanted.id AND s.account_id = $2::uuid
ORDER BY wanted.place"""


class Head(NamedTuple):
    """How far an account is sealed, from the statement that listed the segments."""

    tenant_id: UUID
    account_id: UUID
    until_at: datetime
    upto_seq: int


class SegmentHead(NamedTuple):
    """A segment without its columns."""

    id: UUID
    term_id: UUID
    month: int  # UTC months since 1970
    events: int
    units: int
    values: int  # as many as events, or none
    sites: bytes


@dataclass(frozen=True, slots=True)
class SealedSegments:
    """The sealed part of an account: its limit, and one chunk per term with its months concatenated."""

    head: Head
    pieces: Mapping[UUID, Chunk]


async def read(session: AsyncSession, account_id: UUID) -> SealedSegments | None:
    """Read the sealed part, or None; the chunks are views of columns in the order of the terms.

    Segments may be replaced during the read, because the transaction is no snapshot. One statement lists the segments,
    and others read their content by id; when some are gone by then, the read starts again.
    """
    for _ in range(TRIES):
        head, kept = await directory(session, account_id)
        if head is None:
            return None
        found = await pieces(session, account_id, kept)
        if found is not None:
            return SealedSegments(head, found)
        await asyncio.sleep(0.05)
    raise RuntimeError(
        f"the segments of account {account_id} were replaced {TRIES} times while read"
    )


async def directory(
    session: AsyncSession, account_id: UUID
) -> tuple[Head | None, Sequence[SegmentHead]]:
    """Return how far an account is sealed, and its segments by term and month: one statement, one snapshot."""
    found = await session.execute(
        select(
            Sealing.tenant_id,
            Sealing.until_at,
            Sealing.upto_seq,
            EventSegment.id,
            EventSegment.term_id,
            EventSegment.month_on,
            EventSegment.events,
            EventSegment.units,
            func.length(EventSegment.value).op("/")(4),
            EventSegment.sites,
        )
        .outerjoin(EventSegment, EventSegment.account_id == Sealing.account_id)
        .where(Sealing.account_id == account_id)
        .order_by(EventSegment.term_id, EventSegment.month_on)
    )
    head, kept = None, []
    for tenant_id, until_at, upto_seq, segment_id, term_id, month_on, *rest in found:
        head = Head(tenant_id, account_id, until_at, upto_seq)
        if segment_id is not None:
            kept.append(SegmentHead(segment_id, term_id, month_number(month_on), *rest))
    return head, kept


async def pieces(
    session: AsyncSession, account_id: UUID, kept: Sequence[SegmentHead]
) -> Mapping[UUID, Chunk] | None:
    """Read one chunk per term, or None if a segment is gone."""
    events = _starts(each.events for each in kept)
    units = _starts(each.units for each in kept)
    values = _starts(each.values for each in kept)
    columns = (
        (np.empty(events[-1], "<i8"), events),
        (np.empty(events[-1], "u1"), events),
        (np.empty(values[-1], "<f4"), values),
        (np.empty(units[-1], "<i4"), units),
        (np.empty((units[-1], 2), ">u8"), units),
        (np.empty(units[-1], "<i4"), units),
    )
    receiver = _CopyReceiver(_targets(columns))
    driver = await driver_of(session)
    await driver.copy_from_query(
        _COLUMNS, [each.id for each in kept], account_id, output=receiver.take, format="binary"
    )
    sizes = np.stack([_row_bytes(column) * np.diff(starts) for column, starts in columns], axis=1)
    if not receiver.was(sizes):
        return None
    ts, code, value, counts, incidents, site_of = (column for column, _ in columns)
    sites = _one_table(kept, site_of, units)
    months = np.repeat(np.array([each.month for each in kept], np.int32), np.diff(units))
    found, n = {}, 0
    for term_id, group in groupby(kept, key=lambda each: each.term_id):
        first, n = n, n + len(list(group))
        mine, theirs = slice(events[first], events[n]), slice(units[first], units[n])
        found[term_id] = Chunk(
            ts[mine],
            code[mine],
            value[values[first] : values[n]],
            counts[theirs],
            months[theirs],
            incidents[theirs],
            site_of[theirs],
            sites,
        )
    return found


def _one_table(
    kept: Sequence[SegmentHead], site_of: NDArray[np.int32], units: NDArray[np.int64]
) -> Ids:
    """Build one table of sites for all segments, and map their rows to it."""
    sites, index = distinct(ids_of(b"".join(each.sites for each in kept)))
    tables = _starts(len(each.sites) // 16 for each in kept)
    for n in range(len(kept)):
        now = index[tables[n] : tables[n + 1]]
        if not np.array_equal(now, np.arange(now.size)):
            mine = slice(units[n], units[n + 1])
            site_of[mine] = now[site_of[mine]]
    return sites


def _starts(sizes: Iterable[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _row_bytes(column: NDArray[Any]) -> int:
    return int(column.itemsize * np.prod(column.shape[1:], dtype=np.int64))


def _targets(
    columns: Sequence[tuple[NDArray[Any], NDArray[np.int64]]],
) -> Iterator[memoryview]:
    """Return the target of each field, row by row."""
    views = [
        (column.reshape(-1).view("u1").data, (starts * _row_bytes(column)).tolist())
        for column, starts in columns
    ]
    for row in range(columns[0][1].size - 1):
        for view, starts in views:
            yield view[starts[row] : starts[row + 1]]


class _CopyReceiver:
    """Receiver of a binary COPY that writes fields to their target columns as they arrive.

    Through `fetch`, every field is allocated, then copied: 1.5 times the time at 1e7 events, twice the memory.
    """

    def __init__(self, offsets: Iterator[memoryview]) -> None:
        self._places = offsets
        self._field = 0
        self._skip = _COPY_HEADER + 6
        self._into = memoryview(b"")
        self._rest = (
            bytearray()
        )  # bytes that are no field: the header, counts of fields, their sizes, the trailer

    async def take(self, data: bytes) -> None:
        """Write the next bytes."""
        view, at = memoryview(data), 0
        while at < len(view):
            if self._skip:
                step = min(self._skip, len(view) - at)
                self._rest += view[at : at + step]
                self._skip -= step
                if not self._skip:
                    self._into = next(self._places, memoryview(b""))
            else:
                step = min(len(self._into), len(view) - at)
                self._into[:step] = view[at : at + step]
                self._into = self._into[step:]
            at += step
            if not self._skip and not self._into:
                self._field += 1
                self._skip = 6 if self._field % _WIDTH == 0 else 4

    def was(self, sizes: NDArray[np.int64]) -> bool:
        """Return whether rows with fields of exactly these sizes were received, and nothing else."""
        rows = sizes.shape[0]
        if len(self._rest) != _COPY_HEADER + rows * _SIZES.itemsize + 2:
            return False
        sizes_read = np.frombuffer(self._rest, _SIZES, rows, _COPY_HEADER)
        return bool(
            (sizes_read["fields"] == _WIDTH).all() and np.array_equal(sizes_read["sizes"], sizes)
        )
