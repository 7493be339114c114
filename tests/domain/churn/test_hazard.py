"""The hazard of a month, what it comes to until a horizon, what it is made of, and how sure it is."""

from math import log

import numpy as np
import pytest

from domain.churn import ClientMonth, ObservedMonth, forecast, learn

SIGNS = ("PAYMENT_LATE", "COMPETITOR_NAMED", "MEETINGS_CANCELLED")
QUIET = ClientMonth(frozenset(), 60)


def logit(p: float) -> float:
    return log(p / (1 - p))


def test_before_any_history_a_quiet_client_leaves_with_one_in_ten_a_year() -> None:
    model = learn(SIGNS, [])
    found = forecast(model, QUIET, days=360)
    assert found.probability == pytest.approx(0.1)
    assert not model.learnt
    assert found.contributions == ()


def test_contributions_add_up_to_the_log_odds_and_say_what_it_would_be_without() -> None:
    model = learn(SIGNS, [])
    now = ClientMonth(frozenset({"PAYMENT_LATE", "COMPETITOR_NAMED"}), 35)
    found = forecast(model, now, days=90)
    assert found.intercept + sum(each.log_odds for each in found.contributions) == pytest.approx(
        found.log_odds, abs=1e-12
    )
    assert {each.sign for each in found.contributions} == {*now.raised, "health_score"}
    [without] = [each for each in found.contributions if each.sign == "PAYMENT_LATE"]
    other = ClientMonth(frozenset({"COMPETITOR_NAMED"}), 35)
    assert without.without == pytest.approx(forecast(model, other, days=90).probability)
    assert without.log_odds == pytest.approx(log(1.6))


def test_three_months_of_hazard_and_a_tenth_while_the_contract_cannot_end() -> None:
    model = learn(SIGNS, [])
    hazard = forecast(model, QUIET, days=30).probability
    assert forecast(model, QUIET, days=90).probability == pytest.approx(1 - (1 - hazard) ** 3)
    bound = ClientMonth(frozenset(), 60, can_end=False)
    assert forecast(model, bound, days=30).probability == pytest.approx(hazard / 10)
    ends_later = forecast(model, bound, days=90, can_end=[False, False, True]).probability
    assert ends_later == pytest.approx(1 - (1 - hazard / 10) ** 2 * (1 - hazard))


def test_every_sign_and_every_lost_point_of_health_raises_the_probability() -> None:
    model = learn(SIGNS, [])
    lowest = forecast(model, QUIET, days=180).probability
    for sign in SIGNS:
        assert forecast(model, ClientMonth(frozenset({sign}), 60), days=180).probability > lowest
    assert forecast(model, ClientMonth(frozenset(), 40), days=180).probability > lowest
    assert forecast(model, ClientMonth(frozenset(), None), days=180).probability == lowest


def test_the_interval_holds_the_probability_and_is_the_same_twice() -> None:
    model = learn(SIGNS, [])
    now = ClientMonth(frozenset(SIGNS), 20)
    one, two = forecast(model, now, days=180), forecast(model, now, days=180)
    assert one == two
    assert one.low < one.probability < one.high


def history(clients: int, months: int, seed: int) -> list[ObservedMonth]:
    """Return months of clients of whom those with a late payment leave far more often than published."""
    draw = np.random.default_rng(seed)
    seen: list[ObservedMonth] = []
    for _ in range(clients):
        raised = frozenset({"PAYMENT_LATE"}) if draw.random() < 0.5 else frozenset()
        for _ in range(months):
            left = bool(draw.random() < (0.10 if raised else 0.01))
            seen.append(ObservedMonth(ClientMonth(raised, 60), left))
            if left:
                break
    return seen


def test_own_history_moves_the_coefficients_and_narrows_the_interval() -> None:
    before, after = learn(SIGNS, []), learn(SIGNS, history(300, 24, 1))
    late = sorted(SIGNS).index("PAYMENT_LATE") + 1
    assert after.learnt
    assert after.fitted.coefficients[late] > before.fitted.coefficients[late] + 0.5
    now = ClientMonth(frozenset({"PAYMENT_LATE"}), 60)
    wide, narrow = forecast(before, now, days=90), forecast(after, now, days=90)
    assert narrow.probability == pytest.approx(1 - 0.9**3, abs=0.06)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_the_order_of_months_and_signs_does_not_matter() -> None:
    seen = history(40, 12, 2)
    one, two = learn(SIGNS, seen), learn(SIGNS[::-1], seen[::-1])
    assert one.signs == two.signs
    assert one.fitted.coefficients == pytest.approx(two.fitted.coefficients, abs=1e-9)
