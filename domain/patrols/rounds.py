"""Open rounds, judge them again after scans or time, end them, and reveal the keys of random ones."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, promises
from domain.access import Actor, Origin, Tx
from domain.agreements import IncidentAttributes, PromiseKind
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.patrols import events
from domain.patrols.clocks import PATROL_ROUND, PATROL_VISIT
from domain.patrols.judging import (
    ExpectedVisit,
    GradedScan,
    JudgedRound,
    JudgedVisit,
    RoundRules,
    judge_round,
)
from domain.patrols.model import (
    PatrolDraw,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolScan,
    PatrolVisit,
    RoundState,
)

PART = "patrols"
_TICK = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)


DUE: tuple[WakeUp, ...] = (
    DueColumn(PatrolRound.look_at, ~is_deferred(PART, PatrolRound.id), by_company=True),
)


async def rounds_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the rounds to look at: the companies alternately, the longest overdue of each first."""
    turn = rank_of(PatrolRound.tenant_id, PatrolRound.look_at, PatrolRound.id)
    found = await session.execute(
        select(PatrolRound.tenant_id, PatrolRound.id)
        .where(PatrolRound.look_at <= at, ~is_deferred(PART, PatrolRound.id, at=at))
        .order_by(turn, PatrolRound.look_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_round(
    session: AsyncSession, round_id: UUID, *, at: datetime, origin: Origin = Origin.LIVE
) -> None:
    """Open, judge or end a round that is due; without effect when another worker has it."""
    patrol = await session.scalar(
        select(PatrolRound)
        .where(PatrolRound.id == round_id, PatrolRound.look_at <= at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if patrol is not None:
        actor = Actor.system(patrol.tenant_id, PART, origin=origin)
        await follow(Tx(session, actor, at), patrol)


async def follow(tx: Tx, patrol: PatrolRound) -> None:
    """Bring a round to what its scans and the time say; the round is locked."""
    if patrol.state is RoundState.CANCELLED or tx.at < patrol.from_at:
        return
    route = await tx.session.get_one(PatrolRoute, patrol.route_id)
    if patrol.state is RoundState.PLANNED:
        await _open(tx, patrol, route)
    found = await tx.session.scalars(
        select(PatrolVisit).where(PatrolVisit.round_id == patrol.id).order_by(PatrolVisit.place)
    )
    visits = found.all()
    columns = (
        *(PatrolScan.id, PatrolScan.point_id, PatrolScan.device_at, PatrolScan.device),
        *(PatrolScan.sequence, PatrolScan.grade),
    )
    scans = await tx.session.execute(select(*columns).where(PatrolScan.round_id == patrol.id))
    rules = RoundRules(
        route.ordering,
        route.lowest_grade,
        route.least_minutes * _MINUTE,
        route.late_minutes * _MINUTE,
    )
    judged = judge_round(
        rules,
        [ExpectedVisit(each.point_id, each.place, each.due_at) for each in visits],
        [GradedScan(*row) for row in scans],
        at=tx.at,
    )
    for visit in visits:
        if _take_visit(tx, visit, judged.visits[visit.point_id]):
            await promises.evaluate(tx.session, tx.actor, visit.id, at=tx.at)
    if _take_round(tx, patrol, judged):
        await promises.evaluate(tx.session, tx.actor, patrol.id, at=tx.at)
    over_at = patrol.until_at + rules.late
    if patrol.state is RoundState.OPEN and tx.at >= over_at:
        await _end(tx, patrol, judged, over_at)
    elif patrol.state is RoundState.OPEN:
        ahead = [each.due_at + rules.late for each in visits if each.made_at is None]
        patrol.look_at = min((each for each in ahead if each > tx.at), default=over_at)
    await tx.session.flush()


async def _open(tx: Tx, patrol: PatrolRound, route: PatrolRoute) -> None:
    """Begin a round: its points are due, and its promises run."""
    patrol.state = RoundState.OPEN
    tx.record(
        events.PatrolRoundOpened(
            account_id=patrol.account_id, subject_id=patrol.id, at=patrol.from_at,
            route_id=route.id, site_id=patrol.site_id, on_day=patrol.on_day, number=patrol.number,
            from_at=patrol.from_at, due_at=patrol.until_at,
        )
    )  # fmt: skip
    points = await tx.session.scalars(
        select(PatrolPoint).where(PatrolPoint.route_id == route.id).order_by(PatrolPoint.place)
    )
    visits = [_expect(tx, patrol, point) for point in points]
    await tx.session.flush()
    attributes = IncidentAttributes(
        PATROL_ROUND, route.service, patrol.site_id, patrol.from_at, route.service
    )
    subject = promises.PromiseSubject(PATROL_ROUND, patrol.id, patrol.account_id, attributes)
    await promises.start(tx.session, tx.actor, subject, at=tx.at)
    terms = await agreements.in_force(tx.session, patrol.account_id, attributes)
    if any(term.kind is PromiseKind.POINT_VISITED for term in terms):
        for visit in visits:
            subject = promises.PromiseSubject(PATROL_VISIT, visit.id, patrol.account_id, attributes)
            await promises.start(tx.session, tx.actor, subject, at=tx.at)


def _expect(tx: Tx, patrol: PatrolRound, point: PatrolPoint) -> PatrolVisit:
    due_at = patrol.until_at
    if point.due_minutes is not None:
        due_at = min(due_at, patrol.from_at + point.due_minutes * _MINUTE)
    visit = PatrolVisit(
        id=uuid7(), tenant_id=patrol.tenant_id, account_id=patrol.account_id, round_id=patrol.id,
        point_id=point.id, place=point.place, due_at=due_at,
    )  # fmt: skip
    tx.session.add(visit)
    tx.record(
        events.PatrolVisitExpected(
            account_id=visit.account_id, subject_id=visit.id, at=patrol.from_at,
            round_id=patrol.id, point_id=point.id, due_at=due_at,
        )
    )  # fmt: skip
    return visit


def _take_visit(tx: Tx, visit: PatrolVisit, judged: JudgedVisit) -> bool:
    """Take over what is found about a visit, and record what changed; return whether its clock is concerned."""
    scan, owner = judged.scan, {"account_id": visit.account_id, "subject_id": visit.id}
    of = {"round_id": visit.round_id, "point_id": visit.point_id}
    if visit.missed_at is not None and judged.missed_at is None:
        tx.record(events.PatrolVisitFound(**owner, at=tx.at, was_missed_at=visit.missed_at))
    if visit.missed_at is None and judged.missed_at is not None:
        tx.record(events.PatrolVisitMissed(**owner, at=judged.missed_at, **of))
    moved = visit.scan_id != (None if scan is None else scan.id)
    if moved and visit.made_at is not None and visit.scan_id is not None:
        was_at = visit.made_at
        tx.record(
            events.PatrolVisitWithdrawn(
                **owner, at=tx.at, scan_id=visit.scan_id, was_at=was_at, just_before=was_at - _TICK
            )
        )
        tx.record(events.PatrolVisitReassessed(**owner, at=tx.at, was_at=was_at))
    flags = (judged.is_late, judged.is_out_of_order)
    if scan is not None and (moved or flags != (visit.is_late, visit.is_out_of_order)):
        tx.record(
            events.PatrolVisitMade(
                **owner, at=scan.at, **of, scan_id=scan.id, grade=scan.grade,
                is_late=judged.is_late, is_out_of_order=judged.is_out_of_order,
            )
        )  # fmt: skip
    visit.scan_id, visit.made_at, visit.grade = (
        (None, None, None) if scan is None else (scan.id, scan.at, scan.grade)
    )
    visit.is_late, visit.is_out_of_order = flags
    visit.missed_at = judged.missed_at
    return moved


def _take_round(tx: Tx, patrol: PatrolRound, judged: JudgedRound) -> bool:
    owner = {"account_id": patrol.account_id, "subject_id": patrol.id}
    moved = patrol.completed_at != judged.completed_at
    if moved and patrol.completed_at is not None:
        was_at = patrol.completed_at
        tx.record(
            events.PatrolRoundWithdrawn(
                **owner, at=tx.at, was_at=was_at, just_before=was_at - _TICK
            )
        )
        tx.record(events.PatrolRoundReassessed(**owner, at=tx.at, was_at=was_at))
    if moved and judged.completed_at is not None:
        tx.record(events.PatrolRoundCompleted(**owner, at=judged.completed_at))
    patrol.completed_at, patrol.is_too_fast = judged.completed_at, judged.is_too_fast
    patrol.visited, patrol.missed = judged.visited, judged.missed
    return moved


async def _end(tx: Tx, patrol: PatrolRound, judged: JudgedRound, over_at: datetime) -> None:
    patrol.state, patrol.look_at = RoundState.ENDED, None
    tx.record(
        events.PatrolRoundEnded(
            account_id=patrol.account_id, subject_id=patrol.id, at=over_at, points=patrol.points,
            visited=judged.visited, missed=judged.missed, is_too_fast=judged.is_too_fast,
        )
    )  # fmt: skip
    await tx.session.flush()
    await reveal(tx, patrol)


async def reveal(tx: Tx, patrol: PatrolRound) -> None:
    """Reveal the key of a day once none of its rounds is ahead or open."""
    draw = await tx.session.scalar(
        select(PatrolDraw)
        .where(
            PatrolDraw.route_id == patrol.route_id,
            PatrolDraw.on_day == patrol.on_day,
            PatrolDraw.revealed_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    if draw is None:
        return
    ahead = select(PatrolRound.id).where(
        PatrolRound.route_id == patrol.route_id,
        PatrolRound.on_day == patrol.on_day,
        PatrolRound.state.in_((RoundState.PLANNED, RoundState.OPEN)),
    )
    if await tx.session.scalar(ahead.limit(1)) is not None:
        return
    draw.revealed_at = tx.at
    tx.record(
        events.PatrolDrawRevealed(
            account_id=patrol.account_id, subject_id=patrol.route_id, at=tx.at,
            on_day=patrol.on_day, key=draw.key.hex(),
        )
    )  # fmt: skip
