"""Quality: compliance, durations and scores per window and scope, benchmarks, and burn rates of error budgets."""

from domain.evaluator.kernels.scores import Component
from domain.quality.actions import ClaimedAccount, claim_due, defer, mark, measure, set_policy
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
    ChangedVerdict,
    PeerDistribution,
    RestatedWindow,
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
    "ChangedVerdict",
    "ClaimedAccount",
    "Component",
    "Look",
    "Measurement",
    "PartVerdict",
    "PeerDistribution",
    "Portfolio",
    "QualityPolicy",
    "RestatedWindow",
    "Scope",
    "Window",
    "benchmark",
    "burning",
    "claim_due",
    "compliance",
    "defer",
    "mark",
    "measure",
    "policy_of",
    "restated",
    "set_policy",
]
