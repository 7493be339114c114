"""Simulations: what proposed terms would have come to on a client's own history, and who accepted their risk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, simulation
from domain.simulation import Simulation as SimulationRow
from schema.accounts import Account, Site, User
from schema.agreements import TermsInput
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, MutationContext, SimulationId, mutation
from schema.core.scalars import Long
from schema.core.types import from_row, resolver

Row = strawberry.Parent[SimulationRow]


@dataclass(frozen=True, slots=True)
class SimulatedLineView:
    """One promise, everywhere or at one place."""

    promise: str
    internal: bool
    site_id: str | None
    n: int
    kept: int
    objective_ppm: int
    breaks: bool
    cents: int


LineRow = strawberry.Parent[SimulatedLineView]


@from_row(SimulatedLineView)
class SimulatedPromise:
    """What one proposed promise would have come to, everywhere or at one place."""

    promise: Annotated[str, "What the terms call it."]
    internal: Annotated[bool, "Whether it is the company's own objective."]
    n: Annotated[Long, "How many would have been decided."]
    kept: Annotated[Long, "How many of them would have been kept."]
    objective_ppm: Annotated[int, "The share to be kept, in millionths."]
    breaks: Annotated[bool, "Whether fewer would have been kept than that."]

    @resolver(Long)
    @staticmethod
    def credits_cents(row: LineRow) -> int:
        """Credits before any cap, in cents."""
        return row.cents

    @resolver(Site | None)
    @staticmethod
    async def site(row: LineRow, info: Info) -> accounts.Site | None:
        """The place; null for everywhere."""
        return (
            None if row.site_id is None else await info.context.loaders.site.load(UUID(row.site_id))
        )


@from_row(SimulationRow)
class Simulation(Node):
    """Proposed terms played on a client's own history. Clients are not shown these."""

    from_at: Annotated[datetime, "The history begins here …"]
    until_at: Annotated[datetime, "… and ends here."]
    units: Annotated[Long, "How many promises would have been decided."]
    kept: Annotated[Long, "How many of them would have been kept."]
    weeks: Annotated[Long, "How many whole weeks the credits are drawn from."]
    seed: Annotated[Long, "Of the draws: the same seed draws the same."]
    p50_cents: Annotated[Long, "Credits of a month, median, in cents."]
    p95_cents: Annotated[Long, "Credits of a month in 19 of 20 cases at most, in cents."]
    limit_cents: Annotated[Long, "Above this the terms need a sign-off, in cents."]
    simulated_at: Annotated[datetime, "When it was made."]
    simulated_by: Annotated[str, "Who made it."]
    evaluator: Annotated[int, "Version of the evaluator."]
    signed_off_at: Annotated[datetime | None, "When its risk was accepted."]
    sign_off_reason: Annotated[str | None, "Why."]

    @resolver(str)
    @staticmethod
    def terms_sha256(row: Row) -> str:
        """Hash of the terms in canonical form, in hex: it speaks for these terms and no others."""
        return row.terms_sha256.hex()

    @resolver(bool)
    @staticmethod
    def sign_off_needed(row: Row) -> bool:
        """Whether the terms cannot hold before somebody accepts their risk."""
        return row.p95_cents > row.limit_cents and row.signed_off_at is None

    @resolver(list[SimulatedPromise])
    @staticmethod
    def promises(row: Row) -> Sequence[SimulatedLineView]:
        """Every promise, everywhere and then place by place."""
        return [SimulatedLineView(**line) for line in row.report["lines"]]

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> Any:
        """The client whose history it is."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(User | None)
    @staticmethod
    async def signed_off_by(row: Row, info: Info) -> Any:
        """Who accepted the risk."""
        if row.signed_off_by_id is None:
            return None
        return await info.context.loaders.user.load(row.signed_off_by_id)


@strawberry.type
class SimulationMutation:
    """Verbs about proposed terms."""

    @mutation(Simulation)
    @staticmethod
    async def simulate_terms(
        ask: MutationContext,
        account_id: Annotated[AccountId, "The client."],
        terms: Annotated[TermsInput, "The proposed terms, in full."],
        from_at: Annotated[datetime | None, "Only tickets opened from here on."] = None,
        until_at: Annotated[datetime | None, "Only up to here; null for now."] = None,
        seed: Annotated[int, "Of the draws."] = 0,
    ) -> SimulationRow:
        """Play proposed terms on the client's own tickets; nothing but the result is kept."""
        return await simulation.simulate(
            ask.session, ask.actor, account_id, terms=terms.draft(), at=ask.at,
            from_at=from_at, until_at=until_at, seed=seed,
        )  # fmt: skip

    @mutation(Simulation)
    @staticmethod
    async def sign_off_terms(
        ask: MutationContext,
        id: Annotated[SimulationId, "The simulation of the terms."],
        reason: Annotated[str, "Why the risk is worth taking."],
    ) -> SimulationRow:
        """Accept, under your name, the risk of terms above the limit."""
        return await simulation.sign_off(ask.session, ask.actor, id, reason=reason, at=ask.at)
