"""Scan the series of accounts, each once a day after its own midnight, and raise what is unusual.

The row of the scan is locked, so two workers do not scan one account at once; days that no worker scanned are made up
for, at most four weeks of them. The first scan of an account looks at one day: history raises nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Account, Stage
from domain.anomalies.events import AnomalyContinued, AnomalyRaised
from domain.anomalies.model import Anomaly, AnomalyScan, AnomalySeries, AnomalyState
from domain.anomalies.rules import FindingStep, LastFinding, step_of
from domain.anomalies.series import (
    MOST_EVIDENCE,
    AccountSeries,
    IncidentSeriesKey,
    TextSeriesKey,
    evidence_of,
    read_series,
    texts_of,
)
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.detection import (
    DailySeries,
    Detector,
    Direction,
    Episode,
    find_on,
    level_shifts,
    read_week,
)

PART = "anomalies"
MOST_DAYS = 28
"""Days that a scan makes up for when no worker was there."""

_SeriesKey = IncidentSeriesKey | TextSeriesKey | None
_Key = tuple[AnomalySeries, _SeriesKey, Detector, Direction]


@dataclass(frozen=True, slots=True)
class _Finding:
    series: AnomalySeries
    key: _SeriesKey
    episode: Episode


async def accounts_to_scan(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select accounts whose last whole day was not scanned; prospects and deferred accounts are left out."""
    yesterday = cast(func.timezone(Account.time_zone, at), Date) - 1
    found = await session.execute(
        select(Account.tenant_id, Account.id)
        .outerjoin(AnomalyScan, AnomalyScan.account_id == Account.id)
        .where(
            Account.stage != Stage.PROSPECT,
            func.coalesce(AnomalyScan.scanned_on < yesterday, True),
            ~is_deferred(PART, Account.id, at=at),
        )
        .order_by(Account.id)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def scan_account(session: AsyncSession, account_id: UUID, *, at: datetime) -> int:
    """Scan the days of an account that are over and were not scanned; return how many anomalies are new."""
    account = await session.get_one(Account, account_id)
    tx = Tx(session, Actor.system(account.tenant_id, PART), at)
    until = at.astimezone(ZoneInfo(account.time_zone)).date() - timedelta(days=1)
    scan = await _locked(tx, account, until)
    days = [
        until - timedelta(days=back)
        for back in reversed(range(min(MOST_DAYS, (until - scan.scanned_on).days)))
    ]
    if not days:
        return 0
    series = await read_series(session, account, until)
    known = await _newest(session, account)
    raised = 0
    for day in days:
        for finding in findings_of(series, day):
            raised += await _follow(tx, account, finding, known)
    scan.scanned_on = until
    return raised


async def _locked(tx: Tx, account: Account, until: date) -> AnomalyScan:
    """Return the scan of the account, locked; a new one has scanned all days but the last."""
    await tx.session.execute(
        insert(AnomalyScan)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            scanned_on=until - timedelta(days=1),
        )
        .on_conflict_do_nothing()
    )
    found = await tx.session.scalars(
        select(AnomalyScan).where(AnomalyScan.account_id == account.id).with_for_update()
    )
    return found.one()


def findings_of(series: AccountSeries, day: date) -> Iterator[_Finding]:
    """Yield what detectors find on a day in the series of an account."""
    for key, counts in sorted(
        series.incidents.items(), key=lambda each: (str(each[0].site_id), each[0].kind)
    ):
        if (episode := find_on(counts, day)) is not None:
            yield _Finding(AnomalySeries.INCIDENTS, key, episode)
    if series.response is not None:
        for episode in level_shifts(_until(series.response, day)).episodes:
            if episode.found_on == day:
                yield _Finding(AnomalySeries.RESPONSE_TIME, None, episode)
    for of_theme, counts in sorted(series.texts.items(), key=lambda each: str(each[0].theme)):
        # Texts are rare: a burst of them is judged as rare events however many there were before.
        if day < counts.first_on:
            continue
        found = read_week(counts, (day - counts.first_on).days)
        if isinstance(found, Episode):
            yield _Finding(AnomalySeries.NEGATIVE_TEXTS, of_theme, found)


def _until(series: DailySeries, day: date) -> DailySeries:
    days = max(0, (day - series.first_on).days + 1)
    return DailySeries(series.first_on, series.values[:days])


async def _newest(session: AsyncSession, account: Account) -> dict[_Key, Anomaly]:
    """Return the newest anomaly of each series, detector and direction."""
    rows = await session.scalars(
        select(Anomaly).where(Anomaly.account_id == account.id).order_by(Anomaly.found_on)
    )
    return {
        (
            row.series,
            _key_of(row),
            row.detector,
            row.direction,
        ): row
        for row in rows
    }


def _key_of(row: Anomaly) -> _SeriesKey:
    if row.series is AnomalySeries.NEGATIVE_TEXTS:
        return TextSeriesKey(row.theme)
    if row.site_id is None or row.incident_kind is None:
        return None
    return IncidentSeriesKey(row.site_id, row.incident_kind)


async def _evidence(tx: Tx, account: Account, finding: _Finding) -> list[UUID]:
    days, key = finding.episode.days, finding.key
    if isinstance(key, TextSeriesKey):
        return await texts_of(tx.session, account, days, key)
    return await evidence_of(tx.session, account, days, key)


async def _follow(tx: Tx, account: Account, finding: _Finding, known: dict[_Key, Anomaly]) -> int:
    """Raise a finding, or extend the anomaly that it continues; return 1 for a new one."""
    episode = finding.episode
    place: _Key = (finding.series, finding.key, episode.detector, episode.direction)
    last = known.get(place)
    step = step_of(episode, None if last is None else _last(last))
    if step is FindingStep.LEAVE:
        return 0
    evidence = await _evidence(tx, account, finding)
    if step is FindingStep.CONTINUE and last is not None:
        _extend(tx, last, episode, evidence)
        return 0
    known[place] = _raise(tx, account, finding, evidence)
    return 1


def _last(row: Anomaly) -> LastFinding:
    return LastFinding(row.found_on, row.last_on, row.state is AnomalyState.FALSE_ALARM)


def _raise(tx: Tx, account: Account, finding: _Finding, evidence: list[UUID]) -> Anomaly:
    found, key = finding.episode, finding.key
    row = Anomaly(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        series=finding.series,
        site_id=key.site_id if isinstance(key, IncidentSeriesKey) else None,
        incident_kind=key.kind if isinstance(key, IncidentSeriesKey) else None,
        theme=key.theme if isinstance(key, TextSeriesKey) else None,
        detector=found.detector,
        direction=found.direction,
        found_on=found.found_on,
        first_on=found.first_on,
        last_on=found.last_on,
        peak_on=found.peak_on,
        value=found.value,
        base=found.base,
        scale=found.scale,
        z=found.z,
        probability=found.probability,
        evidence_ids=evidence,
        raised_at=tx.at,
        state=AnomalyState.OPEN,
    )
    tx.session.add(row)
    chance = found.probability
    tx.record(
        AnomalyRaised(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            series=row.series.value,
            site_id=row.site_id,
            incident_kind=None if row.incident_kind is None else row.incident_kind.value,
            theme=None if row.theme is None else row.theme.value,
            detector=row.detector.value,
            direction=row.direction.value,
            found_on=row.found_on,
            first_on=row.first_on,
            value_milli=_milli(row.value),
            base_milli=_milli(row.base),
            scale_milli=_milli(row.scale),
            z_milli=_milli(row.z),
            probability_ppm=None if chance is None else round(1e6 * chance),
            evidence_ids=_named(row, texts=False),
            text_ids=_named(row, texts=True),
        )
    )
    return row


def _extend(tx: Tx, row: Anomaly, found: Episode, evidence: list[UUID]) -> None:
    """Extend an anomaly by a further day, whose figures it gets when it is the most unusual one."""
    before = row.last_on
    if found.last_on <= before:
        return
    row.last_on = found.last_on
    if abs(found.z) > abs(row.z):
        row.peak_on, row.z = found.peak_on, found.z
        row.value, row.base, row.scale = found.value, found.base, found.scale
    row.evidence_ids = [*evidence, *(each for each in row.evidence_ids if each not in evidence)][
        :MOST_EVIDENCE
    ]
    tx.record(
        AnomalyContinued(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            last_on_before=before,
            last_on=row.last_on,
            peak_on=row.peak_on,
            value_milli=_milli(row.value),
            base_milli=_milli(row.base),
            scale_milli=_milli(row.scale),
            z_milli=_milli(row.z),
            evidence_ids=_named(row, texts=False),
            text_ids=_named(row, texts=True),
        )
    )


def _named(row: Anomaly, *, texts: bool) -> list[UUID]:
    """Return the evidence when it is texts, or when it is incidents."""
    are_texts = row.series is AnomalySeries.NEGATIVE_TEXTS
    return row.evidence_ids if are_texts is texts else []


def _milli(value: float) -> int:
    return round(1000 * value)
