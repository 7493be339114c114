"""Working time of many guards who could work one more shift: the same rules as for one guard, at once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels import planned_work
from domain.shifts.working_time import HOUR, LIMITS, WorkingTimeFinding, WorkingTimeRule, WorkPeriod

_RULES = tuple(sorted(WorkingTimeRule.__members__.values()))
_REFUSING = tuple(each for each in _RULES if each is not WorkingTimeRule.LONGEST_NIGHT)
_DAY = timedelta(days=1)


class OneMoreShift(NamedTuple):
    """What one more shift would mean for a guard."""

    overlaps: bool
    finding: WorkingTimeFinding | None
    """The first rule on working time that it would break."""
    rest: timedelta | None
    """From the end of the shift before; None: there is none."""
    in_week: timedelta
    """Planned in the calendar week of its beginning, without it."""


def check_many(
    work: Sequence[bytes], shift: WorkPeriod, zone: str, *, asked: Sequence[bool] | None = None
) -> list[OneMoreShift]:
    """Check a shift against the planned work of each guard; the rules are looked at only for those `asked` about.

    Work is pairs of big-endian 64-bit seconds since 1970 (beginning and end) in order, as PostgreSQL packs them.
    """
    flat = np.frombuffer(b"".join(work), ">i8").astype(np.int64).reshape(-1, 2)
    hold = np.zeros(len(work) + 1, np.int64)
    np.cumsum([len(each) // 16 for each in work], out=hold[1:])
    change_at, offset = _offsets(zone, shift.from_at.date())
    rules, figures, since, until, rests, weeks = planned_work.first_broken(
        np.ascontiguousarray(flat[:, 0]),
        np.ascontiguousarray(flat[:, 1]),
        hold,
        np.ones(len(work), np.bool_) if asked is None else np.array(asked, np.bool_),
        int(shift.from_at.timestamp()),
        int(shift.until_at.timestamp()),
        change_at,
        offset,
        _LIMITS,
    )
    columns = (each.tolist() for each in (rules, figures, since, until, rests, weeks))
    return [
        OneMoreShift(
            rule == planned_work.OVERLAP,
            _finding(rule, figure, from_s, until_s) if rule >= 0 else None,
            None if rest < 0 else timedelta(seconds=rest),
            timedelta(seconds=week),
        )
        for rule, figure, from_s, until_s, rest, week in zip(*columns, strict=True)
    ]


def _finding(rule: int, figure: float, from_s: int, until_s: int) -> WorkingTimeFinding:
    return WorkingTimeFinding(
        _REFUSING[rule],
        figure,
        datetime.fromtimestamp(from_s, UTC),
        datetime.fromtimestamp(until_s, UTC),
    )


def _limit(rule: WorkingTimeRule) -> int:
    figure = LIMITS[rule]
    return int(figure if rule is WorkingTimeRule.NIGHTS else figure * HOUR.total_seconds())


_LIMITS = np.array([_limit(each) for each in _REFUSING], np.int64)


@lru_cache(maxsize=64)
def _offsets(zone: str, day: object) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the offsets of a zone within forty weeks of a day, each with the second from which it holds."""
    place, middle = ZoneInfo(zone), datetime.fromisoformat(f"{day}T00:00:00+00:00")
    at = middle - 280 * _DAY
    known = _seconds(at, place)
    change_at, offsets = [0], [known]
    while at < middle + 280 * _DAY:
        following = at + _DAY
        if _seconds(following, place) != known:
            low, high = int(at.timestamp()), int(following.timestamp())
            while high - low > 1:
                half = (low + high) // 2
                if _seconds(datetime.fromtimestamp(half, UTC), place) == known:
                    low = half
                else:
                    high = half
            known = _seconds(following, place)
            change_at.append(high)
            offsets.append(known)
        at = following
    return np.array(change_at, np.int64), np.array(offsets, np.int64)


def _seconds(at: datetime, place: ZoneInfo) -> int:
    offset = at.astimezone(place).utcoffset() or timedelta()
    return int(offset.total_seconds())
