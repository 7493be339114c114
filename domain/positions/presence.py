"""Evaluate a duty's fixes: stays, dwells, silences and absences as rows, changes as facts, arrivals on incidents.

The evaluation of a duty continues from its saved state. A late fix restarts it from the beginning of the duty, and
changed results are revised. Both ways give the same rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties
from domain.access import Actor, Tx
from domain.core.base import JSON
from domain.core.deferral import Subject, is_deferred
from domain.core.wakeups import DueColumn, WakeUp
from domain.duties.model import Duty
from domain.evaluator.kernels import evidence, geofence
from domain.positions import companions, tracks
from domain.positions.arrival_grades import ArrivalGrader, regrade
from domain.positions.fence_distances import outside_fence
from domain.positions.geofences import GeofencePeriod, fenced_now, unfenced
from domain.positions.incident_arrivals import NewFixes, OnTime, Stay, arrivals
from domain.positions.model import Kind, Presence, Watched, Whereabouts
from domain.positions.presence_diff import Interval, reconcile, reconcile_all
from domain.positions.reads import fence_history, kept_since
from domain.positions.rules import ms_of
from domain.positions.tracks import Floats, Track, plane, seconds

MIN_GAP_S = 300
LATE_AFTER = timedelta(minutes=15)
History = Sequence[tuple[UUID, Sequence[GeofencePeriod]]]


async def due(session: AsyncSession, *, at: datetime, limit: int = 200) -> list[UUID]:
    """Return the ids of the duties to evaluate."""
    return [duty.id for duty in await due_duties(session, at=at, limit=limit)]


DUE: tuple[WakeUp, ...] = (
    DueColumn(Whereabouts.dirty_from, ~is_deferred("positions", Whereabouts.duty_id)),
    DueColumn(Watched.next_check_at, ~is_deferred("positions", Watched.duty_id)),
)


async def due_duties(session: AsyncSession, *, at: datetime, limit: int = 200) -> list[Subject]:
    """Select the duties to evaluate: those with new fixes, or with a result that changes because time passed."""
    came_in = (
        select(Whereabouts.tenant_id, Whereabouts.duty_id)
        .where(
            Whereabouts.dirty_from.is_not(None),
            ~is_deferred("positions", Whereabouts.duty_id, at=at),
        )
        .limit(limit)
    )
    passed = (
        select(Watched.tenant_id, Watched.duty_id)
        .where(Watched.next_check_at <= at, ~is_deferred("positions", Watched.duty_id, at=at))
        .limit(limit)
    )
    return [Subject(*row) for row in await session.execute(came_in.union(passed))]


async def judge(
    session: AsyncSession, duty_id: UUID, *, at: datetime, late_after: timedelta = LATE_AFTER
) -> bool:
    """Evaluate one duty up to `at`; False when another process is evaluating it.

    A fix that comes in more than `late_after` after it was measured changes no verdict without a person's decision.
    """
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
    over_at = duty.ended_at or duty.until_at
    memory = watched.memory
    if _needs_full_evaluation(
        here.dirty_from, watched, fences, over=over_at <= at
    ) and await _has_all(session, duty):
        memory, watched.upto_at = {}, None
    track = await tracks.read(session, duty, watched.upto_at, memory, over_at)
    now = min(at, over_at)
    found, kept, insides = _spans(duty, fences, memory, track, watched.upto_at, now)
    actor = Actor.system(duty.tenant_id, "positions")
    began = "began" in watched.memory or await duties.begin(Tx(session, actor, at), duty)
    known = list(await session.scalars(select(Presence).where(Presence.duty_id == duty.id)))
    known_stays = {row.id for row in known if row.kind is Kind.STAY}
    before = companions.own_stays(duty, known)
    rows = await reconcile_all(
        Tx(session, actor, at), duty, known, found, whole=not memory, over_at=over_at
    )
    if track.heard.size:
        watched.upto_at = seconds(track.heard[-1])
    stays = [row for row in rows if row.kind is Kind.STAY]
    others = await companions.stays(session, duty)
    absences = _absences(duty, [*stays, *others], fences, now)
    await reconcile(
        Tx(session, actor, at), duty, [r for r in rows if r.kind is Kind.ABSENCE], absences, over_at
    )
    new = NewFixes(track.t[track.new :], insides, whole=not memory)

    async def read_on_time() -> tuple[list[Stay], NewFixes]:
        within_s = late_after.total_seconds()
        part = await tracks.read(session, duty, None, {}, over_at, received_within_s=within_s)
        spans, _, where = _spans(duty, fences, {}, part, None, now)
        proven = [_stay(span, stays) for span in spans if span.kind is Kind.STAY]
        return [each for each in proven if each is not None], NewFixes(part.t, where, whole=True)

    on_time = OnTime(late_after, read_on_time)
    grader = ArrivalGrader(session, duty, dict(fences))
    await arrivals(Tx(session, actor, at), stays, known_stays, new, on_time, grader)
    gone = known_stays - {row.id for row in stays}
    await regrade(Tx(session, actor, at), grader, stays, gone, track.heard, late_after)
    must_tell = "untold" in memory or before != companions.own_stays(duty, rows)
    untold = must_tell and not await companions.judge_soon(session, duty, at=at)
    watched.memory = kept | ({"began": True} if began else {}) | ({"untold": 1} if untold else {})
    watched.next_check_at = _next_check(duty, rows, absences, watched, fences, at)
    if untold:
        watched.next_check_at = at + timedelta(seconds=1)
    await session.flush()
    # Only if nothing came in meanwhile; ingest never waits for an evaluation, except for this one statement.
    await session.execute(
        update(Whereabouts)
        .where(Whereabouts.duty_id == duty_id, Whereabouts.heard == here.heard)
        .values(dirty_from=None)
    )
    return True


def _stay(span: Interval, rows: Sequence[Presence]) -> Stay | None:
    """Return the stay that a subset of the fixes proves, as part of the row that all of them prove."""
    for row in rows:
        ends = span.until_at is None or row.from_at < span.until_at
        if (
            row.site_id == span.site_id
            and ends
            and not (row.until_at and row.until_at <= span.from_at)
        ):
            return Stay(row.id, span.site_id, span.from_at, span.until_at, span.fixes)
    return None


def _needs_full_evaluation(
    dirty_from: datetime | None, watched: Watched, fences: History, *, over: bool
) -> bool:
    """Return whether continuing from the saved state could give another result than a full evaluation."""
    late = dirty_from is not None and watched.upto_at is not None and dirty_from <= watched.upto_at
    # Intervals are closed with the end of a duty; a duty that is resumed is evaluated completely.
    return late or over or watched.memory.get("fences") != _signature(fences)


def _spans(
    duty: Duty,
    fences: History,
    memory: JSON,
    track: Track,
    upto_at: datetime | None,
    now: datetime,
) -> tuple[list[Interval], JSON, dict[UUID, NDArray[np.bool_]]]:
    """Run the detectors; return their intervals, their state, and which new fixes are inside which geofence."""
    found: list[Interval] = []
    new = slice(track.new, None)
    insides: dict[UUID, NDArray[np.bool_]] = {}
    kept: JSON = {"fences": _signature(fences), "stays": {}} | track.memory
    for site_id, drawn in fences:
        state = _state(memory.get("stays", {}).get(str(site_id)))
        x, y, outside, size = outside_fence(drawn, track.t[new], track.lat[new], track.lon[new])
        votes = geofence.votes(outside, size, track.accuracy_m[new])
        columns = (track.t[new], x, y, track.accuracy_m[new], track.speed_mps[new], votes)
        spans = geofence.stays(*columns, longest_gap_s(duty), state)
        lapsed = now.timestamp() - state[geofence.BEFORE] > longest_gap_s(duty)
        if spans.size and spans[-1, 2] < 0 and lapsed:
            spans[-1, 2:] = state[geofence.LAST], 1.0
        found += _told(Kind.STAY, site_id, spans)
        kept["stays"][str(site_id)] = state.tolist()
        insides[site_id] = votes == geofence.IN
    found += _dwells(duty, memory, track, kept)
    found += _silences(duty, track.heard, upto_at, now)
    for since, until in track.mocks:
        until_at = None if until is None else seconds(until)
        found.append(Interval(Kind.MOCK, None, seconds(since), until_at, (seconds(since),)))
    return found, kept, insides


def _state(known: list[float] | None) -> Floats:
    """Return the saved state of a stay detector."""
    return np.zeros(geofence.STAY) if known is None else np.array(known, np.float64)


def _dwells(duty: Duty, memory: JSON, track: Track, kept: JSON) -> list[Interval]:
    """Return when the guard stood still; the detector's state is stored in `kept`."""
    state = np.array(memory.get("dwell", [0.0] * geofence.DWELL))
    origin = memory.get("origin") or ([track.lat[0], track.lon[0]] if track.t.size else None)
    kept["origin"] = origin and [float(each) for each in origin]
    spans = np.empty((0, 3))
    if origin is None:
        state[0] = ms_of(duty.from_at) / 1000
    else:
        first = int(np.searchsorted(track.t, state[0]))
        x, y = plane(origin[0], origin[1], track.lat[first:], track.lon[first:])
        spans = geofence.dwells(track.t[first:], x, y, max(0, track.new - first), state)
    kept["dwell"] = state.tolist()
    kept["dropped"] = [each for each in kept["dropped"] if each >= state[0]]
    return _told(Kind.DWELL, None, spans)


def longest_gap_s(duty: Duty) -> float:
    """Return the longest gap between fixes that still proves a stay: the allowed silence, at least 5 min."""
    return float(max(duty.silent_after_s, MIN_GAP_S))


def _silences(duty: Duty, t: Floats, upto_at: datetime | None, now: datetime) -> Iterable[Interval]:
    """Return gaps between fixes, from the beginning of the duty until now."""
    start = duty.from_at if upto_at is None else upto_at
    heard = np.concatenate(([ms_of(start) / 1000], t, [max(start, now).timestamp()]))
    for gap in np.flatnonzero(np.diff(heard) > duty.silent_after_s).tolist():
        last = seconds(heard[gap])
        until_at = None if gap == t.size else seconds(heard[gap + 1])
        first = gap == 0 and upto_at is None
        yield Interval(Kind.SILENCE, None, last, until_at, () if first else (last,))


def _absences(
    duty: Duty, stays: Iterable[Presence], fences: History, now: datetime
) -> list[Interval]:
    """Return when the guard was away from the site of the duty for longer than the grace period."""
    drawn = dict(fences).get(duty.site_id) if duty.site_id is not None else None
    if drawn is None:
        return []
    grace = timedelta(seconds=duty.grace_s)
    there = [(row.from_at, row.until_at or now) for row in stays if row.site_id == duty.site_id]
    # Without a geofence presence cannot be proven, so nobody is absent.
    there += unfenced(drawn, duty.from_at, now)
    there.sort()
    found = []
    gone_at = duty.from_at
    for from_at, until_at in [*there, (now, now)]:
        if from_at - gone_at > grace:
            until = None if (from_at, until_at) == (now, now) else from_at
            found.append(Interval(Kind.ABSENCE, duty.site_id, gone_at + grace, until, ()))
        gone_at = max(gone_at, until_at)
    return found


def _next_check(
    duty: Duty,
    rows: Sequence[Presence],
    absences: Sequence[Interval],
    watched: Watched,
    fences: History,
    at: datetime,
) -> datetime | None:
    """Return when a duty, a silence or an absence would begin, or a stay would lapse, without new fixes."""
    if (duty.ended_at or duty.until_at) <= at:
        return None
    lasting = {row.kind for row in rows if row.until_at is None}
    checks = [] if "began" in watched.memory else [duty.from_at]
    for row in rows:
        if row.kind is Kind.STAY and row.until_at is None:
            before = watched.memory["stays"][str(row.site_id)][geofence.BEFORE]
            checks.append(seconds(before + longest_gap_s(duty) + 0.001))
    if Kind.SILENCE not in lasting:
        heard_at = max(watched.upto_at or duty.from_at, duty.from_at)
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
    # A result that is overdue is checked again after one second at the earliest.
    return None if not checks else max(min(checks), at + timedelta(seconds=1))


def _told(kind: Kind, site_id: UUID | None, found: Floats) -> list[Interval]:
    return [
        Interval(
            kind,
            site_id,
            seconds(since),
            None if until < 0 else seconds(until),
            (seconds(since), seconds(proven)),
            any(rest),
        )
        for since, proven, until, *rest in found.tolist()
    ]


def _signature(fences: History) -> list[Any]:
    return [
        [str(site_id), [None if each.from_at is None else ms_of(each.from_at) for each in drawn]]
        for site_id, drawn in fences
    ]


async def _has_all(session: AsyncSession, duty: Duty) -> bool:
    """Return whether all fixes of a duty are still stored; a partial record is not evaluated anew."""
    since = await kept_since(session)
    return since is not None and since <= duty.from_at


def warm() -> None:
    """Compile the kernels for fixes: 4 s of CPU per release, during which the calling event loop is blocked.

    On a busy machine the first fix blocked the worker's loop for 16 s, and PostgreSQL ended the relay's session.
    """
    one = np.zeros(1)
    outside = geofence.outside_m(one, one, one, one, 1.0)
    votes = geofence.votes(outside, one, one)
    geofence.stays(one, one, one, one, one, votes, 1.0, np.zeros(geofence.STAY))
    evidence.credible(one, one, one, one, 1)
    geofence.dwells(one, one, one, 0, np.zeros(geofence.DWELL))
