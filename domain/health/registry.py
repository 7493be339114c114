"""The registry of signals, and the reading of all of them for one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from domain.health import business, delivery, engagement, relationship
from domain.health.facts import AccountFacts
from domain.health.scoring import Ints, Scores, SignalFreshness, score_accounts
from domain.health.signals import Signal, SignalKey, SignalReading

SIGNALS: tuple[Signal, ...] = (
    *engagement.SIGNALS,
    *delivery.SIGNALS,
    *business.SIGNALS,
    *relationship.SIGNALS,
)
BY_KEY: Mapping[SignalKey, Signal] = {each.key: each for each in SIGNALS}
DEFAULT_WEIGHTS: tuple[int, ...] = tuple(each.weight for each in SIGNALS)


@dataclass(frozen=True, slots=True)
class AccountReading:
    """The signals of one account at an instant, with their weights; in the order of `SIGNALS`."""

    at: datetime
    signals: Sequence[SignalReading]
    weights: Sequence[int]

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints]:
        """Values, states and weights."""
        return (
            np.array([each.value for each in self.signals], np.int64),
            np.array([each.state for each in self.signals], np.int64),
            np.array(self.weights, np.int64),
        )


def read_account(facts: AccountFacts, weights: Sequence[int] = DEFAULT_WEIGHTS) -> AccountReading:
    """Read every signal of an account."""
    readings = [signal.read(facts) for signal in SIGNALS]
    counted = [
        0 if signal.counts_once_known and reading.state is SignalFreshness.MISSING else weight
        for signal, reading, weight in zip(SIGNALS, readings, weights, strict=True)
    ]
    return AccountReading(facts.at, readings, counted)


def score_all(readings: Sequence[AccountReading]) -> Scores:
    """Score accounts at once."""
    arrays = [each.arrays for each in readings]
    value, state, weight = (np.array([each[n] for each in arrays], np.int64) for n in range(3))
    return score_accounts(value, state, weight)
