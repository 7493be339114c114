"""Content of a business review as it is stored: ids and numbers, and the names of the two companies."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.business_reviews.model import BusinessReviewKind

VERSION = 1
MOST = 12
"""Maximum rows of a list."""


class BusinessFigure(msgspec.Struct, frozen=True):
    """A KPI of the period and of the one before, in thousandths of its unit; None for too few facts."""

    key: str
    unit: str
    n: int
    value_milli: int | None
    before_milli: int | None
    target: int | None
    status: str
    trend: str | None
    higher_is_better: bool


class BusinessSpan(msgspec.Struct, frozen=True):
    """A week or month of the period: promises kept and late, incidents opened and resolved."""

    first_on: date
    kept: int
    late: int
    opened: int
    resolved: int


class BusinessPromise(msgspec.Struct, frozen=True):
    """Verdicts of one kind of promise."""

    kind: str
    kept: int
    late: int


class BusinessGoal(msgspec.Struct, frozen=True):
    """A goal of a success plan as it stood; title and unit are read by its id."""

    goal_id: UUID
    kpi_unit: str | None
    target_milli: int
    value_milli: int | None
    attained_ppm: int | None
    state: str
    due_on: date
    value_cents: int | None
    realised_cents: int


class BusinessDeed(msgspec.Struct, frozen=True):
    """A commitment to the client; its words are read by its id."""

    commitment_id: UUID
    due_on: date
    done_on: date | None
    is_late: bool


class BusinessEntry(msgspec.Struct, frozen=True):
    """An entry of the RAID log that the client may see; its words are read by its id."""

    raid_id: UUID
    kind: str
    score: int | None
    raised_on: date
    is_open: bool


class BusinessTerm(msgspec.Struct, frozen=True):
    """An agreement that runs, with its fixed duration."""

    reference: str
    fixed_until: date | None
    notice_by: date | None
    renews_for_months: int | None


class BusinessMarket(msgspec.Struct, frozen=True):
    """Public reviews: the company's of the period, and the last figures of the companies that it watches."""

    own_n: int
    own_ppm: int | None  # mean rating as a share of the scale
    others: int
    others_n: int
    others_ppm: int | None


class BusinessMoney(msgspec.Struct, frozen=True):
    """Money of the period in cents of the company's currency."""

    currency: str
    invoiced_cents: int
    credits_cents: int


class BusinessContent(msgspec.Struct, frozen=True):
    """A whole business review."""

    version: int
    kind: BusinessReviewKind
    company: str
    account: str
    zone: str
    from_on: date
    last_on: date
    as_of_at: datetime
    figures: list[BusinessFigure]
    spans: list[BusinessSpan]
    promises: list[BusinessPromise]
    goals: list[BusinessGoal]
    done: list[BusinessDeed]
    coming: list[BusinessDeed]
    entries: list[BusinessEntry]
    terms: list[BusinessTerm]
    market: BusinessMarket
    money: BusinessMoney
    sites: int
    meetings_held: int
    meetings_planned: int
    status: str | None
    status_until_on: date | None

    def figure(self, key: str) -> BusinessFigure | None:
        """Return the KPI of a key."""
        return next((each for each in self.figures if each.key == key), None)

    @property
    def possible_cents(self) -> int:
        """What the goals are worth together."""
        return sum(each.value_cents or 0 for each in self.goals)

    @property
    def realised_cents(self) -> int:
        """What of it is realised."""
        return sum(each.realised_cents for each in self.goals)

    @property
    def roi_ppm(self) -> int | None:
        """(Realised − invoiced) / invoiced in millionths; None without a worth or an invoice."""
        if not self.possible_cents or self.money.invoiced_cents <= 0:
            return None
        cost = self.money.invoiced_cents
        return (self.realised_cents - cost) * 1_000_000 // cost
