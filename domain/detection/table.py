"""Daily series from a CSV or Parquet file with a column of days: sums of counts, means of levels, or counted rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.core.column_batches import column_batches
from domain.core.errors import Code, Refused
from domain.detection.profile import DetectionProfile
from domain.detection.series import DailySeries

Cells = dict[tuple[str, ...], dict[date, tuple[float, int]]]
"""Sum and number of values by day, by series."""


@dataclass
class SeriesFile:
    """Series of a file by name, and the rows that could not be read, with an example."""

    rows: int = 0
    unreadable: int = 0
    example: str | None = None
    counts: dict[str, DailySeries] = field(default_factory=dict)
    levels: dict[str, DailySeries] = field(default_factory=dict)

    def reject(self, why: str) -> None:
        """Leave a row out; the first reason is kept as the example."""
        self.unreadable += 1
        self.example = self.example or f"row {self.rows}: {why}"


def read_series(
    file: Path, profile: DetectionProfile, progress: Callable[[float], None] = lambda _share: None
) -> SeriesFile:
    """Read the series that a profile names; refused when the file or a column cannot be used."""
    found = SeriesFile()
    wanted = [*profile.counts, *profile.levels]
    cells: dict[str, Cells] = {name: {} for name in wanted or [""]}
    for batch, share in column_batches(file, [profile.date, *wanted, *profile.by]):
        days, groups = batch[profile.date], [batch[name] for name in profile.by]
        for row, raw in enumerate(days):
            found.rows += 1
            day = _day(raw, profile.time_zone)
            if day is None:
                found.reject(f"{raw!r} in {profile.date} is not a date")
                continue
            key = tuple("" if column[row] is None else str(column[row]) for column in groups)
            for name in wanted:
                _add(found, cells[name].setdefault(key, {}), day, batch[name][row], name)
            if not wanted:
                _put(cells[""].setdefault(key, {}), day, 1.0)
        progress(share)
    if not any(any(each.values()) for each in cells.values()):
        raise _no(f"{file}: no row has a date and a value." + _because(found))
    _finish(found, cells, profile)
    return found


def _finish(found: SeriesFile, cells: dict[str, Cells], profile: DetectionProfile) -> None:
    """Make series of the cells. A day without rows had no event where rows are counted, and is unknown elsewhere."""
    every = [day for groups in cells.values() for days in groups.values() for day in days]
    first, last = min(every), max(every)
    for name, groups in cells.items():
        for key, days in groups.items():
            title = " ".join(filter(None, [name, *key])) or "rows"
            if name in profile.levels:
                means = {day: total / n for day, (total, n) in days.items()}
                found.levels[title] = DailySeries.of(means, until=last)
            elif name:
                sums = {day: total for day, (total, _) in days.items()}
                found.counts[title] = DailySeries.of(sums, until=last)
            else:
                rows = {day: int(total) for day, (total, _) in days.items()}
                found.counts[title] = DailySeries.of_counts(rows, first_on=first, until=last)


def _add(
    found: SeriesFile, days: dict[date, tuple[float, int]], day: date, raw: Any, name: str
) -> None:
    """Add a value to its day; an empty one is no value, one that is no number or a count below 0 is left out."""
    if raw is None or raw == "":
        return
    try:
        value = float(raw)
    except (TypeError, ValueError):
        value = float("nan")
    if not isfinite(value) or value < 0:
        found.reject(f"{raw!r} in {name} is not a number of 0 or more")
        return
    _put(days, day, value)


def _put(days: dict[date, tuple[float, int]], day: date, value: float) -> None:
    total, n = days.get(day, (0.0, 0))
    days[day] = (total + value, n + 1)


def _day(raw: Any, zone: str) -> date | None:
    """Return the day of a date, an instant (in the profile's zone) or a text in ISO 8601; None for anything else."""
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw.strip())
        except ValueError:
            return None
    if isinstance(raw, datetime):
        return (raw if raw.tzinfo is None else raw.astimezone(ZoneInfo(zone))).date()
    return raw if isinstance(raw, date) else None


def _because(found: SeriesFile) -> str:
    return (
        f" {found.unreadable} could not be read, such as {found.example}." if found.example else ""
    )


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="file")
