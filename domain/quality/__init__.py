"""Quality: what verdicts come to per window and scope, how it compares, and how fast budgets burn."""

from domain.evaluator.kernels.scores import Component
from domain.quality.actions import Taken, mark, measure, put_off, set_policy, take
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
    Among,
    Benchmark,
    Changed,
    Restated,
    benchmark,
    burning,
    compliance,
    policy_of,
    restated,
)
from domain.quality.rules import ACCOUNT, Scope, Verdict

__all__ = [
    "ACCOUNT",
    "Among",
    "Benchmark",
    "Burn",
    "BurnState",
    "Changed",
    "Component",
    "Look",
    "Measurement",
    "Portfolio",
    "QualityPolicy",
    "Restated",
    "Scope",
    "Taken",
    "Verdict",
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
