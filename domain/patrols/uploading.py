"""Take scans that a guard's device sends: at once or days later, in any order, and any number of times."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import isfinite
from uuid import UUID

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import User
from domain.core.base import JSON, among, uuid7
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line, must_be_text
from domain.evidence import EvidenceThresholds, load_thresholds
from domain.parameters import ParameterScope
from domain.patrols import events
from domain.patrols.grading import ScanFix, Spot, distance_m, grade_alone
from domain.patrols.model import (
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolScan,
    PatrolUpload,
    RoundState,
)
from domain.patrols.proofs import ProofDesk, ScanDraft
from domain.patrols.regrading import regrade
from domain.patrols.rounds import follow

MOST_SCANS = 500
"""Scans that one upload may hold."""
LONGEST_DEVICE = 100
_AHEAD = timedelta(minutes=2)
_DAY = timedelta(days=1)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_Limits = Callable[[PatrolPoint, datetime], EvidenceThresholds]


async def upload_scans(
    tx: Tx, vault: SecretCipher, *, device: str, sent_at: datetime, scans: Sequence[ScanDraft]
) -> PatrolUpload:
    """Store scans of the actor, each once; a scan that cannot be read is refused alone, with its reason."""
    tx.actor.must(Right.ATTEND)
    must_be_line(device, "device")
    if len(device) > LONGEST_DEVICE:
        raise Refused(
            Code.INVALID, f"device has at most {LONGEST_DEVICE} characters.", argument="device"
        )
    if not 1 <= len(scans) <= MOST_SCANS:
        raise Refused(Code.INVALID, f"Send 1 to {MOST_SCANS} scans at once.", argument="scans")
    if tx.actor.user_id is None:
        raise Refused(Code.NOT_ALLOWED, "Only a person can scan points.")
    await tx.session.scalar(
        select(User.id).where(User.id == tx.actor.user_id).with_for_update(key_share=True)
    )
    skew = tx.at - sent_at
    upload = PatrolUpload(
        id=uuid7(), tenant_id=tx.actor.tenant_id, user_id=tx.actor.user_id, device=device,
        received_at=tx.at, skew_ms=skew // timedelta(milliseconds=1), accepted=0, duplicates=0,
        refused=[],
    )  # fmt: skip
    known = await tx.session.scalars(
        select(PatrolScan.sequence).where(
            PatrolScan.user_id == upload.user_id,
            PatrolScan.device == device,
            among(PatrolScan.sequence, {each.sequence for each in scans}),
        )
    )
    taken = set(known)
    desk = await ProofDesk.of(tx, vault, scans)
    limits = await _limits(tx, desk, scans)
    rows = []
    for draft in scans:
        if draft.sequence in taken:
            upload.duplicates += 1
            continue
        try:
            rows.append(_row(upload, desk, draft, sent_at, limits))
        except Refused as refused:
            upload.refused = [*upload.refused, _refusal(draft, refused)]
            continue
        taken.add(draft.sequence)
    upload.accepted = len(rows)
    tx.session.add(upload)
    await tx.session.flush()
    tx.record(
        events.PatrolScansUploaded(
            account_id=None, subject_id=upload.id, at=tx.at, accepted=upload.accepted,
            duplicates=upload.duplicates, refused=len(upload.refused), skew_ms=upload.skew_ms,
        )
    )  # fmt: skip
    await _count(tx, desk, rows)
    return upload


async def _count(tx: Tx, desk: ProofDesk, rows: Sequence[PatrolScan]) -> None:
    """Give scans to their rounds, grade all that they concern, and judge the rounds again."""
    if not rows:
        return
    routes = {desk.points[row.point_id].route_id for row in rows}
    locked = await tx.session.scalars(  # uploads about one route wait for each other
        select(PatrolRoute)
        .where(among(PatrolRoute.id, routes))
        .order_by(PatrolRoute.id)
        .with_for_update(key_share=True)
    )
    late = {route.id: timedelta(minutes=route.late_minutes) for route in locked}
    first = min(row.device_at for row in rows)
    last = max(row.device_at for row in rows)
    found = await tx.session.scalars(
        select(PatrolRound)
        .where(
            among(PatrolRound.route_id, routes),
            PatrolRound.from_at.between(first - 2 * _DAY, last),
            PatrolRound.state != RoundState.CANCELLED,
        )
        .order_by(PatrolRound.from_at)
    )
    rounds = found.all()
    for row in rows:
        row.round_id = _round_at(row.device_at, desk.points[row.point_id].route_id, rounds, late)
    tx.session.add_all(rows)
    await tx.session.flush()
    changed = await regrade(tx, rows)
    concerned = {row.round_id for row in rows} | changed
    again = await tx.session.scalars(
        select(PatrolRound)
        .where(among(PatrolRound.id, {each for each in concerned if each is not None}))
        .order_by(PatrolRound.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for patrol in again:
        await follow(tx, patrol)


def _round_at(
    at: datetime, route_id: UUID, rounds: Iterable[PatrolRound], late: dict[UUID, timedelta]
) -> UUID | None:
    """Return the round of a route that a scan counts for: the newest that began, until its late time is over."""
    begun = [each for each in rounds if each.route_id == route_id and each.from_at <= at]
    if not begun or at >= begun[-1].until_at + late[route_id]:
        return None
    return begun[-1].id


async def _limits(tx: Tx, desk: ProofDesk, scans: Sequence[ScanDraft]) -> _Limits:
    """Return the thresholds for a scan of a point at an instant; a time ahead of now counts as now."""
    columns = (PatrolRoute.id, PatrolRoute.tenant_id, PatrolRoute.account_id, PatrolRoute.site_id)
    routes = {each.route_id for each in desk.points.values()}
    found = await tx.session.execute(select(*columns).where(among(PatrolRoute.id, routes)))
    scopes = {row_id: ParameterScope(*rest) for row_id, *rest in found}
    until = min(max(each.at for each in scans), tx.at)
    history = await load_thresholds(tx.session, scopes.values(), until=until)

    def at(point: PatrolPoint, instant: datetime) -> EvidenceThresholds:
        return history.at(scopes[point.route_id], min(instant, tx.at))

    return at


def _row(
    upload: PatrolUpload, desk: ProofDesk, draft: ScanDraft, sent_at: datetime, limits: _Limits
) -> PatrolScan:
    _check(draft)
    found = desk.find(draft)
    fix = _fix(found.point, draft)
    skew = timedelta(milliseconds=upload.skew_ms)
    if draft.at > sent_at + _AHEAD:
        skew = draft.at - sent_at  # made after it was sent: the clock was set back in between
    grade, reasons = grade_alone(
        found.point.kind, found.proof, fix, skew, is_manual=draft.is_manual,
        limits=limits(found.point, draft.at),
    )  # fmt: skip
    return PatrolScan(
        id=uuid7(), tenant_id=upload.tenant_id, account_id=found.point.account_id,
        point_id=found.point.id, tag_id=None if found.tag is None else found.tag.id,
        upload_id=upload.id, user_id=upload.user_id, device=upload.device, sequence=draft.sequence,
        device_at=draft.at, received_at=upload.received_at, skew_ms=upload.skew_ms,
        distance_m=_rounded(None if fix is None else fix.distance_m),
        accuracy_m=_rounded(None if fix is None else fix.accuracy_m),
        counter=found.counter, photo_sha256=draft.photo_sha256, answer=draft.answer,
        own_grade=grade, own_reasons=list(reasons), grade=grade, reasons=list(reasons),
    )  # fmt: skip


def _rounded(metres: float | None) -> int | None:
    return None if metres is None else round(metres)


def _fix(point: PatrolPoint, draft: ScanDraft) -> ScanFix | None:
    claimed = draft.position
    if claimed is None:
        return None
    distance = None
    if point.lat is not None and point.lon is not None:
        spot = Spot(point.lat, point.lon, 0.0)
        distance = distance_m(spot, Spot(claimed.lat, claimed.lon, 0.0)) - point.radius_m
    return ScanFix(distance, claimed.accuracy_m, draft.at - claimed.at, claimed.is_mock)


def _check(draft: ScanDraft) -> None:
    problem = None
    if draft.sequence < 0:
        problem = "sequence must not be negative"
    elif draft.photo_sha256 is not None and not _SHA256.fullmatch(draft.photo_sha256):
        problem = "photoSha256 must be 64 hexadecimal digits in lower case"
    elif (draft.picc is None) != (draft.mac is None):
        problem = "a signed tag gives both picc and mac"
    elif (claimed := draft.position) is not None:
        numbers = (claimed.lat, claimed.lon, claimed.accuracy_m or 0.0)
        if not all(map(isfinite, numbers)) or abs(claimed.lat) > 90 or abs(claimed.lon) > 180:
            problem = "the degrees of the position are out of range"
        elif not 0 <= numbers[2] <= 1e6:
            problem = "accuracyM must be metres, 0 or more"
    if problem is not None:
        raise Refused(Code.INVALID, f"Of this scan {problem}.", argument="scans")
    if draft.answer is not None:
        must_be_text(draft.answer, "scans")


def _refusal(draft: ScanDraft, refused: Refused) -> JSON:
    return {
        "sequence": draft.sequence,
        "code": str(refused.refusal.code),
        "message": refused.refusal.message,
    }
