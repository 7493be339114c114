"""Terms of agreements: promises, targets and the credits for broken promises."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, agreements, calendars
from domain.agreements import CreditBasis, PerCause
from domain.evidence import DoubtFavours, Grade
from schema.calendars import CalendarVersion
from schema.core.context import Info
from schema.core.enums import ClockStart, Priority, PromiseKind
from schema.core.ids import Node
from schema.core.relations import to_one
from schema.core.scalars import Long
from schema.core.types import enum, from_row, relations, resolver
from schema.sites import Site

enum(
    CreditBasis,
    "CreditBasis",
    fixed="A fixed amount for each credit.",
    fee_share="A share of the period fee.",
    line_share="A share of the price of a rate.",
    service="Units of a rate, free of charge.",
)
enum(
    PerCause,
    "PerCause",
    largest="Only the largest of the credits for one incident counts.",
    each="Every credit for the incident counts in full.",
)

enum(
    DoubtFavours,
    "DoubtFavours",
    client="The client: such evidence does not stop the clock.",
    company="The company: it stops the clock, unless something contradicts it.",
)

TermsRow = strawberry.Parent[agreements.Terms]
TermRow = strawberry.Parent[agreements.PromiseTerm]


@from_row(agreements.PromiseTarget)
class PromiseTarget(Node):
    """Time that a promise allows for one priority: seconds of its calendar, or whole business days."""

    priority: Annotated[Priority, "Priority of the incidents to which the target applies."]
    elapsed_s: Annotated[
        int | None, "Allowed time in seconds of the calendar; null when business days are set."
    ]
    business_days: Annotated[
        int | None, "Allowed time in business days of the calendar; null when seconds are set."
    ]


@from_row(agreements.CreditRule)
class CreditRule(Node):
    """Rule for the credit that one broken promise causes."""

    priority: Annotated[
        Priority | None,
        "Priority to which the rule applies; null for every priority without its own rule.",
    ]
    basis: Annotated[CreditBasis, "Basis on which the credit is computed."]
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."]
    fee_bps: Annotated[
        int | None, "Share of the fee or price, in basis points (hundredths of a percent)."
    ]
    rate_code: Annotated[str | None, "Code of the rate that supplies the price or the free units."]
    units_milli: Annotated[Long | None, "Free units, in thousandths of the rate's unit."]
    least_cents: Annotated[Long, "Minimum amount of the credit, in cents."]
    most_cents: Annotated[Long | None, "Maximum amount of the credit, in cents."]


@from_row(agreements.CreditBand)
class CreditBand:
    """Credit for a month in which too few promises were kept; the lowest band that fits applies."""

    below_ppm: Annotated[
        int, ("Upper limit of the band: it applies when a smaller share was kept, in millionths.")
    ]
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."]
    fee_bps: Annotated[
        int | None, "Share of the period fee, in basis points (hundredths of a percent)."
    ]


@from_row(agreements.PromiseTerm)
class PromiseTerm(Node):
    """One promise in the terms: the incidents it covers, its calendar and its objective."""

    name: Annotated[str, "Name of the promise; unique within the terms."]
    kind: Annotated[
        PromiseKind, "Kind of promise, which decides the events that start and stop its clock."
    ]
    ticket_kinds: Annotated[list[str], "Kinds of incidents that the promise covers; empty for all."]
    category: Annotated[str | None, "Category of incidents that the promise covers; null for all."]
    services: Annotated[
        list[str], "Services that the promise is limited to; empty for all.", "WITH_ROW"
    ]
    objective_ppm: Annotated[int, "Share of these promises that must be kept, in millionths."]
    clock_start: Annotated[ClockStart, "Time at which the clock starts, for an incident."]
    pausable: Annotated[bool, "Whether pausing an incident pauses the clock of this promise."]
    internal: Annotated[
        bool,
        "Whether it is an internal objective of the company: never credited, not shown to clients.",
    ]
    lowest_grade: Annotated[
        Grade | None, "Lowest grade of evidence that counts; null for any evidence, also none."
    ]
    doubt_favours: Annotated[
        DoubtFavours, "Party that is favoured when the evidence is worse than the lowest grade."
    ]

    calendar = to_one(
        CalendarVersion,
        calendars.CalendarVersion,
        "calendar_version_id",
        "Calendar with the hours in which the clock runs.",
    )

    @resolver(list[Site])
    @staticmethod
    async def sites(row: TermRow, info: Info) -> list[accounts.Site]:
        """Sites that the promise is limited to; empty for all sites of the account."""
        return await info.context.get_all(accounts.Site, row.site_ids)

    hours = to_one(
        CalendarVersion,
        calendars.CalendarVersion,
        "hours_id",
        "Hours in which an incident must be opened for the promise to apply; null for any time.",
    )

    @relations("PromiseTerm")
    @staticmethod
    async def internal_objectives(row: TermRow, info: Info) -> list[agreements.PromiseTerm]:
        """Internal objectives of the company for the same kind of promise; an internal objective has none."""
        found = await info.context.children(
            agreements.PromiseTerm.terms_id, row.terms_id, order=(agreements.PromiseTerm.id,)
        )
        return [
            each for each in found if each.internal and each.kind is row.kind and not row.internal
        ]

    @resolver(list[PromiseTarget])
    @staticmethod
    async def targets(row: TermRow, info: Info) -> list[agreements.PromiseTarget]:
        """Time allowed for each priority."""
        return await info.context.children(
            agreements.PromiseTarget.term_id, row.id, order=(agreements.PromiseTarget.id,)
        )

    @resolver(list[CreditRule])
    @staticmethod
    async def credit_rules(row: TermRow, info: Info) -> list[agreements.CreditRule]:
        """Credits for a single broken promise."""
        return await info.context.children(
            agreements.CreditRule.term_id, row.id, order=(agreements.CreditRule.id,)
        )

    @resolver(list[CreditBand])
    @staticmethod
    async def credit_bands(row: TermRow, info: Info) -> list[agreements.CreditBand]:
        """Credits for a month in which too few promises were kept, lowest band first."""
        return await info.context.children(
            agreements.CreditBand.term_id, row.id, order=(agreements.CreditBand.below_ppm,)
        )


@from_row(agreements.Terms)
class Terms(Node):
    """One version of an agreement's terms with the time in which it is in force. Versions never overlap."""

    number: Annotated[int, "Number of the version within the agreement: 1, 2, 3 …"]
    period_fee_cents: Annotated[Long, "Monthly fee of the client, in cents."]
    currency: Annotated[str, "Currency of the amounts in these terms, as an ISO 4217 code."]
    credit_cap_cents: Annotated[
        Long | None, "Maximum sum of the credits of a month, in cents; null for no maximum."
    ]
    per_cause: Annotated[PerCause, "Rule for an incident that breaks several promises."]

    @resolver(datetime | None)
    @staticmethod
    def in_force_from(row: TermsRow) -> datetime | None:
        """Instant from which the terms are in force."""
        return row.in_force.lower

    @resolver(datetime | None)
    @staticmethod
    def in_force_until(row: TermsRow) -> datetime | None:
        """Instant at which the terms stop being in force, exclusive; null for the last version."""
        return row.in_force.upper

    @resolver(list[PromiseTerm])
    @staticmethod
    async def promises(row: TermsRow, info: Info) -> list[agreements.PromiseTerm]:
        """Promises made in this version."""
        return await info.context.children(
            agreements.PromiseTerm.terms_id, row.id, order=(agreements.PromiseTerm.id,)
        )

    agreement = to_one(
        "Agreement", agreements.Agreement, "agreement_id", "Agreement to which the terms belong."
    )
