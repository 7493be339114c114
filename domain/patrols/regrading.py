"""Grade scans again by what other scans say against them: of the same tag, device or photo.

A scan is compared with all that it could concern, so its grade does not depend on the order of uploads.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from domain.access import Tx
from domain.core.base import among
from domain.evidence import Grade
from domain.patrols import events
from domain.patrols.grading import (
    ComparedScan,
    Spot,
    repeated_counters,
    reused_photos,
    two_places,
)
from domain.patrols.model import PatrolPoint, PatrolScan, ScanReason

AROUND = timedelta(days=35)
"""How far scans of one tag count for each other."""
_BEFORE = timedelta(hours=12)
_Find = Callable[[Sequence[ComparedScan]], Iterable[UUID]]


async def regrade(tx: Tx, new: Sequence[PatrolScan]) -> set[UUID | None]:
    """Grade again what new scans concern; return the rounds of the scans whose grade changed."""
    first = min(each.device_at for each in new)
    last = max(each.device_at for each in new)
    tags = {each.tag_id for each in new if each.counter is not None}
    photos = {each.photo_sha256 for each in new if each.photo_sha256 is not None}
    one = new[0]
    lowest = min(each.sequence for each in new)
    concerned: dict[UUID, PatrolScan] = {}
    changed: set[UUID] = set()
    for reason, find, where, since in (
        (
            ScanReason.TWO_PLACES,
            two_places,
            (PatrolScan.user_id == one.user_id)
            & (PatrolScan.device == one.device)
            & PatrolScan.device_at.between(first - _BEFORE, last + _BEFORE),
            lowest,
        ),
        (
            ScanReason.COUNTER_REPEATED,
            repeated_counters,
            among(PatrolScan.tag_id, tags)
            & PatrolScan.counter.is_not(None)
            & PatrolScan.device_at.between(first - AROUND, last + AROUND),
            None,
        ),
        (
            ScanReason.PHOTO_REUSED,
            reused_photos,
            among(PatrolScan.photo_sha256, photos) & (PatrolScan.tenant_id == one.tenant_id),
            None,
        ),
    ):
        scans = await _load(tx, where)
        concerned |= {each.id: each for each in scans}
        changed |= _toggle(reason, find(await _compared(tx, scans)), scans, since)
    return {_settle(tx, concerned[each]) for each in changed} - {None}


async def _load(tx: Tx, where: ColumnElement[bool]) -> Sequence[PatrolScan]:
    found = await tx.session.scalars(select(PatrolScan).where(where))
    return found.all()


async def _compared(tx: Tx, scans: Sequence[PatrolScan]) -> list[ComparedScan]:
    columns = (PatrolPoint.id, PatrolPoint.lat, PatrolPoint.lon, PatrolPoint.radius_m)
    points = await tx.session.execute(
        select(*columns).where(among(PatrolPoint.id, {each.point_id for each in scans}))
    )
    spots = {
        id_: None if lat is None or lon is None else Spot(lat, lon, radius)
        for id_, lat, lon, radius in points
    }
    return [
        ComparedScan(
            id=each.id, device=(each.user_id, each.device), sequence=each.sequence,
            device_at=each.device_at, spot=spots[each.point_id], tag_id=each.tag_id,
            counter=each.counter, photo_sha256=each.photo_sha256,
            is_clock_right=ScanReason.CLOCK_SKEW not in each.own_reasons,
            is_there=each.own_grade is not Grade.D,
        )
        for each in scans
    ]  # fmt: skip


def _toggle(
    reason: ScanReason, flagged: Iterable[UUID], scans: Sequence[PatrolScan], since: int | None
) -> set[UUID]:
    """Set or take back one reason; return the scans for which that changed it."""
    against: Collection[Any] = set(flagged)
    changed = set()
    for scan in scans:
        if since is not None and scan.sequence < since:
            continue
        stands = str(reason) in scan.reasons
        if stands != (scan.id in against):
            others = [each for each in scan.reasons if each != reason]
            scan.reasons = others if stands else sorted([*others, str(reason)])
            changed.add(scan.id)
    return changed


def _settle(tx: Tx, scan: PatrolScan) -> UUID | None:
    """Set the grade that the reasons of a scan leave; return the round of one that changed."""
    own = set(scan.own_reasons)
    grade = scan.own_grade if own == set(scan.reasons) else Grade.D
    if grade is scan.grade:
        return None
    tx.record(
        events.PatrolScanGraded(
            account_id=scan.account_id, subject_id=scan.id, at=tx.at, before=scan.grade,
            after=grade, reasons=scan.reasons,
        )
    )  # fmt: skip
    scan.grade = grade
    return scan.round_id
