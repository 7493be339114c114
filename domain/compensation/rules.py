"""What a broken promise earns: integer cents, rounded once, half up."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.agreements.model import CreditBasis, CreditRule, Priority

_BPS = 10_000


def rule_for(rules: Iterable[CreditRule], priority: Priority) -> CreditRule | None:
    """The priority's own rule, else the one for every priority, else none."""
    by_priority = {rule.priority: rule for rule in rules}
    return by_priority.get(priority) or by_priority.get(None)


def amount_cents(rule: CreditRule, period_fee_cents: int) -> int:
    """A fixed amount, or basis points of the period fee rounded half up to a cent."""
    if rule.basis is CreditBasis.FIXED:
        return rule.fixed_cents or 0
    return (period_fee_cents * (rule.fee_bps or 0) * 2 + _BPS) // (2 * _BPS)


def capped(cents: int, *, cap_cents: int | None, used_cents: int) -> int:
    """What is left of the month's cap, at most the amount itself."""
    return cents if cap_cents is None else max(0, min(cents, cap_cents - used_cents))


def month_of(at: datetime, time_zone: str) -> date:
    """The first day of the local month an instant falls in."""
    return at.astimezone(ZoneInfo(time_zone)).date().replace(day=1)
