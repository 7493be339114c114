"""The fit is the maximum of likelihood and prior, with the curvature there as its covariance."""

import numpy as np
import pytest

from domain.churn import Prior, fit, logits_of, sigmoid


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), draw.normal(size=(n, 2))])
    return x, (draw.random(n) < sigmoid(x @ np.array([-1.0, 0.8, -0.5]))).astype(float)


def density(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, prior: Prior, factor: np.ndarray
) -> float:
    hazard = factor * sigmoid(logits_of(x, at))
    fits = np.log(np.where(y == 1, hazard, 1 - hazard)).sum()
    return float(fits - np.square((at - prior.mean) / prior.deviation).sum() / 2)


@pytest.mark.parametrize("exposed", [True, False])
def test_no_other_coefficients_are_more_probable(exposed: bool) -> None:
    x, y = drawn(300)
    factor = np.where(np.arange(300) % 3 == 0, 0.1, 1.0) if exposed else np.ones(300)
    prior = Prior(np.array([-2.0, 0.5, 0.5]), np.array([0.7, 0.35, 0.35]))
    found = fit(x, y, prior, exposure=factor if exposed else None)
    best = density(x, y, found.coefficients, prior, factor)
    draw = np.random.default_rng(1)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(50):
            other = found.coefficients + draw.normal(size=3) * size
            assert density(x, y, other, prior, factor) < best
    assert found.steps <= 25


def test_the_covariance_is_the_inverse_curvature() -> None:
    x, y = drawn(400)
    prior = Prior(np.zeros(3), np.full(3, 2.0))
    found = fit(x, y, prior)
    step, ones = 1e-3, np.ones(400)

    def at(*moves: tuple[int, float]) -> float:
        point = found.coefficients.copy()
        for which, size in moves:
            point[which] += size
        return density(x, y, point, prior, ones)

    curvature = np.array(
        [
            [
                (
                    at((i, step), (j, step))
                    - at((i, step), (j, -step))
                    - at((i, -step), (j, step))
                    + at((i, -step), (j, -step))
                )
                / (4 * step * step)
                for j in range(3)
            ]
            for i in range(3)
        ]
    )
    assert found.covariance == pytest.approx(np.linalg.inv(-curvature), rel=1e-3, abs=1e-6)


def test_without_rows_the_prior_is_the_answer() -> None:
    prior = Prior(np.array([-2.0, 0.5]), np.array([0.7, 0.35]))
    found = fit(np.empty((0, 2)), np.empty(0), prior)
    assert found.coefficients == pytest.approx(prior.mean)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(prior.deviation)


def test_separated_clients_give_finite_coefficients_and_the_same_ones_twice() -> None:
    x = np.column_stack([np.ones(20), np.repeat([0.0, 1.0], 10)])
    y = x[:, 1].copy()
    prior = Prior(np.zeros(2), np.array([0.7, 0.35]))
    one, two = fit(x, y, prior), fit(x, y, prior)
    assert np.isfinite(one.coefficients).all()
    assert one.coefficients.tobytes() == two.coefficients.tobytes()
    assert one.covariance.tobytes() == two.covariance.tobytes()
