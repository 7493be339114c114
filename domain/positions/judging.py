"""What a duty's fixes prove: stays, dwells, silences and absences as rows, differences as facts, arrivals on tickets.

A duty is judged on from where it was left, with the automata's memory; a fix that comes in late has it judged anew from
its beginning, and what turns out otherwise is revised. Both ways come to the same rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties
from domain.actor import Actor
from domain.base import JSON
from domain.duties.model import Duty
from domain.kernels import places
from domain.positions.arriving import Found, arrivals
from domain.positions.fences import Drawn, fenced_now, unfenced
from domain.positions.model import Fix, Kind, Presence, Watched, Whereabouts
from domain.positions.reads import fence_history, kept_since
from domain.positions.reconciling import Span, reconcile, reconcile_all
from domain.positions.rules import at_of, ms_of

Floats = NDArray[np.float64]
History = Sequence[tuple[UUID, Sequence[Drawn]]]


class _Track(NamedTuple):
    """A duty's fixes as columns; those before `new` were judged before."""

    t: Floats
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    new: int


async def due(session: AsyncSession, *, at: datetime, limit: int = 200) -> list[UUID]:
    """The duties to be judged: something came in, or something is over by the mere passing of time."""
    came_in = select(Whereabouts.duty_id).where(Whereabouts.dirty_from.is_not(None)).limit(limit)
    passed = select(Watched.duty_id).where(Watched.next_check_at <= at).limit(limit)
    return list(await session.scalars(came_in.union(passed)))


async def judge(session: AsyncSession, duty_id: UUID, *, at: datetime) -> bool:
    """Judge one duty up to `at`; False when somebody else is at it."""
    watched = await session.scalar(
        select(Watched).where(Watched.duty_id == duty_id).with_for_update(skip_locked=True)
    )
    if watched is None:
        return False
    duty = await session.get_one(Duty, duty_id, populate_existing=True)
    here = (
        await session.execute(
            select(Whereabouts.heard, Whereabouts.dirty_from).where(Whereabouts.duty_id == duty_id)
        )
    ).one()
    fences = await fence_history(session, duty.account_id)
    late = (
        here.dirty_from is not None
        and watched.upto_at is not None
        and here.dirty_from <= watched.upto_at
    )
    memory = watched.memory
    if (late or memory.get("fences") != _signature(fences)) and await _has_all(session, duty):
        memory, watched.upto_at = {}, None
    over_at = duty.ended_at or duty.until_at
    track = await _track(session, duty, watched.upto_at, memory, over_at)
    now = min(at, over_at)
    found, kept, outsides = _spans(duty, fences, memory, track, watched.upto_at, now)
    actor = Actor.system(duty.tenant_id, "positions")
    began = "began" in watched.memory or await duties.begin(session, actor, duty, at=at)
    known = list(await session.scalars(select(Presence).where(Presence.duty_id == duty.id)))
    told = {row.id for row in known if row.kind is Kind.STAY}
    rows = await reconcile_all(
        session, actor, duty, known, found, whole=not memory, over_at=over_at, at=at
    )
    if track.t.size:
        watched.upto_at = _at(track.t[-1])
    absences = _absences(duty, [row for row in rows if row.kind is Kind.STAY], fences, now)
    await reconcile(
        session, actor, duty, [r for r in rows if r.kind is Kind.ABSENCE], absences, over_at, at
    )
    new = Found(track.t[track.new :], outsides, whole=not memory)
    stays = [row for row in rows if row.kind is Kind.STAY]
    await arrivals(session, actor, duty, stays, told, new, at=at)
    watched.memory = kept | ({"began": True} if began else {})
    watched.next_check_at = _next_check(duty, rows, absences, watched.upto_at, fences, at, began)
    await session.flush()
    # Only if nothing came in meanwhile; the intake never waits for a judge, but for this one statement.
    await session.execute(
        update(Whereabouts)
        .where(Whereabouts.duty_id == duty_id, Whereabouts.heard == here.heard)
        .values(dirty_from=None)
    )
    return True


async def _track(
    session: AsyncSession, duty: Duty, upto_at: datetime | None, memory: JSON, over_at: datetime
) -> _Track:
    since = duty.from_at if upto_at is None else min(upto_at, _at(memory["dwell"][0]))
    rows = await session.execute(
        select(Fix.at, Fix.lat, Fix.lon, Fix.accuracy_m)
        .where(Fix.device_id == duty.device_id, Fix.at >= since, Fix.at < over_at)
        .order_by(Fix.at)
    )
    told = [(ms_of(at) / 1000, lat, lon, accuracy) for at, lat, lon, accuracy in rows]
    t, lat, lon, accuracy = np.array(told, np.float64).reshape(-1, 4).T.copy()
    new = 0 if upto_at is None else int(np.searchsorted(t, ms_of(upto_at) / 1000, side="right"))
    return _Track(t, lat, lon, accuracy, new)


def _spans(
    duty: Duty,
    fences: History,
    memory: JSON,
    track: _Track,
    upto_at: datetime | None,
    now: datetime,
) -> tuple[list[Span], JSON, dict[UUID, Floats]]:
    """What the automata say, what they remember, and how far outside each fence the new fixes are."""
    found: list[Span] = []
    new = slice(track.new, None)
    outsides: dict[UUID, Floats] = {}
    kept: JSON = {"fences": _signature(fences), "stays": {}}
    for site_id, drawn in fences:
        state = np.array(memory.get("stays", {}).get(str(site_id), [0.0] * places.STAY))
        outside = _outside(drawn, track.t[new], track.lat[new], track.lon[new])
        spans = places.stays(track.t[new], outside, track.accuracy_m[new], state)
        found += _told(Kind.STAY, site_id, spans)
        kept["stays"][str(site_id)] = state.tolist()
        outsides[site_id] = outside
    state = np.array(memory.get("dwell", [0.0] * places.DWELL))
    origin = memory.get("origin") or ([track.lat[0], track.lon[0]] if track.t.size else None)
    if origin is not None:
        x, y = _plane(origin[0], origin[1], track.lat, track.lon)
        found += _told(Kind.DWELL, None, places.dwells(track.t, x, y, track.new, state))
    else:
        state[0] = ms_of(duty.from_at) / 1000
    kept |= {"dwell": state.tolist(), "origin": origin and [float(each) for each in origin]}
    found += _silences(duty, track.t[new], upto_at, now)
    return found, kept, outsides


def _silences(duty: Duty, t: Floats, upto_at: datetime | None, now: datetime) -> Iterable[Span]:
    """Gaps between fixes, from the beginning of the duty until now."""
    start = duty.from_at if upto_at is None else upto_at
    heard = np.concatenate(([ms_of(start) / 1000], t, [max(start, now).timestamp()]))
    for gap in np.flatnonzero(np.diff(heard) > duty.silent_after_s).tolist():
        last = _at(heard[gap])
        until_at = None if gap == t.size else _at(heard[gap + 1])
        first = gap == 0 and upto_at is None
        yield Span(Kind.SILENCE, None, last, until_at, () if first else (last,))


def _absences(duty: Duty, stays: Iterable[Presence], fences: History, now: datetime) -> list[Span]:
    """When the guard was not at the site of the duty for longer than the grace."""
    drawn = dict(fences).get(duty.site_id) if duty.site_id is not None else None
    if drawn is None:
        return []
    grace = timedelta(seconds=duty.grace_s)
    there = [(row.from_at, row.until_at or now) for row in stays if row.site_id == duty.site_id]
    # Without a fence nobody can tell, so nobody is absent.
    there += unfenced(drawn, duty.from_at, now)
    there.sort()
    found = []
    gone_at = duty.from_at
    for from_at, until_at in [*there, (now, now)]:
        if from_at - gone_at > grace:
            until = None if (from_at, until_at) == (now, now) else from_at
            found.append(Span(Kind.ABSENCE, duty.site_id, gone_at + grace, until, ()))
        gone_at = max(gone_at, until_at)
    return found


def _next_check(
    duty: Duty,
    rows: Sequence[Presence],
    absences: Sequence[Span],
    upto_at: datetime | None,
    fences: History,
    at: datetime,
    began: bool,
) -> datetime | None:
    """When the duty, silence or absence would begin, if nothing came in."""
    if (duty.ended_at or duty.until_at) <= at:
        return None
    lasting = {row.kind for row in rows if row.until_at is None}
    checks = [] if began else [duty.from_at]
    if Kind.SILENCE not in lasting:
        heard_at = max(upto_at or duty.from_at, duty.from_at)
        checks.append(heard_at + timedelta(seconds=duty.silent_after_s, milliseconds=1))
    there = any(
        r.kind is Kind.STAY and r.site_id == duty.site_id and r.until_at is None for r in rows
    )
    absent = any(span.until_at is None for span in absences)
    drawn = dict(fences).get(duty.site_id, ()) if duty.site_id is not None else ()
    if fenced_now(drawn) and not there and not absent:
        left = [r.until_at for r in rows if r.site_id == duty.site_id and r.until_at is not None]
        gone_at = max([duty.from_at, drawn[-1].from_at or duty.from_at, *left])
        checks.append(gone_at + timedelta(seconds=duty.grace_s, milliseconds=1))
    # What should have been found by now is not looked for again before a second has passed.
    return None if not checks else max(min(checks), at + timedelta(seconds=1))


def _told(kind: Kind, site_id: UUID | None, found: Floats) -> list[Span]:
    return [
        Span(
            kind, site_id, _at(since), None if until < 0 else _at(until), (_at(since), _at(proven))
        )
        for since, proven, until in found.tolist()
    ]


def _plane(lat: float, lon: float, lats: Floats, lons: Floats) -> tuple[Floats, Floats]:
    metres = places.METRES_A_DEGREE
    east = (lons - lon + 540.0) % 360.0 - 180.0
    return east * metres * np.cos(np.radians(lat)), (lats - lat) * metres


def _outside(drawn: Sequence[Drawn], t: Floats, lat: Floats, lon: Floats) -> Floats:
    """How far outside the fence that was in force each fix is, in metres; infinitely where there was none."""
    outside = np.full(t.size, np.inf)
    turns = [0 if each.from_at is None else _first(t, each.from_at) for each in drawn]
    for each, start, end in zip(drawn, turns, [*turns[1:], t.size], strict=True):
        if each.fence is None or start >= end:
            continue
        part = slice(start, end)
        corners = np.array(each.fence.corners, np.float64).reshape(-1, 2)
        x, y = _plane(each.fence.lat, each.fence.lon, lat[part], lon[part])
        outside[part] = places.outside_m(
            x, y, corners[:, 0].copy(), corners[:, 1].copy(), each.fence.radius_m
        )
    return outside


def _first(t: Floats, at: datetime) -> int:
    return int(np.searchsorted(t, ms_of(at) / 1000))


def _signature(fences: History) -> list[Any]:
    return [
        [str(site_id), [None if each.from_at is None else ms_of(each.from_at) for each in drawn]]
        for site_id, drawn in fences
    ]


async def _has_all(session: AsyncSession, duty: Duty) -> bool:
    """Whether all of a duty's fixes are still kept: of a part of them nothing is judged anew."""
    since = await kept_since(session)
    return since is not None and since <= duty.from_at


def _at(seconds: float) -> datetime:
    return at_of(round(seconds * 1000))


def warm() -> None:
    """Compile what judges fixes: 4 s of CPU once a release, in which the event loop that did it would stand still.

    On a busy machine the first fix held the worker's loop for 16 s, and PostgreSQL ended the relay's session.
    """
    one = np.zeros(1)
    outside = places.outside_m(one, one, one, one, 1.0)
    places.stays(one, outside, one, np.zeros(places.STAY))
    places.dwells(one, one, one, 0, np.zeros(places.DWELL))
