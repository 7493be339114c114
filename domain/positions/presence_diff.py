"""Compare the results for a duty with the stored rows: begin, end, revise or retract rows, and record the facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.access import Tx
from domain.core.base import uuid7
from domain.duties.model import Duty
from domain.positions import events
from domain.positions.model import Kind, Presence

_FACTS: dict[Kind, tuple[type[events.PresenceFact], type[events.PresenceFact], bool]] = {
    Kind.STAY: (events.GuardArrived, events.GuardLeft, False),
    Kind.DWELL: (events.GuardStoodStill, events.Moved, True),
    Kind.SILENCE: (events.FellSilent, events.HeardAgain, True),
    Kind.ABSENCE: (events.Absent, events.AbsenceEnded, False),
    Kind.MOCK: (events.MockBegan, events.MockEnded, True),
}
"""The facts of a beginning and an end per kind, and whether they are hidden from clients."""


class Interval(NamedTuple):
    """An interval that was found; an end of None: it has not ended."""

    kind: Kind
    site_id: UUID | None
    from_at: datetime
    until_at: datetime | None
    fixes: tuple[datetime, ...]
    lapsed: bool = False


async def reconcile_all(
    tx: Tx,
    duty: Duty,
    known: Sequence[Presence],
    found: Sequence[Interval],
    *,
    whole: bool,
    over_at: datetime,
) -> list[Presence]:
    """Update all rows of a duty to the results; return the duty's rows afterwards."""
    keys: set[tuple[Kind, UUID | None]] = {
        (row.kind, row.site_id) for row in known if row.kind is not Kind.ABSENCE
    }
    keys |= {(span.kind, span.site_id) for span in found}
    rows = [row for row in known if row.kind is Kind.ABSENCE]
    for key in sorted(keys, key=str):
        mine = [row for row in known if (row.kind, row.site_id) == key]
        spans = [span for span in found if (span.kind, span.site_id) == key]
        # A continued evaluation can only change open rows; its state reports them again. A lapsed stay may be
        # continued.
        again = {span.from_at for span in spans}
        open_ = mine if whole else [r for r in mine if r.until_at is None or r.from_at in again]
        rows += [row for row in mine if row not in open_]
        rows += await reconcile(tx, duty, open_, spans, over_at)
    return rows


async def reconcile(
    tx: Tx, duty: Duty, rows: Sequence[Presence], spans: Sequence[Interval], over_at: datetime
) -> list[Presence]:
    """Update the rows of one kind and site to `spans`: begin, end, revise or retract them."""
    left = sorted(rows, key=lambda row: row.from_at)
    over = over_at <= tx.at
    kept: list[Presence] = []
    for span in sorted(spans, key=lambda span: span.from_at):
        until_at = over_at if span.until_at is None and over else span.until_at
        row = _match(left, span)
        if row is None:
            row = Presence(
                id=uuid7(),
                tenant_id=duty.tenant_id,
                account_id=duty.account_id,
                duty_id=duty.id,
                site_id=span.site_id,
                kind=span.kind,
                from_at=span.from_at,
                until_at=until_at,
                fixes=list(span.fixes),
                lapsed=span.lapsed,
            )
            tx.session.add(row)
            _record_fact(tx.as_of(span.from_at), duty, row, 0, span.fixes)
            if span.until_at is not None:
                _record_fact(tx.as_of(span.until_at), duty, row, 1, (span.until_at,))
        else:
            left.remove(row)
            was = (row.from_at, row.until_at)
            row.from_at, row.until_at, row.fixes = span.from_at, until_at, list(span.fixes)
            row.lapsed = span.lapsed
            if was[0] != row.from_at or (was[1] is not None and was[1] != row.until_at):
                _revise(tx, duty, row, was)
            elif was[1] is None and span.until_at is not None:
                _record_fact(tx.as_of(span.until_at), duty, row, 1, (span.until_at,))
        kept.append(row)
    for row in left:
        fact = events.Retracted(
            **_about(duty, row, ()),
            at=tx.at,
            presence=row.kind,
            was_from_at=row.from_at,
            was_until_at=row.until_at,
        )
        tx.record(fact)
        await tx.session.delete(row)
    return kept


def _match(rows: Sequence[Presence], span: Interval) -> Presence | None:
    """Return the row of the same interval: with the same beginning, else the first that overlaps."""
    for row in rows:
        if row.from_at == span.from_at:
            return row
    for row in rows:
        if (row.until_at is None or row.until_at > span.from_at) and (
            span.until_at is None or row.from_at < span.until_at
        ):
            return row
    return None


def _record_fact(tx: Tx, duty: Duty, row: Presence, end: int, fixes: Sequence[datetime]) -> None:
    began, ended, _internal = _FACTS[row.kind]
    kind = ended if end else began
    if end and row.lapsed:
        kind = events.PresenceLapsed
    tx.record(kind(**_about(duty, row, fixes), at=tx.at))


def _revise(tx: Tx, duty: Duty, row: Presence, was: tuple[datetime, datetime | None]) -> None:
    fact = events.PresenceRevised(
        **_about(duty, row, row.fixes),
        at=tx.at,
        presence=row.kind,
        was_from_at=was[0],
        was_until_at=was[1],
        from_at=row.from_at,
        until_at=row.until_at,
    )
    tx.record(fact)


def _about(duty: Duty, row: Presence, fixes: Sequence[datetime]) -> dict[str, Any]:
    return {
        "account_id": duty.account_id,
        "subject_id": row.id,
        "duty_id": duty.id,
        "site_id": row.site_id,
        "guard": duty.number,
        "fixes": list(fixes),
        "internal": _FACTS[row.kind][2],
    }
