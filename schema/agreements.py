"""Agreements: versions of the terms, promises, rates and the credits for broken promises."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, TypeVar

import strawberry

from domain import accounts, agreements, calendars, simulation
from domain.agreements import CreditBasis, PerCause, Unit
from domain.core.errors import Code, Refused
from schema.accounts import Account
from schema.calendars import CalendarVersion
from schema.core import ids
from schema.core.context import Info
from schema.core.enums import Priority, PromiseKind, TicketKind
from schema.core.ids import Node
from schema.core.mutations import AccountId, AgreementId, ExpectedVersion, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import Deprecated, enum, from_row, input_type, relation, resolver

K = TypeVar("K")
V = TypeVar("V")

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
    Unit,
    "Unit",
    piece="Per piece, visit or call.",
    hour="Per hour of the service.",
    day="Per day of the service.",
    month="Per month of the service.",
    kilometre="Per kilometre driven for the service.",
)

AgreementRow = strawberry.Parent[agreements.Agreement]
TermsRow = strawberry.Parent[agreements.Terms]
TermRow = strawberry.Parent[agreements.PromiseTerm]
RateRow = strawberry.Parent[agreements.Rate]


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


@from_row(agreements.Rate)
class Rate(Node):
    """Price of one unit of a service, for a range of days."""

    code: Annotated[
        str,
        "Code of the rate within the agreement.",
        Deprecated("Ask rateCode: `code` cannot be selected beside the one of a Refusal."),
    ]
    name: Annotated[str, "Name of the service on invoices."]
    unit: Annotated[Unit, "Unit to which the price applies."]
    price_cents: Annotated[Long, "Price of one unit in cents, without VAT."]
    currency: Annotated[str, "Currency of the price, as an ISO 4217 code."]

    @resolver(str)
    @staticmethod
    def rate_code(row: RateRow) -> str:
        """Code of the rate within the agreement."""
        return row.code

    @resolver(date | None)
    @staticmethod
    def from_on(row: RateRow) -> date | None:
        """First day on which the price applies."""
        return row.in_force.lower

    @resolver(date | None)
    @staticmethod
    def until_on(row: RateRow) -> date | None:
        """Day from which the price no longer applies; null for the last price."""
        return row.in_force.upper


@from_row(agreements.PromiseTerm)
class PromiseTerm(Node):
    """One promise in the terms: the incidents it covers, its calendar and its objective."""

    name: Annotated[str, "Name of the promise; unique within the terms."]
    kind: Annotated[
        PromiseKind, "Kind of promise, which decides the events that start and stop its clock."
    ]
    ticket_kinds: Annotated[list[str], "Kinds of incidents that the promise covers; empty for all."]
    category: Annotated[str | None, "Category of incidents that the promise covers; null for all."]
    objective_ppm: Annotated[int, "Share of these promises that must be kept, in millionths."]
    pausable: Annotated[bool, "Whether pausing an incident pauses the clock of this promise."]
    internal: Annotated[
        bool,
        "Whether it is an internal objective of the company: never credited, not shown to clients.",
    ]

    @resolver(CalendarVersion | None)
    @staticmethod
    async def calendar(row: TermRow, info: Info) -> calendars.CalendarVersion | None:
        """Calendar with the hours in which the clock runs."""
        return await info.context.get(calendars.CalendarVersion, row.calendar_version_id)

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

    @relation("Agreement")
    @staticmethod
    async def agreement(row: TermsRow, info: Info) -> agreements.Agreement | None:
        """Agreement to which the terms belong."""
        return await info.context.get(agreements.Agreement, row.agreement_id)


@from_row(agreements.Agreement)
class Agreement(Node):
    """Agreement that the company and a client signed."""

    reference: Annotated[str, "Reference number of the agreement; unique in the company."]
    title: Annotated[str, "Title of the agreement, as shown to people."]
    signed_on: Annotated[date, "Day on which the agreement was signed."]
    ended_at: Annotated[
        datetime | None, "Time at which the agreement ended; null while it is in force."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: AgreementRow, info: Info) -> accounts.Account | None:
        """Account of the client that signed."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(list[Terms])
    @staticmethod
    async def terms(row: AgreementRow, info: Info) -> list[agreements.Terms]:
        """Versions of the terms, newest first."""
        return await info.context.children(
            agreements.Terms.agreement_id, row.id, order=(agreements.Terms.number,), descending=True
        )

    @resolver(list[Rate])
    @staticmethod
    async def rates(row: AgreementRow, info: Info) -> list[agreements.Rate]:
        """All past, current and future prices, by code and day."""
        return await info.context.children(
            agreements.Rate.agreement_id,
            row.id,
            order=(agreements.Rate.code, agreements.Rate.in_force),
        )


@input_type
class TargetInput:
    """Time allowed for one priority: give either elapsed seconds or business days."""

    priority: Annotated[Priority, "Priority of the incidents to which the target applies."]
    elapsed_s: Annotated[int | None, "Allowed time in seconds of the calendar."] = None
    business_days: Annotated[int | None, "Allowed time in business days of the calendar."] = None


@input_type
class CreditRuleInput:
    """Credit for a broken promise: give either a fixed amount or a share of the fee."""

    priority: Annotated[
        Priority | None,
        "Priority to which the rule applies; null for every priority without its own rule.",
    ] = None
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."] = None
    fee_bps: Annotated[
        int | None,
        (
            "Share of the period fee in basis points (hundredths of a percent); with "
            "`rateCode`, of the price of that rate."
        ),
    ] = None
    rate_code: Annotated[str | None, "Code of a rate of the agreement."] = None
    units_milli: Annotated[Long | None, "Free units, in thousandths of the rate's unit."] = None
    least_cents: Annotated[Long, "Minimum amount of the credit, in cents."] = 0  # type: ignore[assignment]
    most_cents: Annotated[Long | None, "Maximum amount of the credit, in cents."] = None


@input_type
class CreditBandInput:
    """Credit for a month in which too few promises were kept: a fixed amount or a share of the fee."""

    below_ppm: Annotated[
        int, ("Upper limit of the band: it applies when a smaller share was kept, in millionths.")
    ]
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."] = None
    fee_bps: Annotated[
        int | None, "Share of the period fee, in basis points (hundredths of a percent)."
    ] = None


@input_type
class PromiseTermInput:
    """One promise in a version of terms."""

    name: Annotated[str, "Name of the promise; unique within the terms."]
    kind: Annotated[
        PromiseKind, "Kind of promise, which decides the events that start and stop its clock."
    ]
    calendar_version_id: Annotated[
        strawberry.ID, "Calendar version with the hours in which the clock runs."
    ]
    targets: Annotated[list[TargetInput], "Time allowed for each priority."]
    ticket_kinds: Annotated[
        list[TicketKind] | None, "Kinds of incidents that the promise covers; null for all."
    ] = None
    category: Annotated[
        str | None, "Category of incidents that the promise covers; null for all."
    ] = None
    objective_ppm: Annotated[int, "Share of these promises that must be kept, in millionths."] = (
        990_000
    )
    pausable: Annotated[bool, "Whether pausing an incident pauses the clock of this promise."] = (
        True
    )
    internal: Annotated[
        bool,
        "Whether it is an internal objective of the company: never credited, not shown to clients.",
    ] = False
    credit_rules: Annotated[
        list[CreditRuleInput] | None, "Credits for a single broken promise."
    ] = None
    credit_bands: Annotated[
        list[CreditBandInput] | None, "Credits for a month in which too few promises were kept."
    ] = None


@input_type
class TermsInput:
    """One version of an agreement's terms, in full."""

    promises: Annotated[list[PromiseTermInput], "Promises made in this version."]
    period_fee_cents: Annotated[Long, "Monthly fee of the client, in cents."] = 0  # type: ignore[assignment]
    currency: Annotated[str, "Currency of the amounts in these terms, as an ISO 4217 code."] = "EUR"
    credit_cap_cents: Annotated[
        Long | None, "Maximum sum of the credits of a month, in cents; null for no maximum."
    ] = None
    per_cause: Annotated[PerCause, "Rule for an incident that breaks several promises."] = (
        PerCause.LARGEST
    )

    def draft(self) -> agreements.TermsDraft:
        """Convert the input to the domain's draft."""
        return agreements.TermsDraft(
            promises=tuple(_promise(each) for each in self.promises),
            period_fee_cents=self.period_fee_cents,
            currency=self.currency,
            credit_cap_cents=self.credit_cap_cents,
            per_cause=self.per_cause,
        )


def _promise(given: PromiseTermInput) -> agreements.PromiseDraft:
    return agreements.PromiseDraft(
        name=given.name,
        kind=given.kind,
        calendar_version_id=ids.wanted(
            given.calendar_version_id, "CalendarVersion", "calendarVersionId"
        ),
        targets=_by_priority(
            (each.priority, agreements.Target(each.elapsed_s, each.business_days))
            for each in given.targets
        ),
        ticket_kinds=tuple(given.ticket_kinds or ()),
        category=given.category,
        objective_ppm=given.objective_ppm,
        pausable=given.pausable,
        internal=given.internal,
        credits=_by_priority((each.priority, _credit(each)) for each in given.credit_rules or ()),
        bands=tuple(
            agreements.BandDraft(each.below_ppm, each.fixed_cents, each.fee_bps)
            for each in given.credit_bands or ()
        ),
    )


def _credit(given: CreditRuleInput) -> agreements.CreditDraft:
    return agreements.CreditDraft(
        fixed_cents=given.fixed_cents,
        fee_bps=given.fee_bps,
        rate_code=given.rate_code,
        units_milli=given.units_milli,
        least_cents=given.least_cents,
        most_cents=given.most_cents,
    )


def _by_priority(given: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Refuse two entries for one priority, because either could be meant."""
    found: dict[K, V] = {}
    for priority, value in given:
        if priority in found:
            raise Refused(
                Code.INVALID, f"Priority {priority} has two targets; give one.", argument="promises"
            )
        found[priority] = value
    return found


@mutation_fields
class AgreementMutation:
    """Mutations of agreements."""

    @mutation(Agreement)
    @staticmethod
    async def sign_agreement(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that signed."],
        reference: Annotated[str, "Reference number of the agreement; unique in the company."],
        title: Annotated[str, "Title of the agreement, as shown to people."],
        signed_on: Annotated[date, "Day on which the agreement was signed."],
        in_force_from: Annotated[datetime, "Instant from which the terms are in force."],
        terms: Annotated[TermsInput, "First version of the terms."],
    ) -> agreements.Agreement:
        """Record a signed agreement. Terms that are risky on the client's own history need a sign-off first."""
        return await simulation.sign(
            ask.session,
            ask.actor,
            account_id,
            reference=reference,
            title=title,
            signed_on=signed_on,
            in_force_from=in_force_from,
            terms=terms.draft(),
            at=ask.at,
        )

    @mutation(Agreement)
    @staticmethod
    async def end_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "Agreement to be ended."],
        ended_at: Annotated[
            datetime, "Instant from which no new incident is covered; not in the past."
        ],
        reason: Annotated[str, "Reason for ending the agreement."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Agreement:
        """End an agreement. Promises on incidents opened before the end are evaluated and credited as agreed."""
        return await agreements.end(
            ask.session,
            ask.actor,
            id,
            ended_at=ended_at,
            reason=reason,
            at=ask.at,
            expected_version=expected_version,
        )

    @mutation(Terms)
    @staticmethod
    async def amend_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "Agreement to be amended."],
        in_force_from: Annotated[
            datetime,
            "Instant from which the new terms are in force; the old terms apply until then.",
        ],
        terms: Annotated[TermsInput, "New version of the terms, in full."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Terms:
        """Put a new version of the terms in force from an instant on.

        Open incidents keep theirs; risky terms need a sign-off.
        """
        return await simulation.amend(
            ask.session,
            ask.actor,
            id,
            in_force_from=in_force_from,
            terms=terms.draft(),
            at=ask.at,
            expected_version=expected_version,
        )
