"""How fast a budget burns, asked at the instant of a verdict, says what the slow twin says of that verdict."""

from collections.abc import Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.evaluator.kernels.burn_rate import PAGE, limits_for
from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import PromiseInput, promise_columns
from domain.evaluator.kernels.windows import Decided
from domain.quality.burn_rate import burns
from domain.quality.model import Burn
from tests import naive_windows as twin

MINUTE = 60_000_000
HOUR = 60 * MINUTE
T0 = 10**15


def measuring(done: Sequence[twin.Done], objective_ppm: int) -> Any:
    """Decided parts of one promise as a measurement holds them."""
    return SimpleNamespace(
        log=SimpleNamespace(
            promises=promise_columns(
                [PromiseInput(PromiseClass.FLOW, (1,) * 4, objective_ppm=objective_ppm)]
            )
        ),
        by_term=Decided(
            first=np.array([0, len(done)]),
            row=np.arange(len(done)),
            tau=np.array([part.tau for part in done], np.int64),
            measure=np.zeros(len(done), np.int64),
            kept=np.array([part.kept for part in done], np.uint8),
            quality=np.zeros(len(done)),
        ),
    )


def said_at_each(done: Sequence[twin.Done], objective_ppm: int) -> list[Burn]:
    measured = measuring(done, objective_ppm)
    return [next(burns(measured, part.tau)).burn for part in done]


def said_by_the_twin(done: list[twin.Done], objective_ppm: int) -> list[Burn]:
    return [
        Burn.PAGE if page else Burn.TICKET if ticket else Burn.CALM
        for page, ticket in twin.burn_says(done, objective_ppm, 30)
    ]


parts = st.lists(
    st.builds(
        twin.Done,
        tau=st.integers(0, 24 * 12).map(lambda i: T0 + i * 5 * MINUTE),
        measure=st.just(0),
        kept=st.booleans(),
        quality=st.just(1.0),
    ),
    max_size=100,
).map(lambda done: sorted(done, key=lambda part: part.tau))


@settings(max_examples=60, deadline=None)
@given(
    done=parts, objective_ppm=st.sampled_from([0, 500_000, 930_556, 950_000, 990_000, 1_000_000])
)
def test_burn_rates_agree_with_their_twin(done: list[twin.Done], objective_ppm: int) -> None:
    assert said_at_each(done, objective_ppm) == said_by_the_twin(done, objective_ppm)


def test_good_and_bad_stretches_give_every_rate() -> None:
    rng = np.random.default_rng(4)
    tau = np.cumsum(rng.integers(0, 6, 450) * MINUTE) + T0
    bad = (np.arange(tau.size) // 150) % 3 == 1
    kept = rng.random(tau.size) >= 0.02 + 0.85 * bad
    done = [twin.Done(t, 0, k, 1.0) for t, k in zip(tau.tolist(), kept.tolist(), strict=True)]

    found = said_at_each(done, 950_000)

    assert set(found) == set(Burn)
    assert found == said_by_the_twin(done, 950_000)


def test_a_burn_on_the_threshold_counts_and_one_bad_verdict_does_not_page() -> None:
    twenty = [twin.Done(T0 + i * MINUTE // 10, 0, kept=i != 0, quality=1) for i in range(20)]
    exactly = Fraction(1, 20) / 6  # a late share of 1/20 burns at 6
    objective_ppm = 1_000_000 - int(exactly * 10**6) - 1  # one ppm more budget than that

    assert said_at_each(twenty, objective_ppm)[-1] is not Burn.PAGE
    assert said_at_each(twenty, objective_ppm + 1)[-1] is Burn.PAGE
    assert said_at_each(twenty[:19], objective_ppm + 1)[-1] is Burn.CALM


def test_limits_scale_with_the_period() -> None:
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, (1,) * 4, objective_ppm=990_000)])

    for days in (28, 30, 91):
        limits = limits_for(promises, days)
        factors = [
            Fraction(int(theirs), int(ours)) * 100
            for ours, theirs in zip(limits.ours[0], limits.theirs[0], strict=True)
        ]
        shares = [Fraction(2, 100), Fraction(5, 100), Fraction(10, 100)]
        hours = [int(long) // HOUR for long in limits.long_us]
        assert factors == [
            share * days * 24 / long for share, long in zip(shares, hours, strict=True)
        ]
        assert limits.says[0] == PAGE
