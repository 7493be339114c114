"""`export verdicts`: one row for every promise about every ticket, streamed."""

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

from sqlalchemy import Select, Text, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.commands import lookup
from api.commands.output import written
from api.support.failures import CommandFailure, Exit
from domain import calendars
from domain.accounts import Account
from domain.agreements import Agreement, PromiseTerm, Term, Terms, terms_by_id
from domain.calendars import CalendarSpec
from domain.core import short_numbers
from domain.core.db import connect, sessions
from domain.core.settings import Settings
from domain.core.spreadsheets import neutralize_everywhere
from domain.incidents import Incident
from domain.promises import Promise, State, announced_due

ROWS = 5_000  # fetched and written at a time
COLUMNS: dict[str, str] = {
    "external_id": "text",
    "promise": "text",
    "opened_at": "instant",
    "due_at": "instant",
    "stopped_at": "instant",
    "verdict": "text",  # kept, late or open
    "state": "text",
    "decided_at": "instant",
    "elapsed_s": "seconds",
    "target_s": "seconds",
    "paused_s": "seconds",
    "part": "number",
    "promise_kind": "text",
    "priority": "text",
    "category": "text",
    "source": "text",
    "incident_id": "text",
    "account": "text",
    "agreement": "text",
    "terms_version": "number",
    "internal": "yes",
    "evaluated_at": "instant",
    "evaluator": "number",
    "incident_number": "text",
    "breaches_at": "instant",
}
_DUE, _PRIORITY = list(COLUMNS).index("due_at"), list(COLUMNS).index("priority")
Row = tuple[Any, ...]


def run(
    settings: Settings,
    format: str,
    out: Path | None,
    tenant: str | None,
    account: str | None,
    source: str | None,
) -> Exit:
    """Write the table to `out`, complete or not at all, or to standard output."""
    if out is None and format == "parquet" and sys.stdout.isatty():
        raise CommandFailure("Parquet is not for a terminal: give --out FILE.", Exit.USAGE)
    try:
        with written(out) as file:
            asyncio.run(_export(settings, _FORMATS[format](file), tenant, account, source))
    except BrokenPipeError:
        sys.stderr.close()  # the reader (`| head`) has enough; there is nobody left to tell
    return Exit.DONE


async def _export(
    settings: Settings, table: "Table", tenant: str | None, account: str | None, source: str | None
) -> None:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with sessions(engine)() as session:
            tenant_ids = await lookup.tenants(session, tenant)
            query = _query().where(Promise.tenant_id.in_(tenant_ids))
            account_ids = await lookup.accounts(session, tenant_ids, account)
            if account_ids is not None:
                query = query.where(Promise.account_id.in_(account_ids))
            if source is not None:
                query = query.where(Incident.external_source == source)
            hours = await _hours(session, tenant_ids)
            async for rows in _rows(session, query):
                table.write([_announced(row, hours) for row in rows])
        table.close()
    finally:
        await engine.dispose()


def _query() -> Select[*tuple[Any, ...]]:
    state = cast(Promise.state, Text)  # as the column's own type, "open" would be no state of it
    digits = cast(Incident.number, Text)
    wide = func.greatest(short_numbers.DIGITS, func.length(digits))
    return (
        select(
            Incident.external_id,
            Promise.name,
            Incident.opened_at,
            Promise.due_at,
            Promise.stopped_at,
            case((Promise.state.in_([State.KEPT, State.LATE]), state), else_="open"),
            Promise.state,
            Promise.decided_at,
            Promise.elapsed_us,
            Promise.target_us,
            Promise.paused_us,
            Promise.part,
            Promise.kind,
            Promise.priority,
            Incident.category,
            Incident.external_source,
            Incident.id,
            Account.name,
            Agreement.reference,
            Terms.number,
            Promise.internal,
            Promise.evaluated_at,
            Promise.evaluator,
            func.concat(f"{short_numbers.INCIDENT}-", func.lpad(digits, wide, "0")),
            Promise.due_at,
            Promise.term_id,
            Promise.started_at,
        )
        .join(Incident, Incident.id == Promise.unit_id)
        .join(Account, Account.id == Promise.account_id)
        .join(Agreement, Agreement.id == Promise.agreement_id)
        .join(Terms, Terms.id == Promise.terms_id)
        .where(Promise.state != State.CANCELLED)
        .order_by(Incident.opened_at, Incident.id, Promise.name, Promise.part)
    )


Hours = Mapping[UUID, tuple[Term, CalendarSpec]]


async def _hours(session: AsyncSession, tenant_ids: Collection[UUID]) -> Hours:
    """The promises of the terms with the hours of their clocks."""
    ids = await session.scalars(select(PromiseTerm.id).where(PromiseTerm.tenant_id.in_(tenant_ids)))
    terms = await terms_by_id(session, ids.all())
    specs = await calendars.specs(session, {term.calendar_version_id for term in terms.values()})
    return {key: (term, specs[term.calendar_version_id]) for key, term in terms.items()}


def _announced(row: Row, hours: Hours) -> Row:
    """Return the row with the announced due instant, without the columns that it is computed from."""
    *shown, term_id, started_at = row
    term, spec = hours[term_id]
    shown[_DUE] = announced_due(
        term, spec, shown[_PRIORITY], started_at=started_at, due_at=shown[_DUE]
    )
    return tuple(shown)


async def _rows(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> AsyncIterator[list[Row]]:
    found = await session.stream(query, execution_options={"yield_per": ROWS})
    async for rows in found.partitions():
        yield [tuple(row) for row in rows]


class Table(Protocol):
    """A table being written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Some more rows."""
        ...

    def close(self) -> None:
        """No more rows."""
        ...


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def _seconds(us: int) -> int | float:
    return us // 1_000_000 if us % 1_000_000 == 0 else us / 1_000_000


_TOLD: dict[str, Any] = {
    "text": lambda value: None if value is None else str(value),
    "instant": _instant,
    "seconds": _seconds,
    "number": int,
    "yes": bool,
}
_TELL = [_TOLD[kind] for kind in COLUMNS.values()]


def _told(row: Row) -> list[Any]:
    return [tell(value) for tell, value in zip(_TELL, row, strict=True)]


def _cell(value: Any) -> Any:
    return neutralize_everywhere(value) if isinstance(value, str) else value


class _Csv:
    """Comma-separated, one header line; an unknown instant is empty. No text runs as a formula in a spreadsheet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._line([list(COLUMNS)])

    def write(self, rows: Sequence[Row]) -> None:
        self._line([[_cell(value) for value in _told(row)] for row in rows])

    def _line(self, rows: Sequence[Sequence[Any]]) -> None:
        from io import StringIO

        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        pass


class _Json:
    """One array, an object a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._before = file, "[\n"

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            shown = json.dumps(dict(zip(COLUMNS, _told(row), strict=True)), ensure_ascii=False)
            self._file.write((self._before + shown).encode())
            self._before = ",\n"

    def close(self) -> None:
        self._file.write(b"\n]\n" if self._before == ",\n" else b"[]\n")


class _Parquet:
    """Instants as UTC microseconds, seconds as numbers."""

    def __init__(self, file: IO[bytes]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {
            "text": pa.string(),
            "instant": pa.timestamp("us", tz="UTC"),
            "seconds": pa.float64(),
            "number": pa.int64(),
            "yes": pa.bool_(),
        }
        self._schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
        self._writer = pq.ParquetWriter(file, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        columns = [
            [value if kind == "instant" else tell(value) for value in column]
            for kind, tell, column in zip(
                COLUMNS.values(), _TELL, zip(*rows, strict=True), strict=True
            )
        ]
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


_FORMATS: dict[str, Any] = {"csv": _Csv, "json": _Json, "parquet": _Parquet}
