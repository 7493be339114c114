"""With 20, 50 and 100 clients the fit is never worse than saying the base rate, whatever the signs are worth."""

import numpy as np
import pytest

from domain.churn import Prior, fit, logits_of, sigmoid
from domain.churn.calibration import log_loss
from domain.churn.hazard import prior_of

SIGNS = tuple("ABCDEFGH")
DRAWS = 200


@pytest.mark.parametrize("clients", [20, 50, 100])
def test_signs_as_prior_are_never_worse_than_the_base_rate(clients: int) -> None:
    """Signs of odds 1 to 4, which the prior takes for 1.6; and an intercept that the prior misses by half."""
    draw = np.random.default_rng(7)
    truth = np.array([-2.5, *np.log([1.0, 1.2, 1.6, 2.0, 2.5, 3.0, 3.5, 4.0])])
    x = np.column_stack([np.ones(2000 + DRAWS * 100), draw.random((2000 + DRAWS * 100, 8)) < 0.4])
    left = draw.random(len(x)) < sigmoid(logits_of(x, truth))
    unseen, seen = np.arange(2000), np.arange(2000, len(x))
    prior = Prior(np.array([-2.0, *([np.log(1.6)] * 8)]), prior_of(SIGNS).deviation[:-1])
    worse = []
    for each in range(DRAWS):
        some = seen[each * 100 : each * 100 + clients]
        fitted = fit(x[some], left[some].astype(float), prior)
        rate = (left[some].sum() + 0.5) / (clients + 1)
        ours = log_loss(sigmoid(logits_of(x[unseen], fitted.coefficients)), left[unseen])
        worse.append(ours - log_loss(np.full(2000, rate), left[unseen]))
    assert max(worse) <= 0
