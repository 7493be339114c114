"""Comparisons: budgets that burn, a client among others, and a window as it was known before."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import incidents, quality
from domain.agreements import PromiseTerm as TermRow
from domain.quality import Among, Benchmark, Burn, Changed, Restated
from schema.agreements import PromiseTerm
from schema.context import Info
from schema.incidents import Incident
from schema.measurements import SlaCompliance
from schema.promises import Verdict
from schema.scalars import Long
from schema.thin import answers, names, shows

names(
    Burn, "BurnRate",
    calm="Slower than the budget allows.", ticket="Too fast for the month: look at it.",
    page="So fast that it is gone in days: act now.",
)  # fmt: skip

BurnRow = strawberry.Parent[quality.BurnState]
ChangedRow = strawberry.Parent[Changed]
RestatedRow = strawberry.Parent[Restated]
BenchmarkRow = strawberry.Parent[Benchmark]


@shows(quality.BurnState)
class BudgetBurn:
    """How fast the error budget of a promise is used up, as of the last look."""

    state: Annotated[Burn, "How fast."]
    since_at: Annotated[datetime, "Since when it burns like this."]
    misses_left: Annotated[
        Long, "How many more of the last 30 days' promises could be late; below 0: overspent."
    ]
    looked_at: Annotated[datetime, "When it was last looked at."]

    @answers(Long)
    @staticmethod
    def decided(row: BurnRow) -> int:
        """How many of these promises were decided in the last 30 days."""
        return row.n_30d

    @answers(PromiseTerm | None)
    @staticmethod
    async def promise(row: BurnRow, info: Info) -> TermRow | None:
        """The promise."""
        return await info.context.loaders.promise_term.load(row.term_id)


@shows(Among)
class Standing:
    """Where a value stands among others."""

    n: Annotated[int, "How many others there are."]
    percentile: Annotated[int, "Which share of them it is above, 0 to 100; equal ones count half."]
    median: Annotated[float, "The middle one of them."]


@shows(Benchmark)
class QualityBenchmark:
    """A client's window among its own earlier ones and among other clients of the company, who stay unnamed."""

    history: Annotated[
        Standing | None, "The share kept among up to twelve windows before; null: there are none."
    ]
    peers: Annotated[Standing | None, "The share kept among other clients; null: fewer than five."]

    @answers(SlaCompliance)
    @staticmethod
    def own(row: BenchmarkRow) -> quality.Measurement:
        """The window itself."""
        return row.own

    @answers(Standing | None)
    @staticmethod
    def history_points(row: BenchmarkRow) -> Among | None:
        """The quality score, in millionths of a point, among up to twelve windows before."""
        return row.history_quality

    @answers(Standing | None)
    @staticmethod
    def peers_points(row: BenchmarkRow) -> Among | None:
        """The quality score, in millionths of a point, among other clients; null: fewer than five."""
        return row.peers_quality


@shows(Changed)
class VerdictChange:
    """A verdict that was another one, or none, when less was known."""

    part: Annotated[int, "Which interval of a next-update promise; 0 for others."]

    @answers(Verdict | None)
    @staticmethod
    def was(row: ChangedRow) -> Verdict | None:
        """The verdict with what was known then; null: not decided in this window."""
        return None if row.was is None else Verdict(row.was)

    @answers(Verdict | None)
    @staticmethod
    def now(row: ChangedRow) -> Verdict | None:
        """The verdict with what is known now; null: not decided in this window."""
        return None if row.now is None else Verdict(row.now)

    @answers(Incident | None)
    @staticmethod
    async def incident(row: ChangedRow, info: Info) -> incidents.Incident | None:
        """The ticket."""
        return await info.context.loaders.incident.load(row.incident_id)

    @answers(PromiseTerm | None)
    @staticmethod
    async def promise(row: ChangedRow, info: Info) -> TermRow | None:
        """The promise."""
        return await info.context.loaders.promise_term.load(row.term_id)


@shows(Restated)
class Restatement:
    """A window measured twice: with the facts known at an instant, and with those known now."""

    known_at: Annotated[datetime, "Facts recorded later do not count for `then`."]
    changed: Annotated[list[VerdictChange], "The verdicts that differ."]

    @answers(SlaCompliance | None)
    @staticmethod
    def then(row: RestatedRow) -> quality.Measurement | None:
        """As it was known; null when nothing was decided."""
        return row.then

    @answers(SlaCompliance | None)
    @staticmethod
    def now(row: RestatedRow) -> quality.Measurement | None:
        """As it is known now; null when nothing was decided."""
        return row.now
