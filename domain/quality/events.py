"""Facts about quality, recorded when something changed, so that subscriptions receive it."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class QualityPolicySet(Fact):
    """A quality policy was set; `before` and `after` hold weights and risk limit, null for none."""

    kind: ClassVar[str] = "quality_policy.set"
    subject_type: ClassVar[str | None] = "QualityPolicy"
    tier: str | None
    before: dict[str, Any] | None
    after: dict[str, Any]
    internal: bool = True


class QualityChanged(Fact):
    """A monthly measurement of a site, or of an account (`site_id` null), changed.

    `points_e6` is the quality score in millionths of a point, null for insufficient data; `was_e6` the previous one.
    """

    kind: ClassVar[str] = "quality.changed"
    subject_type: ClassVar[str | None] = "Account"
    site_id: UUID | None
    from_at: datetime
    until_at: datetime
    n: int
    kept: int
    points_e6: int | None
    was_e6: int | None
    coverage_ppm: int | None


class BudgetBurning(Fact):
    """The error budget of a promise burns at another rate than before: `calm`, `ticket` or `page`.

    `n_30d` promises were decided in the last 30 days; `misses_left` of them may still be late, below 0: overspent.
    """

    kind: ClassVar[str] = "budget.burning"
    subject_type: ClassVar[str | None] = "PromiseTerm"
    term_id: UUID
    name: str
    state: str
    was: str
    n_30d: int
    misses_left: int
    internal: bool
