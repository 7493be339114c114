"""The hazard that a client leaves in a month, from warnings and health score, and what it comes to until a horizon.

A month's hazard is the sigmoid of an intercept, one coefficient for every sign that is raised, and one for the health
score. Before a company has seen anybody leave, priors decide: published odds per sign. In a month in which the
contract cannot end the hazard is a tenth. Pure functions of numbers: they know neither who the client is nor where
the signs come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np

from domain.churn.logistic import Fitted, Prior, Vector, fit, sigmoid

YEARLY = 0.1
"""Share of clients that leave in a year, before a company's own history is known."""
INTERCEPT_DEVIATION = 0.7
ODDS, ODDS_DEVIATION = 1.6, 0.35
"""Odds of a sign that is raised, and the deviation of their logarithm."""
CANNOT_END = 0.1
"""Factor of the hazard in a month in which the contract cannot end."""
MIDDLE_SCORE, SCORE_STEP = 60.0, 20.0
DRAWS, SEED = 400, 20_250_101
"""Draws of the coefficients that give the interval, always the same ones."""
INTERVAL = 0.9
MONTH_DAYS = 30
SCORE = "health_score"
"""Name of the contribution of the health score."""


@dataclass(frozen=True, slots=True)
class ClientMonth:
    """What was known of a client in a month: the signs raised, the health score, and whether the contract could end."""

    raised: frozenset[str]
    score: float | None
    can_end: bool = True


class ObservedMonth(NamedTuple):
    """A client's month, and whether the client left in it."""

    month: ClientMonth
    left: bool


@dataclass(frozen=True, slots=True, eq=False)
class HazardModel:
    """The coefficients of signs and score, and what they were learnt from."""

    signs: tuple[str, ...]
    fitted: Fitted
    months: int
    leavers: int

    @property
    def learnt(self) -> bool:
        """Whether own history moved the coefficients from published odds."""
        return self.leavers > 0


class SignContribution(NamedTuple):
    """What a sign adds to the log-odds of a month, and the probability if it were not there."""

    sign: str
    log_odds: float
    without: float


@dataclass(frozen=True, slots=True)
class HazardForecast:
    """The probability to leave within a number of days, with its 90 % interval and what it is made of.

    The log-odds of the contributions and `intercept` add up to `log_odds`, those of the next month.
    """

    days: int
    probability: float
    low: float
    high: float
    intercept: float
    log_odds: float
    contributions: tuple[SignContribution, ...]


def prior_of(signs: Sequence[str]) -> Prior:
    """Return what is believed before any own history."""
    monthly = 1 - (1 - YEARLY) ** (1 / 12)
    mean = np.array([log(monthly / (1 - monthly)), *(log(ODDS) for _ in signs), log(ODDS)])
    deviation = np.array([INTERCEPT_DEVIATION, *([ODDS_DEVIATION] * (len(signs) + 1))])
    return Prior(mean, deviation)


def learn(signs: Sequence[str], observed: Sequence[ObservedMonth]) -> HazardModel:
    """Fit the hazard to the months seen; without any, the priors are the model."""
    ordered = tuple(sorted(signs))
    prior = prior_of(ordered)
    x = np.array([_row(ordered, each.month) for each in observed]).reshape(-1, len(prior.mean))
    y = np.array([float(each.left) for each in observed])
    exposure = np.array([_exposure(each.month.can_end) for each in observed])
    fitted = fit(x, y, prior, exposure=exposure)
    return HazardModel(ordered, fitted, len(observed), int(y.sum()))


def forecast(
    model: HazardModel, now: ClientMonth, *, days: int, can_end: Sequence[bool] | None = None
) -> HazardForecast:
    """Forecast from what is known now; `can_end` says it month by month, where that will change."""
    months = -(-days // MONTH_DAYS)
    open_months = [now.can_end] * months if can_end is None else list(can_end)[:months]
    exposure = np.array([_exposure(each) for each in open_months])
    row = np.array(_row(model.signs, now))
    coefficients = model.fitted.coefficients
    logit = float(row @ coefficients)
    contributions = [
        SignContribution(sign, log_odds, _until(logit - log_odds, exposure))
        for sign, log_odds in zip(
            (*model.signs, SCORE), (row[1:] * coefficients[1:]).tolist(), strict=True
        )
        if log_odds
    ]
    low, high = _interval(model.fitted, row, exposure)
    probability = _until(logit, exposure)
    return HazardForecast(
        days,
        probability,
        min(low, probability),
        max(high, probability),
        float(coefficients[0]),
        logit,
        tuple(sorted(contributions, key=lambda each: (-abs(each.log_odds), each.sign))),
    )


def _interval(fitted: Fitted, row: Vector, exposure: Vector) -> tuple[float, float]:
    """Return the interval of the probability over draws of the coefficients: the same draws for every client."""
    normal = np.random.default_rng(SEED).standard_normal((DRAWS, len(row)))
    roots = np.linalg.cholesky(fitted.covariance)
    # One sum per draw: the spread of row · coefficients, whose coefficients are correlated by the roots.
    logits = fitted.coefficients @ row + np.einsum("dc,c->d", normal, roots.T @ row)
    drawn = [_until(each, exposure) for each in logits.tolist()]
    outside = (1 - INTERVAL) / 2
    low, high = np.quantile(drawn, [outside, 1 - outside])
    return float(low), float(high)


def _until(logit: float, exposure: Vector) -> float:
    """Return 1 − Π(1 − h) over the months."""
    hazards = exposure * sigmoid(np.full(len(exposure), logit))
    return float(-np.expm1(np.log1p(-hazards).sum()))


def _row(signs: Sequence[str], month: ClientMonth) -> list[float]:
    score = 0.0 if month.score is None else (MIDDLE_SCORE - month.score) / SCORE_STEP
    return [1.0, *(float(sign in month.raised) for sign in signs), score]


def _exposure(can_end: bool) -> float:
    return 1.0 if can_end else CANNOT_END
