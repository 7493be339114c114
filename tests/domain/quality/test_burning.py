"""Burning asked at the instant of a verdict says what the kernel says of that verdict."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from domain.kernels import Promise, PromiseClass, State, promise_columns
from domain.kernels.batch import columns_of, empty_rows
from domain.kernels.burn import PAGE, TICKET, burning, limits_for
from domain.kernels.windows import decided
from domain.quality.burning import burns
from domain.quality.model import Burn

MINUTE = 60_000_000


def test_between_verdicts_and_at_verdicts_one_rule_holds() -> None:
    rng = np.random.default_rng(4)
    promises = promise_columns([Promise(PromiseClass.FLOW, (1,) * 4, objective_ppm=950_000)])
    rows = empty_rows(1_500)
    rows.promise = 0
    rows.decided_us = np.cumsum(rng.integers(0, 6, rows.size) * MINUTE) + 10**15
    bad = (np.arange(rows.size) // 150) % 3 == 1  # every third stretch is a bad one
    rows.state = np.where(rng.random(rows.size) < 0.02 + 0.85 * bad, State.LATE_OPEN, State.KEPT)
    rows.quality, rows.elapsed_us = 0.0, 1
    measuring: Any = SimpleNamespace(
        log=SimpleNamespace(promises=promises), verdicts=columns_of(rows)
    )
    done = decided(rows, 0, 1)
    says = burning(done, limits_for(promises), 0, 1)

    words = {0: Burn.CALM, TICKET: Burn.TICKET, PAGE: Burn.PAGE, PAGE | TICKET: Burn.PAGE}
    found = [next(burns(measuring, tau)).burn for tau in done.tau.tolist()]

    assert set(found) == set(Burn)
    assert found == [words[said] for said in says.tolist()]
