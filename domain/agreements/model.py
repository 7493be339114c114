"""Rows: agreements, their effective-dated terms, the promises in them and the credits for broken promises."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned
from domain.evidence import DoubtFavours, Grade


class PromiseKind(StrEnum):
    """Kind of promise. All kinds run the same type of clock."""

    FIRST_RESPONSE = "first_response"
    NEXT_UPDATE = "next_update"
    ARRIVAL = "arrival"
    RESOLUTION = "resolution"
    CLOSURE = "closure"
    AGREED_DATE = "agreed_date"
    REPORT_DELIVERED = "report_delivered"
    SHIFT_STARTED = "shift_started"
    SHIFT_COVERED = "shift_covered"
    PATROL_COMPLETED = "patrol_completed"
    POINT_VISITED = "point_visited"
    INCIDENT_TOLD = "incident_told"
    COMMITMENT_KEPT = "commitment_kept"
    CLIENT_SATISFIED = "client_satisfied"
    REPLACEMENT_ON_POST = "replacement_on_post"
    REVIEW_ANSWERED = "review_answered"
    SHIFT_REPORTED = "shift_reported"
    ALARM_ATTENDED = "alarm_attended"


class ClockStart(StrEnum):
    """Time at which the clock of a promise about an incident starts: when it was reported, or when it happened."""

    TOLD = "told"
    OCCURRED = "occurred"


class Priority(StrEnum):
    """Urgency of an incident, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TicketKind(StrEnum):
    """Kind of incident, such as alarm or complaint."""

    INCIDENT = "incident"
    COMPLAINT = "complaint"
    INQUIRY = "inquiry"
    SERVICE_REQUEST = "service_request"
    ALARM = "alarm"
    MAINTENANCE = "maintenance"
    ENHANCEMENT = "enhancement"


class CreditBasis(StrEnum):
    """Basis on which a credit is computed."""

    FIXED = "fixed"
    FEE_SHARE = "fee_share"
    LINE_SHARE = "line_share"
    SERVICE = "service"


class PerCause(StrEnum):
    """Rule for an incident that breaks several promises."""

    LARGEST = "largest"
    EACH = "each"


class Unit(StrEnum):
    """Unit of a rate; the value is the UN/ECE Recommendation 20 code."""

    PIECE = "C62"
    HOUR = "HUR"
    DAY = "DAY"
    MONTH = "MON"
    KILOMETRE = "KMT"


class Agreement(Base, Owned, Versioned):
    """Agreement between the company and a client."""

    __tablename__ = "agreement"
    __table_args__ = (
        UniqueConstraint("tenant_id", "reference"),
        CheckConstraint(
            "notice_months >= 0 AND notice_days >= 0 AND renews_for_months >= 1",
            name="duration_not_negative",
        ),
    )

    reference: Mapped[str]
    title: Mapped[str]
    signed_on: Mapped[date]
    newest_terms: Mapped[int] = mapped_column(default=1)  # the number of the latest version
    ended_at: Mapped[datetime | None]
    fixed_until: Mapped[date | None]  # the last day that is agreed; None: no fixed duration
    notice_months: Mapped[int] = mapped_column(default=0, server_default="0")
    notice_days: Mapped[int] = mapped_column(default=0, server_default="0")
    renews_for_months: Mapped[int | None]  # without notice; None: it ends after the last day

    @property
    def notice_by(self) -> date | None:
        """The last day on which notice can be given, so that the agreement ends with its fixed duration."""
        if self.fixed_until is None:
            return None
        return notice_day(self.fixed_until, months=self.notice_months, days=self.notice_days)


def notice_day(fixed_until: date, *, months: int, days: int) -> date:
    """Return the last day on which notice can be given: the whole notice period lies between it and the day after."""
    return fixed_until + timedelta(days=1) - relativedelta(months=months, days=days + 1)


class Terms(Base, Owned):
    """One version of an agreement's terms and the period in which it is in force; versions never overlap."""

    __tablename__ = "terms"
    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        # WITHOUT OVERLAPS in the database: PostgreSQL itself refuses a second version for the same time.
        UniqueConstraint("agreement_id", "in_force", name="uq_terms_one_version_at_a_time"),
        CheckConstraint("NOT isempty(in_force)", name="in_force_not_empty"),
        CheckConstraint("period_fee_cents >= 0", name="period_fee_not_negative"),
        CheckConstraint("credit_cap_cents >= 0", name="credit_cap_not_negative"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int]
    in_force: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    period_fee_cents: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(default="EUR")
    credit_cap_cents: Mapped[int | None]  # maximum per calendar month; None: no cap
    per_cause: Mapped[PerCause] = mapped_column(default=PerCause.LARGEST)
    rule: Mapped[int] = mapped_column(default=2)  # which promises apply: `limits`


class Rate(Base, Owned):
    """Price of one unit of a service in a period of days; two prices of one code never overlap."""

    __tablename__ = "rate"
    __table_args__ = (
        UniqueConstraint("agreement_id", "code", "in_force", name="uq_rate_one_price_a_day"),
        CheckConstraint("NOT isempty(in_force)", name="in_force_not_empty"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    code: Mapped[str]
    name: Mapped[str]
    unit: Mapped[Unit]
    price_cents: Mapped[int]
    currency: Mapped[str]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)


class PromiseTerm(Base, Owned):
    """One promise in the terms: the incidents it applies to, its calendar and its objective.

    `internal` marks an objective the company sets itself (an SLO): measured in the same way, never credited, hidden
    from clients.
    """

    __tablename__ = "promise_term"
    __table_args__ = (
        UniqueConstraint("terms_id", "name"),
        CheckConstraint("objective_ppm BETWEEN 0 AND 1000000", name="objective_ppm"),
    )

    terms_id: Mapped[UUID] = mapped_column(ForeignKey("terms.id"), index=True)
    name: Mapped[str]
    kind: Mapped[PromiseKind]
    calendar_version_id: Mapped[UUID] = mapped_column(ForeignKey("calendar_version.id"))
    ticket_kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))  # empty: every kind
    category: Mapped[str | None]  # None: every category
    site_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)  # empty: every site
    services: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # empty: every service
    hours_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("calendar_version.id")
    )  # applies to incidents opened during these hours; None: at any time
    objective_ppm: Mapped[int] = mapped_column(default=990_000)
    clock_start: Mapped[ClockStart] = mapped_column(default=ClockStart.TOLD)
    pausable: Mapped[bool] = mapped_column(default=True)
    internal: Mapped[bool] = mapped_column(default=False)
    lowest_grade: Mapped[Grade | None]  # of the evidence that counts; None: any, also without
    doubt_favours: Mapped[DoubtFavours] = mapped_column(default=DoubtFavours.CLIENT)


class PromiseTarget(Base, Owned):
    """Target of a promise for a priority: elapsed time on the calendar, or whole business days."""

    __tablename__ = "promise_target"
    __table_args__ = (
        UniqueConstraint("term_id", "priority"),
        CheckConstraint(
            "(elapsed_s IS NULL) <> (business_days IS NULL)", name="one_kind_of_target"
        ),
        CheckConstraint("elapsed_s >= 0 AND business_days >= 0", name="target_not_negative"),
    )

    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"))
    priority: Mapped[Priority]
    elapsed_s: Mapped[int | None]
    business_days: Mapped[int | None]


class CreditRule(Base, Owned):
    """Credit for one broken promise.

    A fixed amount; a share of the period fee, or of the price of a rate; or units of a rate for free. An amount is at
    least `least_cents` and at most `most_cents`.
    """

    __tablename__ = "credit_rule"
    __table_args__ = (
        Index(None, "term_id"),
        CheckConstraint("fixed_cents >= 0", name="fixed_cents_not_negative"),
        CheckConstraint("fee_bps BETWEEN 0 AND 10000", name="fee_bps"),
        CheckConstraint("units_milli > 0", name="units_positive"),
        CheckConstraint("least_cents >= 0 AND most_cents >= least_cents", name="least_most"),
        CheckConstraint(
            "(basis = 'fixed') = (fixed_cents IS NOT NULL)"
            " AND (basis IN ('fee_share', 'line_share')) = (fee_bps IS NOT NULL)"
            " AND (basis = 'service') = (units_milli IS NOT NULL)"
            " AND (basis IN ('line_share', 'service')) = (rate_code IS NOT NULL)",
            name="amount_fits_basis",
        ),
        UniqueConstraint("term_id", "priority", postgresql_nulls_not_distinct=True),
    )

    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"))
    priority: Mapped[Priority | None]  # None: every priority without a rule of its own
    basis: Mapped[CreditBasis]
    fixed_cents: Mapped[int | None]
    fee_bps: Mapped[int | None]  # of the period fee, or of the rate's price
    rate_code: Mapped[str | None]
    units_milli: Mapped[int | None]  # thousandths: 2000 of an hourly rate is two hours
    least_cents: Mapped[int] = mapped_column(default=0)
    most_cents: Mapped[int | None]


class CreditBand(Base, Owned):
    """Credit for a month in which less than `below_ppm` of a promise was kept; the lowest matching band applies."""

    __tablename__ = "credit_band"
    __table_args__ = (
        UniqueConstraint("term_id", "below_ppm"),
        CheckConstraint("below_ppm BETWEEN 1 AND 1000000", name="below_ppm"),
        CheckConstraint("(fixed_cents IS NULL) <> (fee_bps IS NULL)", name="one_amount"),
        CheckConstraint("fixed_cents >= 0", name="fixed_cents_not_negative"),
        CheckConstraint("fee_bps BETWEEN 0 AND 10000", name="fee_bps"),
    )

    term_id: Mapped[UUID] = mapped_column(ForeignKey("promise_term.id"))
    below_ppm: Mapped[int]
    fixed_cents: Mapped[int | None]
    fee_bps: Mapped[int | None]  # of the period fee
