"""How a model does on clients that it has not seen: cross-validation with fixed folds, and abstention on top of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.churn.calibration import auc, brier, calibration_error, log_loss
from domain.churn.conformal import ALPHA, Coverage, cover, thresholds_of
from domain.churn.features import ClientTable
from domain.churn.logistic import Vector, fit, logits_of, sigmoid

FOLDS, SPLITS, SEED = 5, 20, 0


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """ModelFigures of probabilities against outcomes."""

    auc: float
    brier: float
    log_loss: float
    ece: float


@dataclass(frozen=True, slots=True)
class Validation:
    """ModelFigures of a model and of the base rate on unseen clients; coverage needs enough leavers."""

    model: ModelFigures
    base_rate: ModelFigures
    coverage: Coverage | None


def folds_of(left: NDArray[np.bool_], *, folds: int = FOLDS, seed: int = SEED) -> NDArray[np.int64]:
    """Return the fold of each client, with equally many leavers in each."""
    draw = np.random.default_rng(seed)
    fold = np.empty(len(left), np.int64)
    for kind in (left, ~left):
        members = draw.permutation(np.flatnonzero(kind))
        fold[members] = np.arange(len(members)) % folds
    return fold


def validate(
    table: ClientTable, progress: Callable[[float], None] = lambda _share: None
) -> Validation:
    """Fit on four fifths and forecast the fifth, five times."""
    fold = folds_of(table.left)
    seen, base = np.empty(len(fold)), np.empty(len(fold))
    y = table.left.astype(np.float64)
    for each in range(FOLDS):
        rest, part = fold != each, fold == each
        fitted = fit(table.x[rest], y[rest], table.prior)
        seen[part] = sigmoid(logits_of(table.x[part], fitted.coefficients))
        base[part] = (y[rest].sum() + 0.5) / (rest.sum() + 1)
        progress((each + 1) / FOLDS)
    return Validation(
        figures(seen, table.left), figures(base, table.left), coverage(seen, table.left)
    )


def figures(probabilities: Vector, left: NDArray[np.bool_]) -> ModelFigures:
    """Return the figures of probabilities against outcomes."""
    return ModelFigures(
        auc(probabilities, left),
        brier(probabilities, left),
        log_loss(probabilities, left),
        calibration_error(probabilities, left),
    )


def coverage(
    probabilities: Vector, left: NDArray[np.bool_], *, alpha: float = ALPHA
) -> Coverage | None:
    """Set thresholds on one half of the clients and count on the other half, twenty times; None with few leavers."""
    counted = []
    for seed in range(SPLITS):
        half = folds_of(left, folds=2, seed=seed) == 0
        thresholds = thresholds_of(probabilities[half], left[half], alpha=alpha)
        if thresholds is None:
            return None
        counted.append(cover(thresholds, probabilities[~half], left[~half]))
    means = [
        float(np.mean([getattr(each, name) for each in counted]))
        for name in ("leavers", "stayers", "abstains", "right")
    ]
    return Coverage(*means)
