"""Comparisons: budgets that burn, a client among others, and a window as it was known before."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import incidents, quality
from domain.agreements import PromiseTerm as TermRow
from domain.quality import Benchmark, Burn, ChangedVerdict, PeerDistribution, RestatedWindow
from schema.agreements import PromiseTerm
from schema.core.context import Info
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.incidents import Incident
from schema.measurements import SlaCompliance
from schema.promises import Verdict

enum(
    Burn, "BurnRate",
    calm="Slower than the budget allows.", ticket="Too fast for the month: look at it.",
    page="So fast that it is gone in days: act now.",
)  # fmt: skip

BurnRow = strawberry.Parent[quality.BurnState]
ChangedRow = strawberry.Parent[ChangedVerdict]
RestatedRow = strawberry.Parent[RestatedWindow]
BenchmarkRow = strawberry.Parent[Benchmark]


@from_row(quality.BurnState)
class BudgetBurn:
    """How fast the error budget of a promise is used up, as of the last look."""

    state: Annotated[Burn, "How fast."]
    since_at: Annotated[datetime, "Since when it burns like this."]
    misses_left: Annotated[
        Long, "How many more of the last 30 days' promises could be late; below 0: overspent."
    ]
    looked_at: Annotated[datetime, "When it was last looked at."]

    @resolver(Long)
    @staticmethod
    def decided(row: BurnRow) -> int:
        """How many of these promises were decided in the last 30 days."""
        return row.n_30d

    @resolver(PromiseTerm | None)
    @staticmethod
    async def promise(row: BurnRow, info: Info) -> TermRow | None:
        """The promise."""
        return await info.context.loaders.promise_term.load(row.term_id)


@from_row(PeerDistribution)
class Standing:
    """Where a value stands among others."""

    n: Annotated[int, "How many others there are."]
    percentile: Annotated[int, "Which share of them it is above, 0 to 100; equal ones count half."]
    median: Annotated[float, "The middle one of them."]


@from_row(Benchmark)
class QualityBenchmark:
    """A client's window among its own earlier ones and among other clients of the company, who stay unnamed."""

    history: Annotated[
        Standing | None, "The share kept among up to twelve windows before; null: there are none."
    ]
    peers: Annotated[Standing | None, "The share kept among other clients; null: fewer than five."]

    @resolver(SlaCompliance)
    @staticmethod
    def own(row: BenchmarkRow) -> quality.Measurement:
        """The window itself."""
        return row.own

    @resolver(Standing | None)
    @staticmethod
    def history_points(row: BenchmarkRow) -> PeerDistribution | None:
        """The quality score, in millionths of a point, among up to twelve windows before."""
        return row.history_quality

    @resolver(Standing | None)
    @staticmethod
    def peers_points(row: BenchmarkRow) -> PeerDistribution | None:
        """The quality score, in millionths of a point, among other clients; null: fewer than five."""
        return row.peers_quality


@from_row(ChangedVerdict)
class VerdictChange:
    """A verdict that was another one, or none, when less was known."""

    part: Annotated[int, "Which interval of a next-update promise; 0 for others."]

    @resolver(Verdict | None)
    @staticmethod
    def was(row: ChangedRow) -> Verdict | None:
        """The verdict with what was known then; null: not decided in this window."""
        return None if row.was is None else Verdict(row.was)

    @resolver(Verdict | None)
    @staticmethod
    def now(row: ChangedRow) -> Verdict | None:
        """The verdict with what is known now; null: not decided in this window."""
        return None if row.now is None else Verdict(row.now)

    @resolver(Incident | None)
    @staticmethod
    async def incident(row: ChangedRow, info: Info) -> incidents.Incident | None:
        """The ticket."""
        return await info.context.loaders.incident.load(row.incident_id)

    @resolver(PromiseTerm | None)
    @staticmethod
    async def promise(row: ChangedRow, info: Info) -> TermRow | None:
        """The promise."""
        return await info.context.loaders.promise_term.load(row.term_id)


@from_row(RestatedWindow)
class Restatement:
    """A window measured twice: with the facts known at an instant, and with those known now."""

    known_at: Annotated[datetime, "Facts recorded later do not count for `then`."]
    changed: Annotated[list[VerdictChange], "The verdicts that differ."]

    @resolver(SlaCompliance | None)
    @staticmethod
    def then(row: RestatedRow) -> quality.Measurement | None:
        """As it was known; null when nothing was decided."""
        return row.then

    @resolver(SlaCompliance | None)
    @staticmethod
    def now(row: RestatedRow) -> quality.Measurement | None:
        """As it is known now; null when nothing was decided."""
        return row.now
