"""Simulations of proposed terms on a client's own history, and the acceptance of their risk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, simulation
from domain.simulation import Simulation as SimulationRow
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import from_row, resolver
from schema.sites import Site
from schema.terms_input import TermsInput
from schema.users import User

SimulationId = Annotated[UUID, GlobalIdOf("Simulation")]
Row = strawberry.Parent[SimulationRow]


@dataclass(frozen=True, slots=True)
class SimulatedLineView:
    """Result of one promise, for all sites or one site."""

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
    """Result of one proposed promise, for all sites or one site."""

    promise: Annotated[str, "Name of the promise in the proposed terms."]
    internal: Annotated[bool, "Whether it is an internal objective of the company."]
    n: Annotated[Long, "Number of promises that would have been decided."]
    kept: Annotated[Long, "Number of these that would have been kept."]
    objective_ppm: Annotated[int, "Share that must be kept, in millionths."]
    breaks: Annotated[bool, "Whether the share kept is below that objective."]

    @resolver(Long)
    @staticmethod
    def credits_cents(row: LineRow) -> int:
        """Credits before any cap, in cents."""
        return row.cents

    @resolver(Site | None)
    @staticmethod
    async def site(row: LineRow, info: Info) -> accounts.Site | None:
        """Site of the result; null for all sites."""
        return (
            None
            if row.site_id is None
            else await info.context.get(accounts.Site, UUID(row.site_id))
        )


@from_row(SimulationRow)
class Simulation(Node):
    """Simulation of proposed terms on a client's own history. Not visible to clients."""

    from_at: Annotated[datetime, "Start of the history, inclusive."]
    until_at: Annotated[datetime, "End of the history, exclusive."]
    units: Annotated[Long, "Number of promises that would have been decided."]
    kept: Annotated[Long, "Number of these that would have been kept."]
    weeks: Annotated[Long, "Number of whole weeks from which the credits are drawn."]
    seed: Annotated[Long, "Seed of the random draws: the same seed gives the same result."]
    p50_cents: Annotated[Long, "Median of the credits of a month, in cents."]
    p95_cents: Annotated[Long, "95th percentile of the credits of a month, in cents."]
    limit_cents: Annotated[Long, "Limit above which the terms need a sign-off, in cents."]
    simulated_at: Annotated[datetime, "Time at which the simulation was made."]
    simulated_by: Annotated[str, "Actor who made the simulation."]
    evaluator: Annotated[int, "Version of the evaluator that computed it."]
    signed_off_at: Annotated[datetime | None, "Time at which the risk was accepted; null before."]
    sign_off_reason: Annotated[str | None, "Reason for accepting the risk; null before."]

    @resolver(str)
    @staticmethod
    def terms_sha256(row: Row) -> str:
        """Hash of the terms in canonical form, in hex: the simulation is valid for these terms only."""
        return row.terms_sha256.hex()

    @resolver(bool)
    @staticmethod
    def sign_off_needed(row: Row) -> bool:
        """Whether the terms cannot come into force before the risk is accepted."""
        return row.p95_cents > row.limit_cents and row.signed_off_at is None

    @resolver(list[SimulatedPromise])
    @staticmethod
    def promises(row: Row) -> Sequence[SimulatedLineView]:
        """Results of each promise, for all sites and then by site."""
        return [SimulatedLineView(**line) for line in row.report["lines"]]

    account = to_one(
        Account, accounts.Account, "account_id", "Account with the history that was used."
    )

    signed_off_by = to_one(
        User, accounts.User, "signed_off_by_id", "User who accepted the risk; null before."
    )


@mutation_fields
class SimulationMutation:
    """Mutations of simulations."""

    @mutation(Simulation)
    @staticmethod
    async def simulate_terms(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account with the history to use."],
        terms: Annotated[TermsInput, "Proposed terms, in full."],
        from_at: Annotated[
            datetime | None, "Only incidents opened at this instant or later."
        ] = None,
        until_at: Annotated[
            datetime | None, "Only incidents opened before this instant; null for now."
        ] = None,
        seed: Annotated[int, "Seed of the random draws."] = 0,
    ) -> SimulationRow:
        """Simulate proposed terms on the client's own incidents; only the result is stored."""
        return await simulation.simulate(
            ask.tx, account_id, terms=terms.draft(), from_at=from_at, until_at=until_at, seed=seed
        )

    @mutation(Simulation)
    @staticmethod
    async def sign_off_terms(
        ask: MutationContext,
        id: Annotated[SimulationId, "Simulation of the terms to be accepted."],
        reason: Annotated[str, "Reason for accepting the risk."],
    ) -> SimulationRow:
        """Accept, under your name, the risk of terms above the limit."""
        return await simulation.sign_off(ask.tx, id, reason=reason)
