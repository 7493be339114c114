"""Falls of scores: 95 % apart, enough answers, and few false ones among many series."""

import numpy as np

from domain.detection import ComparedScore, ScoredWindow, falls
from domain.surveys import scores


def nps(promoters: int, detractors: int, n: int) -> ScoredWindow:
    """Return a Net Promoter Score with its interval."""
    return ScoredWindow(
        n,
        100 * (promoters - detractors) / n,
        lambda z: scores.nps_interval(promoters, detractors, n, z=z),
    )


def share(hits: int, n: int) -> ScoredWindow:
    """Return a share with its Wilson interval."""
    return ScoredWindow(n, 100 * hits / n, lambda z: scores.wilson(hits, n, z=z))


def test_a_clear_fall_is_found_with_its_interval_and_a_rise_is_not() -> None:
    found = falls(
        {
            "fell": ComparedScore(nps(60, 5, 80), nps(4, 15, 25)),
            "rose": ComparedScore(nps(4, 15, 25), nps(60, 5, 80)),
            "same": ComparedScore(share(60, 80), share(18, 25)),
        }
    )
    assert [each.key for each in found] == ["fell"]
    assert found[0].high < 0
    assert found[0].z < -1.96
    assert found[0].probability < 0.05


def test_below_five_answers_nothing_is_compared() -> None:
    assert falls({"few": ComparedScore(share(80, 80), share(0, 4))}) == []
    assert falls({"none": ComparedScore(share(80, 80), None)}) == []
    assert len(falls({"enough": ComparedScore(share(80, 80), share(0, 5))})) == 1


def test_the_probability_agrees_with_the_interval() -> None:
    for hits in range(5, 25):
        one = {"one": ComparedScore(share(70, 80), share(hits, 25))}
        for each in falls(one, share=1.0):
            assert each.probability < 0.05


def test_among_200_series_without_change_hardly_one_is_reported() -> None:
    reported = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        reported += len(
            falls(
                {
                    each: ComparedScore(
                        share(int(draw.binomial(60, 0.8)), 60),
                        share(int(draw.binomial(15, 0.8)), 15),
                    )
                    for each in range(200)
                }
            )
        )
    assert reported / 20 <= 0.5


def test_real_falls_among_many_series_are_found_and_few_others() -> None:
    true, false = 0, 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        rates = [0.35] * 20 + [0.85] * 80
        found = falls(
            {
                each: ComparedScore(
                    share(int(draw.binomial(80, 0.85)), 80), share(int(draw.binomial(20, rate)), 20)
                )
                for each, rate in enumerate(rates)
            }
        )
        true += sum(each.key < 20 for each in found)
        false += sum(each.key >= 20 for each in found)
    assert true / 400 >= 0.9
    assert false / (true + false) <= 0.1
