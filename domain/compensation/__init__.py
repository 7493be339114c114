"""Compensation: credits for broken promises, and people's decisions about them."""

from domain.compensation.actions import close_month, decide, lock_agreement, net_cents, settle
from domain.compensation.decisions import (
    ADJUSTMENT_REASONS,
    approve,
    choose_policy,
    decline,
    grant_goodwill,
    override,
)
from domain.compensation.disputes import contest, decide_dispute
from domain.compensation.model import (
    ClosedMonth,
    CompensationPolicy,
    Credit,
    CreditKind,
    CreditState,
    Dispute,
    DisputeState,
)
from domain.compensation.reads import MonthToClose, months_over
from domain.compensation.rules import (
    amount_cents,
    excess_over,
    month_of,
    month_start,
    next_month,
    rule_for,
)

__all__ = [
    "ADJUSTMENT_REASONS",
    "ClosedMonth",
    "CompensationPolicy",
    "Credit",
    "CreditKind",
    "CreditState",
    "Dispute",
    "DisputeState",
    "MonthToClose",
    "amount_cents",
    "approve",
    "choose_policy",
    "close_month",
    "contest",
    "decide",
    "decide_dispute",
    "decline",
    "excess_over",
    "grant_goodwill",
    "lock_agreement",
    "month_of",
    "month_start",
    "months_over",
    "net_cents",
    "next_month",
    "override",
    "rule_for",
    "settle",
]
