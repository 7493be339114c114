"""Rows: measurements per scope and window, burn rates of budgets, policies, and what to measure next."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.accounts.model import ServiceTier
from domain.core.base import JSON, Base, Owned, Tenanted


class Window(StrEnum):
    """Type of window: on the account's calendar, or rolling up to an instant."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    CONTRACT_YEAR = "contract_year"
    LAST_24H = "last_24h"
    LAST_7D = "last_7d"
    LAST_28D = "last_28d"


class Burn(StrEnum):
    """Speed at which the error budget of a promise is consumed."""

    CALM = "calm"
    TICKET = "ticket"
    PAGE = "page"


class Measurement(Base, Owned):
    """Summary of the verdicts decided in one window, for a promise term, a site or the whole account.

    With `term_id` it is about that promise, with `site_id` about that site, with neither about the account. Durations
    are of one promise only: those of different promises do not mix. Internal objectives count for themselves alone.
    """

    __tablename__ = "measurement"
    __table_args__ = (
        UniqueConstraint(
            "account_id",
            "site_id",
            "term_id",
            "window",
            "from_at",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("site_id IS NULL OR term_id IS NULL", name="one_scope"),
        CheckConstraint("n > 0 AND kept BETWEEN 0 AND n", name="counts"),
        Index(
            "ix_measurement_peers",
            "tenant_id",
            "window",
            "from_at",
            postgresql_where=text("site_id IS NULL AND term_id IS NULL"),
        ),
    )

    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    term_id: Mapped[UUID | None] = mapped_column(ForeignKey("promise_term.id"))
    internal: Mapped[bool] = mapped_column(default=False)
    window: Mapped[Window]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    n: Mapped[int]
    kept: Mapped[int]
    p50_us: Mapped[int | None]
    p90_us: Mapped[int | None]
    p95_us: Mapped[int | None]
    ratio: Mapped[float]
    wilson: Mapped[float]
    budget: Mapped[float]  # share of the error budget left; -infinity: late without a budget
    misses_left: Mapped[int]
    score: Mapped[float]  # time-decayed mean quality of everything decided before the end
    points_e6: Mapped[int | None]  # quality score in millionths of a point; None: insufficient data
    contributions_e6: Mapped[JSON] = mapped_column(default=dict)  # component → share of points_e6
    coverage_ppm: Mapped[int | None]
    change_e6: Mapped[int | None]  # since the previous window of this kind
    terms_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    calendar_version_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    evaluator: Mapped[int]
    input_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    evaluated_at: Mapped[datetime]


class BurnState(Base, Owned):
    """Burn rate of one promise's error budget, as of the last measurement."""

    __tablename__ = "burn_state"

    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"), unique=True)
    internal: Mapped[bool] = mapped_column(default=False)
    state: Mapped[Burn] = mapped_column(default=Burn.CALM)
    since_at: Mapped[datetime]
    n_30d: Mapped[int]  # decided in the last 30 days, the budget's period
    misses_left: Mapped[int]  # how many more of them may be late; negative = overspent
    looked_at: Mapped[datetime]


class Look(Base):
    """When an account is measured next, and from which time on something may have changed.

    Marks only ever bring `due_at` forward, so that any number of facts leads to one measurement.
    """

    __tablename__ = "quality_look"
    __table_args__ = (Index(None, "due_at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    due_at: Mapped[datetime]
    dirty_from_at: Mapped[datetime | None]
    measured_at: Mapped[datetime | None]


class QualityPolicy(Base, Tenanted):
    """Weights of quality and limit of risk; the most specific row wins, field by field.

    A row is for one account, else for a service tier, else for the whole company.
    """

    __tablename__ = "quality_policy"
    __table_args__ = (
        UniqueConstraint("tenant_id", "tier", "account_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("tier IS NULL OR account_id IS NULL", name="one_level"),
        CheckConstraint("risk_limit_bps >= 0", name="risk_limit_not_negative"),
    )

    tier: Mapped[ServiceTier | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    weights: Mapped[JSON | None]  # component → weight, whole numbers
    risk_limit_bps: Mapped[int | None]  # P95 of a month's credits, in basis points of the fee


class Portfolio(Base, Tenanted):
    """Distribution of a company's accounts in one window: sorted values without names.

    Only accounts with enough decided promises count. `from_at` is null for rolling windows.
    """

    __tablename__ = "portfolio"
    __table_args__ = (
        UniqueConstraint("tenant_id", "window", "from_at", postgresql_nulls_not_distinct=True),
    )

    window: Mapped[Window]
    from_at: Mapped[datetime | None]
    ratios: Mapped[list[float]] = mapped_column(ARRAY(Double()))
    points_e6: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()))
    noted_at: Mapped[datetime]
