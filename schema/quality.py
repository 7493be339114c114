"""Quality: policies and measurements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, quality
from domain.accounts import ServiceTier
from domain.quality import Benchmark, Component, RestatedWindow, Scope, Window
from schema.accounts import Account
from schema.comparisons import BudgetBurn, QualityBenchmark, Restatement
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.scalars import Long
from schema.core.types import from_row, input_type, resolver
from schema.measurements import SlaCompliance
from schema.quality_scores import QualityScore


@from_row(quality.QualityPolicy)
class QualityPolicy(Node):
    """Quality weights and risk limit, for an account, a service tier or the company."""

    tier: Annotated[
        ServiceTier | None, "Service tier that the policy covers; null when not for a tier."
    ]
    risk_limit_bps: Annotated[
        Long | None,
        "Limit for a month's credits in 19 of 20 cases, in basis points (hundredths of a percent) of the fee.",
    ]

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account that the policy covers; null when not for one account.",
    )


@input_type
class QualityWeightInput:
    """Weight of one component of the quality score."""

    component: Annotated[Component, "Component of the quality score."]
    weight: Annotated[int, "Weight as a whole number, 0 or more."]


@mutation_fields
class QualityMutation:
    """Mutations of quality policies."""

    @mutation(QualityPolicy)
    @staticmethod
    async def set_quality_policy(
        ask: MutationContext,
        account_id: Annotated[AccountId | None, "Account that the policy covers."] = None,
        tier: Annotated[ServiceTier | None, "Service tier that the policy covers."] = None,
        weights: Annotated[
            list[QualityWeightInput] | None,
            "Weights of components; those not listed weigh nothing. Omitted: unchanged; null: as the level above.",
        ] = UNSET,
        risk_limit_bps: Annotated[
            int | None,
            "Risk limit in basis points of the fee; omitted: unchanged; null: as the level above.",
        ] = UNSET,
    ) -> quality.QualityPolicy:
        """Set the quality weights and the risk limit of an account, a tier or (with neither) the company."""
        given: dict[str, Any] = {"weights": weights, "risk_limit_bps": risk_limit_bps}
        chosen = {name: value for name, value in given.items() if value is not UNSET}
        if chosen.get("weights") is not None:
            chosen["weights"] = {each.component: each.weight for each in chosen["weights"]}
        return await quality.set_policy(
            ask.tx,
            tier=tier,
            account_id=account_id,
            left_out=given.keys() - chosen.keys(),
            **chosen,
        )


AccountArg = Annotated[strawberry.ID, "Account to be measured."]
WindowArg = Annotated[Window, "Type of the window, such as a month."]
AtArg = Annotated[
    datetime | None, "Instant in the window, or the end of a rolling window; null for now."
]
SiteArg = Annotated[strawberry.ID | None, "Only incidents at this site."]
PromiseArg = Annotated[strawberry.ID | None, "Only this promise of the terms."]


@query_fields
class QualityQuery:
    """Queries of compliance and quality."""

    @resolver(SlaCompliance | None, work=200)
    @staticmethod
    async def sla_compliance(
        info: Info,
        account_id: AccountArg,
        window: WindowArg,
        site_id: SiteArg = None,
        promise_id: PromiseArg = None,
        at: AtArg = None,
    ) -> quality.Measurement | None:
        """Compliance of an account, a site or a promise in a window; null when nothing was decided in it."""
        scope = _scope(site_id, promise_id)
        return None if scope is None else await _measured(info, account_id, scope, window, at)

    @resolver(QualityScore | None, work=200)
    @staticmethod
    async def quality_score(
        info: Info,
        account_id: AccountArg,
        window: WindowArg = Window.MONTH,
        site_id: SiteArg = None,
        at: AtArg = None,
    ) -> quality.Measurement | None:
        """Quality score of an account or a site in a window; null when nothing was decided in it."""
        scope = _scope(site_id, None)
        return None if scope is None else await _measured(info, account_id, scope, window, at)

    @resolver(list[BudgetBurn], work=200)
    @staticmethod
    async def budget_burn(info: Info, account_id: AccountArg) -> Sequence[quality.BurnState]:
        """Burn rate of each error budget of an account."""
        account = ids.known(account_id, "Account")
        if account is None:
            return []
        async with info.context.sessions() as session:
            return await quality.burning(session, info.context.actor, account)

    @resolver(QualityBenchmark | None, work=1000)
    @staticmethod
    async def quality_benchmark(
        info: Info, account_id: AccountArg, window: WindowArg = Window.MONTH, at: AtArg = None
    ) -> Benchmark | None:
        """Comparison of an account's window with its own earlier windows and with other accounts."""
        account, now = ids.known(account_id, "Account"), info.context.at
        if account is None:
            return None
        async with info.context.sessions() as session:
            return await quality.benchmark(
                session, info.context.actor, account, window, at=at or now, now=now
            )

    @resolver(Restatement | None, work=1000)
    @staticmethod
    async def sla_restatement(
        info: Info,
        account_id: AccountArg,
        window: WindowArg,
        at: Annotated[datetime, "Instant in the window, or the end of a rolling window."],
        known_at: Annotated[datetime, "Instant of knowledge: only facts recorded by then count."],
        site_id: SiteArg = None,
        promise_id: PromiseArg = None,
    ) -> RestatedWindow | None:
        """Past window, evaluated with the facts known at an instant and with those known now."""
        account, scope = ids.known(account_id, "Account"), _scope(site_id, promise_id)
        if account is None or scope is None:
            return None
        async with info.context.sessions() as session:
            return await quality.restated(
                session,
                info.context.actor,
                account,
                scope,
                window,
                at=at,
                known_at=known_at,
                now=info.context.at,
            )


def _scope(site_id: str | None, promise_id: str | None) -> Scope | None:
    """Return the scope of a query; None for unknown ids, and for a site together with a promise."""
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
