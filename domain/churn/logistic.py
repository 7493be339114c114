"""Logistic regression with normal priors: the most probable coefficients by Newton steps, and their covariance.

Deterministic, whatever the number of processors: no random start, a fixed number of steps at most, double precision.
Priors make it defined for twenty clients of whom one left, where the maximum of the likelihood alone is infinite.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

STEPS = 25
"""Newton steps at most; well-posed problems need six."""
_ENOUGH = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is believed of the coefficients before any data: normal, independent."""

    mean: Vector  # (coefficients,)
    deviation: Vector  # (coefficients,) inf: nothing is believed


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The most probable coefficients with the covariance of Laplace's approximation."""

    coefficients: Vector  # (coefficients,)
    covariance: Matrix  # (coefficients, coefficients)
    steps: int


def sigmoid(logits: Vector) -> Vector:
    """Return probabilities of log-odds, without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))


def logits_of(x: Matrix, coefficients: Vector) -> Vector:
    """Return the log-odds of rows.

    By einsum, as all sums over rows here: BLAS takes several threads, which wait for each other (9 s instead of 0.1 s
    on a busy machine) and give other last digits with another number of processors.
    """
    return np.asarray(np.einsum("rc,c->r", x, coefficients))


def fit(
    x: Matrix,  # (rows, coefficients), with a column of ones where an intercept is wanted
    y: Vector,  # (rows,) 1: it happened
    prior: Prior,
    *,
    exposure: Vector | None = None,  # (rows,) factor of the probability, at most 1
) -> Fitted:
    """Return the maximum of likelihood times prior; a row's probability is `exposure` times the sigmoid.

    Steps use the expected information, which has no negative direction; a step that does not improve is halved.
    """
    factor = np.ones(len(y)) if exposure is None else exposure
    precision = 1.0 / np.square(prior.deviation)
    at = prior.mean.copy()
    value = _log_posterior(x, y, factor, at, prior)
    done = 0
    for done in range(1, STEPS + 1):  # noqa: B007 - how many steps it took is part of the answer
        gradient, information = _slope(x, y, factor, at)
        gradient -= precision * (at - prior.mean)
        step = np.linalg.solve(information + np.diag(precision), gradient)
        while True:
            moved = _log_posterior(x, y, factor, at + step, prior)
            if moved >= value or np.abs(step).max() < _ENOUGH:
                break
            step = step / 2
        at, value = at + step, moved
        if np.abs(step).max() < _ENOUGH:
            break
    _, information = _slope(x, y, factor, at)
    covariance = np.linalg.inv(information + np.diag(precision))
    return Fitted(at, (covariance + covariance.T) / 2, done)


def _slope(x: Matrix, y: Vector, factor: Vector, at: Vector) -> tuple[Vector, Matrix]:
    """Return the gradient of the log-likelihood and its expected information."""
    odds = sigmoid(logits_of(x, at))
    hazard = factor * odds
    left = np.maximum(1 - hazard, 1e-12)
    gradient = np.einsum("rc,r->c", x, (1 - odds) * (y - hazard) / left)
    weight = np.square(1 - odds) * hazard / left
    return gradient, np.einsum("ri,rj->ij", x * weight[:, None], x)


def _log_posterior(x: Matrix, y: Vector, factor: Vector, at: Vector, prior: Prior) -> float:
    hazard = np.clip(factor * sigmoid(logits_of(x, at)), 1e-300, 1 - 1e-12)
    fits = y @ np.log(hazard) + (1 - y) @ np.log1p(-hazard)
    strays = np.square((at - prior.mean) / prior.deviation).sum()
    return float(fits - strays / 2)
