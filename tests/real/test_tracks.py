"""Real tracks through the endpoints of Traccar and OwnTracks: every fix once, and stops as the diary tells them.

Shifted in time so that they are recent; the diary's stops were not used to store or judge anything.
"""

import asyncio
import os
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sqlalchemy import func, select

from api.endpoints.device_reports import FIXES
from domain import positions
from domain.core.db import Sessions, transaction
from domain.evaluator.kernels import geofence
from domain.positions import Fix, Kind, Presence
from tests import guards
from tests.api import asking
from tests.api.asking import Api
from tests.guards import Guard

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WAARBORG_REAL_DATA", ROOT.parent / "shared" / "data"))
TRACKS = REAL / "gps" / "cbs_nl_tracks_open.parquet"
DAY_S = 86_400
SINGLY = 400
NAIVE = 0.832  # standing still is less than 0.5 m/s over 120 s


class Track(NamedTuple):
    """One phone's fixes, (fixes,) each, as recorded: repeats and all."""

    name: str
    t: Any
    lat: Any
    lon: Any
    stop: Any


def tracks() -> list[Track]:
    """The three phones; skipped where the data is not."""
    if not TRACKS.is_file():
        pytest.skip(f"the real tracks {TRACKS} are not on this machine (WAARBORG_REAL_DATA)")
    import pyarrow.parquet as pq

    table = pq.read_table(TRACKS)
    user = np.array(table["user_id"].to_pylist())
    t = table["timestamp"].to_numpy().astype("datetime64[s]").astype(np.int64)
    columns = [table[name].to_numpy() for name in ("latitude", "longitude")]
    stop = np.array(table["stop"].to_pylist(), np.bool_)
    return [
        Track(str(name), *(column[user == name] for column in (t, *columns, stop)))
        for name in np.unique(user)
    ]


def held_out(t: Any) -> Any:
    """Every other day of a track: the parameters were chosen on the days before and after."""
    days = t // DAY_S
    return ~np.isin(days, np.unique(days)[::2])


def once(track: Track) -> Track:
    """The first fix of each instant."""
    first = np.unique(track.t, return_index=True)[1]
    return Track(track.name, *(column[first] for column in track[1:]))


def test_standing_still_is_told_better_than_by_speed_on_days_that_nothing_was_chosen_on() -> None:
    right: Counter[str] = Counter()
    for track in map(once, tracks()):
        x = (track.lon - track.lon[0]) * 111_195 * np.cos(np.radians(track.lat[0]))
        y = (track.lat - track.lat[0]) * 111_195
        memory = np.zeros(geofence.DWELL)
        spans = geofence.dwells(track.t.astype(np.float64), x, y, 0, memory)
        still = np.zeros(track.t.size, np.bool_)
        for since, _proven, until in spans:
            still |= (track.t >= since) & ((until < 0) | (track.t < until))
        for part, rows in (("all", slice(None)), ("held out", held_out(track.t))):
            right[part] += int((still == track.stop)[rows].sum())
            right[f"{part} of"] += int(track.stop[rows].size)
    agreement = {part: right[part] / right[f"{part} of"] for part in ("all", "held out")}
    print(f"agreement with the diary: {agreement}")  # noqa: T201 - figures for who runs it
    assert agreement["held out"] > 0.87
    assert agreement["all"] > NAIVE


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API that keeps fixes long enough for a month of tracks."""
    settings = asking.settings(database_url, redis_url, tmp_path, retain_positions_days=60)
    async with asking.running(settings) as running:
        yield running


async def test_real_tracks_come_in_by_the_phones_own_words_and_every_fix_is_stored_once(
    api: Api,
) -> None:
    found = tracks()

    office = await asking.office(api)
    last = max(int(track.t[-1]) for track in found)
    shift = (int(datetime.now(UTC).timestamp()) - last) // DAY_S * DAY_S
    counts: dict[str, tuple[int, int, int]] = {}
    for track in found:
        begins = datetime.fromtimestamp(int(track.t[0]) + shift - 3600, UTC)
        guard = await guards.on_duty(
            api.make, office.world, at_site=False, from_at=begins,
            until_at=begins + timedelta(days=31), radius_m=None,
        )  # fmt: skip
        before = {outcome: _counted(outcome) for outcome in ("accepted", "duplicate")}
        singly = await _by_traccar(api, guard, track, shift)
        await _by_owntracks(api, guard, track, shift, singly)
        accepted, known = (_counted(outcome) - n for outcome, n in before.items())
        async with api.make() as session:
            stored = await session.scalar(
                select(func.count()).select_from(Fix).where(Fix.device_id == guard.device.id)
            )
        distinct = np.unique(track.t[_kept(track, begins, shift)]).size
        counts[track.name] = (track.t.size, distinct, stored or 0)
        await _judged(api.make, guard)
        async with api.make() as session:
            dwells = await session.scalar(
                select(func.count())
                .select_from(Presence)
                .where(Presence.duty_id == guard.duty.id, Presence.kind == Kind.DWELL)
            )
        told = f"{accepted} accepted, {known} known already, {stored} stored, {dwells} stops"
        print(f"{track.name}: {track.t.size} fixes, {told}")  # noqa: T201 - figures for who runs it
        assert dwells
        assert accepted == stored
        assert known >= track.t.size - distinct
    assert counts
    for name, (_sent, distinct, stored) in counts.items():
        assert stored == distinct, name


def _kept(track: Track, begins: datetime, shift: int) -> Any:
    """Which fixes lie within the duty."""
    until = begins.timestamp() + 31 * DAY_S
    return (track.t + shift) < until


async def _by_traccar(api: Api, guard: Guard, track: Track, shift: int) -> int:
    """The beginning of a track as Traccar Client sends it, fix by fix; how many fixes that were."""
    turn = asyncio.Semaphore(16)

    async def one(i: int) -> None:
        stamp = datetime.fromtimestamp(int(track.t[i]) + shift, UTC).isoformat()
        coords = {"latitude": track.lat[i], "longitude": track.lon[i], "speed": -1, "heading": -1}
        body = {"device_id": guard.token, "location": {"timestamp": stamp, "coords": coords}}
        async with turn:
            answer = await api.http.post("/ingest/traccar", json=body)
        assert (answer.status_code, answer.content) == (200, b"")

    await asyncio.gather(*(one(i) for i in range(SINGLY)))
    return SINGLY


async def _by_owntracks(api: Api, guard: Guard, track: Track, shift: int, start: int) -> None:
    """The rest as OwnTracks' messages, many at once, the last ones again with those that follow."""
    auth = {"authorization": "Basic " + b64encode(f"u:{guard.token}".encode()).decode()}
    for first in range(start, track.t.size, 950):
        rows = range(first - 50, min(first + 950, track.t.size))
        body = [
            {
                "_type": "location", "tst": int(track.t[i]) + shift, "lat": track.lat[i],
                "lon": track.lon[i], "t": "u",
            }
            for i in rows
        ]  # fmt: skip
        answer = await api.http.post("/ingest/owntracks", json=body, headers=auth)
        assert (answer.status_code, answer.json()) == (200, [])


def _counted(outcome: str) -> int:
    """What the metrics say of this process."""
    return int(FIXES.labels(outcome)._value.get())


async def _judged(make: Sessions, guard: Guard) -> None:
    async with transaction(make) as session:
        await positions.judge(session, guard.duty.id, at=datetime.now(UTC))
