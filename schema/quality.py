"""Quality: compliance and scores per window, burning budgets, and how a client compares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import strawberry
from sqlalchemy import select

from domain import agreements, calendars, incidents, quality, sla
from domain.accounts import ServiceTier
from domain.accounts import Site as SiteRow
from domain.agreements import PromiseTerm as TermRow
from domain.quality import Among, Benchmark, Burn, Changed, Component, Restated, Scope, Window
from domain.sla import State
from schema import ids
from schema.accounts import Account, Site
from schema.agreements import PromiseTerm, Terms
from schema.calendars import CalendarVersion
from schema.context import Info
from schema.fence import seen
from schema.ids import Node
from schema.incidents import Incident
from schema.pages import checked
from schema.promises import SECOND_US, Promise, Verdict
from schema.scalars import Long
from schema.thin import answers, names, shows, takes
from schema.verbs import AccountId, Ask, verb

names(
    Window, "Window",
    day="A day of the client's calendar.", week="A week, Monday to Sunday.", month="A month.",
    quarter="Three months.", contract_year="A year from the first agreement's day on.",
    last_24h="The 24 hours up to the instant.",
    last_7d="The 7 days up to the instant.", last_28d="The 28 days up to the instant.",
)  # fmt: skip
names(
    Burn, "BurnRate",
    calm="Slower than the budget allows.", ticket="Too fast for the month: look at it.",
    page="So fast that it is gone in days: act now.",
)  # fmt: skip
names(
    Component, "QualityComponent",
    punctuality="Being there in time.", coverage="Hours delivered of those agreed.",
    patrol="Rounds and checkpoints.", incidents="Answering and resolving tickets.",
    reports="Telling in time.", audit="Audits.", rating="What the client says.",
)  # fmt: skip

Row = strawberry.Parent[quality.Measurement]
BurnRow = strawberry.Parent[quality.BurnState]
AmongRow = strawberry.Parent[Among]
ChangedRow = strawberry.Parent[Changed]
RestatedRow = strawberry.Parent[Restated]
BenchmarkRow = strawberry.Parent[Benchmark]
Few = Annotated[int, "How many at most, 100 at most."]
E6 = 1_000_000


class Share(NamedTuple):
    """What one component contributes."""

    component: Component
    e6: int


@shows(Share)
class Contribution:
    """What one component contributes to a quality score; the millionths of all sum to the score's exactly."""

    component: Annotated[Component, "What it is about."]

    @answers(float)
    @staticmethod
    def points(row: strawberry.Parent[Share]) -> float:
        """Points of the score's 100."""
        return row.e6 / E6

    @answers(Long)
    @staticmethod
    def points_millionths(row: strawberry.Parent[Share]) -> int:
        """The same in millionths of a point."""
        return row.e6


@shows(quality.Measurement)
class SlaCompliance:
    """What the promises decided in a window come to, for a promise, a place or a client."""

    window: Annotated[Window, "What sort of window."]
    from_at: Annotated[datetime, "Its begin."]
    until_at: Annotated[datetime, "Its end, exclusive."]
    n: Annotated[Long, "How many promises were decided in it: the denominator."]
    kept: Annotated[Long, "How many of them were kept: the numerator."]
    ratio: Annotated[float, "kept / n."]
    wilson: Annotated[float, "Lower bound of the ratio, with 95 % confidence (Wilson)."]
    misses_left: Annotated[
        Long, "How many more could be late within the objectives; below 0: overspent."
    ]
    score: Annotated[
        float, "Time-decayed mean quality, 0 to 1, of all that was decided before the end."
    ]
    evaluator: Annotated[int, "Version of the evaluator."]
    evaluated_at: Annotated[datetime, "As of when it was judged."]

    @answers(Long)
    @staticmethod
    def late(row: Row) -> int:
        """How many were broken."""
        return row.n - row.kept

    @answers(float | None)
    @staticmethod
    def budget(row: Row) -> float | None:
        """Share of the error budget that is left, below 0 when overspent; null when there is none and it was needed."""
        return None if row.budget == float("-inf") else row.budget

    @answers(float | None)
    @staticmethod
    def p50_s(row: Row) -> float | None:
        """The median time, in seconds of the promise's calendar; null where several promises would mix."""
        return _seconds(row.p50_us)

    @answers(float | None)
    @staticmethod
    def p90_s(row: Row) -> float | None:
        """Nine of ten took at most this, in seconds."""
        return _seconds(row.p90_us)

    @answers(float | None)
    @staticmethod
    def p95_s(row: Row) -> float | None:
        """Nineteen of twenty took at most this, in seconds."""
        return _seconds(row.p95_us)

    @answers(str)
    @staticmethod
    def input_sha256(row: Row) -> str:
        """Hash of the clock facts it follows from, in hex; `docs/evaluation.md` says how to make it."""
        return row.input_sha256.hex()

    @answers(Site | None)
    @staticmethod
    async def site(row: Row, info: Info) -> SiteRow | None:
        """The place it is about."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @answers(PromiseTerm | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> TermRow | None:
        """The promise it is about."""
        if row.term_id is None:
            return None
        return await info.context.loaders.promise_term.load(row.term_id)

    @answers(list[Terms])
    @staticmethod
    async def terms(row: Row, info: Info) -> Sequence[agreements.Terms]:
        """The versions of the terms that held for what was decided."""
        loader = info.context.loaders.of_type["Terms"]
        return [each for each in await loader.load_many(row.terms_ids) if each is not None]

    @answers(list[CalendarVersion])
    @staticmethod
    async def calendars(row: Row, info: Info) -> Sequence[calendars.CalendarVersion]:
        """The calendars on which it was measured."""
        loader = info.context.loaders.calendar_version
        found = await loader.load_many(row.calendar_version_ids)
        return [each for each in found if each is not None]

    @answers(list[Promise])
    @staticmethod
    async def late_promises(row: Row, info: Info, first: Few = 20) -> Sequence[sla.Promise]:
        """The broken promises of the window, the latest first; `decidingFacts` says what decided each."""
        query = (
            _of(row, info)
            .where(
                sla.Promise.state == State.LATE,
                sla.Promise.decided_at >= row.from_at,
                sla.Promise.decided_at < row.until_at,
            )
            .order_by(sla.Promise.decided_at.desc(), sla.Promise.id)
        )
        return await _promises(info, query, first)

    @answers(list[Promise])
    @staticmethod
    async def excluded(row: Row, info: Info, first: Few = 20) -> Sequence[sla.Promise]:
        """Promises begun before the window's end that count nowhere: undecided, or they turned out never to hold."""
        outside = (State.RUNNING, State.AT_RISK, State.PAUSED, State.CANCELLED)
        query = (
            _of(row, info)
            .where(sla.Promise.state.in_(outside), sla.Promise.started_at < row.until_at)
            .order_by(sla.Promise.started_at.desc(), sla.Promise.id)
        )
        return await _promises(info, query, first)


@shows(quality.Measurement)
class QualityScore:
    """How good the service was in a window, 0 to 100, and what that consists of."""

    window: Annotated[Window, "What sort of window."]
    from_at: Annotated[datetime, "Its begin."]
    until_at: Annotated[datetime, "Its end, exclusive."]
    n: Annotated[Long, "How many decided promises it rests on."]
    evaluated_at: Annotated[datetime, "As of when it was judged."]

    @answers(float | None)
    @staticmethod
    def points(row: Row) -> float | None:
        """The score; null for insufficient data."""
        return None if row.points_e6 is None else row.points_e6 / E6

    @answers(Long | None)
    @staticmethod
    def points_millionths(row: Row) -> int | None:
        """The score in millionths of a point, exact."""
        return row.points_e6

    @answers(bool)
    @staticmethod
    def insufficient_data(row: Row) -> bool:
        """Whether fewer than five promises, or less than 30 % of the weight, have data."""
        return row.points_e6 is None

    @answers(float)
    @staticmethod
    def coverage(row: Row) -> float:
        """Share of the weight that has data."""
        return (row.coverage_ppm or 0) / E6

    @answers(float | None)
    @staticmethod
    def change(row: Row) -> float | None:
        """Points more (or less) than in the window before; null when one of the two has no score."""
        return None if row.change_e6 is None else row.change_e6 / E6

    @answers(list[Contribution])
    @staticmethod
    def contributions(row: Row) -> list[Share]:
        """What each component contributes; together exactly the score."""
        told = row.contributions_e6
        return [Share(part, told[part.value]) for part in Component if part.value in told]


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


@shows(quality.QualityPolicy)
class QualityPolicy(Node):
    """What quality is made of and how much risk may be promised: for a client, a service tier, or the company."""

    tier: Annotated[ServiceTier | None, "For clients of this tier."]
    risk_limit_bps: Annotated[
        Long | None, "A month's credits in 19 of 20 cases, in hundredths of a percent of the fee."
    ]

    @answers(Account | None)
    @staticmethod
    async def account(row: strawberry.Parent[quality.QualityPolicy], info: Info) -> Any:
        """The client it is for."""
        if row.account_id is None:
            return None
        return await info.context.loaders.account.load(row.account_id)


@takes
class QualityWeightInput:
    """How much a component weighs."""

    component: Annotated[Component, "The component."]
    weight: Annotated[int, "A whole number, 0 or more."]


@strawberry.type
class QualityMutation:
    """Verbs about quality."""

    @verb(QualityPolicy)
    @staticmethod
    async def set_quality_policy(
        ask: Ask,
        account_id: Annotated[AccountId | None, "For this client."] = None,
        tier: Annotated[ServiceTier | None, "For clients of this tier."] = None,
        weights: Annotated[
            list[QualityWeightInput] | None,
            "Components not named weigh nothing; null: as the level above.",
        ] = None,
        risk_limit_bps: Annotated[int | None, "The limit; null: as the level above."] = None,
    ) -> quality.QualityPolicy:
        """Say what quality is made of and how much risk may be promised, for a client, a tier or (neither) all."""
        chosen = None if weights is None else {each.component: each.weight for each in weights}
        return await quality.set_policy(
            ask.session, ask.actor, tier=tier, account_id=account_id, weights=chosen,
            risk_limit_bps=risk_limit_bps, at=ask.at,
        )  # fmt: skip


AccountArg = Annotated[strawberry.ID, "The client."]
WindowArg = Annotated[Window, "What sort of window."]
AtArg = Annotated[
    datetime | None, "An instant in the window, or the end of a rolling one; null for now."
]
SiteArg = Annotated[strawberry.ID | None, "Only of this place."]
PromiseArg = Annotated[strawberry.ID | None, "Only of this promise."]


@strawberry.type
class QualityQuery:
    """What can be asked about quality."""

    @answers(SlaCompliance | None)
    @staticmethod
    async def sla_compliance(
        info: Info,
        account_id: AccountArg,
        window: WindowArg,
        site_id: SiteArg = None,
        promise_id: PromiseArg = None,
        at: AtArg = None,
    ) -> quality.Measurement | None:
        """Compliance of a client, a place or a promise in a window; null when nothing was decided in it."""
        scope = _scope(site_id, promise_id)
        return None if scope is None else await _measured(info, account_id, scope, window, at)

    @answers(QualityScore | None)
    @staticmethod
    async def quality_score(
        info: Info,
        account_id: AccountArg,
        window: WindowArg = Window.MONTH,
        site_id: SiteArg = None,
        at: AtArg = None,
    ) -> quality.Measurement | None:
        """Quality of a client or a place in a window; null when nothing was decided in it."""
        scope = _scope(site_id, None)
        return None if scope is None else await _measured(info, account_id, scope, window, at)

    @answers(list[BudgetBurn])
    @staticmethod
    async def budget_burn(info: Info, account_id: AccountArg) -> Sequence[quality.BurnState]:
        """How fast each error budget of a client burns."""
        account = ids.known(account_id, "Account")
        if account is None:
            return []
        async with info.context.sessions() as session:
            return await quality.burning(session, info.context.actor, account)

    @answers(QualityBenchmark | None)
    @staticmethod
    async def quality_benchmark(
        info: Info, account_id: AccountArg, window: WindowArg = Window.MONTH, at: AtArg = None
    ) -> Benchmark | None:
        """How a client's window compares with its own earlier ones and with other clients."""
        account, now = ids.known(account_id, "Account"), info.context.at
        if account is None:
            return None
        async with info.context.sessions() as session:
            return await quality.benchmark(
                session, info.context.actor, account, window, at=at or now, now=now
            )

    @answers(Restatement | None)
    @staticmethod
    async def sla_restatement(
        info: Info,
        account_id: AccountArg,
        window: WindowArg,
        at: Annotated[datetime, "An instant in the window, or the end of a rolling one."],
        known_at: Annotated[datetime, "With the facts recorded by this instant."],
        site_id: SiteArg = None,
        promise_id: PromiseArg = None,
    ) -> Restated | None:
        """A past window evaluated again from the ledger as it was known, beside what is known now."""
        account, scope = ids.known(account_id, "Account"), _scope(site_id, promise_id)
        if account is None or scope is None:
            return None
        async with info.context.sessions() as session:
            return await quality.restated(
                session, info.context.actor, account, scope, window,
                at=at, known_at=known_at, now=info.context.at,
            )  # fmt: skip


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / SECOND_US


def _scope(site_id: str | None, promise_id: str | None) -> Scope | None:
    """What is asked about; None for ids of nothing, and for a place and a promise at once."""
    site: UUID | None = None if site_id is None else ids.known(site_id, "Site")
    term: UUID | None = None if promise_id is None else ids.known(promise_id, "PromiseTerm")
    lost = (site_id is not None and site is None) or (promise_id is not None and term is None)
    return None if lost or (site and term) else Scope(site, term)


async def _measured(
    info: Info, account_id: str, scope: Scope, window: Window, at: datetime | None
) -> quality.Measurement | None:
    account, now = ids.known(account_id, "Account"), info.context.at
    if account is None:
        return None
    async with info.context.sessions() as session:
        return await quality.compliance(
            session, info.context.actor, account, scope, window, at=at or now, now=now
        )


def _of(row: quality.Measurement, info: Info) -> Any:
    """The promises a measurement is about, fenced."""
    query = select(sla.Promise).where(
        seen(info.context.actor, sla.Promise), sla.Promise.account_id == row.account_id
    )
    if row.term_id is not None:
        return query.where(sla.Promise.term_id == row.term_id)
    query = query.where(~sla.Promise.internal)
    if row.site_id is None:
        return query
    there = select(incidents.Incident.id).where(incidents.Incident.site_id == row.site_id)
    return query.where(sla.Promise.incident_id.in_(there))


async def _promises(info: Info, query: Any, first: int) -> Sequence[sla.Promise]:
    async with info.context.sessions() as session:
        return list(await session.scalars(query.limit(checked(first, "first"))))
