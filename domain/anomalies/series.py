"""Daily series of an account on its own calendar: incidents by site and kind, response times, and negative texts."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Double, any_, cast, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.agreements.model import TicketKind
from domain.detection import DailySeries
from domain.feedback import TextSentiment
from domain.incidents.model import Incident
from domain.sentiment import PolarityClass, Theme

HISTORY = 400
"""Days that are read: what detectors look back on, and for levels what came before a shift."""
MOST_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class IncidentSeriesKey:
    """Which incidents of an account a series counts."""

    site_id: UUID
    kind: TicketKind


@dataclass(frozen=True, slots=True)
class TextSeriesKey:
    """Which negative texts of an account a series counts; without a theme all of them."""

    theme: Theme | None


@dataclass(frozen=True, slots=True)
class AccountSeries:
    """The series of an account, as far as its last whole day."""

    incidents: dict[IncidentSeriesKey, DailySeries]
    response: DailySeries | None
    texts: dict[TextSeriesKey, DailySeries]


def midnight(account: Account, day: date) -> datetime:
    """Return the instant at which a day begins for the account."""
    return datetime.combine(day, time(0), ZoneInfo(account.time_zone))


async def read_series(session: AsyncSession, account: Account, until: date) -> AccountSeries:
    """Read the series of the days until and with `until`. Days before an account's first incident are no history."""
    incidents, response = await _incident_series(session, account, until)
    return AccountSeries(incidents, response, await _text_series(session, account, until))


async def _text_series(
    session: AsyncSession, account: Account, until: date
) -> dict[TextSeriesKey, DailySeries]:
    """Count negative texts by day and theme, without anonymous ones; days before the first text are no history."""
    row = TextSentiment
    on = cast(func.timezone(account.time_zone, row.written_at), Date)
    window = (
        row.account_id == account.id,
        row.is_anonymous.is_(False),
        row.written_at >= midnight(account, until - timedelta(days=HISTORY)),
        row.written_at < midnight(account, until + timedelta(days=1)),
    )
    start = await session.scalar(select(func.min(on)).where(*window))
    if start is None:
        return {}
    counted: defaultdict[TextSeriesKey, dict[date, int]] = defaultdict(dict)
    theme = func.unnest(row.themes).table_valued("name").render_derived("theme")
    negative = (*window, row.label == PolarityClass.NEGATIVE)
    for day, count in await session.execute(select(on, func.count()).where(*negative).group_by(on)):
        counted[TextSeriesKey(None)][day] = count
    for name, day, count in await session.execute(
        select(theme.c.name, on, func.count())
        .select_from(row)
        .join(theme, true())
        .where(*negative)
        .group_by(theme.c.name, on)
    ):
        counted[TextSeriesKey(Theme(name))][day] = count
    return {
        key: DailySeries.of_counts(days, first_on=start, until=until)
        for key, days in counted.items()
    }


async def _incident_series(
    session: AsyncSession, account: Account, until: date
) -> tuple[dict[IncidentSeriesKey, DailySeries], DailySeries | None]:
    first = until - timedelta(days=HISTORY)
    on = cast(func.timezone(account.time_zone, Incident.opened_at), Date)
    window = (
        Incident.account_id == account.id,
        Incident.opened_at >= midnight(account, first),
        Incident.opened_at < midnight(account, until + timedelta(days=1)),
    )
    counted: defaultdict[IncidentSeriesKey, dict[date, int]] = defaultdict(dict)
    rows = await session.execute(
        select(Incident.site_id, Incident.kind, on, func.count())
        .where(*window)
        .group_by(Incident.site_id, Incident.kind, on)
    )
    for site_id, kind, day, count in rows:
        counted[IncidentSeriesKey(site_id, kind)][day] = count
    if not counted:
        return {}, None
    # Days before the first incident of all are no quiet days: nobody recorded any yet.
    start = min(min(days) for days in counted.values())
    seconds = func.extract("epoch", Incident.acknowledged_at - Incident.opened_at)
    medians = await session.execute(
        select(on, cast(func.percentile_cont(0.5).within_group(seconds), Double))
        .where(*window, Incident.acknowledged_at.is_not(None))
        .group_by(on)
    )
    levels = {day: median for day, median in medians if median is not None}
    return (
        {
            key: DailySeries.of_counts(days, first_on=start, until=until)
            for key, days in counted.items()
        },
        DailySeries.of(levels, until=until) if levels else None,
    )


async def texts_of(
    session: AsyncSession, account: Account, days: tuple[date, ...], key: TextSeriesKey
) -> list[UUID]:
    """Return the newest negative texts of these days, at most twenty."""
    row = TextSentiment
    on = cast(func.timezone(account.time_zone, row.written_at), Date)
    query = (
        select(row.id)
        .where(
            row.account_id == account.id,
            row.is_anonymous.is_(False),
            row.label == PolarityClass.NEGATIVE,
            row.written_at >= midnight(account, min(days)),
            on == any_(literal(list(days), ARRAY(Date))),
        )
        .order_by(row.written_at.desc(), row.id)
        .limit(MOST_EVIDENCE)
    )
    if key.theme is not None:
        query = query.where(row.themes.contains([str(key.theme)]))
    return list(await session.scalars(query))


async def evidence_of(
    session: AsyncSession, account: Account, days: tuple[date, ...], key: IncidentSeriesKey | None
) -> list[UUID]:
    """Return the newest incidents of these days, at most twenty."""
    on = cast(func.timezone(account.time_zone, Incident.opened_at), Date)
    query = (
        select(Incident.id)
        .where(
            Incident.account_id == account.id,
            Incident.opened_at >= midnight(account, min(days)),
            Incident.opened_at < midnight(account, max(days) + timedelta(days=1)),
            on == any_(literal(list(days), ARRAY(Date))),
        )
        .order_by(Incident.opened_at.desc(), Incident.id)
        .limit(MOST_EVIDENCE)
    )
    if key is not None:
        query = query.where(Incident.site_id == key.site_id, Incident.kind == key.kind)
    return list(await session.scalars(query))
