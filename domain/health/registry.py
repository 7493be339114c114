"""The registry of signals, and the reading of all of them for one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from domain.health import business, delivery, engagement, groups, relationship
from domain.health.curves import Curve
from domain.health.facts import AccountFacts
from domain.health.scoring import Ints, Scores, SignalFreshness, score_accounts
from domain.health.signals import Signal, SignalKey, SignalReading
from domain.parameters import ParameterLevel

SIGNALS: tuple[Signal, ...] = (
    *engagement.SIGNALS,
    *delivery.SIGNALS,
    *business.SIGNALS,
    *relationship.SIGNALS,
    *groups.SIGNALS,
)
BY_KEY: Mapping[SignalKey, Signal] = {each.key: each for each in SIGNALS}


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """How a signal counts for an account, and the levels of the parameters that say so."""

    weight: int
    curve: Curve
    weight_source: ParameterLevel = ParameterLevel.DEFAULT
    curve_source: ParameterLevel = ParameterLevel.DEFAULT


DEFAULT_POLICIES: tuple[SignalPolicy, ...] = tuple(
    SignalPolicy(each.weight, each.curve) for each in SIGNALS
)


@dataclass(frozen=True, slots=True)
class AccountReading:
    """The signals of one account at an instant, and how they count; in the order of `SIGNALS`."""

    at: datetime
    signals: Sequence[SignalReading]
    policies: Sequence[SignalPolicy]

    @property
    def arrays(self) -> tuple[Ints, Ints, Ints]:
        """Values, states and weights."""
        return (
            np.array([each.value for each in self.signals], np.int64),
            np.array([each.state for each in self.signals], np.int64),
            np.array([each.weight for each in self.policies], np.int64),
        )


def read_account(
    facts: AccountFacts, policies: Sequence[SignalPolicy] = DEFAULT_POLICIES
) -> AccountReading:
    """Read every signal of an account."""
    found = [
        signal.read(facts, policy.curve) for signal, policy in zip(SIGNALS, policies, strict=True)
    ]
    counted = [
        replace(policy, weight=0)
        if signal.counts_once_known and reading.state is SignalFreshness.MISSING
        else policy
        for signal, reading, policy in zip(SIGNALS, found, policies, strict=True)
    ]
    return AccountReading(facts.at, found, counted)


def score_all(readings: Sequence[AccountReading]) -> Scores:
    """Score accounts at once."""
    arrays = [each.arrays for each in readings]
    value, state, weight = (np.array([each[n] for each in arrays], np.int64) for n in range(3))
    return score_accounts(value, state, weight)
