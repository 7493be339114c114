"""Export of sealed segments as Parquet, one file per company and month, for other tools."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.archive.model import EventSegment
from domain.archive.rules import NO_VALUES, Chunk, Ids, distinct, ids_of, month_number
from domain.core import private_files

NAME = "clock_events.parquet"
MADE_OF, MONTH = b"waarborg.made_of", b"waarborg.month"


def path_of(directory: Path, tenant_id: UUID, month_on: date) -> Path:
    """Return the path of a company's month, with Hive partition names."""
    return directory / f"tenant={tenant_id}" / f"month={month_on:%Y-%m}" / NAME


async def stale(session: AsyncSession, directory: Path) -> list[tuple[UUID, date]]:
    """List companies and months whose file is missing or was made from other segments."""
    rows = await session.execute(
        select(EventSegment.tenant_id, EventSegment.month_on, func.array_agg(EventSegment.id))
        .group_by(EventSegment.tenant_id, EventSegment.month_on)
        .order_by(EventSegment.tenant_id, EventSegment.month_on)
    )
    return [
        (tenant_id, month_on)
        for tenant_id, month_on, segment_ids in rows
        if _made_of(path_of(directory, tenant_id, month_on)) != _fingerprint(segment_ids)
    ]


async def write_month(
    session: AsyncSession, directory: Path, tenant_id: UUID, month_on: date
) -> int:
    """Write a company's sealed month, one row group per segment; return its number of events. Memory: one segment."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    own = (EventSegment.tenant_id == tenant_id, EventSegment.month_on == month_on)
    order = (EventSegment.account_id, EventSegment.term_id)
    ids = list(await session.scalars(select(EventSegment.id).where(*own).order_by(*order)))
    path = path_of(directory, tenant_id, month_on)
    private_files.make_directory(path.parent)
    identity = pa.binary(16)
    schema = pa.schema(
        [
            ("account_id", identity),
            ("term_id", identity),
            ("incident_id", identity),
            ("site_id", identity),
            ("ts", pa.timestamp("us", "UTC")),
            ("kind", pa.uint8()),
            ("priority", pa.uint8()),
            ("value", pa.float32()),
        ],
        metadata={MADE_OF: _fingerprint(ids), MONTH: month_on.isoformat().encode()},
    )
    events = 0
    with (
        private_files.replacing(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for segment_id in ids:
            segment = await session.get_one(EventSegment, segment_id)
            writer.write_table(_table(segment, schema))
            events += segment.events
            session.expunge(segment)
    return events


def read_month(path: Path, account_id: UUID | None = None) -> Iterator[tuple[UUID, UUID, Chunk]]:
    """Read account, term and chunk of every segment in a file; row groups of other accounts are not read."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    month = date.fromisoformat(file.schema_arrow.metadata[MONTH].decode())
    wanted = None if account_id is None else account_id.bytes
    for group in range(file.num_row_groups):
        stated = file.metadata.row_group(group).column(0).statistics
        if wanted is not None and stated is not None and stated.min != wanted:
            continue
        table = file.read_row_group(group).combine_chunks()
        if wanted in {None, table["account_id"][0].as_py()}:
            yield (
                UUID(bytes=table["account_id"][0].as_py()),
                UUID(bytes=table["term_id"][0].as_py()),
                _piece(table, month),
            )


def read(directory: Path, tenant_id: UUID, account_id: UUID) -> Mapping[UUID, list[Chunk]]:
    """Read every chunk of an account, by term and month, as input of `rules.assembled`."""
    found: dict[UUID, list[Chunk]] = defaultdict(list)
    for path in sorted((directory / f"tenant={tenant_id}").glob(f"month=*/{NAME}")):
        for _, term_id, piece in read_month(path, account_id):
            found[term_id].append(piece)
    return found


def _table(segment: EventSegment, schema: Any) -> Any:
    import pyarrow as pa

    ts, code = np.frombuffer(segment.ts, "<i8"), np.frombuffer(segment.code, np.uint8)
    value = np.frombuffer(segment.value, "<f4")
    counts, site_of = np.frombuffer(segment.counts, "<i4"), np.frombuffer(segment.site_of, "<i4")

    def every(one: bytes) -> Any:
        index = pa.array(np.zeros(segment.events, np.int32))
        return pa.array([one], pa.binary(16)).take(index)

    def each(packed: bytes, of: np.ndarray[Any, np.dtype[np.int32]]) -> Any:
        whole = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(packed) // 16, [None, pa.py_buffer(packed)]
        )
        return whole.take(pa.array(np.repeat(of, counts)))

    return pa.table(
        [
            every(segment.account_id.bytes),
            every(segment.term_id.bytes),
            each(segment.incidents, np.arange(segment.units, dtype=np.int32)),
            each(segment.sites, site_of),
            pa.array(ts, pa.timestamp("us", "UTC")),
            pa.array(code & np.uint8(15)),
            pa.array(code >> np.uint8(4)),
            pa.array(value) if value.size else pa.nulls(segment.events, pa.float32()),
        ],
        schema=schema,
    )


def _piece(table: Any, month_on: date) -> Chunk:
    def ids(name: str) -> Ids:
        column = table[name].combine_chunks()
        column = column if not hasattr(column, "chunk") else column.chunk(0)
        start = column.offset * 16
        return ids_of(column.buffers()[1].to_pybytes()[start : start + 16 * len(column)])

    incidents = ids("incident_id")
    new = np.append(True, (incidents[1:] != incidents[:-1]).any(axis=1))
    first = np.flatnonzero(new)
    ts = table["ts"].to_numpy().astype("datetime64[us]").astype(np.int64)
    sites, site_of = distinct(ids("site_id")[first])
    code = table["kind"].to_numpy() | table["priority"].to_numpy() << 4
    value = table["value"]
    return Chunk(
        ts,
        code.astype(np.uint8),
        NO_VALUES if value.null_count else value.to_numpy().astype(np.float32),
        np.diff(np.append(first, ts.size)).astype(np.int32),
        np.full(first.size, month_number(month_on), np.int32),
        incidents[first],
        site_of,
        sites,
    )


def _fingerprint(segment_ids: Sequence[UUID]) -> bytes:
    """Return a fingerprint of segments. Segments are replaced, never changed, so their ids identify the content."""
    return hashlib.sha256(b"".join(sorted(each.bytes for each in segment_ids))).hexdigest().encode()


def _made_of(path: Path) -> bytes | None:
    import pyarrow.parquet as pq

    if not path.exists():
        return None
    found: bytes | None = (pq.read_schema(path).metadata or {}).get(MADE_OF)
    return found
