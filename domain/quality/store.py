"""Store measurements: what is stored, what replaces it, and which changes are recorded as facts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.archive import EventLog
from domain.core.base import uuid7
from domain.core.db import copy_rows
from domain.evaluator.kernels.scores import LEAST_UNITS
from domain.promises import EVALUATOR, to_us
from domain.quality.events import QualityChanged
from domain.quality.model import Measurement, Window
from domain.quality.rules import Scope, ScopeFigures
from domain.quality.windows import ROLLING, WindowSpan, instant

Key = tuple[UUID | None, UUID | None, Window, int]
_KEYED = ("account_id", "site_id", "term_id", "window", "from_at")
_MEASURED = (
    *("until_at", "internal", "n", "kept", "p50_us", "p90_us", "p95_us", "ratio", "wilson"),
    *("budget", "misses_left", "score", "points_e6", "contributions_e6", "coverage_ppm"),
    *("change_e6", "terms_ids", "calendar_version_ids", "evaluator", "input_sha256"),
)
_COLUMNS = ("id", "tenant_id", *_KEYED, *_MEASURED, "evaluated_at")


class StoredValues(NamedTuple):
    """Values of a stored row whose changes are recorded as facts."""

    id: UUID
    n: int
    kept: int
    points_e6: int | None


def key_of(scope: Scope, span: WindowSpan) -> Key:
    """Return the key of a measurement; of rolling windows there is one each, wherever they end."""
    rolling = span.window in ROLLING
    return scope.site_id, scope.term_id, span.window, -1 if rolling else span.from_us


async def stored(
    session: AsyncSession, account_id: UUID, spans: Sequence[WindowSpan]
) -> Mapping[Key, StoredValues]:
    """Return the stored rows of these windows."""
    row = Measurement
    first = min(span.from_us for span in spans if span.window not in ROLLING)
    found = await session.execute(
        select(
            row.site_id,
            row.term_id,
            row.window,
            row.from_at,
            row.id,
            row.n,
            row.kept,
            row.points_e6,
        ).where(
            row.account_id == account_id,
            (row.from_at >= instant(first)) | row.window.in_(ROLLING),
        )
    )
    wanted = {(span.window, span.from_us) for span in spans}
    return {
        key_of(Scope(site, term), WindowSpan(window, to_us(at), 0)): StoredValues(
            row_id, n, kept, points
        )
        for site, term, window, at, row_id, n, kept, points in found
        if window in ROLLING or (window, to_us(at)) in wanted
    }


def row_of(account: Account, log: EventLog, found: ScopeFigures, at: datetime) -> Measurement:
    """Convert a measurement to its row."""
    terms = [log.terms[term] for term in found.terms]
    quality = found.quality
    return Measurement(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        site_id=found.scope.site_id,
        term_id=found.scope.term_id,
        internal=found.internal,
        window=found.span.window,
        from_at=instant(found.span.from_us),
        until_at=instant(found.span.until_us),
        n=found.n,
        kept=found.kept,
        p50_us=found.p50_us,
        p90_us=found.p90_us,
        p95_us=found.p95_us,
        ratio=found.ratio,
        wilson=found.wilson,
        budget=found.budget,
        misses_left=found.misses_left,
        score=found.score,
        points_e6=None if quality is None else quality.points_e6,
        contributions_e6={}
        if quality is None
        else {str(part): share for part, share in quality.contributions_e6.items()},
        coverage_ppm=None if quality is None else quality.coverage_ppm,
        change_e6=None if quality is None else quality.change_e6,
        terms_ids=sorted({term.terms_id for term in terms}),
        calendar_version_ids=sorted({term.calendar_version_id for term in terms}),
        evaluator=EVALUATOR,
        input_sha256=found.input_sha256,
        evaluated_at=at,
    )


async def replace(
    session: AsyncSession,
    account: Account,
    found: Sequence[ScopeFigures],
    known: Mapping[Key, StoredValues],
    spans: Sequence[WindowSpan],
    log: EventLog,
    *,
    at: datetime,
) -> int:
    """Replace the stored rows of these windows; return how many changed."""
    keys = {key_of(each.scope, each.span) for each in found}
    gone = [row.id for key, row in known.items() if key not in keys or key[2] in ROLLING]
    if gone:
        await session.execute(delete(Measurement).where(Measurement.id == func.any(gone)))
    await session.execute(text("DROP TABLE IF EXISTS measured"))
    await session.execute(
        text("CREATE TEMP TABLE measured (LIKE measurement INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    rows = [row_of(account, log, each, at) for each in found]
    await copy_rows(session, "measured", _COLUMNS, [_plain(row) for row in rows])
    changes = ", ".join(f"{name} = excluded.{name}" for name in (*_MEASURED, "evaluated_at"))
    ours, theirs = (
        ", ".join(f"{table}.{name}" for name in _MEASURED) for table in ("measurement", "excluded")
    )
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    written = await session.execute(
        text(
            f"INSERT INTO measurement ({columns}) SELECT {columns} FROM measured"  # noqa: S608 - our own names
            f' ON CONFLICT (account_id, site_id, term_id, "window", from_at) DO UPDATE SET {changes}'
            f" WHERE ({ours}) IS DISTINCT FROM ({theirs}) RETURNING 1"
        )
    )
    await _note_portfolio(session, account.tenant_id, spans, at=at)
    return len(written.all()) + len(gone)


def _plain(row: Measurement) -> tuple[Any, ...]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    values["contributions_e6"] = msgspec.json.encode(row.contributions_e6).decode()
    values["window"] = str(row.window)
    return tuple(values.values())


async def _note_portfolio(
    session: AsyncSession, tenant_id: UUID, spans: Sequence[WindowSpan], *, at: datetime
) -> None:
    """Store the distribution of the company's accounts in these windows, without their names."""
    windows = sorted({(str(s.window), s.from_us) for s in spans if s.window not in ROLLING})
    await session.execute(
        text(_SPREAD),
        {
            "tenant": tenant_id,
            "windows": [window for window, _ in windows],
            "from_ats": [instant(from_us) for _, from_us in windows],
            "rolling": [str(window) for window in ROLLING],
            "least": LEAST_UNITS,
            "at": at,
        },
    )


_SPREAD = """
INSERT INTO portfolio (id, tenant_id, "window", from_at, ratios, points_e6, noted_at)
SELECT uuidv7(), :tenant, m."window", CASE WHEN NOT m."window" = ANY(:rolling) THEN m.from_at END,
       array_agg(m.ratio ORDER BY m.ratio),
       coalesce(array_agg(m.points_e6 ORDER BY m.points_e6) FILTER (WHERE m.points_e6 IS NOT NULL), '{}'), :at
FROM measurement m
WHERE m.tenant_id = :tenant AND m.site_id IS NULL AND m.term_id IS NULL AND m.n >= :least
  AND (m."window" = ANY(:rolling) OR (m."window", m.from_at) IN (
      SELECT * FROM unnest(CAST(:windows AS text[]), CAST(:from_ats AS timestamptz[]))))
GROUP BY 3, 4 ORDER BY 3, 4
ON CONFLICT (tenant_id, "window", from_at) DO UPDATE
SET ratios = excluded.ratios, points_e6 = excluded.points_e6, noted_at = excluded.noted_at
"""


def compare(
    account: Account,
    found: Sequence[ScopeFigures],
    known: Mapping[Key, StoredValues],
    spans: Sequence[WindowSpan],
    *,
    at: datetime,
) -> Iterator[QualityChanged]:
    """Return the facts about changed months: the current one, and those measured before."""
    news = {key_of(each.scope, each.span): each for each in found}
    for span in spans:
        if span.window is not Window.MONTH:
            continue
        now = span.from_us <= to_us(at) < span.until_us
        about = {
            key
            for key in (*news, *known)
            if key[1] is None and key[2:] == (span.window, span.from_us)
        }
        for key in sorted(about, key=str):
            was, is_ = known.get(key), news.get(key)
            quality = None if is_ is None else is_.quality
            points = None if quality is None else quality.points_e6
            measured = (0, 0, None) if is_ is None else (is_.n, is_.kept, points)
            if (was is None and not now) or (was is not None and was[1:] == measured):
                continue
            yield QualityChanged(
                account_id=account.id,
                subject_id=account.id,
                at=at,
                site_id=key[0],
                from_at=instant(span.from_us),
                until_at=instant(span.until_us),
                n=measured[0],
                kept=measured[1],
                points_e6=points,
                was_e6=None if was is None else was.points_e6,
                coverage_ppm=None if quality is None else quality.coverage_ppm,
            )
