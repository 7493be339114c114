"""Credits for broken promises: approvals, overrides and the policy for them."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, agreements, compensation, incidents, journal, promises
from domain.compensation import CreditKind, CreditState
from domain.core import short_numbers
from domain.invoices import VatCategory
from domain.journal import Book
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AgreementId, CreditId, ExpectedVersion, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.journal_entries import JournalEntry

enum(
    CreditKind,
    "CreditKind",
    promise="Credit for one broken promise.",
    period="Credit for a month in which too few promises were kept.",
    goodwill="Goodwill credit, which no rule requires.",
)
enum(
    CreditState,
    "CreditState",
    awaiting="Above the approval threshold: a person of the company must approve it.",
    granted="Granted: the credit counts.",
    declined="Declined by a person of the company; it is not granted.",
)
enum(
    VatCategory,
    "VatCategory",
    standard="S: standard rate; the credit lowers the taxable amount.",
    zero="Z: zero rate of VAT.",
    exempt="E: exempt from VAT.",
    outside="O: outside the scope of VAT, such as damages.",
    reverse="AE: reverse charge, for businesses elsewhere in the EU.",
)

Row = strawberry.Parent[compensation.Credit]
Reason = Annotated[str, "Reason for the decision; the client can read it."]


@from_row(compensation.Credit)
class Credit(Node):
    """Credit of a client: the amount first decided and the amount after later adjustments."""

    kind: Annotated[CreditKind, "Event that the credit compensates."]
    state: Annotated[CreditState, "State of the decision; clients see granted credits only."]
    amount_cents: Annotated[Long, "Amount as first decided, in cents; it never changes."]
    uncapped_cents: Annotated[
        Long, "Amount by the rule, before other credits and the cap, in cents."
    ]
    units_milli: Annotated[Long | None, "Free units, in thousandths of the rate's unit."]
    currency: Annotated[str, "Currency of the credit, as an ISO 4217 code."]
    month_on: Annotated[date, "First day of the month in which the credit counts."]
    decided_at: Annotated[datetime, "Time of the first decision."]
    override_cents: Annotated[
        Long | None, "Amount set by a person instead of the schedule, in cents."
    ]
    decision_by: Annotated[
        str | None, "Person who approved, declined or overrode the credit.", RESTRICTED
    ]
    decision_reason: Annotated[
        str | None, "Reason for the decision by a person; null when there was none."
    ]

    @resolver(str)
    @staticmethod
    def number(row: Row) -> str:
        """Number for people, such as `CRD-000123`; counted per company, found by `credits(search)`."""
        return short_numbers.format_number(short_numbers.CREDIT, row.number)

    @resolver(Long)
    @staticmethod
    async def net_cents(row: Row, info: Info) -> int:
        """Current amount in cents: the sum of the entries."""
        entries = await _entries(row, info)
        lines = await info.context.children_of_all(
            journal.JournalLine.entry_id,
            [entry.id for entry in entries],
            order=(journal.JournalLine.id,),
        )
        owed = (line for found in lines for line in found if line.book is Book.CLIENT_CREDIT)
        cents: int = sum(line.amount_cents for line in owed)
        return -cents

    @resolver(list[JournalEntry])
    @staticmethod
    async def entries(row: Row, info: Info) -> list[journal.JournalEntry]:
        """Journal entries of the credit, oldest first."""
        return await _entries(row, info)

    account = to_one(
        Account, accounts.Account, "account_id", "Account of the client that receives the credit."
    )

    promise = to_one(
        "Promise", promises.Promise, "promise_id", "Broken promise; null for months and goodwill."
    )

    incident = to_one(
        "Incident",
        incidents.Incident,
        "incident_id",
        "Incident with the broken promise; null for months and goodwill.",
    )

    agreement = to_one(
        "Agreement", agreements.Agreement, "agreement_id", "Agreement with the rule for the credit."
    )


async def _entries(row: compensation.Credit, info: Info) -> list[journal.JournalEntry]:
    entry = journal.JournalEntry
    return await info.context.children(entry.subject_id, row.id, order=(entry.n,))


@from_row(compensation.CompensationPolicy)
class CompensationPolicy(Node):
    """Approval threshold and tax category of credits. Not visible to clients."""

    approval_above_cents: Annotated[
        Long | None, "Amount above which a credit needs approval, in cents; null for never."
    ]
    approval_currency: Annotated[
        str,
        "Currency of the threshold, as an ISO 4217 code; credits in another currency always need approval.",
    ]
    vat_category: Annotated[str, "VAT category of credits on credit notes: S, Z, E or O."]
    vat_rate_bps: Annotated[int, "VAT rate in basis points (hundredths of a percent)."]
    version: Annotated[int, "Version of the row, raised by every change."]


@mutation_fields
class CreditMutation:
    """Mutations of credits and of the policy for them."""

    @mutation(Credit)
    @staticmethod
    async def approve_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "Credit that awaits approval."],
        reason: Reason,
    ) -> compensation.Credit:
        """Approve a credit above the threshold. Only a person may do so, and not the one who gave the credit."""
        return await compensation.approve(ask.tx, id, reason=reason)

    @mutation(Credit)
    @staticmethod
    async def decline_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "Credit that awaits approval."],
        reason: Annotated[str, "Reason for declining the credit."],
    ) -> compensation.Credit:
        """Decline a credit above the threshold; it is not granted."""
        return await compensation.decline(ask.tx, id, reason=reason)

    @mutation(Credit)
    @staticmethod
    async def override_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "Granted credit to be adjusted."],
        amount_cents: Annotated[Long, "New amount of the credit, in cents."],
        reason: Reason,
    ) -> compensation.Credit:
        """Set the amount of a granted credit by a counter-entry, instead of the amount by the schedule."""
        return await compensation.override(ask.tx, id, cents=amount_cents, reason=reason)

    @mutation(Credit)
    @staticmethod
    async def give_credit(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "Agreement under which the credit is set off."],
        amount_cents: Annotated[Long, "Amount of the credit, in cents."],
        reason: Reason,
    ) -> compensation.Credit:
        """Give a goodwill credit that no rule requires; its cost is booked separately from guaranteed credits."""
        return await compensation.grant_goodwill(
            ask.tx, agreement_id, cents=amount_cents, reason=reason
        )

    @mutation(CompensationPolicy)
    @staticmethod
    async def choose_compensation_policy(
        ask: MutationContext,
        approval_above_cents: Annotated[
            Long | None,
            "Threshold for approval in cents; omitted: unchanged, at first never; null: never.",
        ] = UNSET,
        vat_category: Annotated[
            str | None,
            "VAT category of credits on credit notes: S, Z, E or O; null: unchanged, at first S.",
        ] = None,
        vat_rate_bps: Annotated[
            int | None,
            (
                "VAT rate in basis points (hundredths of a percent), 0 unless S; null: "
                "unchanged, or the default of the category."
            ),
        ] = None,
        approval_currency: Annotated[
            str | None,
            (
                "Currency of the threshold; credits in another currency always need approval. "
                "Null: unchanged, at first EUR."
            ),
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> compensation.CompensationPolicy:
        """Set the approval threshold and the tax category of credits."""
        return await compensation.choose_policy(
            ask.tx,
            approval_above_cents=None if approval_above_cents is UNSET else approval_above_cents,
            keep_approval=approval_above_cents is UNSET,
            vat_category=vat_category,
            vat_rate_bps=vat_rate_bps,
            approval_currency=approval_currency,
            expected_version=expected_version,
        )
