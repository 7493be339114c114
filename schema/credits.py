"""Credits: what a broken promise gives back, what moved it, and what people decide about it."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, compensation, journal
from domain.compensation import CreditKind, CreditState, DisputeState
from domain.core import short_numbers
from domain.invoices import VatCategory
from domain.journal import Book, JournalKind
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lazy_types import ItsAgreement, ItsIncident, ItsPromise
from schema.core.mutations import (
    AgreementId,
    CreditId,
    DisputeId,
    ExpectedVersion,
    MutationContext,
    PromiseId,
    mutation,
)
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    CreditKind, "CreditKind",
    promise="A promise was broken.", period="Less was kept in a month than agreed.",
    goodwill="A gesture; nobody owed it.",
)  # fmt: skip
enum(
    CreditState, "CreditState",
    awaiting="Above the threshold: somebody of the company has to agree.", granted="It counts.",
    declined="Somebody of the company decided that it is not given.",
)  # fmt: skip
enum(
    DisputeState, "DisputeState",
    open="Not judged anew yet.", changed="Facts changed the verdict.",
    unchanged="Judged anew, the verdict is what it was.",
)  # fmt: skip
enum(
    Book, "Book",
    client_credit="What clients are owed.", service_recovery="What broken promises cost.",
    goodwill="What gestures cost.", receivable="What clients owe.", revenue="What was billed.",
    vat="VAT to be paid.", bank="What came in, less what was paid out.",
)  # fmt: skip
enum(
    JournalKind, "JournalKind",
    grant="A credit began.", adjust="A counter-entry: a credit moved.",
    apply="Credits were put on a credit note.", invoice="An invoice was issued.",
    payment="Money came in.", payout="Money was paid to a client.",
    reversal="A payment or payout that was booked wrongly was taken back.",
)  # fmt: skip
enum(
    VatCategory, "VatCategory",
    standard="S: taxed, a lower price.", zero="Z: taxed at nothing.", exempt="E: exempt.",
    outside="O: outside the scope of VAT, such as damages.",
    reverse="AE: reverse charge, for businesses elsewhere in the EU.",
)  # fmt: skip

Row = strawberry.Parent[compensation.Credit]
EntryRow = strawberry.Parent[journal.JournalEntry]
DisputeRow = strawberry.Parent[compensation.Dispute]
Reason = Annotated[str, "Why; the client reads it."]


@from_row(journal.JournalLine)
class JournalLine:
    """What an entry moves in one book; debit positive."""

    book: Annotated[Book, "Which account of the general ledger."]
    amount_cents: Annotated[Long, "In cents; debit positive, credit negative."]
    currency: Annotated[str, "ISO 4217 code."]


@from_row(journal.JournalEntry)
class JournalEntry:
    """One movement of money. Entries are never changed; what is wrong is put right by another one."""

    n: Annotated[int, "1, 2, 3 … of what it is about."]
    kind: Annotated[JournalKind, "What it records."]
    reason: Annotated[str, "Why."]
    at: Annotated[datetime, "When."]

    @resolver(list[JournalLine])
    @staticmethod
    async def lines(row: EntryRow, info: Info) -> list[journal.JournalLine]:
        """What it moves; together zero."""
        return await info.context.loaders.lines_of_entry.load(row.id)


@from_row(compensation.Credit)
class Credit(Node):
    """Money a client gets back, as it was first decided, and what it has come to since."""

    kind: Annotated[CreditKind, "What it is for."]
    state: Annotated[CreditState, "Whether it counts; clients see those that do."]
    amount_cents: Annotated[Long, "The amount as first decided, in cents; it never changes."]
    uncapped_cents: Annotated[
        Long, "What the rule says before other credits and the cap, in cents."
    ]
    units_milli: Annotated[Long | None, "Free service: thousandths of the rate's unit."]
    currency: Annotated[str, "ISO 4217 code."]
    month_on: Annotated[date, "First day of the month it counts against."]
    decided_at: Annotated[datetime, "When it was decided."]
    override_cents: Annotated[Long | None, "What people decided instead of the schedule, in cents."]
    decision_by: Annotated[str | None, "Who agreed, declined or overrode it.", RESTRICTED]
    decision_reason: Annotated[str | None, "Why."]

    @resolver(str)
    @staticmethod
    def number(row: Row) -> str:
        """Its number for people, such as `CRD-000123`: counted per company, found by `credits(search)`."""
        return short_numbers.format_number(short_numbers.CREDIT, row.number)

    @resolver(Long)
    @staticmethod
    async def net_cents(row: Row, info: Info) -> int:
        """What it comes to by now, in cents: the sum of its entries."""
        entries = await info.context.loaders.entries_of_subject.load(row.id)
        loader = info.context.loaders.lines_of_entry
        lines = await loader.load_many([entry.id for entry in entries])
        owed = (line for found in lines for line in found if line.book is Book.CLIENT_CREDIT)
        cents: int = sum(line.amount_cents for line in owed)
        return -cents

    @resolver(list[JournalEntry])
    @staticmethod
    async def entries(row: Row, info: Info) -> list[journal.JournalEntry]:
        """What moved it, oldest first."""
        return await info.context.loaders.entries_of_subject.load(row.id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client who gets it."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(ItsPromise | None)
    @staticmethod
    async def promise(row: Row, info: Info) -> Any:
        """The promise that was broken; null for months and gestures."""
        return await _maybe(info.context.loaders.promise, row.promise_id)

    @resolver(ItsIncident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> Any:
        """The ticket it was broken on; null for months and gestures."""
        return await _maybe(info.context.loaders.incident, row.incident_id)

    @resolver(ItsAgreement | None)
    @staticmethod
    async def agreement(row: Row, info: Info) -> Any:
        """The agreement that says so."""
        return await info.context.loaders.agreement.load(row.agreement_id)


async def _maybe(loader: Any, row_id: Any) -> Any:
    return None if row_id is None else await loader.load(row_id)


@from_row(compensation.Dispute)
class Dispute(Node):
    """A client contests a verdict; it is judged anew from the ledger."""

    state: Annotated[DisputeState, "How it ended."]
    reason: Annotated[str, "Why the verdict is contested."]
    opened_at: Annotated[datetime, "When."]
    verdict_was: Annotated[str, "The verdict then."]
    verdict_was_at: Annotated[datetime, "The instant of that verdict."]
    facts_was: Annotated[int, "How many facts about the ticket there were."]
    verdict_now: Annotated[str | None, "The verdict after judging anew."]
    verdict_now_at: Annotated[datetime | None, "The instant of that verdict."]
    facts_now: Annotated[int | None, "How many facts there were by then."]
    outcome: Annotated[str | None, "What was said about it."]
    decided_at: Annotated[datetime | None, "When it was judged anew."]

    @resolver(ItsPromise | None)
    @staticmethod
    async def promise(row: DisputeRow, info: Info) -> Any:
        """The promise whose verdict it is."""
        return await info.context.loaders.promise.load(row.promise_id)


@from_row(compensation.CompensationPolicy)
class CompensationPolicy(Node):
    """Above which amount somebody must agree to a credit, and how credits are taxed. Not shown to clients."""

    approval_above_cents: Annotated[Long | None, "In cents; null for never."]
    approval_currency: Annotated[str, "Of that amount; credits in another currency always wait."]
    vat_category: Annotated[str, "Of credits on credit notes: S, Z, E or O."]
    vat_rate_bps: Annotated[int, "Hundredths of a percent."]
    version: Annotated[int, "Raised by every change."]


@strawberry.type
class CreditMutation:
    """Verbs about credits and disputes."""

    @mutation(Credit)
    @staticmethod
    async def approve_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "The credit that waits."],
        reason: Reason,
    ) -> compensation.Credit:
        """Let a credit above the threshold count. Somebody else than who gave it, and a person."""
        return await compensation.approve(ask.session, ask.actor, id, reason=reason, at=ask.at)

    @mutation(Credit)
    @staticmethod
    async def decline_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "The credit that waits."],
        reason: Annotated[str, "Why."],
    ) -> compensation.Credit:
        """Decide that a credit above the threshold is not given."""
        return await compensation.decline(ask.session, ask.actor, id, reason=reason, at=ask.at)

    @mutation(Credit)
    @staticmethod
    async def override_credit(
        ask: MutationContext,
        id: Annotated[CreditId, "The credit."],
        amount_cents: Annotated[Long, "What it shall come to, in cents."],
        reason: Reason,
    ) -> compensation.Credit:
        """Let a granted credit come to another amount than the schedule says, by a counter-entry."""
        return await compensation.override(
            ask.session, ask.actor, id, cents=amount_cents, reason=reason, at=ask.at
        )

    @mutation(Credit)
    @staticmethod
    async def give_credit(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "The agreement it is set off under."],
        amount_cents: Annotated[Long, "In cents."],
        reason: Reason,
    ) -> compensation.Credit:
        """Give a client something nobody owes; costed apart from guaranteed credits."""
        return await compensation.grant_goodwill(
            ask.session, ask.actor, agreement_id, cents=amount_cents, reason=reason, at=ask.at
        )

    @mutation(CompensationPolicy)
    @staticmethod
    async def choose_compensation_policy(
        ask: MutationContext,
        approval_above_cents: Annotated[
            Long | None,
            "Above this somebody must agree; left out: as it is, never at first; null: never.",
        ] = UNSET,
        vat_category: Annotated[
            str | None, "Of credits on credit notes: S, Z, E or O; null: as it is, S at first."
        ] = None,
        vat_rate_bps: Annotated[
            int | None, "Hundredths of a percent, 0 unless S; null: as it is, or what fits."
        ] = None,
        approval_currency: Annotated[
            str | None,
            "Of that amount; credits in another always wait. Null: as it is, EUR at first.",
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> compensation.CompensationPolicy:
        """Choose above which amount somebody must agree to a credit, and how credits are taxed."""
        return await compensation.choose_policy(
            ask.session, ask.actor,
            approval_above_cents=None if approval_above_cents is UNSET else approval_above_cents,
            keep_approval=approval_above_cents is UNSET,
            vat_category=vat_category, vat_rate_bps=vat_rate_bps, at=ask.at,
            approval_currency=approval_currency,
            expected_version=expected_version,
        )  # fmt: skip

    @mutation(Dispute)
    @staticmethod
    async def contest_verdict(
        ask: MutationContext,
        promise_id: Annotated[PromiseId, "The promise whose verdict you contest."],
        reason: Annotated[str, "Why."],
    ) -> compensation.Dispute:
        """Contest a verdict; it will be judged anew from the ledger."""
        return await compensation.contest(
            ask.session, ask.actor, promise_id, reason=reason, at=ask.at
        )

    @mutation(Dispute)
    @staticmethod
    async def decide_dispute(
        ask: MutationContext,
        id: Annotated[DisputeId, "The dispute."],
        outcome: Annotated[str, "What to tell the client about it."],
    ) -> compensation.Dispute:
        """Judge a contested promise anew from every fact there is by now; only facts change the verdict."""
        return await compensation.decide_dispute(
            ask.session, ask.actor, id, outcome=outcome, at=ask.at
        )
