"""How the published forecasts of a company came true: Brier score, calibration table, lift beside the last score."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.churn import CalibrationReport, report
from domain.retention.forecasts import lift
from domain.retention.model import ChurnForecast, ChurnHorizon

BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Forecasts of a range of probabilities: how many, what they said on average, and how many clients left."""

    from_share: float
    n: int
    mean_probability: float
    left: int


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """Scored forecasts of a company for one horizon; figures from 20 leavers on, before that only the pairs."""

    horizon: ChurnHorizon
    published: int
    abstained: int
    report: CalibrationReport
    table: tuple[CalibrationBin, ...]
    lift: float | None
    lift_of_score: float | None


async def calibration(
    session: AsyncSession, tenant_id: UUID, horizon: ChurnHorizon
) -> ForecastReport:
    """Measure the scored forecasts of a company."""
    row = ChurnForecast
    own = (row.tenant_id == tenant_id, row.horizon == horizon)
    published, abstained = (
        await session.execute(
            select(func.count(), func.count().filter(row.probability_millionths.is_(None))).where(
                *own
            )
        )
    ).one()
    found = (
        await session.execute(
            select(row.probability_millionths, row.left_within, row.score_millionths)
            .where(*own, row.probability_millionths.is_not(None), row.left_within.is_not(None))
            .order_by(row.published_at, row.id)
        )
    ).all()
    probability = np.array([(each or 0) / 1_000_000 for each, _, _ in found])
    left = np.array([bool(each) for _, each, _ in found], dtype=bool)
    told = report(probability, left)
    with_score = [
        ((p or 0) / 1_000_000, bool(gone), score) for p, gone, score in found if score is not None
    ]
    return ForecastReport(
        horizon,
        published,
        abstained,
        told,
        _table(probability.tolist(), left.tolist()) if told.is_measurable else (),
        lift([(p, gone) for p, gone, _ in with_score]) if told.is_measurable else None,
        lift([(-score, gone) for _, gone, score in with_score]) if told.is_measurable else None,
    )


def _table(probability: list[float], left: list[bool]) -> tuple[CalibrationBin, ...]:
    bins = []
    for n in range(BINS):
        low, high = n / BINS, (n + 1) / BINS
        inside = [
            (p, gone) for p, gone in zip(probability, left, strict=True)
            if low <= p < high or (n == BINS - 1 and p == 1)
        ]  # fmt: skip
        if inside:
            mean = sum(p for p, _ in inside) / len(inside)
            bins.append(CalibrationBin(low, len(inside), mean, sum(gone for _, gone in inside)))
    return tuple(bins)
