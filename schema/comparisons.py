"""Comparisons: burn rates of error budgets, an account among others, and restated windows."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import incidents, quality
from domain.agreements import PromiseTerm as TermRow
from domain.quality import Benchmark, Burn, ChangedVerdict, PeerDistribution, RestatedWindow
from schema.core.relations import to_one
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.incidents import Incident
from schema.measurements import SlaCompliance
from schema.promises import Verdict
from schema.terms import PromiseTerm

enum(
    Burn,
    "BurnRate",
    calm="Calm: slower than the budget allows.",
    ticket="Too fast for the budget to last the month: examine the cause.",
    page="So fast that the budget is gone within days: act now.",
)

BurnRow = strawberry.Parent[quality.BurnState]
ChangedRow = strawberry.Parent[ChangedVerdict]
RestatedRow = strawberry.Parent[RestatedWindow]
BenchmarkRow = strawberry.Parent[Benchmark]


@from_row(quality.BurnState)
class BudgetBurn:
    """Burn rate of the error budget of a promise, at its last measurement."""

    state: Annotated[Burn, "Speed at which the error budget is consumed."]
    since_at: Annotated[datetime, "Time since which the budget has been in this state."]
    misses_left: Annotated[
        Long,
        "Number of promises that may still be late within the last 30 days; negative when the budget is overspent.",
    ]
    looked_at: Annotated[datetime, "Time of the last measurement."]

    @resolver(Long)
    @staticmethod
    def decided(row: BurnRow) -> int:
        """Number of these promises that were decided in the last 30 days."""
        return row.n_30d

    promise = to_one(
        PromiseTerm, TermRow, "term_id", "Promise in the terms that the budget belongs to."
    )


@from_row(PeerDistribution)
class Standing:
    """Rank of a value among a set of other values."""

    n: Annotated[int, "Number of other values compared with."]
    percentile: Annotated[
        int, ("Percentage of the other values below this one, 0 to 100; equal values count half.")
    ]
    median: Annotated[float, "Median of the other values."]


@from_row(Benchmark)
class QualityBenchmark:
    """Window of an account, compared with its own earlier windows and with other accounts, which are not named."""

    history: Annotated[
        Standing | None,
        "Share of kept promises among up to twelve earlier windows; null when there are none.",
    ]
    peers: Annotated[
        Standing | None,
        "Share of kept promises among other accounts; null for fewer than five accounts.",
    ]

    @resolver(SlaCompliance)
    @staticmethod
    def own(row: BenchmarkRow) -> quality.Measurement:
        """Measurement of the window itself."""
        return row.own

    @resolver(Standing | None)
    @staticmethod
    def history_points(row: BenchmarkRow) -> PeerDistribution | None:
        """Quality score among up to twelve earlier windows, in millionths of a point."""
        return row.history_quality

    @resolver(Standing | None)
    @staticmethod
    def peers_points(row: BenchmarkRow) -> PeerDistribution | None:
        """Quality score among other accounts, in millionths of a point; null for fewer than five accounts."""
        return row.peers_quality


@from_row(ChangedVerdict)
class VerdictChange:
    """Verdict that differs between an earlier state of knowledge and now."""

    part: Annotated[int, "Number of the interval of a next-update promise; 0 for other kinds."]

    @resolver(Verdict | None)
    @staticmethod
    def was(row: ChangedRow) -> Verdict | None:
        """Verdict with the facts known then; null when not decided in this window."""
        return None if row.was is None else Verdict(row.was)

    @resolver(Verdict | None)
    @staticmethod
    def now(row: ChangedRow) -> Verdict | None:
        """Verdict with the facts known now; null when not decided in this window."""
        return None if row.now is None else Verdict(row.now)

    incident = to_one(
        Incident, incidents.Incident, "incident_id", "Incident with the changed verdict."
    )

    promise = to_one(
        PromiseTerm, TermRow, "term_id", "Promise in the terms that the verdict is about."
    )


@from_row(RestatedWindow)
class Restatement:
    """Window measured twice: with the facts known at an instant, and with those known now."""

    known_at: Annotated[
        datetime, "Instant of knowledge: facts recorded after it do not count for `then`."
    ]
    changed: Annotated[list[VerdictChange], "Verdicts that differ between the two measurements."]

    @resolver(SlaCompliance | None)
    @staticmethod
    def then(row: RestatedRow) -> quality.Measurement | None:
        """Measurement with the facts known then; null when nothing was decided."""
        return row.then

    @resolver(SlaCompliance | None)
    @staticmethod
    def now(row: RestatedRow) -> quality.Measurement | None:
        """Measurement with the facts known now; null when nothing was decided."""
        return row.now
