"""Agreements: what was signed, the versions of its terms, the promises inside and what breaking one costs."""

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
from schema.core.lazy_types import ItsAgreement
from schema.core.mutations import AccountId, AgreementId, ExpectedVersion, MutationContext, mutation
from schema.core.scalars import Long
from schema.core.types import Deprecated, enum, from_row, input_type, resolver

K = TypeVar("K")
V = TypeVar("V")

enum(
    CreditBasis, "CreditBasis",
    fixed="A fixed amount.", fee_share="A share of the period fee.",
    line_share="A share of the price of a rate.", service="Units of a rate for free.",
)  # fmt: skip
enum(
    PerCause, "PerCause",
    largest="Of one ticket's credits the largest counts.", each="Every credit counts in full.",
)  # fmt: skip
enum(
    Unit, "Unit",
    piece="A piece, a visit, a call.", hour="An hour.", day="A day.", month="A month.",
    kilometre="A kilometre.",
)  # fmt: skip

AgreementRow = strawberry.Parent[agreements.Agreement]
TermsRow = strawberry.Parent[agreements.Terms]
TermRow = strawberry.Parent[agreements.PromiseTerm]
RateRow = strawberry.Parent[agreements.Rate]


@from_row(agreements.PromiseTarget)
class PromiseTarget(Node):
    """How long a promise allows a priority: elapsed time on the calendar, or whole business days."""

    priority: Annotated[Priority, "For tickets of this priority."]
    elapsed_s: Annotated[int | None, "Seconds on the calendar."]
    business_days: Annotated[int | None, "Business days of the calendar."]


@from_row(agreements.CreditRule)
class CreditRule(Node):
    """What one broken promise costs the company."""

    priority: Annotated[
        Priority | None, "For this priority; null for those without a rule of their own."
    ]
    basis: Annotated[CreditBasis, "How it is computed."]
    fixed_cents: Annotated[Long | None, "The fixed amount, in cents."]
    fee_bps: Annotated[int | None, "The share of fee or price, in hundredths of a percent."]
    rate_code: Annotated[str | None, "The rate whose price, or of which units, are meant."]
    units_milli: Annotated[Long | None, "Thousandths of the rate's unit that are free."]
    least_cents: Annotated[Long, "At least this, in cents."]
    most_cents: Annotated[Long | None, "At most this, in cents."]


@from_row(agreements.CreditBand)
class CreditBand:
    """What a month in which too little was kept costs; the lowest band that fits holds."""

    below_ppm: Annotated[int, "When less than this share was kept, in millionths."]
    fixed_cents: Annotated[Long | None, "The fixed amount, in cents."]
    fee_bps: Annotated[int | None, "The share of the period fee, in hundredths of a percent."]


@from_row(agreements.Rate)
class Rate(Node):
    """What one unit of a service costs, on which days."""

    code: Annotated[
        str,
        "Its code within the agreement.",
        Deprecated("Ask rateCode: `code` cannot be selected beside the one of a Refusal."),
    ]
    name: Annotated[str, "What invoices call it."]
    unit: Annotated[Unit, "What the price is for."]
    price_cents: Annotated[Long, "Of one unit, in cents, without VAT."]
    currency: Annotated[str, "ISO 4217 code."]

    @resolver(str)
    @staticmethod
    def rate_code(row: RateRow) -> str:
        """Its code within the agreement."""
        return row.code

    @resolver(date | None)
    @staticmethod
    def from_on(row: RateRow) -> date | None:
        """From this day on."""
        return row.in_force.lower

    @resolver(date | None)
    @staticmethod
    def until_on(row: RateRow) -> date | None:
        """Until the day before this one; null while it is the last price."""
        return row.in_force.upper


@from_row(agreements.PromiseTerm)
class PromiseTerm(Node):
    """One promise in the terms: about which tickets, on which calendar, with which objective."""

    name: Annotated[str, "What it is called; unique in the terms."]
    kind: Annotated[PromiseKind, "What is promised."]
    ticket_kinds: Annotated[list[str], "About these kinds of tickets; empty for all."]
    category: Annotated[str | None, "About this category; null for all."]
    objective_ppm: Annotated[int, "The share to be kept, in millionths."]
    pausable: Annotated[bool, "Whether pauses of a ticket hold the clock."]
    internal: Annotated[bool, "The company's own objective: never credited, not shown to clients."]

    @resolver(CalendarVersion | None)
    @staticmethod
    async def calendar(row: TermRow, info: Info) -> calendars.CalendarVersion | None:
        """The hours in which its clock runs."""
        return await info.context.loaders.calendar_version.load(row.calendar_version_id)

    @resolver(list[PromiseTarget])
    @staticmethod
    async def targets(row: TermRow, info: Info) -> list[agreements.PromiseTarget]:
        """How long it allows each priority."""
        return await info.context.loaders.targets_of_term.load(row.id)

    @resolver(list[CreditRule])
    @staticmethod
    async def credit_rules(row: TermRow, info: Info) -> list[agreements.CreditRule]:
        """What breaking it costs."""
        return await info.context.loaders.credit_rules_of_term.load(row.id)

    @resolver(list[CreditBand])
    @staticmethod
    async def credit_bands(row: TermRow, info: Info) -> list[agreements.CreditBand]:
        """What a month in which too little was kept costs, lowest first."""
        return await info.context.loaders.credit_bands_of_term.load(row.id)


@from_row(agreements.Terms)
class Terms(Node):
    """One version of an agreement's terms and when it is in force; versions never overlap."""

    number: Annotated[int, "1, 2, 3 … within the agreement."]
    period_fee_cents: Annotated[Long, "What the client pays a month, in cents."]
    currency: Annotated[str, "ISO 4217 code of the money in these terms."]
    credit_cap_cents: Annotated[
        Long | None, "Credits of a month at most, in cents; null for no cap."
    ]
    per_cause: Annotated[PerCause, "What counts when one ticket breaks several promises."]

    @resolver(datetime | None)
    @staticmethod
    def in_force_from(row: TermsRow) -> datetime | None:
        """From this instant on."""
        return row.in_force.lower

    @resolver(datetime | None)
    @staticmethod
    def in_force_until(row: TermsRow) -> datetime | None:
        """Until just before this instant; null while it is the last version."""
        return row.in_force.upper

    @resolver(list[PromiseTerm])
    @staticmethod
    async def promises(row: TermsRow, info: Info) -> list[agreements.PromiseTerm]:
        """The promises made."""
        return await info.context.loaders.promises_of_terms.load(row.id)

    @resolver(ItsAgreement | None)
    @staticmethod
    async def agreement(row: TermsRow, info: Info) -> agreements.Agreement | None:
        """The agreement it belongs to."""
        return await info.context.loaders.agreement.load(row.agreement_id)


@from_row(agreements.Agreement)
class Agreement(Node):
    """What the company and a client signed."""

    reference: Annotated[str, "Its number; unique in the company."]
    title: Annotated[str, "What it is about."]
    signed_on: Annotated[date, "The day of the signatures."]
    ended_at: Annotated[datetime | None, "Since when it holds no more."]
    version: Annotated[int, "Raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: AgreementRow, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(list[Terms])
    @staticmethod
    async def terms(row: AgreementRow, info: Info) -> list[agreements.Terms]:
        """The versions of its terms, newest first."""
        return await info.context.loaders.terms_of_agreement.load(row.id)

    @resolver(list[Rate])
    @staticmethod
    async def rates(row: AgreementRow, info: Info) -> list[agreements.Rate]:
        """Every price there was, is or will be, by code and day."""
        return await info.context.loaders.rates_of_agreement.load(row.id)


@input_type
class TargetInput:
    """How long a priority is allowed: elapsed seconds or business days, one of the two."""

    priority: Annotated[Priority, "For tickets of this priority."]
    elapsed_s: Annotated[int | None, "Seconds on the calendar."] = None
    business_days: Annotated[int | None, "Business days of the calendar."] = None


@input_type
class CreditRuleInput:
    """What breaking the promise costs: a fixed amount or a share of the fee, one of the two."""

    priority: Annotated[
        Priority | None, "For this priority; null for all without a rule of their own."
    ] = None
    fixed_cents: Annotated[Long | None, "In cents."] = None
    fee_bps: Annotated[
        int | None, "Hundredths of a percent of the period fee; with `rateCode` of that price."
    ] = None
    rate_code: Annotated[str | None, "A rate of the agreement."] = None
    units_milli: Annotated[Long | None, "Thousandths of the rate's unit for free."] = None
    least_cents: Annotated[Long, "At least this, in cents."] = 0  # type: ignore[assignment]
    most_cents: Annotated[Long | None, "At most this, in cents."] = None


@input_type
class CreditBandInput:
    """What a month in which too little was kept costs: fixed, or a share of the fee."""

    below_ppm: Annotated[int, "When less than this share was kept, in millionths."]
    fixed_cents: Annotated[Long | None, "In cents."] = None
    fee_bps: Annotated[int | None, "Hundredths of a percent of the period fee."] = None


@input_type
class PromiseTermInput:
    """One promise of the terms."""

    name: Annotated[str, "What it is called; unique in the terms."]
    kind: Annotated[PromiseKind, "What is promised."]
    calendar_version_id: Annotated[strawberry.ID, "The hours in which its clock runs."]
    targets: Annotated[list[TargetInput], "How long it allows each priority."]
    ticket_kinds: Annotated[
        list[TicketKind] | None, "About these kinds of tickets; null for all."
    ] = None
    category: Annotated[str | None, "About this category; null for all."] = None
    objective_ppm: Annotated[int, "The share to be kept, in millionths."] = 990_000
    pausable: Annotated[bool, "Whether pauses of a ticket hold the clock."] = True
    internal: Annotated[bool, "An objective of the company's own."] = False
    credit_rules: Annotated[list[CreditRuleInput] | None, "What breaking it costs."] = None
    credit_bands: Annotated[
        list[CreditBandInput] | None, "What a month in which too little was kept costs."
    ] = None


@input_type
class TermsInput:
    """One version of terms."""

    promises: Annotated[list[PromiseTermInput], "The promises made."]
    period_fee_cents: Annotated[Long, "What the client pays a month, in cents."] = 0  # type: ignore[assignment]
    currency: Annotated[str, "ISO 4217 code."] = "EUR"
    credit_cap_cents: Annotated[
        Long | None, "Credits of a month at most, in cents; null for no cap."
    ] = None
    per_cause: Annotated[PerCause, "What counts when one ticket breaks several promises."] = (
        PerCause.LARGEST
    )

    def draft(self) -> agreements.TermsDraft:
        """The same in the domain's words."""
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
    """Refuse two words about one priority: which of them holds would be a guess."""
    found: dict[K, V] = {}
    for priority, value in given:
        if priority in found:
            raise Refused(Code.INVALID, f"{priority} is named twice.", argument="promises")
        found[priority] = value
    return found


@strawberry.type
class AgreementMutation:
    """Verbs about agreements."""

    @mutation(Agreement)
    @staticmethod
    async def sign_agreement(
        ask: MutationContext,
        account_id: Annotated[AccountId, "The client."],
        reference: Annotated[str, "Its number; unique in the company."],
        title: Annotated[str, "What it is about."],
        signed_on: Annotated[date, "The day of the signatures."],
        in_force_from: Annotated[datetime, "From when the terms hold."],
        terms: Annotated[TermsInput, "The first version of the terms."],
    ) -> agreements.Agreement:
        """Enter a signed agreement. Terms that the client's own history makes risky need a sign-off first."""
        return await simulation.sign(
            ask.session, ask.actor, account_id, reference=reference, title=title,
            signed_on=signed_on, in_force_from=in_force_from, terms=terms.draft(), at=ask.at,
        )  # fmt: skip

    @mutation(Agreement)
    @staticmethod
    async def end_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "The agreement."],
        ended_at: Annotated[datetime, "From when it holds for no new ticket; not in the past."],
        reason: Annotated[str, "Why."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Agreement:
        """Let an agreement end; what was promised about tickets opened before is kept or broken as agreed."""
        return await agreements.end(
            ask.session, ask.actor, id, ended_at=ended_at, reason=reason, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Terms)
    @staticmethod
    async def amend_agreement(
        ask: MutationContext,
        id: Annotated[AgreementId, "The agreement."],
        in_force_from: Annotated[
            datetime, "From when the new terms hold; the old ones until then."
        ],
        terms: Annotated[TermsInput, "The new version of the terms, in full."],
        expected_version: ExpectedVersion = None,
    ) -> agreements.Terms:
        """Let a new version of the terms hold from an instant on; open tickets keep theirs. Risk needs a sign-off."""
        return await simulation.amend(
            ask.session, ask.actor, id, in_force_from=in_force_from, terms=terms.draft(),
            at=ask.at, expected_version=expected_version,
        )  # fmt: skip
