"""Pure rules about fixes: normal form, validity, the duty of a fix; and the state of a site."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

MAX_FIXES = 1_000  # fixes in one report
LAST_MS = 1 << 43
AHEAD_MS = 120_000  # how far a device's clock may be ahead of ours
RIGHT_MS = 10_000  # a smaller clock offset is ignored: reports take a moment to arrive
_CENTURY_S = 3.2e9
FASTEST_MPS = 120.0  # 432 km/h
WIDEST_M = 100_000.0
DEEPEST_M, HIGHEST_M = -500.0, 20_000.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int8]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class ReceivedFix(msgspec.Struct, rename="camel", gc=False):
    """One fix in normal form; None is unknown. `at` is a time with its offset, or milliseconds since 1970.

    Without coordinates (NaN, NaN) it is a heartbeat.
    """

    at: int | Annotated[datetime, msgspec.Meta(tz=True)]
    lat: float
    lon: float
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    battery_pct: float | None = None
    charging: bool | None = None
    mock: bool | None = None
    alarm: str | None = None
    """The kind of alarm of a panic call (`sos`); it is not stored with the fix."""


class LivePosition(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Position of a guard on duty, by the newest fix; None is unknown. `over`: the duty has ended, so no position."""

    tenant_id: UUID
    account_id: UUID
    duty_id: UUID
    number: int
    at_ms: int
    lat: float
    lon: float
    accuracy_m: float | None
    speed_mps: float | None
    heading_deg: float | None
    battery_pct: float | None
    site_id: UUID | None
    """The site whose geofence contains the position; clients see a guard nowhere else."""
    over: bool

    @property
    def at(self) -> datetime:
        """Time of the fix."""
        return at_of(self.at_ms)


class Reason(IntEnum):
    """Reason for which a fix is refused."""

    FINE = 0
    UNREADABLE = 1
    IMPOSSIBLE_PLACE = 2
    IMPOSSIBLE_VALUE = 3
    FROM_THE_FUTURE = 4
    TOO_OLD = 5
    OFF_DUTY = 6


REASON_TEXT = {
    Reason.UNREADABLE: "Not a fix: at, lat and lon are required.",
    Reason.IMPOSSIBLE_PLACE: "Impossible position: latitude is within 90, longitude within 180 degrees, not both 0.",
    Reason.IMPOSSIBLE_VALUE: "No longer used: an impossible speed, heading, altitude or battery is stored as unknown.",
    Reason.FROM_THE_FUTURE: "The fix lies in the future: the device's clock is more than two minutes fast, and the "
    "report has no `sentAt` to correct it.",
    Reason.TOO_OLD: "The fix is older than the retention period of fixes.",
    Reason.OFF_DUTY: "The device was not on duty at that time, so its position is not recorded.",
}


class SiteState(StrEnum):
    """State of a site by the proven presence of guards on duty: the first that applies."""

    UNPROVEN = "unproven"
    ABSENT = "absent"
    EXPECTED = "expected"
    COVERED = "covered"
    UNWATCHED = "unwatched"


class Columns(NamedTuple):
    """Fixes as columns, (fixes,) each; NaN and -1 are unknown."""

    at_ms: Ints
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    speed_mps: Floats
    heading_deg: Floats
    altitude_m: Floats
    battery_pct: Floats
    skew_s: Floats
    charging: Small
    mock: Small

    def pick(self, rows: NDArray[np.intp]) -> "Columns":
        """Select some of the fixes."""
        return Columns(*(column[rows] for column in self))  # type: ignore[arg-type]


def columns(readings: Sequence[ReceivedFix], skews: Sequence[float]) -> Columns:
    """Convert the fixes of one or many reports to columns; `skews` (fixes,) in seconds, NaN where not reported."""

    def floats(values: list[float | None]) -> Floats:
        return np.array(values, np.float64)  # None becomes NaN

    def truth(values: list[bool | None]) -> Small:
        return np.array([-1 if value is None else value for value in values], np.int8)

    # One pass per column: 25 ns per value, where unpacking row by row costs 90.
    return Columns(
        np.array(
            [r.at if type(r.at) is int and 0 <= r.at < LAST_MS else ms_of(r.at) for r in readings],
            np.int64,
        ),
        floats([r.lat for r in readings]),
        floats([r.lon for r in readings]),
        # An out-of-range accuracy is treated as bad; treated as unknown it would count as good.
        np.minimum(_within(floats([r.accuracy_m for r in readings]), 0.0, np.inf), WIDEST_M),
        _within(floats([r.speed_mps for r in readings]), 0.0, FASTEST_MPS),
        _within(floats([r.heading_deg for r in readings]), 0.0, 360.0),
        _within(floats([r.altitude_m for r in readings]), DEEPEST_M, HIGHEST_M),
        _within(floats([r.battery_pct for r in readings]), 0.0, 100.0),
        np.array(skews, np.float64),
        truth([r.charging for r in readings]),
        truth([r.mock for r in readings]),
    )


def ms_of(at: int | datetime) -> int:
    """Convert to milliseconds since 1970, truncated; before 1970 is -1, beyond the year 2248 is `LAST_MS`."""
    ms = at if isinstance(at, int) else (at - _EPOCH) // _MS
    return max(-1, min(ms, LAST_MS))


def at_of(ms: int) -> datetime:
    """Convert milliseconds to an aware datetime."""
    return _EPOCH + ms * _MS


def judge(
    fixes: Columns, from_ms: Ints, until_ms: Ints, *, now_ms: int, oldest_ms: int
) -> NDArray[np.uint8]:
    """Return a `Reason` for each fix: the first that applies. `from_ms` to `until_ms` is the duty at the fix."""
    nowhere = np.isnan(fixes.lat) & np.isnan(fixes.lon)
    bad_position = nowhere | (
        (np.abs(fixes.lat) <= 90)
        & (np.abs(fixes.lon) <= 180)
        & ~(
            (fixes.lat == 0) & (fixes.lon == 0)
        )  # coordinates that receivers give without a position
    )
    on_duty = (fixes.at_ms >= from_ms) & (fixes.at_ms < until_ms)
    return np.select(
        [~bad_position, fixes.at_ms > now_ms + AHEAD_MS, fixes.at_ms < oldest_ms, ~on_duty],
        [Reason.IMPOSSIBLE_PLACE, Reason.FROM_THE_FUTURE, Reason.TOO_OLD, Reason.OFF_DUTY],
        Reason.FINE,
    ).astype(np.uint8)


def site_state(
    expected: AbstractSet[UUID],
    inside: AbstractSet[UUID],
    absent: AbstractSet[UUID],
    *,
    fenced: bool,
) -> SiteState:
    """Return the first state that applies; the sets are of guards on duty: expected, inside, absent.

    UNPROVEN: somebody is expected, and there is no geofence. ABSENT: an absence lasts. EXPECTED: somebody expected is
    not inside, and no absence lasts (yet). COVERED: everybody expected is inside, or somebody is where nobody is
    expected. UNWATCHED: nobody is expected, and nobody is inside (or there is no geofence).
    """
    if not fenced:
        return SiteState.UNPROVEN if expected else SiteState.UNWATCHED
    if absent:
        return SiteState.ABSENT
    if not expected <= inside:
        return SiteState.EXPECTED
    return SiteState.COVERED if inside else SiteState.UNWATCHED


def clock_ms(told_s: float, known_ms: int) -> int:
    """Return what to add to a device's times, from the clock offset that it reports; NaN: not reported.

    A stored offset stays in use while it is about right, so that a fix that is sent again has the same time.
    """
    if told_s != told_s:  # noqa: PLR0124 - NaN is not itself
        return 0
    told_ms = round(max(-_CENTURY_S, min(told_s, _CENTURY_S)) * 1000)
    if known_ms and abs(told_ms - known_ms) <= RIGHT_MS:
        return known_ms
    return told_ms if abs(told_ms) > RIGHT_MS else 0


def _within(values: Floats, least: float, most: float) -> Floats:
    """Set values outside the range to unknown: apps send -1 for unknown."""
    values[(values < least) | (values > most)] = np.nan
    return values
