"""Quality: compliance, durations and scores per window and scope, benchmarks, and burn rates of error budgets."""

from domain.evaluator.kernels.scores import Component
from domain.quality.actions import ClaimedAccount, mark, measure, put_off, set_policy, take
from domain.quality.model import (
    Burn,
    BurnState,
    Look,
    Measurement,
    Portfolio,
    QualityPolicy,
    Window,
)
from domain.quality.reads import (
    Benchmark,
    Changed,
    PeerDistribution,
    Restated,
    benchmark,
    burning,
    compliance,
    policy_of,
    restated,
)
from domain.quality.rules import ACCOUNT, PartVerdict, Scope

__all__ = [
    "ACCOUNT",
    "Benchmark",
    "Burn",
    "BurnState",
    "Changed",
    "ClaimedAccount",
    "Component",
    "Look",
    "Measurement",
    "PartVerdict",
    "PeerDistribution",
    "Portfolio",
    "QualityPolicy",
    "Restated",
    "Scope",
    "Window",
    "benchmark",
    "burning",
    "compliance",
    "mark",
    "measure",
    "policy_of",
    "put_off",
    "restated",
    "set_policy",
    "take",
]
