"""Pure rules about fixes: the normal form, what can be, which fix belongs to which duty; and how a site stands."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

MOST = 1_000  # fixes in one report
LAST_MS = 1 << 43
AHEAD_MS = 120_000  # how far a device's clock may run ahead of ours
RIGHT_MS = 10_000  # a clock that is off by no more is right: reports take a moment to come
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
    """One fix in normal form; None is unknown. `at` is an instant with its offset, or milliseconds since 1970.

    Without a place (NaN, NaN) it is a sign of life.
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
    """What somebody calls for help by (`sos`); it is not stored with the fix."""


class LivePosition(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Where a guard on duty is, by the newest fix; None is unknown. `over`: not on duty any more, so nowhere."""

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
    """In whose fence; clients see a guard nowhere else."""
    over: bool

    @property
    def at(self) -> datetime:
        """When that was."""
        return at_of(self.at_ms)


class Reason(IntEnum):
    """Why a fix is not taken."""

    FINE = 0
    UNREADABLE = 1
    IMPOSSIBLE_PLACE = 2
    IMPOSSIBLE_VALUE = 3
    FROM_THE_FUTURE = 4
    TOO_OLD = 5
    OFF_DUTY = 6


WORDS = {
    Reason.UNREADABLE: "That is no fix: it has at least at, lat and lon.",
    Reason.IMPOSSIBLE_PLACE: "There is no such place: latitude is within 90, longitude within 180 degrees, not both 0.",
    Reason.IMPOSSIBLE_VALUE: "Not given any more: a speed, heading, altitude or battery that cannot be is unknown.",
    Reason.FROM_THE_FUTURE: "It lies ahead: the device's clock runs more than two minutes fast, and it says nothing "
    "about that (`sentAt`).",
    Reason.TOO_OLD: "It is older than fixes are kept.",
    Reason.OFF_DUTY: "The device was not on duty then; where it was is nobody's business.",
}


class SiteState(StrEnum):
    """How a site stands, by what is proven about those who are on duty: the first of these that holds."""

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
        """Some of the fixes."""
        return Columns(*(column[rows] for column in self))  # type: ignore[arg-type]


def columns(readings: Sequence[ReceivedFix], skews: Sequence[float]) -> Columns:
    """The fixes of one or many reports, as columns; `skews` (fixes,) in seconds, NaN where nobody said."""

    def floats(values: list[float | None]) -> Floats:
        return np.array(values, np.float64)  # None becomes NaN

    def truth(values: list[bool | None]) -> Small:
        return np.array([-1 if value is None else value for value in values], np.int8)

    # One pass a column: 25 ns a value, where unpacking row by row costs 90.
    return Columns(
        np.array(
            [r.at if type(r.at) is int and 0 <= r.at < LAST_MS else ms_of(r.at) for r in readings],
            np.int64,
        ),
        floats([r.lat for r in readings]),
        floats([r.lon for r in readings]),
        # An accuracy beyond all bounds is a bad one: as unknown it would count for a good one.
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
    """Milliseconds since 1970, what is finer cut off; before 1970 is -1, beyond the year 2248 is `LAST_MS`."""
    ms = at if isinstance(at, int) else (at - _EPOCH) // _MS
    return max(-1, min(ms, LAST_MS))


def at_of(ms: int) -> datetime:
    """The aware instant."""
    return _EPOCH + ms * _MS


def judge(
    fixes: Columns, from_ms: Ints, until_ms: Ints, *, now_ms: int, oldest_ms: int
) -> NDArray[np.uint8]:
    """A `Reason` for each fix: the first that holds. `from_ms` to `until_ms` is the device's duty at the fix."""
    nowhere = np.isnan(fixes.lat) & np.isnan(fixes.lon)
    place = nowhere | (
        (np.abs(fixes.lat) <= 90)
        & (np.abs(fixes.lon) <= 180)
        & ~((fixes.lat == 0) & (fixes.lon == 0))  # where receivers are that do not know
    )
    on_duty = (fixes.at_ms >= from_ms) & (fixes.at_ms < until_ms)
    return np.select(
        [~place, fixes.at_ms > now_ms + AHEAD_MS, fixes.at_ms < oldest_ms, ~on_duty],
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
    """The first that holds; the sets are of guards on duty: expected at the site, inside its fence, absent from it.

    UNPROVEN: somebody is expected, and there is no fence. ABSENT: an absence lasts. EXPECTED: somebody expected is not
    inside, and no absence lasts (yet). COVERED: everybody expected is inside, or somebody is where nobody is expected.
    UNWATCHED: nobody is expected, and nobody is inside (or there is no fence).
    """
    if not fenced:
        return SiteState.UNPROVEN if expected else SiteState.UNWATCHED
    if absent:
        return SiteState.ABSENT
    if not expected <= inside:
        return SiteState.EXPECTED
    return SiteState.COVERED if inside else SiteState.UNWATCHED


def clock_ms(told_s: float, known_ms: int) -> int:
    """What to add to a device's instants, by how far it says its clock is behind ours; NaN: it does not say.

    What was known before holds as long as it is about right, so that a fix that is sent again has the same instant.
    """
    if told_s != told_s:  # noqa: PLR0124 - NaN is not itself
        return 0
    told_ms = round(max(-_CENTURY_S, min(told_s, _CENTURY_S)) * 1000)
    if known_ms and abs(told_ms - known_ms) <= RIGHT_MS:
        return known_ms
    return told_ms if abs(told_ms) > RIGHT_MS else 0


def _within(values: Floats, least: float, most: float) -> Floats:
    """What lies outside is unknown: apps say -1 for what they do not know."""
    values[(values < least) | (values > most)] = np.nan
    return values
