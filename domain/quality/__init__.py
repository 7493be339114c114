"""Quality: compliance, durations and scores per window and scope, benchmarks, and burn rates of error budgets."""

from domain.evaluator.kernels.scores import Component
from domain.quality.actions import DUE, ClaimedAccount, claim_due, defer, mark, measure, set_policy
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
    local_of,
    policy_of,
    restated,
)
from domain.quality.rules import ACCOUNT, PartVerdict, Scope
from domain.quality.windows import Local, WindowSpan, before, instant, span_at

__all__ = [
    "ACCOUNT",
    "DUE",
    "Benchmark",
    "Burn",
    "BurnState",
    "ChangedVerdict",
    "ClaimedAccount",
    "Component",
    "Local",
    "Look",
    "Measurement",
    "PartVerdict",
    "PeerDistribution",
    "Portfolio",
    "QualityPolicy",
    "RestatedWindow",
    "Scope",
    "Window",
    "WindowSpan",
    "before",
    "benchmark",
    "burning",
    "claim_due",
    "compliance",
    "defer",
    "instant",
    "local_of",
    "mark",
    "measure",
    "policy_of",
    "restated",
    "set_policy",
    "span_at",
]
