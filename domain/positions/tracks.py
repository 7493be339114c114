"""A duty's fixes as columns: which of them are believed, and which only show that the device is on."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.base import JSON
from domain.duties.model import Duty
from domain.evaluator.kernels import evidence
from domain.positions.model import Fix
from domain.positions.rules import at_of, ms_of

Floats = NDArray[np.float64]
_COLUMNS = (Fix.at, Fix.lat, Fix.lon, Fix.accuracy_m, Fix.speed_mps, Fix.mock, Fix.received_at)


class Track(NamedTuple):
    """The fixes that are believed, (fixes,) each; those before `new` were evaluated before."""

    t: Floats
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    speed_mps: Floats
    new: int
    heard: Floats  # times of any report of the device since the last evaluation
    mocks: list[tuple[float, float | None]]  # periods in which the device reported mocked positions
    memory: JSON  # state for the next read


async def read(
    session: AsyncSession,
    duty: Duty,
    upto_at: datetime | None,
    memory: JSON,
    over_at: datetime,
    *,
    received_within_s: float | None = None,
) -> Track:
    """Read a duty's fixes after those in `memory`; with a limit only those received within that time."""
    believed = memory.get("believed")
    since = duty.from_at
    if upto_at is not None:
        known = [believed[0]] if believed else []
        since = min([upto_at, *(seconds(each) for each in (*known, memory["dwell"][0]))])
    rows = await session.execute(
        select(*_COLUMNS)
        .where(Fix.device_id == duty.device_id, Fix.at >= since, Fix.at < over_at)
        .order_by(Fix.at)
    )
    readings = [
        (ms_of(at) / 1000, *coordinates, bool(mock), ms_of(received_at) / 1000)
        for at, *coordinates, mock, received_at in rows
    ]
    t, lat, lon, accuracy, speed, mock, received = (
        np.array(readings, np.float64).reshape(-1, 7).T.copy()
    )
    placed = ~np.isnan(lat)
    if received_within_s is not None:
        placed &= received - t <= received_within_s
    fresh = np.ones(t.size, np.bool_) if upto_at is None else t > ms_of(upto_at) / 1000
    mocks, mocked = _mocks(t[placed & fresh], mock[placed & fresh] > 0, memory.get("mock"))
    real = placed & (mock == 0)
    keep, new, kept = _believed(t[real], lat[real], lon[real], accuracy[real], memory)
    t_, lat, lon, accuracy, speed = (each[real][keep] for each in (t, lat, lon, accuracy, speed))
    return Track(t_, lat, lon, accuracy, speed, new, t[fresh], mocks, kept | {"mock": mocked})


def _believed(
    t: Floats, lat: Floats, lon: Floats, accuracy_m: Floats, memory: JSON
) -> tuple[NDArray[np.bool_], int, JSON]:
    """Return which fixes are believed, how many of them are old, and the state to save."""
    at, support = memory.get("believed") or (-np.inf, 1)
    dropped = memory.get("dropped", [])
    first = int(np.searchsorted(t, at))
    keep = np.zeros(t.size, np.bool_)
    keep[:first] = ~np.isin(t[:first], dropped)
    rest = slice(first, None)
    found, last, support = evidence.credible(
        t[rest], lat[rest], lon[rest], accuracy_m[rest], support
    )
    keep[rest] = found
    if last < 0:
        return keep, int(keep.sum()), {"believed": memory.get("believed"), "dropped": dropped}
    decided = slice(first, first + last + 1)
    gone = [*dropped, *t[decided][~keep[decided]].tolist()]
    new = int((keep & (t <= at)).sum())
    return keep, new, {"believed": [float(t[first + last]), int(support)], "dropped": gone}


def _mocks(
    t: Floats, mock: NDArray[np.bool_], since: float | None
) -> tuple[list[tuple[float, float | None]], float | None]:
    """Return periods of mocked fixes, and since when the last one lasts."""
    found: list[tuple[float, float | None]] = []
    turns = np.flatnonzero(np.diff(mock.astype(np.int8), prepend=np.int8(since is not None)))
    for turn in turns.tolist():
        if mock[turn]:
            since = float(t[turn])
        elif since is not None:
            found.append((since, float(t[turn])))
            since = None
    return ([*found, (since, None)] if since is not None else found), since


def seconds(since_1970: float) -> datetime:
    """Convert seconds to an aware datetime."""
    return at_of(round(since_1970 * 1000))


def plane(lat: float, lon: float, lats: Floats, lons: Floats) -> tuple[Floats, Floats]:
    """Return metres east and north of a position."""
    metres = evidence.METRES_A_DEGREE
    east = (lons - lon + 540.0) % 360.0 - 180.0
    return east * metres * np.cos(np.radians(lat)), (lats - lat) * metres


def first_at(t: Floats, at: datetime) -> int:
    """Return the first fix at or after a time."""
    return int(np.searchsorted(t, ms_of(at) / 1000))


def slices(t: Floats, starts: Sequence[datetime | None]) -> list[slice]:
    """Yield the fixes between times, the first of which may be None: always."""
    edges = [0 if each is None else first_at(t, each) for each in starts]
    return [slice(a, b) for a, b in zip(edges, [*edges[1:], t.size], strict=True)]
