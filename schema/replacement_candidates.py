"""Candidates for the shift of an absent guard: who may take it, in order, and who may not, with the rule."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, replacements, shifts
from domain.access import Right
from domain.core.errors import Code, Refused
from domain.replacements import CandidateFactor, CandidateGuard, ExclusionRule, FactorReason
from domain.shifts import WorkingTimeRule
from schema.core import ids
from schema.core.context import Info
from schema.core.roots import query_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.users import User

enum(
    CandidateFactor,
    "CandidateFactor",
    arrival="Minutes after the start at which the guard can be there, in steps of a quarter of an hour.",
    rest="Rest before the shift, in steps of four hours.",
    contract="Contract hours left in the week, in steps of four hours.",
    cost="Cost of an hour, in steps of five euros.",
    post="Shifts that the guard worked at this post in sixteen weeks.",
)
enum(
    ExclusionRule,
    "ExclusionRule",
    **{
        "pass": "No pass is recorded, or it has expired by the day of the shift.",
        "qualification": "A qualification that the post requires is not held on the day.",
        "barred": "The client does not want the guard at its sites.",
        "absent": "The guard is absent from this shift or from one around it.",
        "overlap": "The guard is on another shift at the time.",
        "working_time": "The shift would break a rule on working time or rest.",
    },
)
enum(
    WorkingTimeRule,
    "WorkingTimeRule",
    longest_shift="At most 12 hours of work a shift.",
    longest_night="At most 10 hours of work in a night; only warns.",
    daily_rest="At least 11 hours of rest between working days.",
    rest_after_night="At least 14 hours of rest after a night that ends after 02:00.",
    rest_after_nights="At least 46 hours of rest after three nights or more.",
    weekly_rest="At least 36 hours of rest in seven days, or 72 in fourteen.",
    week="At most 60 hours of work in a calendar week.",
    four_weeks="At most 55 hours a week on average over four weeks.",
    sixteen_weeks="At most 48 hours a week on average over sixteen weeks.",
    nights="At most 36 nights that end after 02:00 in sixteen weeks.",
)

CandidateRow = strawberry.Parent[CandidateGuard]
ExcludedRow = strawberry.Parent[replacements.ExcludedGuard]
MOST_SHOWN = 500


@from_row(FactorReason)
class CandidateFactorStep:
    """Step of a factor that orders candidates, and its figure in words."""

    kind: Annotated[CandidateFactor, "Factor, the most important first."]
    step: Annotated[int, "Step of the factor; lower is better."]
    text: Annotated[str, "Figure of the factor in words."]


@from_row(CandidateGuard)
class ReplacementCandidate:
    """A guard who may take the shift, and why at this place."""

    place: Annotated[int, "Place in the order, from 1."]
    travel_minutes: Annotated[
        int | None, "Minutes to prepare and travel: the distance at 35 km/h, and 20 minutes."
    ]
    arrives_at: Annotated[datetime | None, "Time at which the guard can be there; null: unknown."]
    late_minutes: Annotated[int | None, "Minutes from the start of the shift to that time."]
    rest_minutes: Annotated[
        int | None, "Minutes from the end of the shift before; null: none in sixteen weeks."
    ]
    contract_minutes_left: Annotated[
        int | None, "Contract minutes left in the week with this shift; null: no contract is known."
    ]
    hour_cost_cents: Annotated[int | None, "Cost of an hour to the company, in cents.", RESTRICTED]
    shifts_at_post: Annotated[int, "Shifts that the guard worked at this post in sixteen weeks."]

    @resolver(list[CandidateFactorStep])
    @staticmethod
    def factors(row: CandidateRow, info: Info) -> list[FactorReason]:
        """Steps by which candidates are ordered, the most important first; without cost for whoever reads no money."""
        sees_money = info.context.actor.may(Right.READ_MONEY)
        return [each for each in row.factors if sees_money or each.kind is not CandidateFactor.COST]

    @resolver(User | None)
    @staticmethod
    async def user(row: CandidateRow, info: Info) -> accounts.User | None:
        """User who is the guard."""
        return await info.context.get(accounts.User, row.user_id)


@from_row(replacements.ExcludedGuard)
class ExcludedGuard:
    """A guard who may not take the shift, and the rule."""

    reason: Annotated[ExclusionRule, "Rule by which the guard is no candidate."]
    rule: Annotated[
        WorkingTimeRule | None, "Rule on working time, for an exclusion of kind WORKING_TIME."
    ]
    text: Annotated[str, "Rule with its figures, in words."]

    @resolver(User | None)
    @staticmethod
    async def user(row: ExcludedRow, info: Info) -> accounts.User | None:
        """User who is the guard."""
        return await info.context.get(accounts.User, row.user_id)


@strawberry.type(description="Guards of the company for one shift: who may take it, and who not.")
class ReplacementRanking:
    """Candidates for a shift."""

    candidate_count: int = strawberry.field(description="Number of guards who may take it.")
    candidates: list[ReplacementCandidate] = strawberry.field(description="The best ones first.")
    excluded_count: int = strawberry.field(description="Number of guards who may not take it.")
    excluded: list[ExcludedGuard] = strawberry.field(description="Those, each with the rule.")
    acceptance_pct: float = strawberry.field(
        description="Share of offers that guards of the company accept, in percent."
    )
    wave_size: int = strawberry.field(
        description="Number of offers at once with which nine in ten times somebody accepts."
    )


@query_fields
class CandidateQuery:
    """Queries of candidates."""

    @resolver(ReplacementRanking, work=5_000)
    @staticmethod
    async def replacement_candidates(
        info: Info,
        shift_id: Annotated[strawberry.ID, "Shift to be taken by another guard."],
        first: Annotated[int, "Maximum number of candidates to return, at most 500."] = 50,
        first_excluded: Annotated[
            int, "Maximum number of excluded guards to return, at most 500."
        ] = 50,
    ) -> Any:
        """Guards for the shift of an absent one, the best first, and who is excluded by which rule; for the office."""
        for name, value in (("first", first), ("firstExcluded", first_excluded)):
            if not 0 <= value <= MOST_SHOWN:
                raise Refused(Code.INVALID, f"{name} must be 0 to {MOST_SHOWN}.", argument=name)
        shift = await info.context.get(shifts.Shift, ids.wanted(shift_id, "Shift", "shiftId"))
        if shift is None:
            raise Refused(Code.NOT_FOUND, "No such shift.", argument="shiftId")
        at = info.context.at
        async with info.context.sessions() as session:
            found = await replacements.rank(session, shift, at=at)
            counts = await replacements.offers_so_far(
                session, shift.tenant_id, since=at - replacements.RATE_OVER
            )
        rate = replacements.acceptance_rate(*counts)
        return ReplacementRanking(
            candidate_count=len(found.candidates),
            candidates=found.candidates[:first],  # type: ignore[arg-type]  # rows, as every type here shows
            excluded_count=len(found.excluded),
            excluded=found.excluded[:first_excluded],  # type: ignore[arg-type]
            acceptance_pct=round(100 * rate, 1),
            wave_size=replacements.wave_size(rate),
        )
