"""Facts about outcomes of relationships and forecasts of leaving. They are internal to the company."""

from datetime import date
from typing import ClassVar

from domain.core.ledger import Fact


class OutcomeLabelled(Fact):
    """Somebody, or the end of the last agreement, said what happened with a client; the last word counts."""

    kind: ClassVar[str] = "client_outcome.labelled"
    subject_type: ClassVar[str | None] = "ClientOutcome"
    outcome: str
    cause: str
    happened_on: date
    outcome_before: str | None
    happened_on_before: date | None
    internal: bool = True


class ForecastPublished(Fact):
    """A forecast was published: a probability with its 90 % interval in millionths, or all three null: it abstained."""

    kind: ClassVar[str] = "churn.forecast_published"
    subject_type: ClassVar[str | None] = "ChurnForecast"
    horizon: str
    ends_on: date
    probability_millionths: int | None
    low_millionths: int | None
    high_millionths: int | None
    basis: str
    internal: bool = True


class ForecastScored(Fact):
    """The time of a forecast is over: whether the client left within it, null for an end of another kind."""

    kind: ClassVar[str] = "churn.forecast_scored"
    subject_type: ClassVar[str | None] = "ChurnForecast"
    left_within: bool | None
    internal: bool = True


class ChurnSignsChanged(Fact):
    """A published forecast of 180 days crossed the threshold; `above` says in which direction."""

    kind: ClassVar[str] = "churn.signs_changed"
    subject_type: ClassVar[str | None] = "ChurnForecast"
    above: bool
    internal: bool = True
