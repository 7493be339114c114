"""Ingest fixes: check a group of reports as columns, and store it in one transaction with one COPY."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.db import Sessions, driver_of, transaction
from domain.positions import binary_copy
from domain.positions.reads import DeviceAssignment, ShiftWindow
from domain.positions.rules import (
    LAST_MS,
    Columns,
    LivePosition,
    Reason,
    ReceivedFix,
    at_of,
    columns,
    judge,
)
from domain.positions.statements import INSERT, MOVE

_NOBODY = ShiftWindow(UUID(int=0), UUID(int=0), 0, 2**62, -(2**62), over=True, fences=())


class DeviceReport(NamedTuple):
    """One report of one device."""

    post: DeviceAssignment
    readings: Sequence[ReceivedFix]
    source: int
    skew_s: float
    clock_ms: int = 0
    """Milliseconds added to the times, because the device's clock is behind ours."""


class IngestOutcome(NamedTuple):
    """Result of a report: each fix is stored now, known already, or refused by its index."""

    accepted: int
    duplicates: int
    refused: tuple[tuple[int, Reason], ...]


async def accept(
    make: Sessions,
    reports: Sequence[DeviceReport],
    known_ms: dict[UUID, int],
    *,
    at: datetime,
    keep: timedelta,
) -> tuple[list[IngestOutcome], list[LivePosition]]:
    """Store the fixes of all reports, each once, and return a result per report; they are committed on return.

    `known_ms` holds the newest stored fix of devices: a newer fix goes by COPY, one that may be a repeat by INSERT,
    which ignores existing rows. When the COPY meets an existing row or a deadlock, the transaction is repeated with
    INSERT only. Raises the driver's errors; then nothing is stored.
    """
    group = _Group(reports)
    now_ms = int(at.timestamp() * 1000)
    reasons = group.judge(now_ms, now_ms - int(keep.total_seconds() * 1000))
    rows = group.once(np.flatnonzero(reasons == Reason.FINE))
    known = np.array([known_ms.get(r.post.device_id, r.post.latest_ms) for r in reports], np.int64)
    new = group.fixes.at_ms[rows] > known[group.report[rows]]
    try:
        stored, moved = await _store(make, group, rows, new, at)
    except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
        stored, moved = await _store(make, group, rows, np.zeros_like(new), at)
    for each in np.unique(group.report[stored]):
        device = reports[each].post.device_id
        newest = int(group.fixes.at_ms[stored[group.report[stored] == each]].max())
        known_ms[device] = max(known_ms.get(device, -1), newest)
    return group.outcomes(reasons, stored), moved


class _Group:
    """Reports as one set of columns; `report` and `tour` give the report and the duty of each fix."""

    def __init__(self, reports: Sequence[DeviceReport]) -> None:
        self.reports = reports
        sizes = [len(report.readings) for report in reports]
        self.edges = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self.report = np.repeat(np.arange(len(reports)), sizes)
        self.fixes: Columns = columns(
            [reading for report in reports for reading in report.readings],
            np.repeat([report.skew_s for report in reports], sizes),  # type: ignore[arg-type]
        )
        behind_ms = np.array([report.clock_ms for report in reports], np.int64)
        if behind_ms.any():
            at_ms = np.clip(self.fixes.at_ms + np.repeat(behind_ms, sizes), -1, LAST_MS)
            self.fixes = self.fixes._replace(at_ms=at_ms)
        self.tours: list[ShiftWindow] = [_NOBODY]
        self.tour = self._tours()

    def _tours(self) -> NDArray[np.int64]:
        """Return for each fix the duty (row of `tours`) it may belong to: the last that began by then."""
        found = np.zeros(self.report.size, np.int64)
        index: dict[UUID, int] = {}
        for row, report in enumerate(self.reports):
            tours = report.post.tours
            if not tours:
                continue
            for tour in tours:
                if index.setdefault(tour.duty_id, len(self.tours)) == len(self.tours):
                    self.tours.append(tour)
            here = slice(self.edges[row], self.edges[row + 1])
            if len(tours) == 1:
                found[here] = index[tours[0].duty_id]
            else:
                starts = [tour.from_ms for tour in tours]
                last = np.searchsorted(starts, self.fixes.at_ms[here], side="right") - 1
                found[here] = np.array([index[tour.duty_id] for tour in tours])[np.maximum(last, 0)]
        return found

    def judge(self, now_ms: int, oldest_ms: int) -> NDArray[np.uint8]:
        starts = np.array([tour.from_ms for tour in self.tours], np.int64)
        ends = np.array([tour.until_ms for tour in self.tours], np.int64)
        return judge(
            self.fixes, starts[self.tour], ends[self.tour], now_ms=now_ms, oldest_ms=oldest_ms
        )

    def once(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the rows without repeats within the group; the first of each device and time stays.

        Sorted by device and time: concurrent writers of the same rows lock them in the same order, so they never
        deadlock.
        """
        order = {
            device: n for n, device in enumerate(sorted({r.post.device_id for r in self.reports}))
        }
        number = np.array([order[r.post.device_id] for r in self.reports], np.int64)
        key = number[self.report[rows]] * LAST_MS + self.fixes.at_ms[rows]
        lifeless = np.isnan(self.fixes.lat[rows])
        if lifeless.any():  # of a fix and a heartbeat at the same time the fix stays
            places_first = np.argsort(lifeless, kind="stable")
            rows, key = rows[places_first], key[places_first]
        firsts: NDArray[np.intp] = np.unique(key, return_index=True)[1]
        return rows[firsts]

    def outcomes(self, reasons: NDArray[np.uint8], stored: NDArray[np.intp]) -> list[IngestOutcome]:
        accepted = np.bincount(self.report[stored], minlength=len(self.reports)).tolist()
        refused: dict[int, list[tuple[int, Reason]]] = {}
        for row in np.flatnonzero(reasons).tolist():
            report = int(self.report[row])
            index = row - int(self.edges[report])
            refused.setdefault(report, []).append((index, Reason(int(reasons[row]))))
        kept_rows = []
        for each, whole in enumerate(self.reports):
            no = tuple(refused.get(each, ()))
            kept_rows.append(
                IngestOutcome(accepted[each], len(whole.readings) - accepted[each] - len(no), no)
            )
        return kept_rows


async def _store(
    make: Sessions, group: _Group, rows: NDArray[np.intp], new: NDArray[np.bool_], at: datetime
) -> tuple[NDArray[np.intp], list[LivePosition]]:
    """Store rows in one transaction; return the rows that are new, and the devices that moved."""
    if not rows.size:
        return rows, []
    async with transaction(make) as session:
        driver = await driver_of(session)
        stored = [rows[new]]
        if new.any():
            await _copy(driver, group, rows[new], at)
        if not new.all():
            stored.append(await _insert(driver, group, rows[~new], at))
        found = np.sort(np.concatenate(stored))
        if not found.size:
            return found, []
        moves = _moves(group, found)
        await driver.execute(MOVE, *_move_arguments(moves), at)
    return found, [move.to for move in moves if move.to is not None]


async def _copy(driver: Any, group: _Group, rows: NDArray[np.intp], at: datetime) -> None:
    packed = binary_copy.packed(
        group.fixes.pick(rows),
        *_ids(group, rows),
        _sources(group, rows),
        int(at.timestamp() * 1000),
    )

    async def whole() -> Any:
        yield packed

    # An asynchronous source: a file would be read in a thread, with a context switch per 64 KiB.
    await driver.copy_to_table("fix", source=whole(), columns=binary_copy.COLUMNS, format="binary")


async def _insert(
    driver: Any, group: _Group, rows: NDArray[np.intp], at: datetime
) -> NDArray[np.intp]:
    fixes = group.fixes.pick(rows)
    device, tenant, account = (
        [UUID(bytes=each.tobytes()) for each in column] for column in _ids(group, rows)
    )
    instants = [at_of(ms) for ms in fixes.at_ms.tolist()]
    inserted = await driver.fetch(
        INSERT,
        device,
        instants,
        tenant,
        account,
        *(
            _nulls(column)
            for column in (
                *(fixes.lat, fixes.lon, fixes.accuracy_m, fixes.speed_mps, fixes.heading_deg),
                *(fixes.altitude_m, fixes.battery_pct, fixes.skew_s),
            )
        ),
        *([None if v < 0 else bool(v) for v in c.tolist()] for c in (fixes.charging, fixes.mock)),
        _sources(group, rows).tolist(),
        at,
    )
    there = {(row[0], row[1]) for row in inserted}
    kept = [pair in there for pair in zip(device, instants, strict=True)]
    return rows[np.array(kept, np.bool_)]


class _Move(NamedTuple):
    """What came in for one duty: its oldest time, and the newest position to show, if there is any."""

    duty_id: UUID
    first_ms: int
    to: LivePosition | None


def _moves(group: _Group, rows: NDArray[np.intp]) -> list[_Move]:
    """Return the moves of `rows`, by duty. Heartbeats and mocked positions do not move anybody."""
    fixes = group.fixes
    shown = ~np.isnan(fixes.lat[rows]) & (fixes.mock[rows] <= 0)
    by = np.lexsort((fixes.at_ms[rows], shown, group.tour[rows]))
    order, shown = rows[by], shown[by]
    turns = np.flatnonzero(np.diff(group.tour[order])) + 1
    firsts, lasts = np.concatenate(([0], turns)), np.concatenate((turns, [order.size])) - 1
    oldest = np.minimum.reduceat(fixes.at_ms[order], firsts).tolist()
    found = []
    for first_ms, last, visible in zip(
        oldest, order[lasts].tolist(), shown[lasts].tolist(), strict=True
    ):
        tour = group.tours[group.tour[last]]
        found.append(_Move(tour.duty_id, first_ms, _position(group, last) if visible else None))
    found.sort(key=lambda each: each.duty_id)
    return found


def _position(group: _Group, row: int) -> LivePosition:
    fixes = group.fixes
    tour, report = group.tours[group.tour[row]], group.reports[group.report[row]]
    lat, lon = float(fixes.lat[row]), float(fixes.lon[row])
    inside = (site for site, fence in tour.fences if fence.distance_m(lat, lon) <= 0)
    accuracy, speed, heading, battery = (
        None if (value := float(column[row])) != value else value
        for column in (fixes.accuracy_m, fixes.speed_mps, fixes.heading_deg, fixes.battery_pct)
    )
    return LivePosition(
        tenant_id=report.post.tenant_id,
        account_id=tour.account_id,
        duty_id=tour.duty_id,
        number=tour.number,
        at_ms=int(fixes.at_ms[row]),
        lat=lat,
        lon=lon,
        accuracy_m=accuracy,
        speed_mps=speed,
        heading_deg=heading,
        battery_pct=battery,
        site_id=next(inside, None),
        over=tour.over,
    )


_PLACE = ("lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "battery_pct", "site_id")


def _move_arguments(moves: Sequence[_Move]) -> list[Any]:
    return [
        [move.duty_id for move in moves],
        [at_of(move.first_ms) for move in moves],
        [None if move.to is None else move.to.at for move in moves],
        *([getattr(move.to, name, None) for move in moves] for name in _PLACE),
    ]


def _ids(group: _Group, rows: NDArray[np.intp]) -> tuple[Any, Any, Any]:
    devices = binary_copy.ids([r.post.device_id.bytes for r in group.reports])
    tenants = binary_copy.ids([r.post.tenant_id.bytes for r in group.reports])
    accounts = binary_copy.ids([tour.account_id.bytes for tour in group.tours])
    whose = group.report[rows]
    return devices[whose], tenants[whose], accounts[group.tour[rows]]


def _sources(group: _Group, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    return np.array([r.source for r in group.reports], np.int64)[group.report[rows]]


def _nulls(values: NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN is not itself


async def accept_one(
    session: AsyncSession, report: DeviceReport, *, at: datetime, keep: timedelta
) -> IngestOutcome:
    """Store one report inside the caller's transaction, by INSERT: logins under row-level security cannot use COPY."""
    group = _Group([report])
    now_ms = int(at.timestamp() * 1000)
    reasons = group.judge(now_ms, now_ms - int(keep.total_seconds() * 1000))
    rows = group.once(np.flatnonzero(reasons == Reason.FINE))
    driver = await driver_of(session)
    if rows.size:
        rows = await _insert(driver, group, rows, at)
    if rows.size:
        await driver.execute(MOVE, *_move_arguments(_moves(group, rows)), at)
    return group.outcomes(reasons, rows)[0]
